"""What is watched, in the text format that Prometheus reads (exposition format 0.0.4)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from wizard.diagnosis.history import Past, Standing
from wizard.diagnosis.verdict import State
from wizard.model.port import OutsidePort

_VALUES = {State.UNKNOWN: 0, State.OPEN: 1, State.SUSPECT: 2, State.BLOCKED: 3}
_MEANING = ", ".join(f"{value} {state}" for state, value in _VALUES.items())


def to_metrics(project: str, past: Past) -> str:
    """Every port's and hop's state, since when it holds, and how often and how long each port was up and down."""
    ports = {_labels(project=project, protocol=p.protocol, outside=p.number): p for p in past.ports}
    hops = {
        _labels(project=project, hop=hop, protocol=p.protocol, outside=p.number): (hop, p) for hop, p in past.at_hops
    }

    def of_ports(name: str, kind: str, meaning: str, value: Callable[[OutsidePort], float]) -> Iterator[str]:
        return _family(name, kind, meaning, {labels: value(port) for labels, port in ports.items()})

    def of_hops(name: str, meaning: str, value: Callable[[Standing], float]) -> Iterator[str]:
        return _family(name, "gauge", meaning, {labels: value(past.at_hops[at]) for labels, at in hops.items()})

    whole = _labels(project=project)
    lines = [
        *of_ports("port_state", "gauge", f"The port over the whole path: {_MEANING}.", lambda p: _state(past.ports[p])),
        *of_ports(
            "port_last_change_timestamp_seconds",
            "gauge",
            "When the port took on its state, or was first looked at.",
            lambda p: past.ports[p].since.timestamp(),
        ),
        *of_ports("port_ups_total", "counter", "How often the port became open.", lambda p: past.uptimes[p].ups),
        *of_ports("port_downs_total", "counter", "How often it stopped being open.", lambda p: past.uptimes[p].downs),
        *of_ports(
            "port_up_seconds_total",
            "counter",
            "How long the port was open.",
            lambda p: past.uptimes[p].up.total_seconds(),
        ),
        *of_ports(
            "port_down_seconds_total",
            "counter",
            "How long it was not, or not proven so.",
            lambda p: past.uptimes[p].down.total_seconds(),
        ),
        *of_hops("hop_state", f"The port at one hop: {_MEANING}.", _state),
        *of_hops(
            "hop_last_change_timestamp_seconds",
            "When the port took on its state at that hop, or was first looked at.",
            lambda standing: standing.since.timestamp(),
        ),
        *_family("watch_timestamp_seconds", "gauge", "When this was true last.", {whole: past.until.timestamp()}),
    ]
    return "\n".join(lines) + "\n"


def _family(name: str, kind: str, meaning: str, samples: Mapping[str, float]) -> Iterator[str]:
    yield f"# HELP hopwise_{name} {meaning}"
    yield f"# TYPE hopwise_{name} {kind}"
    for labels, value in samples.items():
        yield f"hopwise_{name}{labels} {value:.15g}"


def _state(standing: Standing) -> float:
    return _VALUES[standing.state]


def _labels(**labels: object) -> str:
    return "{" + ",".join(f'{name}="{_escaped(str(value))}"' for name, value in labels.items()) + "}"


def _escaped(text: str) -> str:
    return text.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
