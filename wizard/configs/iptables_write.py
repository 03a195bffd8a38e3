"""Lines of iptables that let planned ports through: each is added only if it is not there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from wizard.configs.filter_orders import bracketed, handed_on, head, label, published, version
from wizard.configs.product import Order, Wanted, Written
from wizard.configs.writing import is_ip, shadowed, targetless, written
from wizard.model.port import PortRange

_UNKNOWN_HOST = "INNER-ADDRESS"


@dataclass(frozen=True, slots=True)
class _Line:
    """A rule of one chain. `ready`: nothing is left to be filled in by hand."""

    command: str
    table: str
    chain: str
    rule: str
    ready: bool = True

    def spelt(self, option: str) -> str:
        table = "" if self.table == "filter" else f"-t {self.table} "
        return f"{self.command} {table}{option} {self.chain} {self.rule}"


def write(order: Order) -> Written:
    """A script for a shell."""
    lines = [line for wanted in order.wanted for line in _lines(order, wanted)]
    keys = ["write-script", *(["write-forwarding", "write-answers"] if handed_on(order) else []), "write-iptables-keep"]
    text = [*head(order, *keys)]
    undo = [*head(order, "write-undo")]
    # Inserted last, a rule stands first: so those of one port keep their order.
    for line in reversed(lines):
        mark = "" if line.ready else "# "
        text.append(f"{mark}{line.spelt('-C')} 2>/dev/null || {line.spelt('-I')}")
        undo.append(f"{mark}{line.spelt('-D')}")
    return written(order, text, undo, *((*targetless(order), *shadowed(order)) if handed_on(order) else ()))


def _lines(order: Order, wanted: Wanted) -> Iterator[_Line]:
    command = "ip6tables" if version(order, wanted) == 6 else "iptables"
    note = f'-m comment --comment "{label(wanted)}"'
    arrives = _range(wanted.arrives)
    if not handed_on(order):
        if published(order):
            # By then the engine has rewritten the port; what it was is known to connection tracking.
            was = f"-m conntrack --ctorigdstport {arrives} --ctdir ORIGINAL"
            yield _Line(command, "filter", "DOCKER-USER", f"-p {wanted.protocol} {was} {note} -j ACCEPT")
        else:
            match = f"-p {wanted.protocol} -m {wanted.protocol} --dport {arrives}"
            yield _Line(command, "filter", "INPUT", f"{match} {note} -j ACCEPT")
        return
    ready = is_ip(wanted.host)
    host = wanted.host if ready and wanted.host else _UNKNOWN_HOST
    leaves = _range(wanted.leaves)
    match = f"-p {wanted.protocol} -m {wanted.protocol}"
    state = "-m conntrack --ctstate"
    if command == "ip6tables" and wanted.arrives == wanted.leaves:
        # Hosts have addresses of their own there: nothing is rewritten.
        yield _Line(command, "filter", "FORWARD", f"-d {host} {match} --dport {leaves} {note} -j ACCEPT", ready)
        back = f"-s {host} {match} --sport {leaves} {state} ESTABLISHED {note} -j ACCEPT"
        yield _Line(command, "filter", "FORWARD", back, ready)
        return
    target = bracketed(host) if wanted.arrives != wanted.leaves else host
    yield _Line(
        command,
        "nat",
        "PREROUTING",
        f"{match} --dport {arrives} -m addrtype --dst-type LOCAL {note} -j DNAT --to-destination {target}{_to(wanted)}",
        ready,
    )
    yield _Line(
        command, "filter", "FORWARD", f"-d {host} {match} --dport {leaves} {state} DNAT {note} -j ACCEPT", ready
    )
    yield _Line(
        command, "filter", "FORWARD", f"-s {host} {match} --sport {leaves} {state} DNAT {note} -j ACCEPT", ready
    )


def _range(numbers: PortRange) -> str:
    return str(numbers).replace("-", ":")


def _to(wanted: Wanted) -> str:
    """The ports behind the host: with the one that becomes the first, each keeps its place in the range."""
    if wanted.arrives == wanted.leaves:
        return ""
    if len(wanted.leaves) == 1:
        return f":{wanted.leaves}"
    return f":{wanted.leaves}/{wanted.arrives.first}"
