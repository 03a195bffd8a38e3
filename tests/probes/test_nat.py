"""NAT behaviour measured with servers of every kind. On loopback nothing translates and nothing filters."""

from __future__ import annotations

import argparse
import asyncio
import io
import json
import time
from dataclasses import replace
from typing import Any

import pytest

from tests.probes.asking import free_port
from tests.probes.stun_server import FIRST, Change, StunServer
from wizard.probes.nat import Options, Survey, measure
from wizard.report.nat import Sign, run_nat, status_of, to_json, to_text, traits, verdict_of
from wizard.report.text import Terminal
from wizard.wire import uri
from wizard.wire.behaviour import Behaviour, Dependence, Known, Measured, Need, Reason, Sight, judge

QUICK = Options(timeout_s=0.5)
PATIENT = Options(timeout_s=2.0)


async def survey(*servers: StunServer, options: Options = QUICK) -> Survey:
    return await measure([uri.parse(f"stun:{FIRST}:{server.ports[0]}") for server in servers], options)


async def verdict(server: StunServer, options: Options = QUICK) -> Behaviour:
    async with server.running():
        return judge((await survey(server, options=options)).measured)


async def test_nothing_between_two_programs_translates_or_filters() -> None:
    found = await verdict(StunServer())
    assert (found.mapping, found.filtering) == (Dependence.NONE, Dependence.NONE)
    assert (found.hairpin, found.port_preservation) == (Known.YES, Known.YES)
    assert found.local is not None
    assert found.mapped == (found.local,)


async def test_a_server_on_this_side_of_the_internet_settles_no_need() -> None:
    found = await verdict(StunServer())
    assert (found.need, found.reason) == (Need.UNKNOWN, Reason.SERVER_INSIDE)


async def test_a_server_without_a_second_address_leaves_the_filter_unknown() -> None:
    server = StunServer(tells_other=False)
    found = await verdict(server)
    assert (found.mapping, found.filtering) == (Dependence.NONE, Dependence.UNKNOWN)
    assert set(server.asked) == {(FIRST, server.ports[0])}


@pytest.mark.parametrize("change", [Change.IGNORED, Change.SWALLOWED, Change.REFUSED])
async def test_a_server_that_does_not_answer_from_elsewhere_proves_no_filter(change: Change) -> None:
    found = await verdict(StunServer(change=change))
    assert found.filtering is Dependence.UNKNOWN


async def test_a_server_that_changes_its_port_alone_proves_nothing_of_other_addresses() -> None:
    async with (server := StunServer(change=Change.PORT_ONLY)).running():
        measured = (await survey(server)).measured
    assert (measured.from_other_address, measured.from_other_port) == (Known.UNKNOWN, Known.YES)


@pytest.mark.parametrize("deaf", [("127.0.0.2", 0), ("127.0.0.2", 1), (FIRST, 1)])
async def test_endpoints_that_never_answer_are_not_taken_for_a_filter(deaf: tuple[str, int]) -> None:
    found = await verdict(StunServer(deaf=frozenset({deaf}), change=Change.SWALLOWED))
    assert found.filtering is Dependence.UNKNOWN


@pytest.mark.parametrize("other", [("::1", 3479), ("239.1.1.1", 3479), ("127.0.0.2", 0), (FIRST, 9)])
async def test_a_second_address_of_no_use_is_not_asked(other: tuple[str, int]) -> None:
    server = StunServer(other=other)
    found = await verdict(server)
    assert found.filtering is Dependence.UNKNOWN
    assert set(server.asked) == {(FIRST, server.ports[0])}


async def test_answers_that_are_lost_are_asked_for_again() -> None:
    found = await verdict(StunServer(lost=2), PATIENT)
    assert (found.mapping, found.filtering, found.hairpin) == (Dependence.NONE, Dependence.NONE, Known.YES)


@pytest.mark.parametrize("garbage", [b"HTTP/1.1 400 Bad Request\r\n\r\n", bytes(2000), b"\x01\x01\x00\x00"])
async def test_garbage_between_the_answers_changes_nothing(garbage: bytes) -> None:
    found = await verdict(StunServer(garbage=garbage))
    assert (found.mapping, found.filtering) == (Dependence.NONE, Dependence.NONE)


async def test_a_server_that_sees_another_port_is_a_nat_and_one_destination_says_no_more() -> None:
    found = await verdict(StunServer(tells_other=False, seen_as=("127.0.0.3", 9)))
    assert (found.mapping, found.hairpin) == (Dependence.UNKNOWN, Known.NO)
    assert found.mapped == (("127.0.0.3", 9),)


async def test_a_mapped_address_that_this_computer_cannot_send_to_says_nothing_of_hairpin() -> None:
    # What is bound to loopback may not leave it.
    found = await verdict(StunServer(seen_as=("192.0.2.20", 9)))
    assert found.hairpin is Known.UNKNOWN


@pytest.mark.alone
async def test_a_closed_port_is_told_at_once() -> None:
    began = time.perf_counter()
    found = await measure([uri.parse(f"stun:{FIRST}:{free_port()}")])
    assert time.perf_counter() - began < 2
    assert [one.fault and one.fault.cause for one in found.servers] == ["refused"]
    assert judge(found.measured).reason is Reason.NO_ANSWER


@pytest.mark.alone
async def test_a_server_that_answers_nothing_is_given_up_in_time() -> None:
    async with (server := StunServer(lost=1000)).running():
        began = time.perf_counter()
        found = await survey(server)
        assert time.perf_counter() - began < 3 * QUICK.timeout_s
    assert [one.fault and one.fault.cause for one in found.servers] == ["timed-out"]


async def test_one_server_that_fails_does_not_spoil_what_the_other_shows() -> None:
    async with (silent := StunServer(lost=1000)).running(), (good := StunServer()).running():
        found = await survey(silent, good)
    assert [one.fault is None for one in found.servers] == [False, True]
    assert judge(found.measured).filtering is Dependence.NONE


async def test_a_server_at_home_does_no_tests_for_one_that_is_further_out() -> None:
    away = StunServer(tells_other=False, seen_as=("127.0.0.3", 9))
    async with (home := StunServer()).running(), away.running():
        found = judge((await survey(home, away)).measured)
    assert (found.mapping, found.filtering, found.hairpin) == (Dependence.UNKNOWN, Dependence.UNKNOWN, Known.NO)


async def test_the_server_with_a_second_address_does_the_tests_wherever_it_is_listed() -> None:
    async with (plain := StunServer(tells_other=False)).running(), (full := StunServer()).running():
        found = judge((await survey(plain, full)).measured)
    assert found.filtering is Dependence.NONE


async def test_a_name_without_an_address_is_told() -> None:
    found = await measure([uri.parse("stun:no-such-name.invalid")], QUICK)
    assert [one.fault and one.fault.cause for one in found.servers] == ["unresolved"]


@pytest.mark.requires("ipv6")
async def test_a_server_of_the_other_address_family_is_left_out_and_told() -> None:
    async with (server := StunServer()).running():
        uris = [uri.parse("stun:[::1]:3478"), uri.parse(f"stun:{FIRST}:{server.ports[0]}")]
        found = await measure(uris, QUICK)
    assert [one.fault and one.fault.cause for one in found.servers] == ["other-family", None]


@pytest.mark.parametrize(
    ("server", "lifetime_s"),
    [(StunServer(), 0.2), (StunServer(answers_other_ports=False), None), (StunServer(tells_other=False), 0.2)],
)
async def test_a_lifetime_is_measured_by_a_server_that_answers_to_other_ports(
    server: StunServer, lifetime_s: float | None
) -> None:
    found = await verdict(server, Options(lifetimes_s=(0.2, 0.1), timeout_s=0.5))
    assert found.lifetime_s == lifetime_s


@pytest.mark.alone
async def test_stopping_closes_every_socket_at_once() -> None:
    async with (server := StunServer(lost=1000)).running():
        task = asyncio.create_task(survey(server, options=Options(lifetimes_s=(60.0,))))
        await server.first_asked.wait()
        began = time.perf_counter()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert time.perf_counter() - began < 0.2
    # An unclosed socket would warn, and the warning would fail the test.


async def test_the_json_has_every_promised_key() -> None:
    async with (server := StunServer()).running():
        found = await survey(server)
    told = json.loads(json.dumps(to_json(found, verdict_of(found, "lo"), "lo")))
    assert told["format"] == 1
    assert told["server"] == f"stun:{FIRST}:{server.ports[0]}"
    assert told["mapped"] == [told["local"]]
    assert told["interface"] == "lo"
    promised = "mapping filtering hairpin port_preservation lifetime_s cgnat double_nat needs reason"
    values = {key: told[key] for key in promised.split()}
    reason = values.pop("reason")
    assert "this side of the internet" in reason
    assert values == {
        "mapping": "none",
        "filtering": "none",
        "hairpin": "yes",
        "port_preservation": "yes",
        "lifetime_s": None,
        "cgnat": "unknown",
        "double_nat": "unknown",
        "needs": "unknown",
    }


@pytest.mark.parametrize("language", ["en", "zh_CN"])
@pytest.mark.parametrize("columns", [40, 80])
async def test_no_line_of_the_text_is_wider_than_the_terminal(language: str, columns: int) -> None:
    from wizard.report.wrap import columns as width

    async with (server := StunServer()).running(), (silent := StunServer(lost=1000)).running():
        found = await survey(server, silent)
    text = to_text(found, verdict_of(found, "lo"), "lo", Terminal(columns=columns), language)
    assert max(width(line) for line in text.splitlines()) <= columns
    assert FIRST in text


async def test_ascii_terminals_get_ascii_marks() -> None:
    async with (server := StunServer()).running():
        found = await survey(server)
    text = to_text(found, verdict_of(found, None), None, Terminal(encoding="ascii"))
    assert text.isascii()
    assert "+ Mapping" in text


@pytest.mark.parametrize(
    ("server", "status"),
    [
        (StunServer(), 3),  # a server on this side of the internet: the need is not known
        (StunServer(tells_other=False), 3),
        (StunServer(lost=1000), 1),
    ],
)
async def test_the_status_says_whether_anything_stayed_unknown(server: StunServer, status: int) -> None:
    async with server.running():
        found = await survey(server)
    assert status_of(found, verdict_of(found, None), lifetime=False) == status


NAT = Measured(
    local=("192.168.77.20", 7),
    sights=tuple(Sight((address, 3478), ("203.0.113.20", 7)) for address in ("198.51.100.7", "198.51.100.8")),
    from_other_port=Known.NO,
    hairpin=Known.NO,
)


@pytest.mark.parametrize(
    ("measured", "lifetime", "status"),
    [
        (NAT, False, 0),
        (NAT, True, 3),
        (replace(NAT, lifetime_s=30.0), True, 0),
        (replace(NAT, hairpin=Known.UNKNOWN), False, 3),
        (replace(NAT, from_other_port=Known.UNKNOWN), False, 3),
        (replace(NAT, sights=NAT.sights[:1]), False, 3),
        (replace(NAT, sights=()), False, 1),
    ],
)
def test_the_status_is_0_only_when_all_that_was_asked_for_is_known(
    measured: Measured, lifetime: bool, status: int
) -> None:
    assert status_of(Survey((), measured), judge(measured), lifetime=lifetime) == status


@pytest.mark.parametrize(("lifetime_s", "sign"), [(None, Sign.GREY), (119.0, Sign.LIMITS), (120.0, Sign.FINE)])
def test_a_lifetime_under_two_minutes_limits(lifetime_s: float | None, sign: Sign) -> None:
    assert list(traits(judge(replace(NAT, lifetime_s=lifetime_s))))[-1].sign is sign


@pytest.mark.parametrize(
    ("servers", "said"),
    [
        ([], "--server"),
        (["stun:127.0.0.1:99999"], "99999"),
        (["http://example.org"], "http"),
        (["stuns:example.org"], "UDP"),
        (["turn:example.org?transport=tcp"], "UDP"),
    ],
)
def test_arguments_of_no_use_end_with_2_and_one_line(servers: list[str], said: str) -> None:
    out, err = io.StringIO(), io.StringIO()
    options: Any = argparse.Namespace(server=servers, json=False, lifetime=False)
    assert run_nat(options, out, err) == 2
    assert out.getvalue() == ""
    assert err.getvalue().count("\n") == 1
    assert said in err.getvalue()
