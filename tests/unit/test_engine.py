"""From observations to findings, on paths worked out by hand."""

from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wizard.diagnosis.engine import Diagnoser
from wizard.diagnosis.verdict import Diagnosis, Finding, Severity, State
from wizard.diagnosis.words import LANGUAGES, words
from wizard.model.hop import Hop, HopKind
from wizard.model.port import OutsidePort, PortPlan, PortRange, Protocol
from wizard.model.project import Project, arrival_numbers
from wizard.model.vantage import Vantage, VantageKind
from wizard.observation import (
    RESPONDER,
    Fact,
    HostInspected,
    Listening,
    NameResolved,
    Observation,
    Outcome,
    RelayChecked,
)

T0 = datetime(2026, 1, 1, 12, tzinfo=UTC)
MEDIA = PortPlan("media", Protocol.UDP, PortRange(10000, 10009), {"chat": PortRange(20000, 20009)})
WEB = PortPlan("web", Protocol.TCP, PortRange(8172, 8172))
PROJECT = Project(
    name="Video chat",
    public_address="203.0.113.20",
    hops=(
        Hop("router", HopKind.ROUTER, "Home router", "203.0.113.20"),
        Hop("wall", HopKind.FIREWALL, "NAS firewall", "192.168.77.10"),
        Hop("docker", HopKind.CONTAINER, "Docker", None),
        Hop("chat", HopKind.SERVICE, "Video chat", "172.18.0.2"),
    ),
    ports=(MEDIA, WEB),
    vantages=(Vantage("outside"), Vantage("laptop", beyond="router")),
)


def saw(
    vantage: str, enters: str, outside: int, outcome: Outcome, protocol: Protocol = Protocol.UDP, **more: object
) -> Observation:
    """An observation of a planned port, by its outside number."""
    position = PROJECT.index(enters)
    plan = MEDIA if outside in MEDIA.outside else WEB
    number = arrival_numbers(PROJECT.hops, plan, outside)[position]
    address = PROJECT.hops[position].address or ""
    base = Observation(vantage, enters, address, number, protocol, outcome, T0)
    return replace(base, **more)  # type: ignore[arg-type]


def everywhere(vantage: str, enters: str, outcome: Outcome, numbers: range = range(10000, 10010)) -> list[Observation]:
    return [saw(vantage, enters, number, outcome) for number in numbers]


def diagnose(*items: Observation | Fact | list[Observation], project: Project = PROJECT) -> Diagnosis:
    diagnoser = Diagnoser(project)
    for item in items:
        diagnoser.extend(item if isinstance(item, list) else [item])
    return diagnoser.diagnosis()


def errors(diagnosis: Diagnosis) -> list[tuple[str, tuple[str, ...], str]]:
    return [(f.code, f.suspects, str(f.outside)) for f in diagnosis.findings if f.severity is Severity.ERROR]


def codes(diagnosis: Diagnosis, severity: Severity) -> set[str]:
    return {f.code for f in diagnosis.findings if f.severity is severity}


OUTSIDE_SILENT = everywhere("outside", "router", Outcome.SILENT)
LAPTOP_OPEN = everywhere("laptop", "wall", Outcome.ANSWERED)


@pytest.mark.parametrize(
    ("items", "expected"),
    [
        ([*OUTSIDE_SILENT, *LAPTOP_OPEN], ("not-forwarded", ("router",))),
        ([*OUTSIDE_SILENT], ("stopped", ("router", "wall", "docker", "chat"))),
        (
            [*everywhere("outside", "router", Outcome.REJECTED)],
            ("filtered-reject", ("router", "wall", "docker", "chat")),
        ),
        ([*everywhere("outside", "router", Outcome.REFUSED)], ("refused", ("router", "wall", "docker", "chat"))),
        (
            [*everywhere("outside", "router", Outcome.UNREACHABLE), *LAPTOP_OPEN],
            ("wrong-inner-host", ("router",)),
        ),
        (
            [*everywhere("outside", "router", Outcome.MISDIRECTED), *LAPTOP_OPEN],
            ("wrong-translation", ("router",)),
        ),
        (
            [*everywhere("outside", "router", Outcome.MISDIRECTED)],
            ("wrong-translation", ("router", "docker")),
        ),
        (
            [*OUTSIDE_SILENT, saw("outside", "router", 10000, Outcome.ANSWERED, Protocol.TCP)],
            ("wrong-protocol", ("router", "wall", "docker", "chat")),
        ),
        (
            [*OUTSIDE_SILENT, *LAPTOP_OPEN, saw("outside", "router", 10004, Outcome.ANSWERED, Protocol.TCP)],
            ("wrong-protocol", ("router",)),
        ),
        (
            [*everywhere("inside", "chat", Outcome.REFUSED)],
            ("not-listening", ("chat",)),
        ),
        (
            [*everywhere("inside", "chat", Outcome.REFUSED), HostInspected(())],
            ("service-not-running", ("chat",)),
        ),
        (
            [
                *everywhere("inside", "chat", Outcome.REFUSED),
                HostInspected((Listening(Protocol.UDP, 20003, "127.0.0.1", "sfu", 7),)),
            ],
            ("loopback-only", ("chat",)),
        ),
        (
            [
                *everywhere("inside", "chat", Outcome.SILENT),
                HostInspected((Listening(Protocol.UDP, 20003, "0.0.0.0", "other", 7),)),
            ],
            ("port-held", ("chat",)),
        ),
    ],
)
def test_one_cause_gives_one_error_that_names_it(
    items: list[Observation | Fact], expected: tuple[str, tuple[str, ...]]
) -> None:
    assert errors(diagnose(*items)) == [(*expected, "10000-10009")]


def test_the_other_protocol_that_passes_on_one_number_and_not_on_another_is_said_of_that_one_alone() -> None:
    found = diagnose(
        OUTSIDE_SILENT,
        LAPTOP_OPEN,
        saw("outside", "router", 10000, Outcome.ANSWERED, Protocol.TCP),
        saw("outside", "router", 10005, Outcome.REFUSED, Protocol.TCP),
        saw("outside", "router", 10009, Outcome.REFUSED, Protocol.TCP),
    )
    assert errors(found) == [("wrong-protocol", ("router",), "10000"), ("not-forwarded", ("router",), "10001-10009")]


def test_a_hole_is_named_by_its_range_and_the_rest_stays_open() -> None:
    diagnosis = diagnose(
        everywhere("outside", "router", Outcome.ANSWERED, range(10000, 10004)),
        everywhere("outside", "router", Outcome.SILENT, range(10004, 10008)),
        everywhere("outside", "router", Outcome.ANSWERED, range(10008, 10010)),
        LAPTOP_OPEN,
        saw("outside", "router", 8172, Outcome.ANSWERED, Protocol.TCP),
    )
    assert errors(diagnosis) == [("not-forwarded", ("router",), "10004-10007")]
    assert [(row.protocol, str(row.outside), row.state) for row in diagnosis.ports] == [
        (Protocol.UDP, "10000-10003", State.OPEN),
        (Protocol.UDP, "10004-10007", State.BLOCKED),
        (Protocol.UDP, "10008-10009", State.OPEN),
        (Protocol.TCP, "8172", State.OPEN),
    ]
    router = diagnosis.hops[0]
    assert router.state is State.BLOCKED
    assert [hop.state for hop in diagnosis.hops[1:]] == [State.OPEN] * 3
    assert diagnosis.state is State.BLOCKED


def test_refusals_that_were_rate_limited_do_not_split_a_range() -> None:
    mixed = [
        saw("outside", "router", n, Outcome.REFUSED if n % 5 == 0 else Outcome.SILENT) for n in range(10000, 10010)
    ]
    assert errors(diagnose(mixed)) == [("refused", ("router", "wall", "docker", "chat"), "10000-10009")]


def test_all_answers_from_outside_prove_the_path() -> None:
    diagnosis = diagnose(
        everywhere("outside", "router", Outcome.ANSWERED),
        saw("outside", "router", 8172, Outcome.ANSWERED, Protocol.TCP),
    )
    assert diagnosis.state is State.OPEN
    assert codes(diagnosis, Severity.INFO) == {"path-proven"}


def test_answers_from_inside_leave_the_outermost_hop_unknown() -> None:
    diagnosis = diagnose(LAPTOP_OPEN, saw("laptop", "wall", 8172, Outcome.ANSWERED, Protocol.TCP))
    assert diagnosis.state is State.UNKNOWN
    assert diagnosis.hops[0].state is State.UNKNOWN
    assert "unproven-inside-only" in codes(diagnosis, Severity.WARNING)


def test_answers_to_a_place_outside_are_not_said_to_come_from_inside() -> None:
    unaddressed = replace(PROJECT, hops=(Hop("cloud-rules", HopKind.SECURITY_GROUP), *PROJECT.hops))
    diagnosis = diagnose(everywhere("outside", "router", Outcome.ANSWERED), project=unaddressed)
    told = [finding for finding in diagnosis.findings if finding.code == "unproven-no-entrance"]
    assert diagnosis.hops[0].state is State.UNKNOWN
    assert words(told[0]).remedy[-1] == f'    address = "{PROJECT.hops[0].address}"'
    assert "unproven-inside-only" not in codes(diagnosis, Severity.WARNING)


@pytest.mark.parametrize(
    "outcome", [Outcome.ACCEPTED, Outcome.ALIEN, Outcome.NOT_PERMITTED, Outcome.FAILED, Outcome.NOT_CHECKED]
)
def test_what_says_nothing_neither_opens_nor_blocks(outcome: Outcome) -> None:
    diagnosis = diagnose(everywhere("outside", "router", outcome))
    assert diagnosis.state is State.UNKNOWN
    assert errors(diagnosis) == []
    assert f"unproven-{outcome}" in codes(diagnosis, Severity.WARNING)


def test_a_responder_that_stands_in_for_a_hop_proves_only_what_is_before_it() -> None:
    diagnosis = diagnose([replace(o, stands_at="docker") for o in everywhere("outside", "router", Outcome.ANSWERED)])
    states = [hop.ports[0].state for hop in diagnosis.hops]
    assert states == [State.OPEN, State.OPEN, State.UNKNOWN, State.UNKNOWN]
    assert diagnosis.state is State.UNKNOWN


def test_observations_of_another_path_are_passed_over() -> None:
    strange = [
        replace(saw("outside", "router", 10000, Outcome.ANSWERED), address="198.51.100.9"),
        replace(saw("outside", "router", 10000, Outcome.ANSWERED), enters="elsewhere"),
        replace(saw("outside", "router", 10000, Outcome.ANSWERED), port=4444),
    ]
    assert diagnose(strange).state is State.UNKNOWN


def test_the_later_of_two_observations_of_one_probe_counts() -> None:
    before = saw("outside", "router", 10000, Outcome.SILENT)
    after = replace(before, outcome=Outcome.ANSWERED, at=T0 + timedelta(seconds=9))
    for order in itertools.permutations((before, after)):
        diagnoser = Diagnoser(PROJECT)
        diagnoser.extend(order)
        assert diagnoser.verdict(OutsidePort(Protocol.UDP, 10000)).state is State.OPEN


@pytest.mark.parametrize("outcome", [Outcome.NOT_CHECKED, Outcome.FAILED, Outcome.NOT_PERMITTED])
def test_a_later_probe_that_was_never_sent_takes_no_proof_back(outcome: Outcome) -> None:
    before = saw("outside", "router", 10000, Outcome.ANSWERED)
    after = replace(before, outcome=outcome, at=T0 + timedelta(seconds=9))
    diagnoser = Diagnoser(PROJECT)
    diagnoser.extend((before, after))
    assert diagnoser.verdict(OutsidePort(Protocol.UDP, 10000)).state is State.OPEN


def test_a_probe_that_turned_round_at_the_own_router_proves_nothing_of_it() -> None:
    inside = [
        replace(o, source="192.168.77.20/24", seen_as="192.168.77.1:40000")
        for o in everywhere("outside", "router", Outcome.ANSWERED)
    ]
    diagnosis = diagnose(inside)
    assert diagnosis.hops[0].state is State.UNKNOWN
    assert diagnosis.state is State.UNKNOWN
    assert "hairpin-only" in codes(diagnosis, Severity.WARNING)


def test_silence_at_the_own_router_from_inside_blames_nobody() -> None:
    inside = [replace(o, source="192.168.77.20/24") for o in OUTSIDE_SILENT]
    diagnosis = diagnose(inside)
    assert errors(diagnosis) == []
    assert diagnosis.state is State.UNKNOWN
    assert "hairpin-only" in codes(diagnosis, Severity.WARNING)


def test_an_answer_that_the_service_saw_come_from_elsewhere_is_from_outside() -> None:
    same_numbers = [
        replace(o, source="192.168.77.20/24", seen_as="198.51.100.3:40000")
        for o in everywhere("outside", "router", Outcome.ANSWERED)
    ]
    assert diagnose(same_numbers).hops[0].ports[0].state is State.OPEN


SHARED = replace(
    PROJECT,
    hops=(PROJECT.hops[0], PROJECT.hops[1], Hop("chat", HopKind.SERVICE, address="192.168.77.10")),
    ports=(replace(MEDIA, inside={}),),
    vantages=(Vantage("laptop", beyond="router"), Vantage("host", beyond="wall")),
)


def at_host(vantage: str, enters: str, outcome: Outcome, source: str) -> list[Observation]:
    return [
        Observation(vantage, enters, "192.168.77.10", n, Protocol.UDP, outcome, T0, source=source)
        for n in MEDIA.outside
    ]


def test_a_hosts_packets_to_itself_prove_nothing_of_its_firewall() -> None:
    answered = diagnose(at_host("laptop", "wall", Outcome.ANSWERED, "192.168.77.10/24"), project=SHARED)
    assert [hop.state for hop in answered.hops] == [State.UNKNOWN, State.UNKNOWN, State.OPEN]
    refused = diagnose(at_host("laptop", "wall", Outcome.REFUSED, "192.168.77.10/24"), project=SHARED)
    assert [f.suspects for f in refused.findings if f.severity is Severity.ERROR] == [("chat",)]


def test_a_neighbours_packets_cross_the_hosts_firewall_whatever_its_place_is_called() -> None:
    diagnosis = diagnose(at_host("host", "chat", Outcome.SILENT, "192.168.77.20/24"), project=SHARED)
    assert [f.suspects for f in diagnosis.findings if f.severity is Severity.ERROR] == [("wall", "chat")]
    itself = diagnose(at_host("host", "chat", Outcome.SILENT, "192.168.77.10/24"), project=SHARED)
    assert [f.suspects for f in itself.findings if f.severity is Severity.ERROR] == [("chat",)]


def test_a_filter_without_an_address_is_not_passed_over() -> None:
    hidden = replace(SHARED, hops=(SHARED.hops[0], replace(SHARED.hops[1], address=None), SHARED.hops[2]))
    diagnosis = diagnose(at_host("laptop", "chat", Outcome.REJECTED, "192.168.77.20/24"), project=hidden)
    assert [f.suspects for f in diagnosis.findings if f.severity is Severity.ERROR] == [("wall", "chat")]
    proven = diagnose(at_host("laptop", "chat", Outcome.ANSWERED, "192.168.77.20/24"), project=hidden)
    assert [hop.state for hop in proven.hops] == [State.UNKNOWN, State.UNKNOWN, State.OPEN]


def test_a_filter_caught_telling_senders_apart_is_not_acquitted_on_its_other_ports() -> None:
    arrived = [
        replace(
            Observation(RESPONDER, "chat", "192.168.77.10", n, Protocol.UDP, Outcome.ARRIVED, T0),
            probe_vantage="outside",
            probe_enters="router",
        )
        for n in MEDIA.outside
    ]
    project = replace(
        SHARED, ports=(*SHARED.ports, WEB), vantages=(Vantage("outside"), Vantage("laptop", beyond="router"))
    )
    web = [
        saw("outside", "router", 8172, Outcome.SILENT, Protocol.TCP),
        saw("laptop", "wall", 8172, Outcome.ANSWERED, Protocol.TCP),
    ]
    laptop = at_host("laptop", "wall", Outcome.ANSWERED, "192.168.77.20/24")
    diagnosis = diagnose(OUTSIDE_SILENT, laptop, web, arrived, project=project)
    blamed = {str(f.protocol): f.suspects for f in diagnosis.findings if f.severity is Severity.ERROR}
    assert blamed == {"udp": ("wall",), "tcp": ("router", "wall")}
    udp = next(f for f in diagnosis.findings if f.protocol is Protocol.UDP and f.severity is Severity.ERROR)
    assert {phrase.key for phrase in udp.evidence} >= {"arrived"}
    assert "alike" not in {phrase.key for phrase in udp.evidence}


def test_a_relay_on_the_own_public_address_is_not_outside() -> None:
    project = replace(
        PROJECT, vantages=(Vantage("relay", VantageKind.TURN, server="turn:203.0.113.20:3478", username="u"),)
    )
    answers = [
        replace(o, vantage="relay", source="203.0.113.20/32") for o in everywhere("x", "router", Outcome.ANSWERED)
    ]
    assert diagnose(answers, project=project).hops[0].state is State.UNKNOWN


@pytest.mark.parametrize(
    ("seen_as", "router"),
    [("192.168.77.1:5000", State.UNKNOWN), ("203.0.113.20:5000", State.UNKNOWN), ("198.51.100.7:5000", State.OPEN)],
)
def test_a_relay_that_tells_an_inside_address_is_outside_only_if_the_service_saw_it_so(
    seen_as: str, router: State
) -> None:
    project = replace(
        PROJECT, vantages=(Vantage("relay", VantageKind.TURN, server="turn:198.51.100.7:3478", username="u"),)
    )
    checked = RelayChecked("relay", "turn:198.51.100.7:3478", "10.0.0.5:50000")
    answers = [
        replace(o, vantage="relay", source="10.0.0.5/32", seen_as=seen_as)
        for o in everywhere("x", "router", Outcome.ANSWERED)
    ]
    silent = [replace(o, vantage="relay", source="10.0.0.5/32") for o in everywhere("x", "router", Outcome.SILENT)]
    assert diagnose(answers, checked, project=project).hops[0].ports[0].state is router
    unheard = diagnose(silent, checked, project=project)
    assert unheard.state is State.UNKNOWN
    assert codes(unheard, Severity.WARNING) >= {"turn-relay-private"}
    assert "hairpin-only" not in codes(unheard, Severity.WARNING)


def test_a_firewall_that_lets_only_the_lan_in_is_named_once_arrivals_are_merged() -> None:
    arrivals = [
        replace(
            saw(RESPONDER, "chat", n, Outcome.ARRIVED),
            probe_vantage="outside",
            probe_enters="router",
        )
        for n in range(10000, 10010)
    ]
    project = replace(
        PROJECT,
        hops=(PROJECT.hops[0], PROJECT.hops[1], replace(PROJECT.hops[3], address=None)),
        ports=(replace(MEDIA, inside={}),),
    )

    def moved(o: Observation) -> Observation:
        return replace(o, port=o.port - 10000) if o.enters == "chat" else o

    diagnosis = diagnose(
        OUTSIDE_SILENT, LAPTOP_OPEN, [moved(o) for o in arrivals], project=replace(project, vantages=())
    )
    assert [f.suspects for f in diagnosis.findings if f.severity is Severity.ERROR] == [("wall",)]
    assert diagnosis.stopped_behind_card == (("wall", 10),)


def test_dns_that_points_elsewhere_is_a_warning() -> None:
    project = replace(PROJECT, public_address="chat.example.org")
    fact = NameResolved("chat.example.org", 4, ("198.51.100.77",))
    assert "dns-elsewhere" in codes(diagnose(fact, project=project), Severity.WARNING)
    right = NameResolved("chat.example.org", 4, ("203.0.113.20",))
    assert "dns-elsewhere" not in codes(diagnose(right, project=project), Severity.WARNING)


def test_a_published_ipv6_address_with_closed_ports_is_a_warning_and_blocks_nothing() -> None:
    closed = [replace(o, address="2001:db8::20") for o in everywhere("outside", "router", Outcome.REFUSED)]
    diagnosis = diagnose(everywhere("outside", "router", Outcome.ANSWERED), closed)
    assert errors(diagnosis) == []
    assert "aaaa-closed" in codes(diagnosis, Severity.WARNING)


@pytest.mark.parametrize(
    ("fact", "code"),
    [
        (RelayChecked("relay", "turn:198.51.100.7:3478", None, 401, "Unauthorized"), "turn-auth-failed"),
        (
            RelayChecked("relay", "turn:198.51.100.7:3478", "198.51.100.7:50000", 403, "Forbidden"),
            "turn-peer-forbidden",
        ),
        (RelayChecked("relay", "turn:198.51.100.7:3478", "10.0.0.7:50000"), "turn-relay-private"),
        (RelayChecked("relay", "turn:198.51.100.7:3478", None, 508, "No capacity"), "turn-failed"),
    ],
)
def test_what_a_turn_server_said_is_a_warning(fact: Fact, code: str) -> None:
    assert code in codes(diagnose(fact), Severity.WARNING)


@pytest.mark.parametrize("code", [440, 442, 486, None])
def test_a_turn_server_that_does_a_part_is_not_said_to_have_done_nothing(code: int | None) -> None:
    works = RelayChecked("relay", "turn:198.51.100.7:3478", "198.51.100.7:50000")
    cannot = RelayChecked("relay", "turn:198.51.100.7:3478", None, code, "No")
    assert codes(diagnose(works, cannot), Severity.WARNING) >= {"turn-partly"}
    assert "turn-failed" not in codes(diagnose(works, cannot), Severity.WARNING)
    assert "turn-failed" in codes(diagnose(cannot), Severity.WARNING)
    finding = next(f for f in diagnose(works, cannot).findings if f.code == "turn-partly")
    assert all(words(finding, language).title for language in LANGUAGES)


def test_a_router_with_a_shared_address_is_told_so() -> None:
    shared = replace(PROJECT, hops=(replace(PROJECT.hops[0], address="100.72.3.4"), *PROJECT.hops[1:]))
    assert "cgnat-address" in codes(diagnose(project=shared), Severity.WARNING)


def test_carrier_nat_among_the_suspects_is_pointed_out() -> None:
    carrier = Hop("carrier", HopKind.CGNAT, "Provider", "203.0.113.20")
    router = replace(PROJECT.hops[0], address="100.72.3.4")
    project = replace(PROJECT, hops=(carrier, router, *PROJECT.hops[1:]))
    silent = [replace(o, enters="carrier") for o in OUTSIDE_SILENT]
    assert "cgnat-in-path" in codes(diagnose(silent, project=project), Severity.WARNING)
    assert "cgnat-in-path" not in codes(diagnose(project=project), Severity.WARNING)


def test_a_rewritten_source_is_noted() -> None:
    answers = [
        replace(o, source="198.51.100.5/24", seen_as="172.18.0.1:5000")
        for o in everywhere("outside", "router", Outcome.ANSWERED)
    ]
    assert "source-rewritten" in codes(diagnose(answers), Severity.INFO)


PROBES = st.tuples(
    st.sampled_from([("outside", "router"), ("laptop", "wall"), ("inside", "chat")]),
    st.integers(10000, 10009),
    st.sampled_from([outcome for outcome in Outcome if outcome is not Outcome.ARRIVED]),
    st.sampled_from([Protocol.UDP, Protocol.TCP]),
    st.integers(0, 3),
)


@given(st.lists(PROBES, max_size=40), st.randoms(use_true_random=False))
def test_a_diagnosis_does_not_depend_on_the_order_of_observations(
    probes: list[tuple[tuple[str, str], int, Outcome, Protocol, int]], random: object
) -> None:
    observations = [
        saw(vantage, enters, number, outcome, protocol, at=T0 + timedelta(seconds=second))
        for (vantage, enters), number, outcome, protocol, second in probes
    ]
    at_once = diagnose(observations)
    random.shuffle(observations)  # type: ignore[attr-defined]
    step_by_step = Diagnoser(PROJECT)
    for observation in observations:
        step_by_step.add(observation)
        step_by_step.diagnosis()
    assert step_by_step.diagnosis() == at_once


@given(st.lists(PROBES, max_size=40))
def test_every_blocked_port_has_an_error_and_every_finding_has_words(
    probes: list[tuple[tuple[str, str], int, Outcome, Protocol, int]],
) -> None:
    diagnosis = diagnose(
        [saw(vantage, enters, number, outcome, protocol) for (vantage, enters), number, outcome, protocol, _ in probes]
    )
    explained = {
        (f.protocol, number)
        for f in diagnosis.findings
        if f.severity is Severity.ERROR and f.outside is not None
        for number in f.outside
    }
    blocked = {(row.protocol, n) for row in diagnosis.ports if row.state is State.BLOCKED for n in row.outside}
    assert explained == blocked
    for finding in diagnosis.findings:
        for language in LANGUAGES:
            said = words(finding, language)
            assert said.title
            assert "$" not in said.title + said.detail + "".join(said.evidence)


def test_neighbours_in_one_state_are_one_row_even_across_plans() -> None:
    project = replace(
        PROJECT,
        ports=(
            PortPlan("a", Protocol.UDP, PortRange(5000, 5004)),
            PortPlan("b", Protocol.UDP, PortRange(5005, 5009)),
        ),
    )
    assert [str(row.outside) for row in diagnose(project=project).ports] == ["5000-5009"]


def test_the_next_test_splits_the_suspects() -> None:
    def first(diagnosis: Diagnosis) -> Finding:
        return next(f for f in diagnosis.findings if f.severity is Severity.ERROR)

    nothing_answers = first(diagnose(OUTSIDE_SILENT))
    assert nothing_answers.next_test is not None
    assert nothing_answers.next_test.key == "next-responder"
    web = saw("outside", "router", 8172, Outcome.ANSWERED, Protocol.TCP)
    with_laptop = first(diagnose(OUTSIDE_SILENT, web))
    assert with_laptop.next_test is not None
    assert (with_laptop.next_test.key, with_laptop.next_test.values["vantage"]) == ("next-vantage", "laptop")
    alone = first(diagnose(OUTSIDE_SILENT, web, project=replace(PROJECT, vantages=(Vantage("outside"),))))
    assert alone.next_test is not None
    assert alone.next_test.key == "next-place"
    proven = first(diagnose(OUTSIDE_SILENT, LAPTOP_OPEN))
    assert proven.next_test is None


NAMED = replace(PROJECT, hops=(replace(PROJECT.hops[0], address="home.example"), *PROJECT.hops[1:]), ports=(MEDIA,))


def test_what_a_name_led_to_before_proves_nothing_of_where_it_leads_now() -> None:
    before = [replace(o, address="203.0.113.9") for o in everywhere("outside", "router", Outcome.ANSWERED)]
    now = [replace(o, address="203.0.113.20", at=T0 + timedelta(hours=1)) for o in OUTSIDE_SILENT]
    for order in ([before, now], [now, before]):
        diagnosis = diagnose(*order, project=NAMED)
        assert diagnosis.state is State.BLOCKED
        assert errors(diagnosis) == [("stopped", ("router", "wall", "docker", "chat"), "10000-10009")]


def test_a_name_whose_ipv6_address_is_closed_still_has_its_path_proven_over_ipv4() -> None:
    four = [replace(o, address="203.0.113.20") for o in everywhere("outside", "router", Outcome.ANSWERED)]
    six = [replace(o, address="2001:db8::20") for o in OUTSIDE_SILENT]
    for order in ([four, six], [six, four]):
        diagnosis = diagnose(*order, project=NAMED)
        assert diagnosis.state is State.OPEN
        assert codes(diagnosis, Severity.WARNING) == {"aaaa-closed"}
    assert diagnose(six, project=NAMED).state is State.BLOCKED


def test_a_name_and_a_number_for_one_address_are_one_entry() -> None:
    hops = (
        Hop("group", HopKind.SECURITY_GROUP, None, "cloud.example"),
        Hop("wall", HopKind.FIREWALL, None, "203.0.113.20"),
        Hop("chat", HopKind.SERVICE),
    )
    plan = PortPlan("web", Protocol.TCP, PortRange(8172, 8172))
    project = Project("Cloud", "cloud.example", hops, (plan,), (Vantage("outside"),))
    seen = [
        Observation("outside", enters, "203.0.113.20", 8172, Protocol.TCP, Outcome.SILENT, T0)
        for enters in ("group", "wall")
    ]
    for order in itertools.permutations(seen):
        assert errors(diagnose(list(order), project=project)) == [("stopped", ("group", "wall", "chat"), "8172")]


def reported(outcome: Outcome, seen_as: str, at: datetime = T0, **more: object) -> list[Observation]:
    return [
        replace(
            saw(RESPONDER, "chat", n, outcome, seen_as=seen_as, stands_at="chat", at=at, **more),
            probe_vantage="outside",
            probe_enters="router",
        )
        for n in MEDIA.outside
    ]


ONLY_SERVICE = [("not-listening", ("chat",), "10000-10009")]
WHOLE_PATH = [("stopped", ("router", "wall", "docker", "chat"), "10000-10009")]


def test_a_probe_that_was_answered_on_the_host_convicts_no_hop_when_its_answer_is_lost() -> None:
    arrived = reported(Outcome.ARRIVED, "192.0.2.1:5000")
    answered = reported(Outcome.ANSWERED, "192.0.2.1:5000")
    for order in itertools.permutations([arrived, answered, OUTSIDE_SILENT]):
        assert errors(diagnose(*order)) == WHOLE_PATH
    assert errors(diagnose(arrived, OUTSIDE_SILENT)) == ONLY_SERVICE
    # What was answered before, in a run that happened to send from the same port, is another probe.
    before = reported(Outcome.ANSWERED, "192.0.2.1:5000", T0 - timedelta(minutes=1))
    assert errors(diagnose(before, arrived, OUTSIDE_SILENT)) == ONLY_SERVICE


def test_an_answer_that_the_host_could_not_send_convicts_the_host() -> None:
    arrived = reported(Outcome.ARRIVED, "192.0.2.1:5000")
    unsent = reported(Outcome.ANSWERED, "192.0.2.1:5000", error="the answer could not be sent: not permitted")
    assert errors(diagnose(arrived, unsent, OUTSIDE_SILENT)) == ONLY_SERVICE


def test_what_arrived_in_another_run_says_nothing_of_a_probe_that_failed() -> None:
    yesterday = reported(Outcome.ARRIVED, "192.0.2.1:5000", T0 - timedelta(days=1))
    assert errors(diagnose(yesterday, OUTSIDE_SILENT)) == WHOLE_PATH
    # Clocks of two computers differ a little.
    assert errors(diagnose(reported(Outcome.ARRIVED, "192.0.2.1:5000", T0 + timedelta(minutes=2)), OUTSIDE_SILENT)) == (
        ONLY_SERVICE
    )


WITHOUT_NAT = Project(
    "Video chat over IPv6",
    "chat.example",
    (
        Hop("router", HopKind.ROUTER, None, "2001:db8:77::10"),
        Hop("wall", HopKind.FIREWALL, None, "2001:db8:77::10"),
        Hop("chat", HopKind.SERVICE, None, "2001:db8:77::10"),
    ),
    (MEDIA,),
    (Vantage("outside"),),
)


@pytest.mark.parametrize("address", ["2001:db8:77::10", "chat.example"])
def test_over_ipv6_an_answer_within_the_hosts_own_network_opens_no_router(address: str) -> None:
    hops = tuple(replace(hop, address=address) for hop in WITHOUT_NAT.hops)
    project = replace(WITHOUT_NAT, hops=hops, ports=(replace(MEDIA, inside={}),))

    def seen_from(source: str, outcome: Outcome) -> dict[str, State]:
        there = Observation(
            "outside", "router", "2001:db8:77::10", 10000, Protocol.UDP, outcome, T0, source=f"{source}/64"
        )
        there = replace(there, came_in_on="[2001:db8:77::10]:10000") if outcome is Outcome.ANSWERED else there
        return {hop.id: hop.ports[0].state for hop in diagnose(there, project=project).hops}

    proven, suspect = State.OPEN, State.SUSPECT
    home, abroad = "2001:db8:77::20", "2001:db8:1::2"
    assert seen_from(home, Outcome.ANSWERED) == {"router": State.UNKNOWN, "wall": proven, "chat": proven}
    assert seen_from(home, Outcome.REFUSED) == {"router": State.UNKNOWN, "wall": suspect, "chat": suspect}
    assert seen_from(abroad, Outcome.ANSWERED) == dict.fromkeys(("router", "wall", "chat"), proven)
    assert seen_from(abroad, Outcome.REFUSED) == dict.fromkeys(("router", "wall", "chat"), suspect)


@pytest.mark.parametrize(("router", "source"), [("100.64.0.2", "100.64.0.9/24"), ("198.51.100.2", "198.51.100.9/24")])
def test_a_neighbour_behind_the_same_carrier_is_not_outside_of_it(router: str, source: str) -> None:
    hops = (
        Hop("isp", HopKind.CGNAT, None, "203.0.113.20"),
        Hop("router", HopKind.ROUTER, None, router),
        Hop("chat", HopKind.SERVICE),
    )
    project = Project("x", "203.0.113.20", hops, (replace(MEDIA, inside={}),), (Vantage("outside"),))
    seen = [
        Observation("outside", "isp", "203.0.113.20", n, Protocol.UDP, Outcome.ANSWERED, T0, source=source)
        for n in MEDIA.outside
    ]
    diagnosis = diagnose(seen, project=project)
    assert [hop.state for hop in diagnosis.hops] == [State.UNKNOWN, State.OPEN, State.OPEN]
    assert "hairpin-only" in codes(diagnosis, Severity.WARNING)
    strangers = [replace(o, seen_as="192.0.2.77:5000") for o in seen]
    assert diagnose(strangers, project=project).state is State.OPEN


def test_a_name_is_held_against_the_address_that_clients_enter_by_and_no_other() -> None:
    elsewhere = NameResolved("home.example", 4, ("203.0.113.20",))
    assert "dns-elsewhere" not in codes(diagnose(elsewhere, project=NAMED), Severity.WARNING)
    unaddressed = replace(NAMED, hops=(replace(NAMED.hops[0], address=None), *NAMED.hops[1:]))
    assert "dns-elsewhere" not in codes(diagnose(elsewhere, project=unaddressed), Severity.WARNING)
    moved = replace(NAMED, hops=(replace(NAMED.hops[0], address="203.0.113.9"), *NAMED.hops[1:]))
    assert "dns-elsewhere" in codes(diagnose(elsewhere, project=moved), Severity.WARNING)


@pytest.mark.parametrize(("kind", "states"), [(VantageKind.LOCAL, "blocked"), (VantageKind.TURN, "unknown")])
def test_a_host_whose_address_is_a_network_of_one_tests_its_own_tunnel(kind: VantageKind, states: str) -> None:
    hops = (
        Hop("group", HopKind.SECURITY_GROUP, None, "203.0.113.20"),
        Hop("frps", HopKind.TUNNEL_SERVER, None, "203.0.113.20"),
        Hop("chat", HopKind.SERVICE),
    )
    project = Project("x", "203.0.113.20", hops, (WEB,), (Vantage("cloud", kind, beyond="group"),))
    seen = Observation(
        "cloud", "frps", "203.0.113.20", 8172, Protocol.TCP, Outcome.CLOSED, T0, source="203.0.113.20/32"
    )
    assert diagnose(seen, project=project).state == states


def test_a_page_outside_that_is_not_the_one_inside_proves_no_way_to_it() -> None:
    def web(vantage: str, enters: str, service: str | None) -> Observation:
        return replace(saw(vantage, enters, 8172, Outcome.ANSWERED, Protocol.TCP), service=service)

    project = replace(PROJECT, ports=(WEB,))
    same = diagnose(web("outside", "router", "Chat"), web("laptop", "wall", "Chat"), project=project)
    assert same.state is State.OPEN
    untold = diagnose(web("outside", "router", None), web("laptop", "wall", "Chat"), project=project)
    assert untold.state is State.OPEN
    other = diagnose(web("outside", "router", "Setup"), web("laptop", "wall", "Chat"), project=project)
    assert other.state is State.UNKNOWN
    assert other.hops[0].state is State.UNKNOWN
    assert other.hops[1].state is State.OPEN
    assert codes(other, Severity.WARNING) == {"other-program"}
    alone = diagnose(web("outside", "router", "Setup"), project=project)
    assert alone.state is State.OPEN
    responder = replace(web("laptop", "wall", None), stands_at="chat")
    stood_in = diagnose(web("outside", "router", "Setup"), responder, project=project)
    assert (stood_in.state, stood_in.hops[0].state) == (State.UNKNOWN, State.UNKNOWN)
    assert codes(stood_in, Severity.WARNING) == {"other-program"}
    before = replace(web("outside", "router", "Chat"), at=T0 - timedelta(hours=3))
    assert diagnose(before, responder, project=project).state is State.OPEN


@pytest.mark.parametrize(
    ("source", "router"),
    [("2001:db8:77:1::20/64", State.UNKNOWN), ("2001:db8:78::20/64", State.OPEN)],
)
def test_over_ipv6_another_network_of_the_same_home_is_not_outside(source: str, router: State) -> None:
    answers = [
        replace(o, address="2001:db8:77::10", source=source) for o in everywhere("outside", "router", Outcome.ANSWERED)
    ]
    silent = [replace(o, outcome=Outcome.SILENT) for o in answers]
    project = replace(WITHOUT_NAT, ports=(replace(MEDIA, inside={}),))
    assert diagnose(answers, project=project).hops[0].state is router
    assert (diagnose(silent, project=project).state is State.BLOCKED) == (router is State.OPEN)
