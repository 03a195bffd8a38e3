"""ufw and firewalld, run in a namespace with configuration of their own."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import time
from pathlib import Path

from tests.lab.namespaces import Namespace

_START_S = 30.0
_BUS = """<busconfig><type>custom</type><listen>unix:path={path}</listen><auth>EXTERNAL</auth>
<policy context="default"><allow user="*"/><allow own="*"/><allow send_type="method_call"/>
<allow send_destination="*" eavesdrop="true"/><allow receive_type="method_return"/><allow receive_type="error"/>
<allow receive_type="signal"/><allow receive_type="method_call"/></policy></busconfig>
"""


class Ufw:
    """ufw, active, with /etc/ufw replaced by a copy for what runs here."""

    def __init__(self, space: Namespace, folder: Path) -> None:
        self._space = space
        self._folder = folder / "ufw"

    def __enter__(self) -> Ufw:
        shutil.copytree("/etc/ufw", self._folder)
        self.sh("ufw --force reset > /dev/null && ufw --force enable > /dev/null")
        return self

    def __exit__(self, *_: object) -> None:
        self.sh("ufw --force disable > /dev/null")

    def sh(self, script: str) -> str:
        """Run lines of a shell."""
        mounted = f"mount --bind {self._folder} /etc/ufw\n"
        return self._space.run(["unshare", "-m", "sh", "-e"], mounted + script)

    def status(self) -> str:
        """What `ufw status verbose` prints."""
        return self.sh("LC_ALL=C ufw status verbose")


class Firewalld:
    """firewalld on a bus of its own, with /etc/firewalld replaced by an empty copy."""

    def __init__(self, space: Namespace, folder: Path) -> None:
        self._space = space
        self._folder = folder
        self._bus: subprocess.Popen[str] | None = None
        self._daemon: subprocess.Popen[str] | None = None

    def __enter__(self) -> Firewalld:
        (self._folder / "etc").mkdir()
        shutil.copy("/etc/firewalld/firewalld.conf", self._folder / "etc")
        (self._folder / "bus.conf").write_text(_BUS.format(path=self._folder / "bus"))
        try:
            self._bus = self._start("dbus-daemon", f"--config-file={self._folder / 'bus.conf'}", "--print-address")
            assert self._bus.stdout is not None
            self._bus.stdout.readline()
            self._daemon = self._start(
                "unshare",
                "-m",
                "sh",
                "-c",
                f"mount --bind {self._folder}/etc /etc/firewalld && exec firewalld --nofork --nopid",
            )
            self._await()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        for process in (self._daemon, self._bus):
            if process is not None and process.poll() is None:
                process.send_signal(signal.SIGTERM)
                process.wait(_START_S)
            if process is not None and process.stdout is not None:
                process.stdout.close()

    def _start(self, *argv: str) -> subprocess.Popen[str]:
        with self._space.entered():
            return subprocess.Popen(
                argv, env=self._environment(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
            )

    def _environment(self) -> dict[str, str]:
        return {**os.environ, "DBUS_SYSTEM_BUS_ADDRESS": f"unix:path={self._folder / 'bus'}", "LC_ALL": "C"}

    def _await(self) -> None:
        """Until it answers on the bus: it says so nowhere else."""
        until = time.monotonic() + _START_S
        while self._asked("firewall-cmd --state").returncode:
            assert self._daemon is not None
            if self._daemon.poll() is not None or time.monotonic() > until:
                raise RuntimeError("firewalld did not start")

    def _asked(self, script: str) -> subprocess.CompletedProcess[str]:
        with self._space.entered():
            return subprocess.run(
                ["sh", "-e"], input=script, env=self._environment(), capture_output=True, text=True, check=False
            )

    def sh(self, script: str) -> str:
        """Run lines of a shell."""
        done = self._asked(script)
        if done.returncode:
            raise RuntimeError(f"{done.stderr}\n{script}")
        return done.stdout

    def listing(self) -> str:
        """What `firewall-cmd --list-all` prints of the zone that counts."""
        return re.sub(r" +$", "", self.sh("firewall-cmd --list-all"), flags=re.MULTILINE)
