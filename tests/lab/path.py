"""The path of a lab: hops with the numbers that planned ports have on them, read from a scenario's TOML."""

from __future__ import annotations

from dataclasses import dataclass

TRANSLATING = frozenset({"cgnat", "router", "tunnel-server", "tunnel-client", "container"})
TURN_USER = "alice"
FILTERS = frozenset({"security-group", "firewall"})


@dataclass(frozen=True, slots=True)
class LabHop:
    """One hop. `at` is the address that its machine has, also where the project does not tell it.

    `six` is the IPv6 address that it has besides. `userland`: a container whose ports a proxy program publishes,
    instead of DNAT.
    """

    id: str
    kind: str
    address: str | None = None
    at: str | None = None
    userland: bool = False
    six: str | None = None


@dataclass(frozen=True, slots=True)
class Ports:
    """A planned range; `inside` maps a hop id to the first number there."""

    name: str
    protocol: str
    first: int
    last: int
    inside: tuple[tuple[str, int], ...] = ()
    speaks: str | None = None


@dataclass(frozen=True, slots=True)
class LabVantage:
    """A computer to probe from. It stands outside, in the network behind a hop, or is the machine of a hop.

    `beyond` is what the project says of it; `at` is its own address, unless it is a hop's machine, and `six` the IPv6
    address that it has besides. With `server` it is a TURN server at that address, or a host with sshd, which sends
    the probes of the vantage `used_by`; `options` are further lines of the TURN server's configuration.
    """

    id: str
    at: str | None = None
    beyond: str | None = None
    behind: str | None = None
    on: str | None = None
    server: str | None = None
    used_by: str | None = None
    options: tuple[str, ...] = ()
    six: str | None = None

    @property
    def kind(self) -> str:
        """As project files have it."""
        return "local" if self.server is None else "turn" if self.server.startswith("turn:") else "ssh"


@dataclass(frozen=True, slots=True)
class Path:
    """Hops outermost first, ports, and vantages. `resolves` is what the name in `public_address` leads to, `announced`
    what the service gives its clients."""

    name: str
    public_address: str
    hops: tuple[LabHop, ...]
    ports: tuple[Ports, ...]
    vantages: tuple[LabVantage, ...]
    resolves: tuple[str, ...] = ()
    announced: tuple[str, ...] = ()

    def index(self, hop: str) -> int:
        """Position of a hop, 0 outermost. Raises StopIteration for an unknown id."""
        return next(i for i, h in enumerate(self.hops) if h.id == hop)

    def vantage(self, name: str) -> LabVantage:
        """The vantage of that id. Raises StopIteration for an unknown id."""
        return next(v for v in self.vantages if v.id == name)

    def numbers(self, ports: Ports, outside: int) -> tuple[int, ...]:
        """The number on which a client's port arrives at each hop; one more for what lies behind the last.

        A hop's own entry in `inside` holds from right behind the nearest translating hop outward of it.
        """
        found = [outside]
        for i, hop in enumerate(self.hops):
            number = found[-1]
            if hop.kind in TRANSLATING:
                for inner in self.hops[i + 1 :]:
                    for name, first in ports.inside:
                        if name == inner.id:
                            number = first + outside - ports.first
                    if inner.kind in TRANSLATING:
                        break
            found.append(number)
        return tuple(found)

    def project(self, vantages: tuple[str, ...] | None = None) -> str:
        """The text of the Hopwise project file, with all vantages or only those named."""
        lines = ["format = 1", f'name = "{self.name}"', f'public_address = "{self.public_address}"']
        lines += [f"announced = {list(self.announced)}"] if self.announced else []
        for hop in self.hops:
            lines += ["", "[[hops]]", f'id = "{hop.id}"', f'kind = "{hop.kind}"']
            lines += [f'address = "{hop.address}"'] if hop.address else []
        for ports in self.ports:
            lines += ["", "[[ports]]", f'name = "{ports.name}"', f'protocol = "{ports.protocol}"']
            lines += [f'outside = "{spell(ports.first, ports.last)}"']
            span = ports.last - ports.first
            inside = ", ".join(f'{hop} = "{spell(first, first + span)}"' for hop, first in ports.inside)
            lines += [f"inside = {{ {inside} }}"] if inside else []
            lines += [f'speaks = "{ports.speaks}"'] if ports.speaks else []
        for vantage in self.vantages:
            if vantages is None or vantage.id in vantages:
                lines += ["", "[[vantages]]", f'id = "{vantage.id}"']
                lines += [f'kind = "{vantage.kind}"']
                lines += [f'server = "{vantage.server}"'] if vantage.server else []
                lines += [f'username = "{TURN_USER}"'] if vantage.kind == "turn" else []
                lines += [f'beyond = "{vantage.beyond}"'] if vantage.beyond else []
        return "\n".join(lines) + "\n"


def spell(first: int, last: int) -> str:
    """A port or a range as project files write it."""
    return str(first) if first == last else f"{first}-{last}"


def span(text: str) -> tuple[int, int]:
    """First and last of "8172" or "10000-10100"."""
    first, _, last = text.partition("-")
    return int(first), int(last or first)
