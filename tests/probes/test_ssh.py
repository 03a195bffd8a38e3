"""A place that is reached through a real sshd: who is trusted, who is let in, and what becomes of a lost connection."""

from __future__ import annotations

import asyncio
import contextlib
import hmac
import time
from base64 import b64encode
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from socket import SOCK_STREAM

import psutil
import pytest

from tests.bench.silent_ports import silent_ports
from tests.probes.asking import KEY, WITHIN_S, a_plan, free_port, running
from tests.probes.far_ends import closed_port, silent_udp
from tests.probes.probing import HOPS, TIMEOUT_S, a_probe
from tests.probes.sshd import Passage, Sshd, agent, fingerprint, make_key, sshd
from tests.probes.test_responder_command import interpreter
from wizard.observation import Observation, Outcome
from wizard.plan import Probe
from wizard.responder import Responder
from wizard.vantage import ssh_login
from wizard.vantage.ssh import SshPlace
from wizard.vantage.ssh_host import HostError, SshHosts

pytestmark = pytest.mark.requires("sshd")

_ENDS_WITHIN_S = 0.2


@pytest.fixture
async def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Sshd]:
    """A host that this computer knows and that lets it in."""
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    async with sshd(tmp_path) as there:
        monkeypatch.setenv("HOME", str(there.home))
        yield there


def a_place(hosts: SshHosts, server: str, timeout_s: float = TIMEOUT_S) -> SshPlace:
    return SshPlace("laptop", server=server, hosts=hosts, key=KEY, hops=HOPS, timeout_s=timeout_s)


async def observe(server: str, probes: Sequence[Probe]) -> dict[Probe, Observation]:
    """What is seen from there."""
    found: dict[Probe, Observation] = {}
    by_port = {(probe.protocol, probe.port): probe for probe in probes}
    async with asyncio.timeout(6 * WITHIN_S), SshHosts() as hosts:
        async for o in a_place(hosts, server).observe(probes):
            found[by_port[o.protocol, o.port]] = o
    assert len(found) == len(probes)
    return found


async def log_in(server: str) -> None:
    """Log in and have the sockets ready. Raises HostError."""
    async with asyncio.timeout(6 * WITHIN_S), SshHosts() as hosts:
        await (await hosts.host(server)).far()


async def refusal(server: str) -> str:
    """Why nothing can be sent from there. It blames no port."""
    probe = a_probe(9)
    seen = (await observe(server, [probe]))[probe]
    assert seen.outcome is Outcome.FAILED
    assert not seen.outcome.blames
    assert seen.error is not None
    return seen.error


async def test_a_known_host_that_lets_us_in_sends_the_probes_and_nothing_stays_there(server: Sshd) -> None:
    port, hole = free_port(), free_port()
    async with running(Responder(a_plan(("udp", port), ("tcp", port)))):
        probes = [a_probe(port), a_probe(port, "tcp"), a_probe(hole), a_probe(hole, "tcp")]
        seen = await observe(server.destination, probes)
    assert [seen[probe].outcome for probe in probes] == [Outcome.ANSWERED] * 2 + [Outcome.REFUSED] * 2
    await server.until_all_are_gone()


@pytest.mark.alone
async def test_302_ports_that_all_drop_take_hardly_more_than_one_time_out(server: Sshd) -> None:
    with silent_ports() as probes:
        async with SshHosts() as hosts:
            await (await hosts.host(server.destination)).far()
            began = time.perf_counter()
            outcomes = {o.outcome async for o in a_place(hosts, server.destination, 2.0).observe(probes)}
            took = time.perf_counter() - began
    assert outcomes == {Outcome.SILENT}
    assert took < 1.5 * 2.0


async def test_neither_the_probe_key_nor_the_script_is_an_argument(server: Sshd) -> None:
    with silent_udp() as port:
        async with SshHosts() as hosts:
            await (await hosts.host(server.destination)).far()
            words = [" ".join(process.cmdline()) for process in server.left_behind()]
            assert words
            assert all(KEY.decode() not in line and "FarSockets" not in line for line in words)
            observed = [o async for o in a_place(hosts, server.destination).observe([a_probe(port)])]
    assert [o.outcome for o in observed] == [Outcome.SILENT]


async def test_an_unknown_host_is_not_trusted_and_its_fingerprint_and_the_next_step_are_told(server: Sshd) -> None:
    server.known_hosts.write_text("")
    told = await refusal(server.destination)
    assert fingerprint(server.host_key) in told
    assert f"ssh -p {server.port} {server.user}@127.0.0.1" in told
    assert "not known" in told
    assert server.known_hosts.read_text() == ""


@pytest.mark.parametrize(
    "config", ["StrictHostKeyChecking no", "UserKnownHostsFile none", "UserKnownHostsFile /dev/null"]
)
async def test_no_setting_switches_the_check_of_the_host_key_off(server: Sshd, config: str) -> None:
    server.known_hosts.write_text("")
    (server.home / ".ssh/config").write_text(f"Host *\n  {config}\n")
    assert "not known" in await refusal(server.destination)


async def test_a_changed_host_key_is_told_aloud_with_both_fingerprints(server: Sshd, tmp_path: Path) -> None:
    other = make_key(tmp_path / "other_host_key")
    server.trust(other)
    before = server.known_hosts.read_text()
    told = await refusal(server.destination)
    assert fingerprint(other) in told
    assert fingerprint(server.host_key) in told
    assert "HAS CHANGED" in told
    assert f"ssh-keygen -R '[127.0.0.1]:{server.port}'" in told
    assert server.known_hosts.read_text() == before


async def test_hashed_names_in_known_hosts_are_known_and_a_revoked_key_is_not_trusted(server: Sshd) -> None:
    kind, data = server.host_key.with_suffix(".pub").read_text().split()[:2]
    salt, name = b"twenty bytes of salt", f"[127.0.0.1]:{server.port}"
    digest = hmac.digest(salt, name.encode(), "sha1")
    server.known_hosts.write_text(f"|1|{b64encode(salt).decode()}|{b64encode(digest).decode()} {kind} {data}\n")
    await log_in(server.destination)
    server.known_hosts.write_text(f"{name} {kind} {data}\n@revoked {name} {kind} {data}\n")
    assert "revoked" in await refusal(server.destination)


async def test_a_configuration_that_cannot_be_read_is_named(server: Sshd) -> None:
    (server.home / ".ssh/config").write_text("Port eighty\n")
    told = await refusal(server.destination)
    assert told.startswith("~/.ssh/config")
    assert "eighty" in told


async def test_a_key_that_the_host_does_not_let_in_is_named(server: Sshd) -> None:
    (server.files / "authorized_keys").write_text("")
    told = await refusal(server.destination)
    assert "refuses the login" in told
    assert "~/.ssh/id_ed25519" in told
    assert "ssh-copy-id" in told


async def test_without_a_key_one_is_asked_for(server: Sshd) -> None:
    server.key.unlink()
    told = await refusal(server.destination)
    assert "ssh-keygen" in told
    assert "no" in told


async def test_a_key_with_a_passphrase_and_no_agent_is_told_what_to_do_with(server: Sshd) -> None:
    server.key.unlink()
    make_key(server.key, passphrase="correct horse")
    told = await refusal(server.destination)
    assert "ssh-add ~/.ssh/id_ed25519" in told
    assert "correct horse" not in told


async def test_an_agent_s_key_logs_in(server: Sshd, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with agent(tmp_path, server.key) as at:
        monkeypatch.setenv("SSH_AUTH_SOCK", str(at))
        server.key.unlink()
        await log_in(server.destination)


async def test_a_host_on_which_nothing_listens_is_told(server: Sshd) -> None:
    assert "nothing listens there" in await refusal(f"{server.user}@127.0.0.1:{free_port()}")


async def test_a_host_alias_and_a_jump_are_taken_from_the_configuration_and_both_host_keys_are_checked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    port = free_port()
    async with sshd(tmp_path, f"ListenAddress 127.0.0.2:{port}") as there:
        monkeypatch.setenv("HOME", str(there.home))
        hosts = f"Host inner\n  HostName 127.0.0.2\n  Port {port}\n  ProxyJump jump\n"
        hosts += f"Host jump\n  HostName 127.0.0.1\n  Port {there.port}\n  User {there.user}\n"
        (there.home / ".ssh/config").write_text(hosts)
        jump = there.known_hosts.read_text()
        inner = jump.replace(f"[127.0.0.1]:{there.port}", f"[127.0.0.2]:{port}")
        assert f"[127.0.0.2]:{port}" in await refusal("inner")
        there.known_hosts.write_text(inner)
        assert f"[127.0.0.1]:{there.port}" in await refusal("inner")
        there.known_hosts.write_text(jump + inner)
        await log_in("inner")


async def test_a_host_without_python_or_with_too_old_a_one_is_told_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    path = tmp_path / "bin"
    path.mkdir()
    shell = tmp_path / "shell"
    shell.write_text(f'#!/bin/sh\nPATH={path}\neval "$SSH_ORIGINAL_COMMAND"\n')
    shell.chmod(0o755)
    async with sshd(tmp_path, f"ForceCommand {shell}") as there:
        monkeypatch.setenv("HOME", str(there.home))
        assert "has no python3" in await refusal(there.destination)
        old = interpreter("3.7") or interpreter("3.6")
        if old is not None:
            (path / "python3").symlink_to(old)
            assert "it takes 3.8 or later" in await refusal(there.destination)


async def test_a_login_shell_that_prints_does_not_get_in_the_way_and_one_that_ends_is_quoted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    greeting = tmp_path / "greeting"
    greeting.write_text('#!/bin/sh\necho Welcome\necho\neval "$SSH_ORIGINAL_COMMAND"\n')
    greeting.chmod(0o755)
    async with sshd(tmp_path, f"ForceCommand {greeting}") as there:
        monkeypatch.setenv("HOME", str(there.home))
        await log_in(there.destination)
        greeting.write_text("#!/bin/sh\necho This account is not available >&2\nexit 1\n")
        assert "This account is not available" in await refusal(there.destination)


async def test_what_was_decided_before_the_connection_was_lost_stands_and_no_port_is_blamed(server: Sshd) -> None:
    port = free_port()
    kind, data = server.host_key.with_suffix(".pub").read_text().split()[:2]
    async with contextlib.AsyncExitStack() as stack:
        await stack.enter_async_context(running(Responder(a_plan(("udp", port), ("tcp", port)))))
        passage = await stack.enter_async_context(Passage(server.port))
        silent = [a_probe(stack.enter_context(silent_udp())) for _ in range(20)]
        server.known_hosts.write_text(f"[127.0.0.1]:{passage.port} {kind} {data}\n")
        hosts = await stack.enter_async_context(SshHosts())
        seen: list[Observation] = []
        place = a_place(hosts, f"{server.user}@127.0.0.1:{passage.port}", 5.0)
        async with asyncio.timeout(WITHIN_S):
            async for o in place.observe([a_probe(port), a_probe(port, "tcp"), *silent]):
                seen.append(o)
                if len(seen) == 2:
                    passage.cut()
    assert [o.outcome for o in seen] == [Outcome.ANSWERED] * 2 + [Outcome.FAILED] * 20
    assert all("was lost before this port was decided" in (o.error or "") for o in seen[2:])
    await server.until_all_are_gone()


async def test_a_line_that_falls_silent_blames_no_port_either(server: Sshd, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ssh_login, "KEEPALIVE_S", 0.5)
    kind, data = server.host_key.with_suffix(".pub").read_text().split()[:2]
    port = free_port()
    async with (
        running(Responder(a_plan(("udp", port)))),
        Passage(server.port) as passage,
        SshHosts() as hosts,
        asyncio.timeout(4 * WITHIN_S),
    ):
        server.known_hosts.write_text(f"[127.0.0.1]:{passage.port} {kind} {data}\n")
        destination = f"{server.user}@127.0.0.1:{passage.port}"
        await (await hosts.host(destination)).far()
        passage.fall_silent()
        seen = [
            o
            async for o in a_place(hosts, destination).observe(
                [a_probe(port), a_probe(closed_port(SOCK_STREAM), "tcp")]
            )
        ]
    assert [o.outcome for o in seen] == [Outcome.FAILED] * 2
    assert all("was lost" in (o.error or "") for o in seen)


@pytest.mark.alone
@pytest.mark.parametrize("after_s", [0.0, 0.1, 1.0])
async def test_a_cancelled_run_closes_everything_within_200_ms_and_leaves_no_process_on_the_host(
    server: Sshd, after_s: float
) -> None:
    tasks, files = asyncio.all_tasks(), psutil.Process().num_fds()
    with silent_udp() as port:

        async def run() -> None:
            async with SshHosts() as hosts:
                async for _ in a_place(hosts, server.destination, 5.0).observe([a_probe(port)]):
                    pytest.fail("nothing is decided so soon")

        task = asyncio.create_task(run())
        await asyncio.sleep(after_s)  # the moment at which somebody presses Stop
        began = time.perf_counter()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert time.perf_counter() - began < _ENDS_WITHIN_S
    assert asyncio.all_tasks() == tasks
    # A thread that reads a file of the login, as it is cancelled, reads it to its end.
    await asyncio.get_running_loop().shutdown_default_executor()
    assert psutil.Process().num_fds() == files
    await server.until_all_are_gone()


async def test_a_place_whose_prober_was_ended_on_the_host_starts_another_when_asked_again(server: Sshd) -> None:
    with silent_udp() as port:
        async with SshHosts() as hosts:
            place = a_place(hosts, server.destination, 5.0)
            seen: list[Observation] = []

            async def ask() -> None:
                async for o in place.observe([a_probe(port)]):
                    seen.append(o)

            first = asyncio.create_task(ask())
            await (await hosts.host(server.destination)).far()
            for process in server.left_behind():
                process.kill()
            await first
            place = a_place(hosts, server.destination)
            await ask()
    assert [o.outcome for o in seen] == [Outcome.FAILED, Outcome.SILENT]
    assert "ended before this port was decided" in (seen[0].error or "")


async def test_a_refused_login_is_not_tried_again(server: Sshd) -> None:
    (server.files / "authorized_keys").write_text("")
    async with SshHosts() as hosts:
        for _ in range(2):
            with pytest.raises(HostError, match="refuses the login"):
                await hosts.host(server.destination)
            # Had it been tried again, it would have been let in.
            (server.files / "authorized_keys").write_text(server.key.with_suffix(".pub").read_text())


async def test_commands_are_read_over_the_same_connection(server: Sshd) -> None:
    async with SshHosts() as hosts:
        host = await hosts.host(server.destination)
        assert await hosts.host(server.destination) is host
        output = await host.read(["printf", "%s", "two words; $HOME"])
        missing = await host.read(["cat", "/nonexistent"])
    assert (output.status, output.out) == (0, "two words; $HOME")
    assert output.command == "printf %s 'two words; $HOME'"
    assert missing.status != 0
    assert "No such file" in missing.err
