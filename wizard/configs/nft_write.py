"""Lines of nft that let planned ports through: each is added only if it is not there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from wizard.configs.filter_orders import bracketed, handed_on, head, label, published, version
from wizard.configs.packet_filter.reading import FilterReading
from wizard.configs.packet_filter.rules import Hook, Verdict
from wizard.configs.product import Order, Wanted, Written
from wizard.configs.writing import is_ip, shadowed, targetless, written

_UNKNOWN_HOST = "INNER-ADDRESS"
_OWN = {4: "ip hopwise", 6: "ip6 hopwise"}
"""The tables in which destinations are rewritten: as many tables as one likes may do that."""


@dataclass(frozen=True, slots=True)
class _Line:
    """A rule of one chain, `inet filter input`."""

    chain: str
    rule: str
    label: str
    ready: bool = True

    @property
    def mark(self) -> str:
        return "" if self.ready else "# "


def write(order: Order) -> Written:
    """A script for a shell."""
    lines = [line for wanted in order.wanted for line in _lines(order, wanted)]
    keys = ["write-script", *(["write-forwarding", "write-answers"] if handed_on(order) else []), "write-nft-keep"]
    text, undo = [*head(order, *keys)], [*head(order, "write-undo")]
    made = dict.fromkeys(line.chain for line in lines if not _is_there(order, line.chain))
    for chain in made:
        family, table, name = chain.split()
        text.append(f"nft add table {family} {table}")
        text.append(f"nft add chain {chain} '{{ {_base(name)} }}'")
    for line in reversed(lines):
        there = f"nft list chain {line.chain} | grep -q '\"{line.label}\"'"
        rule = f'{line.rule} comment "{line.label}"'
        text.append(f"{line.mark}{there} || nft 'insert rule {line.chain} {rule}'")
    for chain, name in dict.fromkeys((line.chain, line.label) for line in lines):
        handles = f"nft -a list chain {chain} | sed -n 's/.*comment \"{name}\" # handle //p'"
        undo.append(f'for handle in $({handles}); do nft delete rule {chain} handle "$handle"; done')
    for table in dict.fromkeys(chain.rpartition(" ")[0] for chain in made if chain.split()[1] == "hopwise"):
        undo.append(f"nft delete table {table}")
    return written(order, text, undo, *((*targetless(order), *shadowed(order)) if handed_on(order) else ()))


def _base(name: str) -> str:
    # Without a policy, for one that is there keeps its own.
    if name == "prerouting":
        return "type nat hook prerouting priority dstnat;"
    return f"type filter hook {name} priority filter;"


def _is_there(order: Order, chain: str) -> bool:
    return isinstance(order.existing, FilterReading) and chain in order.existing.rules.chains


def _lines(order: Order, wanted: Wanted) -> Iterator[_Line]:
    family, name = version(order, wanted), label(wanted)
    if not handed_on(order):
        if published(order):
            # By then the engine has rewritten the port; what it was is known to connection tracking.
            rule = f"meta l4proto {wanted.protocol} ct original proto-dst {wanted.arrives} accept"
            yield from (_Line(chain, rule, name) for chain in _filters(order, Hook.FORWARD, family))
        else:
            rule = f"{wanted.protocol} dport {wanted.arrives} accept"
            yield from (_Line(chain, rule, name) for chain in _filters(order, Hook.INPUT, family))
        return
    ready = is_ip(wanted.host)
    host = wanted.host if ready and wanted.host else _UNKNOWN_HOST
    ip = "ip6" if family == 6 else "ip"
    rewritten = family == 4 or wanted.arrives != wanted.leaves
    if rewritten:
        local = "fib daddr type local "
        yield _Line(f"{_OWN[family]} prerouting", local + _translation(wanted, host), name, ready)
    state = "ct status dnat " if rewritten else ""
    for chain in _filters(order, Hook.FORWARD, family):
        there = f"{ip} daddr {host} {wanted.protocol} dport {wanted.leaves} {state}accept"
        back = f"{ip} saddr {host} {wanted.protocol} sport {wanted.leaves} {state or 'ct state established '}accept"
        yield _Line(chain, there, name, ready)
        yield _Line(chain, back, f"{name}-back", ready)


def _translation(wanted: Wanted, host: str) -> str:
    match = f"{wanted.protocol} dport"
    if wanted.arrives == wanted.leaves:
        return f"{match} {wanted.arrives} dnat to {host}"
    if len(wanted.leaves) == 1:
        return f"{match} {wanted.arrives} dnat to {bracketed(host)}:{wanted.leaves}"
    # To a range the kernel leads in no set order; a map says it for each.
    pairs = ", ".join(f"{a} : {b}" for a, b in zip(wanted.arrives, wanted.leaves, strict=True))
    return f"{match} {wanted.arrives} dnat to {host}:{match} map {{ {pairs} }}"


def _filters(order: Order, hook: Hook, family: int) -> list[str]:
    """The chains that could stop the packet, for each of them must let it pass; or the one that is usual."""
    usual = [f"inet filter {hook.value}"]
    if not isinstance(order.existing, FilterReading):
        return usual
    rules = order.existing.rules
    bases = [base for base in rules.bases if base.hook is hook and family in base.families and not base.translates]
    stopping = (Verdict.DROP, Verdict.REJECT)
    found = [
        base.chain
        for base in bases
        if base.policy in stopping
        or any(len(rule.steps) and rule.steps[-1] is not Verdict.ACCEPT for rule in rules.chains[base.chain])
    ]
    return found or [base.chain for base in bases] or usual
