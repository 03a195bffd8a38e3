"""Paths, vantages and faults drawn at random, the same for the same seed."""

from __future__ import annotations

import random
from dataclasses import replace

from .faults import Fault, possible
from .path import FILTERS, TRANSLATING, LabHop, LabVantage, Path, Ports
from .scenario import Case, Seen

CLOUD = "203.0.113.30"
SERVER = "192.168.77.10"


def draw(seed: int) -> tuple[Path, Case]:
    """A path that could be somebody's, with up to two faults, seen from some of the places where a computer can be."""
    dice = random.Random(seed)
    hops = _hops(dice)
    vantages = _vantages(dice, hops)
    path = Path(f"drawn {seed}", hops[0].address or CLOUD, hops, _ports(dice, hops), vantages)
    faults = tuple(
        _fault(dice, path, hop) for hop in dice.sample(hops, min(dice.choice((0, 1, 1, 1, 2, 2)), len(hops)))
    )
    by = tuple(vantage.id for vantage in vantages)
    return path, Case(", ".join(map(str, faults)) or "no fault", faults, (Seen(by, (), (), ()),))


def _hops(dice: random.Random) -> tuple[LabHop, ...]:
    hops: list[LabHop] = []
    front = dice.choice(("home", "double", "carrier", "cloud", "tunnel"))
    if front == "home":
        hops = [LabHop("router", "router", "203.0.113.20")]
    elif front == "double":
        hops = [LabHop("modem", "router", "203.0.113.20"), LabHop("router", "router", "192.168.1.20")]
    elif front == "carrier":
        hops = [LabHop("carrier", "cgnat", "203.0.113.40"), LabHop("router", "router", "100.64.0.20")]
    else:
        kinds = ("security-group", "firewall")
        hops = [LabHop(f"cloud-{kind}", kind, CLOUD) for kind in kinds if dice.random() < 0.6]
    if front == "tunnel":
        hops += [LabHop("frps", "tunnel-server", CLOUD), LabHop("frpc", "tunnel-client", at="192.168.77.5")]
    host = CLOUD if front == "cloud" else SERVER
    if front != "cloud" and dice.random() < 0.7:
        hops.append(LabHop("firewall", "firewall", host))
    if dice.random() < 0.6:
        hops.append(LabHop("docker", "container", host, userland=dice.random() < 0.3))
        hops.append(LabHop("service", "service", "172.17.0.2"))
    else:
        hops.append(LabHop("service", "service", host))
    # What cannot be addressed on its own is common inside. The way in always has an address; and a filter whose
    # machine's address enters further in would be said to be passed by.
    told = [hop.address for hop in hops]
    return tuple(
        replace(hop, address=None, at=hop.at or hop.address)
        if i and hop.address and hop.address not in told[i + 1 :] and dice.random() < 0.4
        else hop
        for i, hop in enumerate(hops)
    )


def _ports(dice: random.Random, hops: tuple[LabHop, ...]) -> tuple[Ports, ...]:
    found = []
    for i in range(dice.choice((1, 2, 3))):
        first = 10000 + 1000 * i + dice.randrange(500)
        last = first + dice.choice((0, 3, 9, 19))
        inside = []
        for position, hop in enumerate(hops):
            # At most one name for the numbers behind each translating hop: the hop right behind it.
            if position and hops[position - 1].kind in TRANSLATING and dice.random() < 0.3:
                inside.append((hop.id, 20000 + 10000 * (position % 4) + 1000 * i + dice.randrange(500)))
        found.append(Ports(f"range {i}", dice.choice(("udp", "tcp")), first, last, tuple(inside)))
    return tuple(found)


def _vantages(dice: random.Random, hops: tuple[LabHop, ...]) -> tuple[LabVantage, ...]:
    places = [LabVantage("outside")]
    for position, hop in enumerate(hops[:-1]):
        inner = hops[position + 1]
        if hop.kind in ("cgnat", "router", "tunnel-client"):
            network = {"carrier": "100.64.0.30", "modem": "192.168.1.30"}.get(hop.id, "192.168.77.20")
            places.append(LabVantage(f"behind-{hop.id}", at=network, behind=hop.id, beyond=hop.id))
        if inner.kind not in FILTERS and hop.kind in FILTERS:
            places.append(LabVantage(f"on-{inner.id}", on=inner.id, beyond=hop.id))
        if hop.kind == "container":
            places.append(LabVantage(f"beyond-{hop.id}", on=hop.id, beyond=hop.id))
    return tuple(dice.sample(places, dice.randint(1, min(3, len(places)))))


def _fault(dice: random.Random, path: Path, hop: LabHop) -> Fault:
    kind = dice.choice(sorted(possible(hop.kind)))
    if dice.random() < 0.4:
        return Fault(hop.id, kind)
    ports = dice.choice(path.ports)
    first = dice.randint(ports.first, ports.last)
    return Fault(hop.id, kind, ports.protocol, first, dice.randint(first, ports.last))
