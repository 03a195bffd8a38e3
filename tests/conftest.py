"""What a test may ask of the machine: `@pytest.mark.requires("root", "coturn")` skips it elsewhere, saying why.

Where namespaces can be had, tests run in a network of their own, each worker of `pytest -n 4` in another.

With CI set, a test skipped for want of what CI promises fails instead: nobody reads a skip in a green run.
"""

from __future__ import annotations

import ctypes
import os
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Generator
from functools import cache
from pathlib import Path

import pytest
from hypothesis import settings

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

# How long an example takes says nothing on a busy machine. Where CI is set, Hypothesis has a profile of its own.
settings.register_profile("any-machine", deadline=None)
if not os.environ.get("CI"):
    settings.load_profile("any-machine")

_CLONE_NEWNET = 0x40000000
_PROMISED = re.compile(r"\b(root|namespaces?|nft|nftables|iptables|ufw|coturn|turnserver|sshd)\b", re.IGNORECASE)


def _is_root() -> bool:
    return sys.platform != "win32" and os.geteuid() == 0


def _has_namespaces() -> bool:
    unshare = shutil.which("unshare")
    return (
        unshare is not None
        and subprocess.run([unshare, "--net", "true"], capture_output=True, check=False).returncode == 0
    )


def _has_nft() -> bool:
    # The program alone is not enough: the kernel may lack nf_tables.
    script = 'nft add table inet hopwise && nft add chain inet hopwise c "{ type filter hook input priority 0; }"'
    return _has_namespaces() and (
        subprocess.run(["unshare", "--net", "sh", "-c", script], capture_output=True, check=False).returncode == 0
    )


def _has_ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True


def _has_keyring_daemon() -> bool:
    return all(map(shutil.which, ("dbus-run-session", "gnome-keyring-daemon")))


def _has_miniupnpd() -> bool:
    # The variant for iptables would write its rules where the lab does not look.
    return shutil.which("miniupnpd") is not None and Path("/etc/miniupnpd/nft_init.sh").exists()


def _program(name: str) -> Callable[[], bool]:
    return lambda: shutil.which(name) is not None


NEEDS: dict[str, tuple[str, Callable[[], bool]]] = {
    "root": ("the rights of root", _is_root),
    "namespaces": ("network namespaces (root, on Linux)", _has_namespaces),
    "nft": ("nft in a network namespace (root, nftables)", _has_nft),
    "sshd": ("sshd, from the package openssh-server", lambda: Path("/usr/sbin/sshd").exists()),
    "iptables": ("iptables-restore, from the package iptables", _program("iptables-restore")),
    "firewalld": ("firewalld and dbus-daemon, from the package firewalld", _program("firewalld")),
    "ufw": ("ufw, from the package ufw", _program("ufw")),
    "coturn": ("turnserver, from the package coturn", _program("turnserver")),
    "miniupnpd": ("miniupnpd with its nftables, from the package miniupnpd-nftables", _has_miniupnpd),
    "linux": ("Linux", lambda: sys.platform == "linux"),
    "ipv6": ("IPv6 on loopback", _has_ipv6),
    "keyring": ("gnome-keyring-daemon and dbus-run-session", _has_keyring_daemon),
    "chromium": ("chromium", _program("chromium")),
    "certutil": ("certutil, from the package libnss3-tools", _program("certutil")),
    "poppler": ("pdftotext, from the package poppler-utils", _program("pdftotext")),
    "xvfb": ("Xvfb", _program("Xvfb")),
    "xdotool": ("xdotool", _program("xdotool")),
    "desktop-file-validate": ("desktop-file-validate, from desktop-file-utils", _program("desktop-file-validate")),
    "appstreamcli": ("appstreamcli, from the package appstream", _program("appstreamcli")),
}


def _enter_own_network() -> None:
    """Loopback and nothing else: no packet of a test leaves this computer, and no worker finds a port taken."""
    if ctypes.CDLL(None, use_errno=True).unshare(_CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), "unshare failed")
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)


@cache
def _present(need: str) -> bool:
    return NEEDS[need][1]()


def pytest_configure(config: pytest.Config) -> None:
    if _has_namespaces():
        _enter_own_network()
    config.pluginmanager.import_plugin("tests.secret_watch")
    config.addinivalue_line("markers", "alone: measures time, so nothing else may run beside it")
    config.addinivalue_line("markers", f"requires(*needs): what the machine must have, of: {', '.join(NEEDS)}")


def pytest_runtest_setup(item: pytest.Item) -> None:
    needs = [need for mark in item.iter_markers("requires") for need in mark.args]
    if unknown := [need for need in needs if need not in NEEDS]:
        raise pytest.UsageError(f"{item.nodeid}: no such need: {', '.join(unknown)}")
    for need in needs:
        if not _present(need):
            pytest.skip(f"needs {need}: {NEEDS[need][0]}")


def _fail_if_promised(report: pytest.TestReport | pytest.CollectReport) -> None:
    if not os.environ.get("CI") or not report.skipped or not isinstance(report.longrepr, tuple):
        return
    reason = report.longrepr[2]
    if _PROMISED.search(reason) and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"Skipped where CI is set, which promises root, namespaces, nft, coturn and sshd: {reason}"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    _fail_if_promised(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    report = yield
    _fail_if_promised(report)
    return report
