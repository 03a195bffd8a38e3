"""Results of servers tested, to report on: made up here, weighed and judged for real."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from wizard.audit.finding import Audit
from wizard.audit.rules import audit_file
from wizard.configs.turnserver import parse as parse_conf
from wizard.probes.call import Call, Failure, Pair, Party, Policy
from wizard.probes.candidate import Candidate, CandidateError, CandidateType, ServerTried
from wizard.probes.nat import Survey as NatSurvey
from wizard.probes.nat_server import ServerAsked
from wizard.probes.relay_capacity import Capacity, Limit, Load, Step
from wizard.probes.relay_ports import Direct, RelayPort, Survey
from wizard.probes.relay_quality import Progress, Quality, Way
from wizard.probes.relay_verdict import Grade, Measured, Reason
from wizard.probes.server_verdict import NO_ANSWER, Sentence, Verdict
from wizard.report.bench import BenchResult
from wizard.report.ice import IceResult
from wizard.report.nat import NatResult
from wizard.report.turn import TurnResult, result_of
from wizard.wire import uri
from wizard.wire.behaviour import Known, Sight, judge
from wizard.wire.behaviour import Measured as NatMeasured
from wizard.wire.media import Delay, Figures
from wizard.wire.uri import Transport

STARTED = datetime(2026, 1, 2, 12, 0, 0, tzinfo=UTC)
NAMED = "turn:turn.example.net:3478?transport=udp"
TLS = "turns:turn.example.net:5349"
DEAD = "turn:198.51.100.9:3478?transport=udp"
WRONG = "turn:198.51.100.8:3478?transport=tcp"

SECRETS = (
    *("turn.example.net", "198.51.100.7", "198.51.100.9", "198.51.100.8", "2001:db8::7", "192.168.77.20"),
    *("203.0.113.20", "198.51.100.33", "10.20.30.40", "ztrkwx", "alice", "wg-bob", "calls.example.org"),
)
"""Every address and name in a `full` result."""

CONFIGURATION = b"""listening-ip=10.20.30.40
external-ip=10.20.30.40
realm=calls.example.org
lt-cred-mech
user=alice:secret
no-tls
frobnicate=1
"""


def ice() -> IceResult:
    """One server that works, one of another family that does not, one that is dead, one that knows another password."""
    result = IceResult(urls=[NAMED, TLS, DEAD, WRONG])
    wrong = Sentence(Verdict.AUTH_FAILED, 401, "Unauthorized at turn.example.net", "code-401")
    for event in (
        Candidate(0.4, CandidateType.HOST, "8c2d1f", "192.168.77.20", 51000, 65535),
        Candidate(9.1, CandidateType.SRFLX, "17aa02", "203.0.113.20", 51001, 65534, ("192.168.77.20", 51001), NAMED),
        Candidate(
            *(21.7, CandidateType.RELAY, "5510fe", "198.51.100.7", 50002, 65534, ("203.0.113.20", 51001), NAMED),
            Transport.UDP,
        ),
        ServerTried(NAMED, Transport.UDP, 4, Verdict.OK, 8.74, 0.022, None),
        CandidateError(
            *(22.0, NAMED, "2001:db8::7", 6),
            Sentence(Verdict.UNREACHABLE, NO_ANSWER, "no answer", "timed-out"),
            Transport.UDP,
        ),
        ServerTried(NAMED, Transport.UDP, 6, Verdict.UNREACHABLE, None, 39.5, "no answer"),
        CandidateError(
            *(30.0, TLS, "198.51.100.7", 4),
            Sentence(Verdict.TLS_FAILED, NO_ANSWER, "certificate is for ztrkwx.example.org", "tls-wrong-name"),
            Transport.TLS,
        ),
        ServerTried(TLS, Transport.TLS, 4, Verdict.TLS_FAILED, None, 0.031, "certificate is for ztrkwx.example.org"),
        CandidateError(
            *(39.5, DEAD, "198.51.100.9", 4),
            Sentence(Verdict.UNREACHABLE, NO_ANSWER, "no answer", "timed-out"),
            Transport.UDP,
        ),
        ServerTried(DEAD, Transport.UDP, 4, Verdict.UNREACHABLE, None, 39.5, "no answer"),
        CandidateError(18.0, WRONG, "198.51.100.8", 4, wrong, Transport.TCP),
        ServerTried(WRONG, Transport.TCP, 4, Verdict.AUTH_FAILED, 8.9, 0.018, wrong.text),
    ):
        result.add(event)
    return result


def _figures(sent: int, received: int, median: float, size: int) -> Figures:
    return Figures(
        sent=sent,
        received=received,
        reordered=3,
        duplicates=1,
        payload_bytes=received * size,
        delay=Delay(median - 4.2, median, median + 11.5),
        jitter_ms=2.4,
        jitter_peak_ms=7.9,
    )


def quality(median: float = 24.3, lost: int = 6) -> Quality:
    """Five seconds of a call's packets."""
    ways = tuple(
        Way(name, _figures(250, 250 - lost, median, 160), _figures(250, 250, median + 1, 1000))
        for name in ("first-to-second", "second-to-first")
    )
    relayed = (("198.51.100.7", 50002), ("198.51.100.7", 50010))
    ports = tuple(RelayPort(address, Direct.BOTH_WAYS) for address in relayed)
    delay = Delay(median - 4.2, median, median + 11.5)
    return Quality(Survey(ports, None), relayed, ways, delay, 5.0, 0.8)


def moments(of: int = 25, median: float = 24.3) -> tuple[Progress, ...]:
    """As they come while packets are sent; nothing came in one of them."""
    return tuple(
        Progress(
            at_s=0.2 * (number + 1),
            of_s=0.2 * of,
            delay=None if number == 9 else Delay(median - 4, median + number % 5, median + 12 + 7 * (number % 3)),
            loss_percent=1.2,
            jitter_ms=2.4,
        )
        for number in range(of)
    )


def turn() -> TurnResult:
    """A relay that loses too much, a call over it, one that was not connected, and a limit to its sessions."""
    pair = Pair(
        Party("relay", "198.51.100.7", 50020, 16777215),
        Party("relay", "198.51.100.7", 50021, 16777215),
        72057589742960639,
    )
    delay = Delay(20.1, 24.0, 40.2)
    steps = (
        Step(2, 2.0, 1e6, 1e6, 0.0, delay, 0.1, 1e6, 1.0),
        Step(4, 2.0, 2e6, 1.9e6, 4.2, delay, 0.1, 2e6, 1.0),
    )
    refused = Sentence(Verdict.QUOTA, 486, "Allocation Quota Reached for alice", "code-486")
    measured = Measured(
        address="198.51.100.7",
        transport=Transport.UDP,
        quality=quality(),
        calls=(
            Call(Policy.RELAY_ONLY, 0.41, pair, 52.0),
            Call(Policy.ANY, 8.0, failure=Failure.NOT_CONNECTED),
        ),
        capacity=Capacity(Load(10, 0.5), steps, 2, Limit.REFUSED, 4, refused),
        ports=range(49152, 50005),
    )
    return result_of(NAMED, measured, moments())


def nat() -> NatResult:
    """Behind a router that gives each destination its own port."""
    local = ("192.168.77.20", 40000)
    server, other = ("198.51.100.7", 3478), ("198.51.100.33", 3479)
    measured = NatMeasured(
        local=local,
        sights=(Sight(server, ("203.0.113.20", 61000)), Sight(other, ("203.0.113.20", 61001))),
        from_other_address=Known.NO,
        from_other_port=Known.NO,
        hairpin=Known.NO,
        lifetime_s=60.0,
        second_router="10.20.30.40",
    )
    survey = NatSurvey(
        (
            ServerAsked(uri.parse("stun:turn.example.net:3478"), server, ("203.0.113.20", 61000), other),
            ServerAsked(
                uri.parse("stun:198.51.100.9"),
                ("198.51.100.9", 3478),
                fault=Sentence(Verdict.UNREACHABLE, NO_ANSWER, "no answer from 198.51.100.9", "timed-out"),
            ),
        ),
        measured,
    )
    return NatResult(survey, judge(measured), "wg-bob")


def audit() -> Audit:
    """What is to be said of a careless configuration."""
    return audit_file(parse_conf(CONFIGURATION, "/home/ztrkwx/turnserver.conf"))


def full() -> BenchResult:
    """Everything tested, and something wrong with all of it."""
    return BenchResult(STARTED, 71.4, ice(), turn(), nat(), audit(), ("alice",))


def good() -> BenchResult:
    """One server that works, and a relay that keeps its promise."""
    result = IceResult(urls=[NAMED])
    result.add(ServerTried(NAMED, Transport.UDP, 4, Verdict.OK, 8.74, 0.022, None))
    kept = result_of(NAMED, Measured("198.51.100.7", Transport.UDP, quality(lost=0)), moments(2))
    return BenchResult(STARTED, 5.9, result, kept)


def unfound() -> BenchResult:
    """Nothing gathered, nothing measured, nobody answered."""
    survey = NatSurvey(
        (ServerAsked(uri.parse("stun:198.51.100.9"), fault=Sentence(Verdict.UNRESOLVED, NO_ANSWER, "", "unresolved")),)
    )
    return BenchResult(
        STARTED,
        1.0,
        IceResult(),
        TurnResult(NAMED, None, (Reason("unfound", Grade.FAILED, (("text", "no address"),)),)),
        NatResult(survey, judge(survey.measured)),
        Audit("turn:198.51.100.9", ()),
    )


Make = Callable[[], BenchResult]
ALL: tuple[Make, ...] = (full, good, unfound)
