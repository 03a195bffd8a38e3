"""Whole results to report on, diagnosed for real from observations made up here."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta

from wizard.diagnosis.engine import Diagnoser
from wizard.model.hop import Hop, HopKind
from wizard.model.port import PortPlan, PortRange, Protocol, Speaks
from wizard.model.project import Project, arrival_numbers
from wizard.model.vantage import IceServer, Vantage, VantageKind
from wizard.observation import (
    Fact,
    HostInspected,
    Listening,
    NameResolved,
    Observation,
    Outcome,
    RelayChecked,
)
from wizard.progress import Result

STARTED = datetime(2026, 1, 2, 12, 0, 0, tzinfo=UTC)


def chat(name: str = "Video chat on the NAS", label: str = "Home router") -> Project:
    """A router, a firewall, a container that renumbers 101 media ports, and the service."""
    return Project(
        name=name,
        public_address="203.0.113.20",
        hops=(
            Hop("router", HopKind.ROUTER, label, "203.0.113.20"),
            Hop("nas-firewall", HopKind.FIREWALL, None, "192.168.77.10"),
            Hop("docker", HopKind.CONTAINER),
            Hop("chat", HopKind.SERVICE, "Video chat", "172.18.0.2"),
        ),
        ports=(
            PortPlan("media", Protocol.UDP, PortRange(10000, 10100), {"chat": PortRange(20000, 20100)}, Speaks.STUN),
            PortPlan("web", Protocol.TCP, PortRange(8172, 8172), speaks=Speaks.HTTPS, path="/ws/probe"),
        ),
        vantages=(
            Vantage("relay", VantageKind.TURN, None, "turn:198.51.100.7:3478?transport=udp", "alice"),
            Vantage("laptop", VantageKind.LOCAL, "router"),
        ),
        ice_servers=(IceServer(("turn:turn.example.net:3478?transport=tcp",), "alice"),),
        announced=("203.0.113.20", "192.168.77.10"),
    )


def observation(
    project: Project,
    vantage: str,
    enters: str,
    plan: PortPlan,
    outside: int,
    outcome: Outcome,
    error: str | None = None,
) -> Observation:
    """What a probe from `vantage` saw that entered at the hop `enters`."""
    position = project.index(enters)
    arrives = arrival_numbers(project.hops, plan, outside)
    answered = outcome is Outcome.ANSWERED
    source = "192.168.77.20/24" if vantage == "laptop" else "198.51.100.7/32"
    return Observation(
        vantage=vantage,
        enters=enters,
        address=project.hops[position].address or "",
        port=arrives[position],
        protocol=plan.protocol,
        outcome=outcome,
        at=STARTED + timedelta(milliseconds=outside % 1000),
        rtt_ms=(4 + outside % 10) / 10 if answered else None,
        seen_as=f"{source.partition('/')[0]}:{40000 + outside % 1000}" if answered else None,
        stands_at=project.hops[-1].id if answered else None,
        came_in_on=f"172.18.0.2:{arrives[-1]}" if answered else None,
        error=error,
        source=source,
    )


def everywhere(project: Project, vantage: str, enters: str, outcome: Outcome) -> Iterator[Observation]:
    """The same outcome on every planned port."""
    for plan in project.ports:
        for number in plan.outside:
            yield observation(project, vantage, enters, plan, number, outcome)


def result(project: Project, observations: Iterable[Observation] = (), facts: Iterable[Fact] = ()) -> Result:
    """A run with these observations, and the diagnosis that they lead to."""
    seen, learnt = tuple(observations), tuple(facts)
    diagnoser = Diagnoser(project)
    diagnoser.extend(seen)
    diagnoser.extend(learnt)
    return Result(project, STARTED, 1.25, seen, learnt, diagnoser.diagnosis())


def hole(project: Project | None = None) -> Result:
    """The router lets udp 10050 to 10100 not through; everything behind it answers."""
    project = project or chat()
    media, web = project.ports
    outside = [
        observation(project, "relay", "router", media, n, Outcome.SILENT if n >= 10050 else Outcome.ANSWERED)
        for n in media.outside
    ]
    outside.append(observation(project, "relay", "router", web, web.outside.first, Outcome.ANSWERED))
    return result(project, [*outside, *everywhere(project, "laptop", "nas-firewall", Outcome.ANSWERED)])


def proven() -> Result:
    """Every port answers from outside."""
    project = chat()
    return result(project, everywhere(project, "relay", "router", Outcome.ANSWERED))


def undecided() -> Result:
    """Nothing comes through from outside, and nobody looked from further in."""
    project = chat()
    return result(project, everywhere(project, "relay", "router", Outcome.SILENT))


def unobserved() -> Result:
    """A path that nobody has tested."""
    return result(chat())


def eventful() -> Result:
    """One of everything that a report may have to say: odd outcomes, free text, facts."""
    project = chat()
    media, web = project.ports
    seen = [
        observation(project, "relay", "router", media, 10000, Outcome.FAILED, "no route to turn.example.net"),
        observation(project, "relay", "router", media, 10001, Outcome.ALIEN, "banner of mail.example.org | `x`"),
        observation(project, "relay", "router", media, 10002, Outcome.NOT_PERMITTED, "peer 203.0.113.20 forbidden"),
        observation(project, "relay", "router", web, 8172, Outcome.CLOSED),
        observation(project, "laptop", "nas-firewall", web, 8172, Outcome.REFUSED),
    ]
    facts = [
        NameResolved("chat.example.org", 4, ("198.51.100.99",)),
        HostInspected((Listening(Protocol.TCP, 8172, "127.0.0.1", "nginx", 812),)),
        RelayChecked("relay", "turn:198.51.100.7:3478?transport=udp", None, 401, "Unauthorized for alice"),
    ]
    return result(project, seen, facts)


Make = Callable[[], Result]
