"""A report for strangers holds nobody's address and nobody's name."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit import results
from wizard.model.hop import Hop, HopKind
from wizard.model.port import PortPlan, PortRange, Protocol
from wizard.model.project import Project
from wizard.model.vantage import IceServer, Vantage, VantageKind
from wizard.observation import HostInspected, Listening, NameResolved, Observation, Outcome, RelayChecked
from wizard.report.json import dumps, to_json
from wizard.report.markdown import to_markdown
from wizard.report.pseudonyms import Pseudonyms, is_neutral
from wizard.report.redact import redact
from wizard.report.text import Terminal, to_text

# Consonants only: no word of any report has such a string in it.
words = st.from_regex(r"[b-df-hj-np-tv-z]{5,9}", fullmatch=True)
labels = st.builds("{} {}".format, words, words) | words | st.sampled_from(["李雷的路由器", "Žofie's NAS"])
v4 = st.builds("{}.{}".format, st.sampled_from(["203.0.113", "198.51.100", "10.20.30"]), st.integers(1, 254))
v6 = st.builds("2001:db8:{:x}::{:x}".format, st.integers(1, 0xFFFF), st.integers(1, 0xFFFF))
hosts = st.builds("{}.{}.example".format, words, words) | words
addresses = v4 | v6 | hosts
sentences = st.sampled_from(
    [
        "connect to {address}:3478 failed",
        "[Errno 111] Connect call failed ('{address}', 3478)",
        "{user} at {address}: no route",
        "no permission for {user}.",
        "certificate is not valid for '{stranger}'",
        "peer {address}, realm {stranger}, user {user}@{stranger}",
        "{label}: {address}",
        "/home/{user}/hopwise.toml",
        "{plain}",
    ]
)


class Secretive:
    """A run full of names, and those names."""

    def __init__(self, draw: st.DrawFn) -> None:
        unique = iter(draw(st.lists(words, min_size=12, max_size=12, unique=True)))
        ids = [f"{next(unique)}-box" for _ in range(3)]
        own = [draw(labels) for _ in range(3)]
        where = [draw(addresses) for _ in range(3)]
        self.user, self.stranger = next(unique), f"{next(unique)}.example.net"
        public, announced, seen, relay, strange = (draw(x) for x in (addresses, addresses, v4 | v6, v4, v4 | v6))
        server = draw(hosts)
        vantage = next(unique)
        kinds = (HopKind.ROUTER, HopKind.CONTAINER, HopKind.SERVICE)
        project = Project(
            name=draw(labels),
            public_address=public,
            hops=tuple(map(Hop, ids, kinds, own, where)),
            ports=(PortPlan(next(unique), Protocol.UDP, PortRange(4000, 4003), {ids[2]: PortRange(5000, 5003)}),),
            vantages=(
                Vantage(vantage, VantageKind.TURN, None, f"turn:{server}:3478?transport=udp", self.user),
                Vantage(next(unique), VantageKind.SSH, ids[0], f"{self.user}@{where[0]}"),
            ),
            ice_servers=(IceServer((f"stun:{server}", f"turn:{relay}:3478"), self.user),),
            announced=(announced,),
            probe_key=next(unique),
        )
        sentence = draw(sentences).format(
            address=where[0], user=self.user, stranger=self.stranger, label=own[0], plain=strange
        )
        outcomes = draw(st.lists(st.sampled_from(Outcome), min_size=4, max_size=4))
        endpoint = f"[{seen}]:6000" if ":" in seen else f"{seen}:6000"
        seen_by = [
            Observation(
                vantage=vantage,
                enters=ids[0],
                address=where[0],
                port=4000 + number,
                protocol=Protocol.UDP,
                outcome=outcome,
                at=results.STARTED,
                seen_as=endpoint,
                error=sentence,
                came_in_on=endpoint,
                source=f"{seen}/24",
                stands_at=ids[2],
                probe_vantage=vantage,
                probe_enters=ids[0],
            )
            for number, outcome in enumerate(outcomes)
        ]
        facts = [
            NameResolved(public, 4, (relay,), sentence),
            HostInspected((Listening(Protocol.UDP, 5000, seen, "coturn"),)),
            RelayChecked(vantage, f"turn:{server}", None, draw(st.sampled_from([401, 403, 508])), sentence),
        ]
        self.result = results.result(project, seen_by, facts)
        unmasked = {*own, *where, *ids, project.name, public, announced, relay, server, vantage, self.user, seen}
        unmasked |= {project.ports[0].name, project.vantages[1].id, str(project.probe_key)}
        self.secrets = sorted({*unmasked, *([self.stranger] if self.stranger in sentence else [])})
        if sentence == strange:
            self.secrets.append(strange)


@st.composite
def secretives(draw: st.DrawFn) -> Secretive:
    return Secretive(draw)


def leaked(text: str, secrets: list[str]) -> list[str]:
    """The secrets that occur in `text`; an address not where it is only the beginning of another."""
    return [s for s in secrets if re.search(rf"(?<![0-9a-f]){re.escape(s)}(?![0-9a-f])", text, re.IGNORECASE)]


@given(secretives())
@settings(max_examples=60, deadline=None)
def test_no_address_and_no_name_is_in_any_output(secretive: Secretive) -> None:
    result = redact(secretive.result)
    for language in ("en", "zh_CN"):
        document = to_json(result, language)
        for text in (
            str(document),
            dumps(result),
            to_markdown(result, language),
            to_text(result, Terminal(), language),
        ):
            assert leaked(text, secretive.secrets) == []
    assert leaked(repr(result), secretive.secrets) == []


@given(secretives())
@settings(max_examples=25, deadline=None)
def test_states_ports_outcomes_and_codes_are_as_they_were(secretive: Secretive) -> None:
    before, after = to_json(secretive.result), to_json(redact(secretive.result))
    assert after["ports"] == before["ports"]
    assert [hop["state"] for hop in after["hops"]] == [hop["state"] for hop in before["hops"]]
    assert [f["code"] for f in after["findings"]] == [f["code"] for f in before["findings"]]
    assert [len(f["suspects"]) for f in after["findings"]] == [len(f["suspects"]) for f in before["findings"]]
    for key in ("port", "protocol", "outcome", "at"):
        assert [o[key] for o in after["observations"]] == [o[key] for o in before["observations"]]


def test_equal_addresses_have_one_word_and_different_ones_have_two() -> None:
    run = redact(results.hole())
    assert run.project.public_address == run.project.hops[0].address == run.project.announced[0] == "address-1"
    assert run.project.hops[1].address == run.project.announced[1] == "address-2"
    assert {o.address for o in run.observations} == {"address-1", "address-2"}
    assert {(o.seen_as or "").partition(":")[0] for o in run.observations} == {"", "address-4", "address-5"}


def test_the_report_makes_sense_with_the_words_in_place() -> None:
    text = to_markdown(redact(results.hole()))
    assert "router does not forward udp 10050–10100" in text
    assert "udp 10050-10100 -> address-2 : 10050-10100" in text
    assert "entering at firewall-1 (address-2)" in text


def test_programs_loopback_and_wildcards_stay_because_they_explain_faults() -> None:
    run = redact(results.eventful())
    (host,) = (fact for fact in run.facts if isinstance(fact, HostInspected))
    assert (host.sockets[0].program, host.sockets[0].address) == ("nginx", "127.0.0.1")
    names = Pseudonyms(())
    kept = ("127.0.0.1", "0.0.0.0", "::", "::1", "localhost")
    assert tuple(names.address(address) for address in kept) == kept


def test_a_word_that_somebody_chose_as_an_id_is_not_given_to_another_hop() -> None:
    project = results.chat()
    hops = (Hop("firewall-1", HopKind.FIREWALL), replace(project.hops[1], id="bob"), *project.hops[2:])
    run = redact(results.result(replace(project, hops=hops, vantages=())))
    assert [hop.id for hop in run.project.hops[:2]] == ["firewall-1", "firewall-2"]


@pytest.mark.parametrize(
    ("text", "safe"),
    [
        ("from 192.0.2.7.", "from address-1."),
        ("at 192.0.2.7:80, 192.0.2.70", "at address-1:80, address-2"),
        ("[2001:db8::1]:80 and 2001:DB8:0::1: refused", "[address-1]:80 and address-1: refused"),
        ("::ffff:192.0.2.7 is 192.0.2.7", "address-1 is address-1"),
        ("12:00:00, 3.11.2, 1.2.3.400, a::b::c", "12:00:00, 3.11.2, 1.2.3.400, a::b::c"),
        ("10:20:192.0.2.7", "10:20:address-1"),
        ("card 02:00:5E:10:00:01", "card hardware-1"),
        ("see turnserver.conf and frpc.toml", "see turnserver.conf and frpc.toml"),
        ("by turn.example.net, not TURN.EXAMPLE.NET.", "by host-1, not host-1."),
        ("write to alice@example.net", "write to user-1@host-1"),
        ("in /home/alice/x and C:\\Users\\bob\\x", "in /home/user-1/x and C:\\Users\\user-2\\x"),
        ("用户192.0.2.7的端口", "用户address-1的端口"),
    ],
)
def test_addresses_and_names_in_free_text_are_found_though_they_occur_nowhere_else(text: str, safe: str) -> None:
    assert Pseudonyms(()).text(text) == safe


def test_the_key_of_a_host_by_which_search_engines_find_it_is_taken_out() -> None:
    told = "the host key of [203.0.113.9]:2222 shows ssh-ed25519 SHA256:" + "aB+/" * 10 + "xyz. Connect once"
    safe = Pseudonyms(()).text(told)
    assert "203.0.113.9" not in safe
    assert "aB+/" not in safe
    assert "SHA256:…. Connect once" in safe


def test_a_user_in_a_time_limited_name_has_the_same_word_alone() -> None:
    names = Pseudonyms(())
    assert names.user("1767355200:alice") == "user-1"
    assert names.text("quota of alice reached (1767355200:alice)") == "quota of user-1 reached (user-1)"


def test_a_name_is_replaced_as_a_word_and_not_inside_another() -> None:
    names = Pseudonyms(())
    names.user("ana")
    assert names.text("ana, banana, ana-lan") == "user-1, banana, user-1-lan"


@pytest.mark.parametrize("text", ["router", "udp", "Router 2", "this-computer", "tunnel-server-2", "responder", "10"])
def test_words_of_the_format_name_nobody(text: str) -> None:
    assert is_neutral(text)


@pytest.mark.parametrize("text", ["alice", "router of alice", "nas", "555123456", "家"])
def test_other_words_may_name_somebody(text: str) -> None:
    assert not is_neutral(text)
