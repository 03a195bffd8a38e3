"""A home whose router, or two of them, run miniupnpd, and a host outside."""

from __future__ import annotations

import contextlib
import ipaddress
import itertools
import json
import os
import secrets
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .lab import HOPWISE
from .namespaces import RUN, Namespace, delete, root_ip, sweep
from .programs import Program

HOME6, ROUTER6 = "2001:db8:77::20", "2001:db8:77::1"
HOME, ROUTER, WAN, OUTSIDE = "192.168.77.20", "192.168.77.1", "203.0.113.20", "203.0.113.7"
SIDE_HOME, SIDE_ROUTER, SIDE_WAN = "10.9.0.20", "10.9.0.1", "203.0.113.30"
TOLD = str(ipaddress.ip_address(WAN) + 256)
"""What the router says its outer address is: miniupnpd maps nothing for an address that is reserved, as all are that
may stand in a test. Nothing is ever sent there."""
_PASSWORD = secrets.token_hex(8)
_NEXT = itertools.count(900)
_CHAINS = """
flush ruleset
table inet filter {
 chain miniupnpd { }
 chain prerouting_miniupnpd { }
 chain postrouting_miniupnpd { }
 chain forward { type filter hook forward priority 0; policy accept; jump miniupnpd; iifname "wan" ct state new drop; }
 chain prerouting { type nat hook prerouting priority -100; jump prerouting_miniupnpd; }
 chain postrouting { type nat hook postrouting priority 100; jump postrouting_miniupnpd; oifname "wan" masquerade; }
 chain input { type filter hook input priority 0; policy accept; }
}
"""


@dataclass
class Street:
    """`home` is the service's host; `router` and `side` lead out of it, over the interfaces `lan` and `side`."""

    home: Namespace
    router: Namespace
    side: Namespace
    outside: Namespace
    files: Path
    _running: list[Program] = field(default_factory=list)

    @contextlib.contextmanager
    def miniupnpd(self, *lines: str, at: Namespace | None = None, name: str = "Model L") -> Iterator[None]:
        """It runs on the router with those lines of its configuration, from an empty list of mappings."""
        space = at or self.router
        space.nft(_CHAINS)
        number = next(_NEXT)
        file = self.files / f"miniupnpd-{number}.conf"
        base = [
            "ipv6_disable=no",
            "ext_ifname=wan",
            "listening_ip=lan",
            "http_port=5000",
            "secure_mode=no",
            "min_lifetime=1",
            "system_uptime=no",
            f"uuid=00000000-0000-4000-8000-{number:012}",
            "friendly_name=Router of the lab",
            "manufacturer_name=Lab",
            f"model_name={name}",
            f"lease_file={file.with_suffix('.leases')}",
        ]
        allow = "allow 1024-65535 0.0.0.0/0 1024-65535"
        file.write_text("\n".join([*base, *lines, allow, "deny 0-65535 0.0.0.0/0 0-65535"]) + "\n")
        # Its words go to standard error; what is waited for here is read from standard output.
        script = f"exec miniupnpd -d -f {file} -P {file.with_suffix('.pid')} 2>&1"
        program = Program(space, ["sh", "-c", script], file.with_suffix(".log"))
        try:
            program.wait_for(
                "Listening for NAT-PMP/PCP traffic on port 5351"
                if "enable_natpmp=yes" in lines
                else "HTTP listening on port 5000"
            )
            yield
        finally:
            program.stop()

    def drop(self, rule: str) -> None:
        """Have the router drop what it is sent itself, by an nft expression."""
        self.router.nft(f"add rule inet filter input {rule} drop\n")

    def hopwise(self, *arguments: str, at: Namespace | None = None) -> tuple[int, str]:
        """Exit status and standard output of a command that is run at home."""
        with (at or self.home).entered():
            done = subprocess.run(
                [HOPWISE, *arguments],
                capture_output=True,
                text=True,
                check=False,
                timeout=100,
                env={**os.environ, "HOPWISE_TURN_PASSWORD": _PASSWORD},
            )
        assert done.returncode in (0, 1, 3), done.stderr + done.stdout
        return done.returncode, done.stdout

    def router_says(self, *arguments: str) -> tuple[int, dict[str, Any]]:
        """Exit status and result of `hopwise router --json`."""
        status, out = self.hopwise("router", *arguments, "--json")
        result: dict[str, Any] = json.loads(out)
        return status, result

    def project(self, ports: Sequence[tuple[str, str]], *, inner: str | None = HOME, relay: bool = False) -> str:
        """A project file with those ports (protocol, numbers), tested at home, or through a relay outside."""
        place = 'kind = "local"\nbeyond = "router"'
        if relay:
            place = f'kind = "turn"\nserver = "turn:{OUTSIDE}:3478?transport=udp"\nusername = "alice"'
        lines = [
            f'format = 1\nname = "Home"\npublic_address = "{WAN}"\nprobe_key = "of-the-lab"',
            f'[[hops]]\nid = "router"\nkind = "router"\naddress = "{WAN}"',
            '[[hops]]\nid = "server"\nkind = "firewall"' + (f'\naddress = "{inner}"' if inner else ""),
            '[[hops]]\nid = "calls"\nkind = "service"',
            *(f'[[ports]]\nname = "p{n}"\nprotocol = "{p}"\noutside = "{r}"' for n, (p, r) in enumerate(ports)),
            f'[[vantages]]\nid = "outside"\n{place}',
        ]
        file = self.files / f"project-{next(_NEXT)}.toml"
        file.write_text("\n\n".join(lines) + "\n")
        return str(file)

    def responder(self, project: str) -> Program:
        """It answers at home until the street is closed."""
        started = Program(self.home, [HOPWISE, "respond", project, "--json"], self.files / f"r-{next(_NEXT)}.log")
        self._running.append(started)
        started.wait_for("ready")
        return started

    def coturn(self) -> None:
        """A TURN server on the host outside."""
        folder = self.files / f"coturn-{next(_NEXT)}"
        folder.mkdir()
        lines = ["realm=example.org", "lt-cred-mech", f"user=alice:{_PASSWORD}", "no-tls", "no-dtls", "no-cli"]
        lines += [f"listening-ip={OUTSIDE}", f"relay-ip={OUTSIDE}", "log-file=stdout", "simple-log", "verbose"]
        lines += [f"userdb={folder / 'db'}", f"pidfile={folder / 'pid'}"]
        # The one name of a file in which a password belongs.
        file = folder / "turnserver.conf"
        file.write_text("\n".join(lines) + "\n")
        started = Program(self.outside, ["turnserver", "-c", str(file)], folder / "log")
        self._running.append(started)
        started.wait_for(f"UDP listener opened on: {OUTSIDE}:3478")

    def close(self) -> None:
        """End what runs."""
        for program in self._running:
            program.stop()


@contextlib.contextmanager
def street(files: Path) -> Iterator[Street]:
    """Build it. Needs root."""
    sweep()
    prefix = f"hw{os.getpid()}lab{next(_NEXT)}-gw-"
    spaces = home, router, side, outside = [Namespace(prefix + name) for name in ("home", "router", "side", "out")]
    try:
        root_ip([f"netns add {space.name}" for space in spaces])
        root_ip(
            [
                f"link add lan netns {home.name} type veth peer name lan netns {router.name}",
                f"link add side netns {home.name} type veth peer name lan netns {side.name}",
                f"link add wan netns {router.name} type veth peer name one netns {outside.name}",
                f"link add wan netns {side.name} type veth peer name two netns {outside.name}",
            ]
        )
        up = ["link set lo up", "link set lan up", "link set wan up"]
        home.ip(
            [
                "link set lo up",
                "link set lan up",
                "link set side up",
                f"addr add {HOME}/24 dev lan",
                f"addr add {HOME6}/64 dev lan nodad",
                f"addr add {SIDE_HOME}/24 dev side",
                f"route add default via {ROUTER}",
            ]
        )
        router.ip([f"addr add {ROUTER6}/64 dev lan nodad", "link set lan address 02:00:00:00:77:01"])
        router.ip([*up, f"addr add {ROUTER}/24 dev lan", f"addr add {WAN}/28 dev wan"])
        side.ip([*up, f"addr add {SIDE_ROUTER}/24 dev lan", f"addr add {SIDE_WAN}/32 dev wan"])
        # As homes have it: the router announces itself by its link-local address (RFC 4861 section 4.2).
        home.ip(["route add ::/0 via fe80::ff:fe00:7701 dev lan"])
        # The host outside stands in a network with the router, and is reached from there without a further hop.
        outside.ip(["link set lo up", "link set one up", "link set two up", f"addr add {OUTSIDE}/24 dev one"])
        router.ip([f"route add {OUTSIDE}/32 dev wan"])
        for space in (router, side):
            space.route()
            with space.entered():
                # Every question that is refused is told so, however many there are.
                Path("/proc/sys/net/ipv4/icmp_ratelimit").write_text("0")
        made = Street(home, router, side, outside, files)
        try:
            yield made
        finally:
            made.close()
    finally:
        delete([space.name for space in spaces if (RUN / space.name).exists()])
