"""What Hopwise writes for a packet filter opens the planned ports and no other, and its undo leaves no trace."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from wizard.configs.packet_filter.reading import FilterReading
from wizard.configs.product import Order, Wanted
from wizard.configs.products import product
from wizard.configs.reading import Question, Source
from wizard.model.hop import Hop, HopKind
from wizard.model.port import PortRange, Protocol
from wizard.model.project import Project
from wizard.observation import Coverage

from .services import Firewalld, Ufw
from .yard import BEHIND, BOX, PORTS, SENDERS, Probe, Seen, Yard

UDP, TCP = Protocol.UDP, Protocol.TCP
NOTHING = Seen(None, False, False)
FILTER = (
    Wanted("media", UDP, PortRange(8000, 8002), PortRange(8000, 8002), None),
    Wanted("web", TCP, PortRange(443, 443), PortRange(443, 443), None),
)
ROUTER = (
    Wanted("media", UDP, PortRange(9000, 9001), PortRange(8001, 8002), BEHIND[4]),
    Wanted("web", TCP, PortRange(443, 443), PortRange(443, 443), BEHIND[4]),
    Wanted("admin", TCP, PortRange(8003, 8003), PortRange(8000, 8000), BEHIND[4]),
)
CLOSED_IPTABLES = """*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
-A INPUT -i lo -j ACCEPT
-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT
-A INPUT -j REJECT
COMMIT
*nat
:PREROUTING ACCEPT [0:0]
:INPUT ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
:POSTROUTING ACCEPT [0:0]
COMMIT
"""
CLOSED_NFT = """flush ruleset
table inet filter {
    chain input {
        type filter hook input priority filter; policy drop;
        ct state established,related accept
        iif "lo" accept
        tcp dport 22 accept
        reject
    }
    chain forward {
        type filter hook forward priority filter; policy drop;
    }
}
table ip other {
    chain later {
        type filter hook input priority 10; policy drop;
        ct state established accept
    }
}
"""


@pytest.fixture(scope="module")
def yard() -> Iterator[Yard]:
    with Yard() as built:
        yield built


def order(wanted: tuple[Wanted, ...], existing: FilterReading | None) -> Order:
    """For the box, as a firewall before the service on it, or as a router before the host behind it."""
    translates = wanted[0].host is not None
    hop = Hop("box", HopKind.ROUTER if translates else HopKind.FIREWALL, address=BOX["w0"][4])
    service = Hop("chat", HopKind.SERVICE, address=BEHIND[4] if translates else None)
    return Order(Project("Chat", BOX["w0"][4], (hop, service), ()), hop, wanted, existing)


def opened(yard: Yard, wanted: tuple[Wanted, ...] = ()) -> None:
    """Every port of these is open, each where it leads, and no other of those that are listened on, nor 9001."""
    leads = {
        (each.protocol.value, outer): ("in" if each.host else "box", inner)
        for each in wanted
        for outer, inner in zip(each.arrives, each.leaves, strict=True)
    }
    with yard.probing():
        for number in (*PORTS, 9001):
            for protocol in ("udp", "tcp"):
                probe = Probe("w0", SENDERS["w0"][4][0], BOX["w0"][4], protocol, number, 4)
                at = leads.get((protocol, number))
                expected = NOTHING if at is None else Seen(at, True, True)
                with yard.socket_for(probe) as sock:
                    assert yard.send(sock, probe, expected) == expected, probe


def applied(
    yard: Yard,
    name: str,
    wanted: tuple[Wanted, ...],
    listing: Callable[[], str],
    run: Callable[[str], object],
    existing: str | None = None,
) -> None:
    """Write, run twice, test with packets, undo."""
    made = product(name)
    assert made.write is not None
    assert made.read is not None
    before = listing()
    reading = made.read(Source(before if existing is None else existing, name))
    assert isinstance(reading, FilterReading)
    opened(yard)
    text = made.write(order(wanted, reading))
    run(text.text)
    first = listing()
    assert first != before
    opened(yard, wanted)
    run(text.text)
    assert listing() == first, "a second run changed something"
    after = made.read(Source(first, name)) if existing is None else None
    for each in wanted if after is not None else ():
        question = Question(
            each.protocol,
            each.arrives.last,
            each.leaves.last,
            translates=each.host is not None,
            host=each.host,
            destination=BOX["w0"][4],
        )
        assert after is not None
        assert after.answer(question).coverage is Coverage.COVERED
    run(text.undo)
    assert listing() == before
    opened(yard)


@pytest.mark.requires("root", "iptables")
@pytest.mark.parametrize("wanted", [FILTER, ROUTER], ids=["firewall", "router"])
def test_written_iptables_opens_the_planned_ports_and_undo_restores_the_rules(
    yard: Yard, wanted: tuple[Wanted, ...]
) -> None:
    yard.box.nft("flush ruleset")
    yard.box.run(["iptables-restore"], CLOSED_IPTABLES)

    def listing() -> str:
        return re.sub(r"^#.*\n|\[\d+:\d+\]", "", yard.box.run(["iptables-save"]), flags=re.MULTILINE)

    applied(yard, "iptables", wanted, listing, lambda text: yard.box.run(["sh", "-e"], text))


@pytest.mark.requires("root", "nft")
@pytest.mark.parametrize("wanted", [FILTER, ROUTER], ids=["firewall", "router"])
def test_written_nft_opens_the_planned_ports_and_undo_restores_the_rules(
    yard: Yard, wanted: tuple[Wanted, ...]
) -> None:
    yard.box.nft(CLOSED_NFT)

    def listing() -> str:
        return yard.box.run(["nft", "list", "ruleset"])

    applied(yard, "nftables", wanted, listing, lambda text: yard.box.run(["sh", "-e"], text))


@pytest.mark.requires("root", "iptables", "ufw")
def test_written_ufw_opens_the_planned_ports_and_undo_restores_the_rules(yard: Yard, tmp_path: Path) -> None:
    yard.box.nft("flush ruleset")
    with Ufw(yard.box, tmp_path) as ufw:
        applied(yard, "ufw", FILTER, ufw.status, ufw.sh)
        ufw.sh("ufw deny 8000/udp")
        applied(yard, "ufw", FILTER, ufw.status, ufw.sh)


@pytest.mark.requires("root", "nft", "firewalld")
@pytest.mark.parametrize("wanted", [FILTER, ROUTER], ids=["firewall", "router"])
def test_written_firewalld_opens_the_planned_ports_and_undo_restores_the_zone(
    yard: Yard, wanted: tuple[Wanted, ...], tmp_path: Path
) -> None:
    yard.box.nft("flush ruleset")
    with Firewalld(yard.box, tmp_path) as firewalld:
        applied(yard, "firewalld", wanted, firewalld.listing, firewalld.sh)
        made = product("firewalld").write
        assert made is not None
        firewalld.sh(made(order(wanted, None)).text)
        # What firewalld makes of it, read as the rules of nftables that they are, says the same.
        read = product("nftables").read
        assert read is not None
        rules = read(Source(yard.box.run(["nft", "list", "ruleset"]), "nft"))
        for each in wanted:
            led = each.host is not None
            question = Question(each.protocol, each.arrives.last, each.leaves.last, 4, led, each.host, BOX["w0"][4])
            assert rules.answer(question).coverage is Coverage.COVERED
        assert rules.answer(Question(UDP, 443, 443, destination=BOX["w0"][4])).coverage.blames
