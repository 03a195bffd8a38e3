"""The kernel's answer beside ours, port by port."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from ipaddress import ip_address

from wizard.configs.packet_filter.decision import Decision, decide
from wizard.configs.packet_filter.packet import Packet
from wizard.configs.packet_filter.rules import TCP, UDP, RuleSet, Verdict

from .yard import BEHIND, BOX, Probe, Seen, Yard, probes

_NUMBERS = {"tcp": TCP, "udp": UDP}


def packet(probe: Probe) -> Packet:
    """The probe as our semantics take it."""
    source = int(ip_address(probe.source))
    return Packet(
        probe.family,
        _NUMBERS[probe.protocol],
        ((source, source),),
        probe.port,
        int(ip_address(probe.destination)),
        probe.link,
        "in0",
        (probe.source_port, probe.source_port),
        probe.destination not in BEHIND.values(),
        tuple(int(ip_address(BOX[link][probe.family])) for link in sorted(BOX, key=lambda link: link != probe.link)),
    )


def foreseen(decision: Decision, probe: Probe) -> Seen:
    """What is to be seen of a packet with this decision."""
    nothing = Seen(None, False, False)
    assert decision.verdict is not Verdict.UNKNOWN, decision
    if decision.verdict is not Verdict.ACCEPT:
        return nothing
    assert decision.reply is not Verdict.UNKNOWN, decision
    assert decision.number is not None, decision
    answered = decision.reply is Verdict.ACCEPT
    followed = answered and decision.following is Verdict.ACCEPT
    if probe.protocol == "tcp" and not followed:
        return nothing
    return Seen(("box" if decision.local else "in", decision.number), answered, followed)


def compare(yard: Yard, readings: Mapping[str, RuleSet], families: Iterable[int] = (4, 6)) -> int:
    """Send a packet from everywhere to each port; returns how many. Raises AssertionError where the kernel, or one
    reading, says otherwise than the others."""
    count = 0
    with yard.probing():
        for planned in probes(families):
            with yard.socket_for(planned) as sock:
                probe = replace(planned, source_port=sock.getsockname()[1])
                ours = {name: decide(rules, packet(probe)) for name, rules in readings.items()}
                expected = {name: foreseen(decision, probe) for name, decision in ours.items()}
                seen = yard.send(sock, probe, next(iter(expected.values())))
                for name in readings:
                    assert expected[name] == seen, f"{name}: {probe}\nwe say {ours[name]}\nthe kernel {seen}"
                count += 1
    return count
