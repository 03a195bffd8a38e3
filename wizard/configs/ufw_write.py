"""Commands of ufw that let planned ports through; ufw passes over those that are there."""

from __future__ import annotations

from wizard.configs.filter_orders import handed_on, head, label, published
from wizard.configs.product import Order, Wanted, Written
from wizard.configs.reading import Question
from wizard.configs.writing import is_ip, written
from wizard.model.phrase import Phrase
from wizard.model.port import PortRange


def write(order: Order) -> Written:
    """A script for a shell."""
    keys = ["write-script", *(["write-forwarding", "write-ufw-translation"] if handed_on(order) else [])]
    rules = [_rule(order, wanted) for wanted in order.wanted]
    text = [*head(order, *keys)]
    undo = [*head(order, "write-undo")]
    for wanted, rule in zip(order.wanted, rules, strict=True):
        # Before the others where one of those says no.
        place = "prepend " if _denied(order, wanted) else ""
        route, _, plain = rule.rpartition("route ")
        mark = "# " if handed_on(order) and not is_ip(wanted.host) else ""
        way = f"{route}route " if "route " in rule else ""
        text.append(f"{mark}ufw {way}{place}{plain} comment '{label(wanted)}'")
        undo.append(f"{mark}ufw {way}delete {plain}")
    cautions = [Phrase("bypasses-firewall")] if published(order) else []
    if handed_on(order):
        cautions.append(Phrase("ufw-no-translation", {"product": "iptables"}))
    return written(order, text, undo, *cautions)


def _rule(order: Order, wanted: Wanted) -> str:
    if handed_on(order):
        host = wanted.host if is_ip(wanted.host) else "INNER-ADDRESS"
        return f"route allow proto {wanted.protocol} from any to {host} port {_range(wanted.leaves)}"
    return f"allow {_range(wanted.arrives)}/{wanted.protocol}"


def _range(numbers: PortRange) -> str:
    return str(numbers).replace("-", ":")


def _denied(order: Order, wanted: Wanted) -> bool:
    """Whether a rule that is there stops one of the ports."""
    if order.existing is None or handed_on(order):
        return False
    answers = (order.existing.answer(Question(wanted.protocol, n, n)) for n in wanted.arrives)
    return any(answer.coverage.blames and answer.lines for answer in answers)
