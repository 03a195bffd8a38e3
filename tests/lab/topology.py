"""A path built of network namespaces, bridges and links: machines, and the networks between them."""

from __future__ import annotations

import itertools
import os
from dataclasses import dataclass, field

from .address import host_in, is_six, network_of, plugged, whole
from .namespaces import Namespace, delete, root_ip, sweep
from .path import LabVantage, Path

OUTSIDE, OUTSIDE6 = "198.51.100.10", "2001:db8:51::10"
HOME_ROUTER = "192.0.2.20"
"""The router that a tunnel's client dials out through. It is no hop: nothing comes in by it."""
_INTERNET = ("198.51.100.1", "203.0.113.1", "192.0.2.1", "2001:db8:51::1", "2001:db8:203::1")
_NEXT = itertools.count()


@dataclass(slots=True)
class Network:
    """A bridge in the namespace `inside`, whose addresses are the gateways of those who plug in."""

    inside: Namespace
    prefix: str
    """What its addresses share."""
    plugs: int = 0


@dataclass(slots=True)
class Machine:
    """A computer on the path or beside it: link "wan" towards the outside, bridge "lan" where it has an inside."""

    space: Namespace
    address: str
    hops: list[int] = field(default_factory=list)
    target: str | None = None
    """Where what comes in goes on to: the machine of the next hop inward."""
    six: str | None = None


class Topology:
    """The namespaces of one path. `machine_of[i]` is the machine of hop i, `vantages` those of the probing
    computers, `home` the router through which a tunnel's client dials out."""

    def __init__(self, path: Path) -> None:
        self._prefix = f"hw{os.getpid()}lab{next(_NEXT)}-"
        self._names: list[str] = []
        self._links: list[str] = []
        self._inner: dict[str, list[str]] = {}
        self.path = path
        self.machine_of: list[Machine] = []
        self.vantages: dict[str, Machine] = {}
        self.home: Machine | None = None

    def build(self) -> None:
        """Make everything. Raises RuntimeError, with nothing left behind, if the kernel refuses."""
        sweep()
        try:
            self._lay_out()
            root_ip([f"netns add {name}" for name in self._names])
            for name in self._names:
                Namespace(name).route()
            root_ip(self._links)
            for name, lines in self._inner.items():
                Namespace(name).ip(lines)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Take all namespaces away."""
        names, self._names = self._names, []
        delete(names)

    def machines(self) -> list[Machine]:
        """The machines that carry hops, outermost first."""
        return list({id(machine): machine for machine in self.machine_of}.values())

    def _lay_out(self) -> None:
        internet = Network(self._space("internet"), "")
        self._bridge(internet.inside, *_INTERNET)
        current = internet
        behind: dict[str | None, Network] = {None: internet}
        waiting: list[int] = []
        outward: list[Machine] = []
        for position, hop in enumerate(self.path.hops):
            own = hop.at or hop.address
            match hop.kind:
                case "firewall":
                    waiting.append(position)
                    continue
                case "security-group":
                    inner = self._after(position)
                    machine = self._host(hop.id, current, f"{current.prefix or '198.51.100'}.{100 + position}")
                    self._inner[current.inside.name].append(f"route add {inner}/32 via {machine.address}")
                    current = self._network(machine, network_of(inner))
                case "tunnel-client":
                    assert own is not None, f"{hop.id} needs an address, or one in `at`"
                    self.home = self._host("home", internet, HOME_ROUTER)
                    current = self._network(self.home, network_of(own))
                    behind[self.path.hops[position - 1].id] = current
                    machine = self._host(hop.id, current, own)
                case _:
                    own = own or next((a for i in waiting if (a := self._own(i))), None)
                    assert own is not None, f"{hop.id} needs an address, or one in `at`"
                    machine = self._host(hop.id, current, own)
            self._besides(machine, hop.six)
            for outer in outward:
                outer.target = outer.target or machine.address
            outward = []
            if hop.kind in ("cgnat", "router", "container"):
                current = self._behind(machine, current, network_of(self._after(position)))
            if hop.kind != "service":
                outward = [machine]
            machine.hops = [*waiting, position]
            self.machine_of += [machine] * len(machine.hops)
            waiting = []
            behind[hop.id] = current
        self._join_vantages(behind)

    def _join_vantages(self, behind: dict[str | None, Network]) -> None:
        for vantage in self.path.vantages:
            if vantage.on is not None:
                self.vantages[vantage.id] = self.machine_of[self.path.index(vantage.on)]
            else:
                self.vantages[vantage.id] = self._visitor(vantage, behind[vantage.behind])

    def _visitor(self, vantage: LabVantage, network: Network) -> Machine:
        outside = OUTSIDE6 if is_six(self.path.hops[0].at or self.path.public_address) else OUTSIDE
        machine = self._host(f"from-{vantage.id}", network, vantage.at or outside)
        self._besides(machine, vantage.six)
        return machine

    def _own(self, position: int) -> str | None:
        return self.path.hops[position].at or self.path.hops[position].address

    def _after(self, position: int) -> str:
        """The address of the machine right behind a hop."""
        for i in range(position + 1, len(self.path.hops)):
            found = self._own(i)
            if found is not None:
                return found
        raise ValueError(f"nothing behind {self.path.hops[position].id} has an address")

    def _space(self, name: str) -> Namespace:
        space = Namespace(self._prefix + name)
        self._names.append(space.name)
        self._inner[space.name] = ["link set lo up"]
        return space

    def _bridge(self, space: Namespace, *addresses: str) -> None:
        self._inner[space.name] += ["link add lan type bridge forward_delay 0"]
        self._inner[space.name] += [f"addr add {plugged(address)} dev lan" for address in addresses]
        self._inner[space.name] += ["link set lan up"]

    def _host(self, name: str, network: Network, address: str) -> Machine:
        """A machine with one link into a network, and the network's .1 as its gateway."""
        space = self._space(name)
        network.plugs += 1
        plug = f"p{network.plugs}"
        self._links.append(f"link add wan netns {space.name} type veth peer name {plug} netns {network.inside.name}")
        self._inner[network.inside.name] += [f"link set {plug} master lan", f"link set {plug} up"]
        gateway = host_in(network_of(address), "1")
        self._inner[space.name] += [
            f"addr add {plugged(address)} dev wan",
            "link set wan up",
            f"route add default via {gateway}",
        ]
        return Machine(space, address)

    def _besides(self, machine: Machine, six: str | None) -> None:
        if six is not None:
            machine.six = six
            gateway = host_in(network_of(six), "1")
            self._inner[machine.space.name] += [
                f"addr add {plugged(six)} dev wan",
                f"route add default via {gateway}",
            ]

    def _behind(self, machine: Machine, outer: Network, prefix: str) -> Network:
        """The network behind a machine that translates; over IPv6 it routes, and those outside must know of it."""
        if is_six(prefix):
            self._inner[outer.inside.name].append(f"route add {whole(prefix)} via {machine.address}")
        network = self._network(machine, prefix)
        inner = next((hop.six for hop in self.path.hops if hop.six and hop.six != machine.six), None)
        if machine.six is not None and inner is not None:
            inside = network_of(inner)
            self._inner[outer.inside.name].append(f"route add {whole(inside)} via {machine.six}")
            self._inner[machine.space.name].append(f"addr add {plugged(host_in(inside, '1'))} dev lan")
        return network

    def _network(self, machine: Machine, prefix: str) -> Network:
        """A network behind a machine, with an idle host .98 in it; .99 is nobody."""
        self._bridge(machine.space, host_in(prefix, "1"))
        network = Network(machine.space, prefix)
        self._host(f"idle-{len(self._names)}", network, host_in(prefix, "98"))
        return network
