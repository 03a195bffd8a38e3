"""`hopwise respond` and the printed script, as processes."""

from __future__ import annotations

import ast
import contextlib
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.probes.asking import WITHIN_S, free_port, udp_socket
from wizard.model.load import load
from wizard.report.responder import CARRIED, one_line, printed, responder_plan
from wizard.wire.probe import read_answer, request

KEY = "k"


def write_project(folder: Path, *ports: tuple[str, str], inside: bool = True) -> Path:
    """A home router before the service; the router keeps the numbers."""
    lines = [f'format = 1\nname = "Chat at home"\npublic_address = "203.0.113.20"\nprobe_key = "{KEY}"\n']
    for hop, kind in (("router", "router"), ("chat", "service")):
        address = 'address = "203.0.113.20"\n' if hop == "router" else ""
        lines.append(f'[[hops]]\nid = "{hop}"\nkind = "{kind}"\n{address}')
    for protocol, numbers in ports:
        lines.append(f'[[ports]]\nname = "{protocol} {numbers}"\nprotocol = "{protocol}"\noutside = "{numbers}"\n')
    path = folder / "chat.toml"
    path.write_text("\n".join(lines))
    return path


def command(project: Path, *arguments: str) -> list[str]:
    return [sys.executable, "-m", "wizard.cli", "respond", str(project), *arguments]


@contextlib.contextmanager
def started(arguments: list[str], script: str | None = None, **options: object) -> Iterator[subprocess.Popen[str]]:
    """The process, ended and reaped whatever happens."""
    process = subprocess.Popen(
        arguments,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        **options,  # type: ignore[call-overload]
    )
    try:
        assert process.stdin is not None
        process.stdin.write(script or "")
        process.stdin.close()
        process.stdin = None
        yield process
    finally:
        process.kill()
        process.communicate()


def until_ready(process: subprocess.Popen[str]) -> list[str]:
    """The lines before `ready`."""
    assert process.stdout is not None
    lines: list[str] = []
    for line in iter(process.stdout.readline, ""):
        if line == "ready\n":
            return lines
        lines.append(line.rstrip("\n"))
    process.wait()
    raise AssertionError(f"it ended without being ready: {lines} {process.stderr and process.stderr.read()}")


def ask(address: str, port: int, *, vantage: str = "laptop", enters: str = "router", sent_to: int = 0) -> bytes:
    """The bytes that come back over UDP."""
    with udp_socket(address, port) as sock:
        sock.settimeout(WITHIN_S)
        sock.send(request(KEY.encode(), os.urandom(12), vantage, enters, sent_to or port))
        return sock.recv(2000)


def free_run(count: int) -> int:
    """The first of so many neighbouring numbers that are free over both protocols."""
    while True:
        first = free_port()
        with contextlib.ExitStack() as stack, contextlib.suppress(OSError, OverflowError):
            for number in range(first, first + count):
                for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
                    sock = stack.enter_context(socket.socket(socket.AF_INET6, kind))
                    sock.bind(("::", number))
            return first


def test_a_person_reads_what_is_answered_on_and_who_holds_the_rest(tmp_path: Path) -> None:
    first = free_run(5)
    with socket.create_server(("127.0.0.1", first + 2)):
        project = write_project(tmp_path, ("tcp", f"{first}-{first + 4}"), ("udp", str(first)))
        with started(command(project)) as process:
            lines = until_ready(process)
            assert read_answer(KEY.encode(), ask("127.0.0.1", first)) is not None
            process.send_signal(signal.SIGINT)
            rest, errors = process.communicate(timeout=WITHIN_S)
    assert lines == [
        "Standing in for the hop chat for 30 minutes: answers this project's signed probes and nothing else.",
        f"answers on  tcp {first}-{first + 1}, {first + 3}-{first + 4}",
        f"answers on  udp {first}",
        f"leaves      tcp {first + 2}: held by {Path(f'/proc/{os.getpid()}/comm').read_text().strip()} "
        f"(pid {os.getpid()}), on 127.0.0.1 only: nothing from outside this host reaches it",
    ]
    assert (process.returncode, rest, errors) == (0, f"answered    udp {first}\n", "")


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_it_ends_cleanly_when_asked_to(tmp_path: Path, how: signal.Signals) -> None:
    with started(command(write_project(tmp_path, ("udp", str(free_port()))))) as process:
        until_ready(process)
        process.send_signal(how)
        _, errors = process.communicate(timeout=WITHIN_S)
    assert (process.returncode, errors) == (0, "")


def test_it_ends_by_itself_after_its_minutes(tmp_path: Path) -> None:
    with started(command(write_project(tmp_path, ("udp", str(free_port()))), "--minutes", "0.01")) as process:
        until_ready(process)
        process.communicate(timeout=WITHIN_S)
    assert process.returncode == 0


def test_each_probe_is_one_line_of_json(tmp_path: Path) -> None:
    first = free_run(3)
    with socket.create_server(("0.0.0.0", first + 2)):
        project = write_project(tmp_path, ("udp", f"{first}-{first + 1}"), ("tcp", str(first + 2)))
        with started(command(project, "--json")) as process:
            held = [json.loads(line) for line in until_ready(process)]
            ask("127.0.0.1", first)
            ask("127.0.0.1", first + 1, sent_to=first)
            process.terminate()
            lines, _ = process.communicate(timeout=WITHIN_S)
    assert [(line["outcome"], line["protocol"], line["port"]) for line in held] == [("not-checked", "tcp", first + 2)]
    assert f"(pid {os.getpid()})" in held[0]["error"]
    found = [json.loads(line) for line in lines.splitlines()]
    answered = [line for line in found if line["outcome"] == "answered"]
    assert len(answered) == 1
    answered[0].pop("at")
    assert answered[0].pop("seen_as").startswith("127.0.0.1:")
    assert answered[0] == {
        "vantage": "responder",
        "enters": "chat",
        "address": "127.0.0.1",
        "port": first,
        "protocol": "udp",
        "came_in_on": f"127.0.0.1:{first}",
        "stands_at": "chat",
        "outcome": "answered",
        "probe_vantage": "laptop",
        "probe_enters": "router",
        "probe_port": first,
    }
    # The second was sent to another number than the one on which it came.
    assert {line["outcome"] for line in found if line["port"] == first + 1} == {"misdirected"}


def test_a_reader_that_stalls_keeps_no_probe_waiting(tmp_path: Path) -> None:
    first = free_run(40)
    project = write_project(tmp_path, ("udp", f"{first}-{first + 39}"))
    with started(command(project, "--json")) as process:
        until_ready(process)
        # More lines than a pipe holds, and nobody reads them.
        for vantage in range(20):
            for port in range(first, first + 40):
                ask("127.0.0.1", port, vantage=f"laptop-{vantage}")
        process.terminate()
        lines, _ = process.communicate(timeout=WITHIN_S)
    answered = [line for line in map(json.loads, lines.splitlines()) if line["outcome"] == "answered"]
    assert len(answered) == 20 * 40
    assert process.returncode == 0


def test_a_reader_that_is_gone_keeps_no_probe_waiting(tmp_path: Path) -> None:
    port = free_port()
    with started(command(write_project(tmp_path, ("udp", str(port))), "--json")) as process:
        until_ready(process)
        assert process.stdout is not None
        process.stdout.close()
        process.stdout = None
        for _ in range(3):
            ask("127.0.0.1", port)
        process.terminate()
        _, errors = process.communicate(timeout=WITHIN_S)
    assert (process.returncode, errors) == (0, "")


def test_a_probe_under_another_key_is_named_once(tmp_path: Path) -> None:
    port = free_port()
    with started(command(write_project(tmp_path, ("udp", str(port))))) as process:
        until_ready(process)
        with udp_socket("127.0.0.1", port) as sock:
            for _ in range(2):
                sock.send(request(b"another key", os.urandom(12), "laptop", "router", port))
        ask("127.0.0.1", port)
        process.terminate()
        _, errors = process.communicate(timeout=WITHIN_S)
    assert errors == (
        "A probe from 127.0.0.1 is signed with another project's key: is the project file the same there?\n"
    )


def limits(soft: int, hard: int) -> list[str]:
    return ["sh", "-c", f'ulimit -Sn {soft} && ulimit -Hn {hard} && exec "$@"', "sh"]


@pytest.mark.requires("linux")
def test_ten_thousand_ports_are_answered_under_a_soft_limit_of_1024_open_files(tmp_path: Path) -> None:
    project = write_project(tmp_path, ("udp", "20000-24999"), ("tcp", "25000-29999"))
    numbers = responder_plan(load(project)).numbers()
    with started([*limits(1024, 16_000), *command(project, "--json")]) as process:
        held = {(line["protocol"], line["port"]) for line in map(json.loads, until_ready(process))}
        free = [port for port in numbers if port not in held]
        assert len(free) > 9_900
        for protocol, port in free:
            if protocol == "udp":
                assert ask("127.0.0.1", port)
        for _, port in [port for port in free if port[0] == "tcp"][::50]:
            with socket.create_connection(("127.0.0.1", port), WITHIN_S) as sock:
                sock.sendall(request(KEY.encode(), os.urandom(12), "laptop", "router", port))
                assert read_answer(KEY.encode(), sock.recv(2000)) is not None


@pytest.mark.requires("linux")
def test_too_many_ports_for_the_system_are_refused_in_a_sentence(tmp_path: Path) -> None:
    project = write_project(tmp_path, ("udp", "20000-21999"))
    done = subprocess.run(
        [*limits(1024, 1024), *command(project)], capture_output=True, encoding="utf-8", timeout=20, check=False
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        "hopwise respond: this plan needs 2000 sockets and the system does not give so many: it lets one program "
        "have 1024. Raise the limit of open files (ulimit -Hn), or answer for a part of the plan.\n"
    )


def as_nobody() -> list[str]:
    """A command that runs a script from standard input with the rights of nobody."""
    for python in (sys.executable, "/usr/bin/python3"):
        run = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", python, "-"]
        if subprocess.run(run, input="", encoding="utf-8", capture_output=True, check=False).returncode == 0:
            return run
    pytest.skip("needs a Python that other users may run")


@pytest.mark.requires("root", "linux")
def test_a_port_that_needs_root_is_named_as_such_to_another_user(tmp_path: Path) -> None:
    with contextlib.closing(socket.socket()) as probe:
        if int(Path("/proc/sys/net/ipv4/ip_unprivileged_port_start").read_text()) <= 7:
            pytest.skip("every user may bind port 7 here")
        probe.bind(("127.0.0.1", 7))
    script = printed(load(write_project(tmp_path, ("tcp", "7"))), None, 1)
    with started(as_nobody(), script) as process:
        assert until_ready(process)[1:] == [
            "leaves      tcp 7: this user may not bind ports below 1024; run it as root"
        ]


@pytest.mark.requires("root", "linux")
def test_a_program_that_this_user_may_not_see_is_said_to_be_one(tmp_path: Path) -> None:
    with socket.create_server(("0.0.0.0", 0)) as holder:
        port = holder.getsockname()[1]
        script = printed(load(write_project(tmp_path, ("tcp", str(port)))), None, 1)
        with started(as_nobody(), script) as process:
            assert until_ready(process)[1:] == [f"leaves      tcp {port}: held by a program that this user may not see"]


def interpreter(version: str) -> str | None:
    """A Python of that version that runs."""
    kept = sorted(Path("~/.pyenv/versions").expanduser().glob(f"{version}.*/bin/python3"))
    found = shutil.which(f"python{version}")
    for candidate in [*map(str, kept), *([found] if found else [])]:
        test = [candidate, "-c", "import sys; print('%d.%d' % sys.version_info[:2])"]
        if subprocess.run(test, capture_output=True, encoding="utf-8", check=False).stdout.strip() == version:
            return candidate
    return None


@pytest.mark.parametrize("version", ["3.8", "3.9", "3.10", "3.11", "3.12", "3.13"])
def test_the_printed_script_does_the_same_on_a_bare_python(tmp_path: Path, version: str) -> None:
    python = interpreter(version)
    if python is None:
        pytest.skip(f"needs Python {version}")
    first = free_run(3)
    path = write_project(tmp_path, ("udp", f"{first}-{first + 1}"), ("tcp", str(first + 2)))
    with socket.create_server(("127.0.0.1", first + 2)):
        script = printed(load(path), None, 30)
        # -I -S: neither the environment nor any installed package.
        with started([python, "-I", "-S", "-W", "error", "-"], script, env={"LC_ALL": "C"}) as process:
            lines = until_ready(process)
            assert read_answer(KEY.encode(), ask("127.0.0.1", first)) is not None
            process.send_signal(signal.SIGINT)
            rest, errors = process.communicate(timeout=WITHIN_S)
        with started(command(path)) as installed:
            assert until_ready(installed) == lines
    assert lines[1:] == [
        f"answers on  udp {first}-{first + 1}",
        f"leaves      tcp {first + 2}: held by {Path(f'/proc/{os.getpid()}/comm').read_text().strip()} "
        f"(pid {os.getpid()}), on 127.0.0.1 only: nothing from outside this host reaches it",
    ]
    assert (process.returncode, rest, errors) == (0, f"answered    udp {first}\n", "")


def test_the_printed_script_is_plain_python_3_8_and_the_standard_library(tmp_path: Path) -> None:
    script = printed(load(write_project(tmp_path, ("udp", "10000-10100"))), None, 30)
    tree = ast.parse(script, feature_version=(3, 8))
    assert script.isascii()
    imported = {
        name.split(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in ([alias.name for alias in node.names] if isinstance(node, ast.Import) else [node.module or ""])
    }
    assert imported <= set(sys.stdlib_module_names)
    assert "wizard" not in imported


def test_no_name_of_the_printed_script_is_taken_twice(tmp_path: Path) -> None:
    tree = ast.parse(printed(load(write_project(tmp_path, ("udp", "10000"))), None, 30))
    names: list[str] = []
    for node in tree.body:
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                names.append(node.name)
            case ast.Assign():
                names += [name.id for target in node.targets for name in ast.walk(target) if isinstance(name, ast.Name)]
    assert len(names) > 40
    assert sorted(names) == sorted(set(names))


def test_the_printed_script_says_that_it_holds_the_probe_key(tmp_path: Path) -> None:
    script = printed(load(write_project(tmp_path, ("udp", "10000"))), None, 12.5)
    header = re.sub(r"\n# ?", " ", script[: script.index("\n\n")])
    assert "The probe key of the project is in this file. It signs probes and nothing else." in header
    assert "12.5 minutes" in header
    assert len(CARRIED) == 8


def test_print_writes_the_script_to_standard_output(tmp_path: Path) -> None:
    path = write_project(tmp_path, ("udp", "10000"))
    done = subprocess.run(command(path, "--print"), capture_output=True, encoding="utf-8", timeout=20, check=True)
    assert done.stdout == printed(load(path), None, 30)


@pytest.mark.alone
def test_it_starts_quickly(tmp_path: Path) -> None:
    begun = time.perf_counter()
    with started(command(write_project(tmp_path, ("udp", str(free_port()))))) as process:
        until_ready(process)
    assert time.perf_counter() - begun < WITHIN_S


def test_one_line_in_a_shell_is_a_responder(tmp_path: Path) -> None:
    first = free_run(1)
    line = one_line(load(write_project(tmp_path, ("udp", f"{first}"))), 5)
    assert "\n" not in line
    with started(["sh", "-c", f"exec {line}"]) as process:
        until_ready(process)
        answer = read_answer(KEY.encode(), ask("127.0.0.1", first))
    assert answer is not None
    assert answer.stands_at == "chat"
