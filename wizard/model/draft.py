"""A project as far as its file could be read, and what was wrong on the way."""

from __future__ import annotations

from dataclasses import dataclass, field

from wizard.model.hop import HopKind
from wizard.model.port import PortPlan, PortRange, Protocol, Speaks
from wizard.model.problem import KeyPath, Problem, value_text
from wizard.model.vantage import VantageKind


@dataclass(slots=True)
class HopDraft:
    """A hop as far as it could be read. None: missing, or a problem already."""

    at: KeyPath
    id: str | None = None
    kind: HopKind | None = None
    label: str | None = None
    address: str | None = None


@dataclass(slots=True)
class PortDraft:
    """A port plan as far as it could be read."""

    at: KeyPath
    name: str | None = None
    protocol: Protocol | None = None
    outside: PortRange | None = None
    inside: dict[str, PortRange | None] = field(default_factory=dict)
    speaks: Speaks | None = None
    path: str | None = None

    def plan(self) -> PortPlan:
        """The plan, if nothing that it needs is None."""
        assert self.protocol is not None
        assert self.outside is not None
        inside = {hop: numbers for hop, numbers in self.inside.items() if numbers is not None}
        return PortPlan(self.name or "", self.protocol, self.outside, inside, self.speaks, self.path)


@dataclass(slots=True)
class VantageDraft:
    """A vantage as far as it could be read."""

    at: KeyPath
    id: str | None = None
    kind: VantageKind | None = None
    beyond: str | None = None
    server: str | None = None
    username: str | None = None


@dataclass(slots=True)
class IceDraft:
    """An ICE server as far as it could be read."""

    at: KeyPath
    urls: list[str | None] | None = None
    username: str | None = None


@dataclass(slots=True)
class ConfigDraft:
    """A configuration file's entry as far as it could be read."""

    at: KeyPath
    hop: str | None = None
    file: str | None = None
    product: str | None = None


@dataclass(slots=True)
class Draft:
    """A project as far as it could be read, and what could not. `whole`: nothing in it is without meaning."""

    name: str | None = None
    public_address: str | None = None
    announced: list[str | None] = field(default_factory=list)
    probe_key: str | None = None
    hops: list[HopDraft] = field(default_factory=list)
    ports: list[PortDraft] = field(default_factory=list)
    vantages: list[VantageDraft] = field(default_factory=list)
    ice_servers: list[IceDraft] = field(default_factory=list)
    configs: list[ConfigDraft] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    whole: bool = True

    def blame(self, path: KeyPath, code: str, value: object = None, **gaps: str) -> None:
        """Note a problem; `value` None shows none."""
        self.problems.append(Problem(path, code, None if value is None else value_text(value), gaps))
