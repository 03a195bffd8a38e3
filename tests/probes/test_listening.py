"""The sockets that programs listen on, read from this computer."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator

import pytest

from wizard.model.port import Protocol
from wizard.observation import Listening
from wizard.system.listening import inspect

HOLDER = """
import socket, sys
tcp = socket.create_server(("127.0.0.1", 0))
udp = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
udp.bind(("::", 0))
talking = socket.create_connection(tcp.getsockname())
asking = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
asking.connect(("127.0.0.1", 9))
print(*(s.getsockname()[1] for s in (tcp, udp, talking, asking)), flush=True)
sys.stdin.read()
"""


@pytest.fixture
def holder() -> Iterator[tuple[int, list[int]]]:
    """A program's process id, and the numbers of its listening TCP, waiting UDP, and two connected sockets."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, encoding="ascii"
    ) as process:
        assert process.stdout is not None
        yield process.pid, [int(number) for number in process.stdout.readline().split()]
        process.communicate()


def of(pid: int) -> list[Listening]:
    found = inspect()
    assert found is not None
    return [listening for listening in found.sockets if listening.pid == pid]


@pytest.mark.requires("ipv6")
def test_what_listens_is_named_with_its_address_and_program_and_what_is_connected_is_not(
    holder: tuple[int, list[int]],
) -> None:
    pid, (tcp, udp, _, _) = holder
    (program,) = {listening.program for listening in of(pid)}
    assert program.startswith("python")
    assert of(pid) == [
        Listening(Protocol.TCP, tcp, "127.0.0.1", program, pid),
        Listening(Protocol.UDP, udp, "::", program, pid),
    ]


def test_our_own_sockets_are_not_another_programs() -> None:
    with socket.create_server(("127.0.0.1", 0)):
        assert of(os.getpid()) == []


@pytest.mark.requires("root", "linux")
def test_another_user_sees_the_socket_but_not_whose_it_is(holder: tuple[int, list[int]]) -> None:
    _, (tcp, *_) = holder
    # The libraries are loaded first: another user may not read where they are.
    as_nobody = (
        "import os; from wizard.system.listening import inspect; inspect(); os.setgroups([]); os.setgid(65534); "
        f"os.setuid(65534); print([(s.program, s.pid) for s in inspect().sockets if s.port == {tcp}])"
    )
    done = subprocess.run([sys.executable, "-c", as_nobody], capture_output=True, encoding="ascii", check=True)
    assert done.stdout == "[('', None)]\n"
