"""The program itself, on a real X server, with a real mouse."""

import os
import shutil
import signal
import subprocess
import sys
import time
from contextlib import contextmanager

import pytest

pytestmark = pytest.mark.requires("xvfb", "xdotool")


@contextmanager
def x_server(tmp_path):
    read, write = os.pipe()
    command = [shutil.which("Xvfb"), "-displayfd", str(write), "-screen", "0", "1280x900x24", "-nolisten", "tcp"]
    server = subprocess.Popen(command, pass_fds=(write,), stderr=subprocess.DEVNULL)
    os.close(write)
    try:
        with os.fdopen(read) as pipe:
            yield f":{pipe.readline().strip()}"
    finally:
        server.terminate()
        server.wait(10)


def test_the_practice_network_is_tested_with_a_mouse_and_the_window_closes_clean(tmp_path):
    with x_server(tmp_path) as display:
        environment = {
            **os.environ,
            "DISPLAY": display,
            "QT_QPA_PLATFORM": "xcb",
            "XDG_STATE_HOME": str(tmp_path),
            "PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring",
            "LC_ALL": "C.UTF-8",
        }

        def xdotool(*words):
            done = subprocess.run(
                ["xdotool", *words], env=environment, capture_output=True, text=True, timeout=30, check=True
            )
            return done.stdout.strip()

        wizard = subprocess.Popen(
            [sys.executable, "-c", "import sys; from wizard.gui.app import main; sys.exit(main([]))"],
            env=environment,
            stderr=subprocess.PIPE,
            text=True,
        )
        try:
            window = xdotool("search", "--sync", "--onlyvisible", "--name", "Hopwise").splitlines()[0]
            xdotool("windowsize", "--sync", window, "1120", "760", "windowfocus", "--sync", window)
            xdotool("mousemove", "--window", window, "875", "583", "click", "1")
            xdotool("search", "--sync", "--onlyvisible", "--name", "Practice network")
            shot = tmp_path / "shot.png"
            deadline = time.monotonic() + 20
            xdotool("mousemove", "--window", window, "1057", "726", "click", "1")
            greens = 0
            while greens < 400 and time.monotonic() < deadline:
                subprocess.run(["import", "-window", window, str(shot)], env=environment, check=True, timeout=30)
                count = [
                    "convert",
                    str(shot),
                    "-fill",
                    "black",
                    "+opaque",
                    "#0B7A4B",
                    "-fill",
                    "white",
                    "-opaque",
                    "#0B7A4B",
                    "-format",
                    "%[fx:mean*w*h]",
                    "info:",
                ]
                greens = float(subprocess.run(count, capture_output=True, text=True, check=True, timeout=30).stdout)
            assert greens >= 400, "no hop turned green"
            xdotool("key", "ctrl+q")
            assert wizard.wait(10) == 0
            assert wizard.stderr.read() == ""
        finally:
            if wizard.poll() is None:
                wizard.send_signal(signal.SIGKILL)
                wizard.wait(10)
            wizard.stderr.close()
