"""What is concluded about a NAT from what STUN servers saw; verdicts worked out by hand from RFC 4787 and 5780."""

from __future__ import annotations

import re
import tomllib
from dataclasses import replace
from ipaddress import ip_address
from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wizard.model.resource import resource
from wizard.wire.attribute import Address
from wizard.wire.behaviour import Dependence, Known, Measured, Need, Reason, Sight, is_public, judge, usable_other

HOST = ("192.168.77.20", 40000)
PUBLIC = ("203.0.113.20", 40000)
ONE, ONE_PORT = ("198.51.100.7", 3478), ("198.51.100.7", 3479)
TWO, TWO_PORT = ("198.51.100.8", 3478), ("198.51.100.8", 3479)
ALL = (ONE, TWO, TWO_PORT, ONE_PORT)


def wan(port: int, address: str = "203.0.113.20") -> Address:
    return (address, port)


def seen(*pairs: tuple[Address, Address], local: Address = HOST, **more: Any) -> Measured:
    return Measured(local=local, sights=tuple(Sight(server, mapped) for server, mapped in pairs), **more)


def everywhere(*ports: int, **more: Any) -> Measured:
    """Mapped to those ports, as seen by the four endpoints of a server in the order of ALL."""
    return seen(*((server, wan(port)) for server, port in zip(ALL, ports, strict=True)), **more)


def passed_on(second_router: str | None) -> Measured:
    """The first router does not hold the mapped address, and the one behind it has this one."""
    return everywhere(7, 7, 7, 7, first_router_holds=Known.NO, second_router=second_router)


@pytest.mark.parametrize(
    ("measured", "mapping"),
    [
        (everywhere(7, 7, 7, 7), Dependence.ENDPOINT_INDEPENDENT),
        (everywhere(7, 8, 8, 7), Dependence.ADDRESS_DEPENDENT),
        (everywhere(7, 8, 9, 6), Dependence.ADDRESS_AND_PORT_DEPENDENT),
        (seen((ONE, wan(7)), (TWO, wan(7))), Dependence.ENDPOINT_INDEPENDENT),
        (seen((ONE, wan(7)), (TWO, wan(8))), Dependence.ADDRESS_DEPENDENT),
        # A carrier that gives each destination another of its addresses.
        (seen((ONE, wan(7)), (TWO, wan(7, "203.0.113.21"))), Dependence.ADDRESS_DEPENDENT),
        (seen((ONE, wan(7)), (ONE_PORT, wan(8))), Dependence.ADDRESS_AND_PORT_DEPENDENT),
        # The other address was never reached: it may have a port of its own.
        (seen((ONE, wan(7)), (ONE_PORT, wan(7))), Dependence.UNKNOWN),
        (seen((ONE, wan(7))), Dependence.UNKNOWN),
        # One server under two names is one destination.
        (seen((ONE, wan(7)), (ONE, wan(7))), Dependence.UNKNOWN),
        (seen(), Dependence.UNKNOWN),
        (seen((ONE, PUBLIC), (TWO, PUBLIC), local=PUBLIC), Dependence.NONE),
        (seen((ONE, wan(41000)), local=PUBLIC), Dependence.UNKNOWN),
        # A server in one's own network meets no NAT, and says nothing about the one that others meet.
        (seen((("192.168.77.1", 3478), HOST), (ONE, wan(7)), (TWO, wan(7))), Dependence.ENDPOINT_INDEPENDENT),
        # One between two NATs sees the first one's mapping, which does not contradict the second one's.
        (
            seen((("100.64.0.7", 3478), wan(5, "100.64.0.20")), (ONE, wan(7)), (TWO, wan(7))),
            Dependence.ENDPOINT_INDEPENDENT,
        ),
        (seen((("100.64.0.7", 3478), wan(5, "100.64.0.20")), (ONE, wan(7))), Dependence.UNKNOWN),
    ],
)
def test_the_mapping_is_what_the_destinations_show(measured: Measured, mapping: Dependence) -> None:
    assert judge(measured).mapping is mapping


@pytest.mark.parametrize(
    ("from_address", "from_port", "behind_nat", "in_public"),
    [
        ("yes", "unknown", "endpoint-independent", "none"),
        ("yes", "yes", "endpoint-independent", "none"),
        ("no", "yes", "address-dependent", "address-dependent"),
        ("no", "no", "address-and-port-dependent", "address-and-port-dependent"),
        ("no", "unknown", "unknown", "unknown"),
        ("unknown", "yes", "unknown", "unknown"),
        # What keeps out another port of a known address keeps out other addresses too.
        ("unknown", "no", "address-and-port-dependent", "address-and-port-dependent"),
        ("unknown", "unknown", "unknown", "unknown"),
    ],
)
def test_the_filter_is_what_came_in(from_address: str, from_port: str, behind_nat: str, in_public: str) -> None:
    came = {"from_other_address": Known(from_address), "from_other_port": Known(from_port)}
    assert judge(everywhere(7, 7, 7, 7, **came)).filtering == behind_nat
    assert judge(seen((ONE, PUBLIC), (TWO, PUBLIC), local=PUBLIC, **came)).filtering == in_public


CAME = {
    "open": {"from_other_address": Known.YES},
    "by address": {"from_other_address": Known.NO, "from_other_port": Known.YES},
    "by port": {"from_other_address": Known.NO, "from_other_port": Known.NO},
    "unseen": {},
}


@pytest.mark.parametrize(
    ("measured", "need", "reason"),
    [
        (seen((ONE, PUBLIC), local=PUBLIC, **CAME["open"]), Need.NONE, Reason.PUBLIC_OPEN),
        (seen((ONE, PUBLIC), local=PUBLIC, **CAME["by port"]), Need.NONE, Reason.PUBLIC_FILTERED),
        (seen((ONE, PUBLIC), local=PUBLIC, **CAME["unseen"]), Need.NONE, Reason.PUBLIC_UNSEEN),
        (everywhere(7, 7, 7, 7, **CAME["open"]), Need.STUN, Reason.SAME_PORT_OPEN),
        (everywhere(7, 7, 7, 7, **CAME["by address"]), Need.STUN, Reason.SAME_PORT_BY_ADDRESS),
        (everywhere(7, 7, 7, 7, **CAME["by port"]), Need.STUN, Reason.SAME_PORT_BY_PORT),
        (everywhere(7, 7, 7, 7, **CAME["unseen"]), Need.STUN, Reason.SAME_PORT_UNSEEN),
        (everywhere(7, 8, 8, 7, **CAME["by address"]), Need.TURN, Reason.OWN_PORT),
        (everywhere(7, 8, 9, 6, **CAME["by port"]), Need.TURN, Reason.OWN_PORT),
        (seen((ONE, wan(7))), Need.UNKNOWN, Reason.ONE_DESTINATION),
        # A test server at home: it says nothing of what the internet sees.
        (seen((("192.168.77.5", 3478), HOST), **CAME["open"]), Need.UNKNOWN, Reason.SERVER_INSIDE),
        (seen((("10.0.0.5", 3478), wan(7, "10.0.0.20")), **CAME["open"]), Need.UNKNOWN, Reason.SERVER_INSIDE),
        (seen(), Need.UNKNOWN, Reason.NO_ANSWER),
        (seen(over_tcp_alone=1), Need.UNKNOWN, Reason.UDP_SILENT),
        (seen(over_tcp_alone=2), Need.TURN, Reason.UDP_BLOCKED),
    ],
)
def test_the_need_follows_from_what_was_measured(measured: Measured, need: Need, reason: Reason) -> None:
    verdict = judge(measured)
    assert (verdict.need, verdict.reason) == (need, reason)


@pytest.mark.parametrize(
    ("measured", "cgnat", "double_nat"),
    [
        # From the outermost address alone nobody can tell how many NATs there are.
        (everywhere(7, 7, 7, 7), Known.UNKNOWN, Known.UNKNOWN),
        (seen((ONE, PUBLIC), local=PUBLIC), Known.NO, Known.NO),
        (seen((ONE, wan(7)), local=("100.64.0.20", 40000)), Known.YES, Known.UNKNOWN),
        (
            seen((ONE, wan(7)), local=("100.64.0.20", 40000), own_address_is_carriers=False),
            Known.UNKNOWN,
            Known.UNKNOWN,
        ),
        (seen((("100.64.0.7", 3478), wan(7, "100.127.255.254"))), Known.YES, Known.YES),
        (seen((("10.0.0.5", 3478), wan(7, "10.0.0.20")), (ONE, wan(9))), Known.UNKNOWN, Known.YES),
        (seen((("192.168.77.5", 3478), HOST)), Known.UNKNOWN, Known.UNKNOWN),
        (seen(), Known.UNKNOWN, Known.UNKNOWN),
        # The router next door holds what the internet sees.
        (everywhere(7, 7, 7, 7, first_router_holds=Known.YES), Known.NO, Known.NO),
        # In 10.0.0.0/8 the router next door may be a carrier's that a telephone talks to.
        (seen((ONE, wan(7)), local=("10.0.0.20", 4), first_router_holds=Known.YES), Known.UNKNOWN, Known.NO),
        (passed_on("100.64.0.1"), Known.YES, Known.YES),
        (passed_on("10.0.0.1"), Known.UNKNOWN, Known.UNKNOWN),
        (passed_on("198.51.100.1"), Known.UNKNOWN, Known.UNKNOWN),
        (passed_on(None), Known.UNKNOWN, Known.UNKNOWN),
        # Some carriers number their routers so and translate nothing.
        (everywhere(7, 7, 7, 7, second_router="100.64.0.1"), Known.UNKNOWN, Known.UNKNOWN),
        (
            everywhere(7, 7, 7, 7, first_router_holds=Known.YES, second_router="100.64.0.1"),
            Known.NO,
            Known.NO,
        ),
    ],
)
def test_carrier_and_double_nat_are_told_by_the_addresses_seen(
    measured: Measured, cgnat: Known, double_nat: Known
) -> None:
    verdict = judge(measured)
    assert (verdict.cgnat, verdict.double_nat) == (cgnat, double_nat)


@pytest.mark.parametrize(
    ("measured", "preserved"),
    [
        (everywhere(40000, 40000, 40000, 40000), Known.YES),
        (everywhere(40000, 40001, 40001, 40000), Known.NO),
        (everywhere(7, 7, 7, 7), Known.NO),
        (seen((ONE, PUBLIC), local=PUBLIC), Known.YES),
        (seen((("192.168.77.5", 3478), HOST), (ONE, wan(7))), Known.NO),
        (seen(), Known.UNKNOWN),
    ],
)
def test_a_port_is_kept_if_every_destination_saw_it(measured: Measured, preserved: Known) -> None:
    assert judge(measured).port_preservation is preserved


@pytest.mark.parametrize(
    ("server", "other", "usable"),
    [
        (ONE, TWO_PORT, True),
        (ONE, None, False),
        (ONE, ONE_PORT, False),
        (ONE, TWO, False),
        (ONE, ("198.51.100.8", 0), False),
        # Behind a 1:1 NAT it does not know of, a server names an address in somebody else's network.
        (ONE, ("10.0.0.8", 3479), False),
        (ONE, ("127.0.0.1", 3479), False),
        (ONE, ("239.1.1.1", 3479), False),
        (ONE, ("0.0.0.0", 3479), False),
        (ONE, ("2001:db8::8", 3479), False),
        (("192.168.77.5", 3478), ("192.168.77.6", 3479), True),
        (("2001:db8::7", 3478), ("2001:db8::8", 3479), True),
    ],
)
def test_a_second_address_is_used_only_if_it_can_serve(server: Address, other: Address | None, usable: bool) -> None:
    assert usable_other(server, other) is usable


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("203.0.113.20", True),
        ("2001:db8::1", True),
        (str(ip_address("100.64.0.0") - 1), True),
        ("100.64.0.0", False),
        ("100.127.255.255", False),
        (str(ip_address("100.127.255.255") + 1), True),
        ("172.31.255.255", False),
        (str(ip_address("172.31.255.255") + 1), True),
        ("fd00::1", False),
        ("fe80::1", False),
        ("::1", False),
    ],
)
def test_public_is_what_the_whole_internet_knows(address: str, public: bool) -> None:
    assert is_public(address) is public


SIGHTS = st.lists(
    st.builds(
        Sight,
        st.sampled_from([*ALL, ("192.168.77.5", 3478), ("100.64.0.7", 3478)]),
        st.sampled_from([HOST, wan(7), wan(8), wan(7, "203.0.113.21"), wan(7, "100.64.0.20"), wan(7, "10.0.0.2")]),
    ),
    max_size=6,
)
MEASURED = st.builds(
    Measured,
    local=st.sampled_from([HOST, PUBLIC]),
    sights=SIGHTS.map(tuple),
    from_other_address=st.sampled_from(Known),
    from_other_port=st.sampled_from(Known),
    hairpin=st.sampled_from(Known),
    over_tcp_alone=st.integers(0, 3),
)


@given(MEASURED)
def test_no_verdict_is_better_than_what_was_seen(measured: Measured) -> None:
    verdict = judge(measured)
    if verdict.mapping is Dependence.ENDPOINT_INDEPENDENT:
        # Two addresses saw the same, and none that stands as far out saw anything else.
        assert len({sight.server[0] for sight in measured.sights}) > 1
        assert len({s.mapped for s in measured.sights if is_public(s.mapped[0]) and s.mapped != measured.local}) <= 1
    if verdict.filtering in (Dependence.NONE, Dependence.ENDPOINT_INDEPENDENT):
        assert measured.from_other_address is Known.YES
    if verdict.need in (Need.NONE, Need.STUN):
        assert any(is_public(sight.mapped[0]) for sight in measured.sights)
    if not measured.sights:
        assert Dependence.UNKNOWN is verdict.mapping


@given(MEASURED, st.randoms(use_true_random=False))
def test_the_order_of_the_servers_does_not_matter(measured: Measured, random: Any) -> None:
    sights = list(measured.sights)
    random.shuffle(sights)
    other = judge(replace(measured, sights=tuple(sights)))
    verdict = judge(measured)
    for name in ("mapping", "filtering", "port_preservation", "cgnat", "double_nat", "need", "reason"):
        assert getattr(other, name) is getattr(verdict, name)


@pytest.mark.parametrize("language", ["en", "zh_CN"])
def test_every_verdict_has_words(language: str) -> None:
    words = tomllib.loads(resource("nat", f"{language}.toml").read_text(encoding="utf-8"))
    wanted = {("reason", value) for value in Reason} | {("need", value) for value in Need}
    wanted |= set(product(("mapping", "filtering"), Dependence))
    wanted |= set(product(("hairpin", "port-preservation", "cgnat", "double-nat"), Known))
    wanted |= {("value", value) for enumeration in (Known, Dependence) for value in enumeration}
    assert all(words[table][key] for table, key in wanted)


def test_both_languages_have_the_same_words_with_the_same_gaps() -> None:
    english, chinese = (
        tomllib.loads(resource("nat", f"{name}.toml").read_text(encoding="utf-8")) for name in ("en", "zh_CN")
    )
    assert {table: set(words) for table, words in english.items()} == {t: set(words) for t, words in chinese.items()}
    gap = re.compile(r"{\w+}")
    for table, words in english.items():
        for key, text in words.items():
            assert set(gap.findall(text)) == set(gap.findall(chinese[table][key])), (table, key)
