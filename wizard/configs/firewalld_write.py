"""Commands of firewalld that let planned ports through; it passes over those that are there."""

from __future__ import annotations

from wizard.configs.filter_orders import handed_on, head, published
from wizard.configs.packet_filter.reading import FilterReading
from wizard.configs.packet_filter.rules import Hook, Jump
from wizard.configs.product import Order, Wanted, Written
from wizard.configs.writing import is_ip, one_by_one, shadowed, targetless, written
from wizard.model.phrase import Phrase


def write(order: Order) -> Written:
    """A script for a shell."""
    zone = _zone(order)
    where = f" --zone={zone}" if zone else ""
    keys = ["write-script", *([] if zone else ["write-firewalld-zone"])]
    if handed_on(order):
        keys.append("write-answers")
    text, undo = [*head(order, *keys)], [*head(order, "write-undo")]
    for wanted in order.wanted:
        for each in one_by_one(wanted) if handed_on(order) else (wanted,):
            mark = "# " if handed_on(order) and not is_ip(each.host) else ""
            for option in _options(order, each):
                text.append(f"{mark}firewall-cmd --permanent{where} --add-{option}")
                undo.append(f"{mark}firewall-cmd --permanent{where} --remove-{option}")
    text.append("firewall-cmd --reload")
    undo.append("firewall-cmd --reload")
    cautions = [Phrase("bypasses-firewall")] if published(order) else []
    more = (*targetless(order), *shadowed(order)) if handed_on(order) else ()
    return written(order, text, undo, *cautions, *more)


def _options(order: Order, wanted: Wanted) -> list[str]:
    if not handed_on(order):
        return [f"port={wanted.arrives}/{wanted.protocol}"]
    host = wanted.host if is_ip(wanted.host) else "INNER-ADDRESS"
    to = "" if wanted.arrives == wanted.leaves else f":toport={wanted.leaves}"
    if ":" in str(host):
        spelt = f'port port="{wanted.arrives}" protocol="{wanted.protocol}"'
        inner = f'to-port="{wanted.leaves}" to-addr="{host}"'
        return [f"rich-rule='rule family=\"ipv6\" forward-{spelt} {inner}'"]
    return [f"forward-port=port={wanted.arrives}:proto={wanted.protocol}{to}:toaddr={host}"]


def _zone(order: Order) -> str:
    """The zone by which packets come in, where the configuration that is there tells."""
    if not isinstance(order.existing, FilterReading):
        return ""
    bases = [base.chain for base in order.existing.rules.bases if base.hook is Hook.INPUT]
    jumps = [s.chain for b in bases for r in order.existing.rules.chains[b] for s in r.steps if isinstance(s, Jump)]
    return jumps[-1] if jumps else ""
