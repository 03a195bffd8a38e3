"""Windows Defender Firewall: its rules as JSON from PowerShell, and the commands that add to them.

Windows has the ports and addresses of a rule in objects beside it, so that they are joined in one command: the phrase
`windows-command` of the catalogue has it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from wizard.configs.filtering import BOTH, ONE_PROTOCOL, Action, Chain, FilterRule
from wizard.configs.gateway_reading import GatewayReading
from wizard.configs.json_lines import elements, member, parsed, word, words
from wizard.configs.product import Likeness, Order, Product, Written
from wizard.configs.reading import Note, Source, UnreadableError
from wizard.configs.who import Network, Who, networks, who
from wizard.configs.words import say
from wizard.configs.writing import comment, named, spoken_ports, written
from wizard.model.hop import HopKind
from wizard.model.phrase import Phrase
from wizard.model.port import PortRange
from wizard.wire.js_literal import Node

_ALL = frozenset(("domain", "private", "public"))
_CATEGORIES = {"0": "public", "1": "private", "2": "domain", "domainauthenticated": "domain"}
_FLAGS = {"domain": 1, "private": 2, "public": 4}
_ACTIONS = {"allow": Action.ADMIT, "2": Action.ADMIT, "block": Action.STOP, "4": Action.STOP}
_PROTOCOLS = {"any": BOTH, "256": BOTH, **ONE_PROTOCOL}
_NEAR = ("localsubnet", "localsubnet4", "localsubnet6", "intranet", "dns", "dhcp", "wins", "defaultgateway")
_OWN_PROGRAM = re.compile(r"(%systemroot%|%windir%|[a-z]:\\windows)\\.*", re.IGNORECASE)


def _recognise(text: str) -> Likeness:
    if '"IpPermissions"' in text:
        return Likeness.NO
    joined = '"LocalPort"' in text and '"RemoteAddress"' in text
    own = any(key in text for key in ('"DefaultInboundAction"', '"EdgeTraversalPolicy"'))
    return Likeness.SURE if joined or own else Likeness.NO


def _read(source: Source) -> GatewayReading:
    top = parsed(source.text)
    rules = member(top, "Rules")
    listed = elements(rules if rules.value is not None else top)
    if not any(isinstance(rule.value, dict) and "LocalPort" in rule.value for rule in listed):
        raise UnreadableError(Phrase("windows-no-ports", {"command": say(Phrase("windows-command"))}))
    notes: list[Note] = []
    active = _active(top)
    profiles = {word(member(each, "Name")).lower(): each for each in elements(member(top, "Profiles"))}
    off = {name for name in active & profiles.keys() if word(member(profiles[name], "Enabled")) in ("False", "0")}
    found = [rule for each in listed for rule in _rules(each, active, notes)]
    # What blocks comes first, whatever the order in the list.
    found.sort(key=lambda rule: rule.action is Action.ADMIT)
    defaults = {_default(profiles[name]) if name in profiles else Action.STOP for name in active - off}
    if off:
        notes.append(Note(Phrase("windows-off", {"profiles": ", ".join(sorted(off))})))
        defaults.add(Action.ADMIT)
    otherwise = defaults.pop() if len(defaults) == 1 else Action.EITHER
    chain = Chain(tuple(found) if off != active else (), otherwise)
    label = "Windows Defender Firewall"
    return GatewayReading(
        "windows-firewall", source.name, HopKind.FIREWALL, label, (), dict.fromkeys((4, 6), chain), notes=tuple(notes)
    )


def _active(top: Node) -> frozenset[str]:
    """The profiles that are in force; all of them where the file does not say."""
    found = {word(member(each, "NetworkCategory")).lower() for each in elements(member(top, "Networks"))}
    return frozenset(_CATEGORIES.get(name, name) for name in found) & _ALL or _ALL


def _default(profile: Node) -> Action:
    return _ACTIONS.get(word(member(profile, "DefaultInboundAction")).lower(), Action.STOP)


def _rules(rule: Node, active: frozenset[str], notes: list[Note]) -> Iterator[FilterRule]:
    if word(member(rule, "Enabled")) in ("False", "2") or word(member(rule, "Direction")) in ("Outbound", "2"):
        return
    protocols = _PROTOCOLS.get(word(member(rule, "Protocol")).lower() or "any", frozenset())
    by = min(_in_force(word(member(rule, "Profile")), active), _program(rule))
    if not protocols or by is Who.NOBODY:
        return
    text = f"{word(member(rule, 'Action'))} {word(member(rule, 'Name', 'DisplayName'))}"
    action = _ACTIONS.get(word(member(rule, "Action")).lower(), Action.EITHER)
    if not _is_any(member(rule, "RemotePort")) or not _is_any(member(rule, "Interface", "InterfaceAlias")):
        by = min(by, Who.PERHAPS)
    try:
        hosts = None if _is_any(member(rule, "LocalAddress")) else _addresses(member(rule, "LocalAddress"))
        numbers = _ports(member(rule, "LocalPort"))
        for family in (4, 6):
            senders = min(by, _senders(member(rule, "RemoteAddress"), family))
            yield FilterRule(action, rule.line, text, protocols, numbers, hosts, frozenset((family,)), senders)
    except ValueError:
        notes.append(Note(Phrase("line-not-understood", {"text": text}), rule.line))
        yield FilterRule(Action.EITHER, rule.line, text, protocols)


def _in_force(profile: str, active: frozenset[str]) -> Who:
    names = {name.strip().lower() for name in profile.split(",")}
    if profile.isdigit():
        names = {name for name, flag in _FLAGS.items() if int(profile) & flag} or {"any"}
    if "any" in names or "" in names or active <= names:
        return Who.EVERYBODY
    return Who.PERHAPS if active & names else Who.NOBODY


def _program(rule: Node) -> Who:
    """A rule for one program: whether that is the service is not in the file, but Windows' own programs are not."""
    if not _is_any(member(rule, "Service")) or not _is_any(member(rule, "Package")):
        return Who.NOBODY
    program = word(member(rule, "Program"))
    if program.lower() in ("", "any"):
        return Who.EVERYBODY
    return Who.NOBODY if _OWN_PROGRAM.fullmatch(program) else Who.PERHAPS


def _is_any(node: Node) -> bool:
    return all(text.lower() in ("", "any") for text in words(node))


def _ports(node: Node) -> tuple[PortRange, ...] | None:
    if _is_any(node):
        return None
    # RPC, IPHTTPSIn and the like are ports that Windows gives to its own services.
    return tuple(PortRange.parse(text) for text in words(node) if not text[:1].isalpha())


def _addresses(node: Node) -> tuple[Network, ...]:
    return tuple(network for text in words(node) for network in networks(text))


def _senders(node: Node, family: int) -> Who:
    held: list[Network] = []
    found = Who.NOBODY
    for text in words(node):
        if text.lower() in ("any", "internet"):
            return Who.EVERYBODY
        if text.lower() in _NEAR:
            found = Who.FEW
        else:
            held.extend(networks(text))
    return Who.EVERYBODY if not elements(node) else max(found, who(held, family))


def _write(order: Order) -> Written:
    head = f"# {comment(order.project.name)}: {spoken_ports(order.wanted)}"
    lines, undo = [head], [head]
    for each in order.wanted:
        remove = f"Remove-NetFirewallRule -Name '{named(each)}' -ErrorAction SilentlyContinue"
        make = f"New-NetFirewallRule -Name '{named(each)}' -DisplayName 'Hopwise {comment(each.name)}'"
        what = f"-Protocol {each.protocol.value.upper()} -LocalPort {each.arrives}"
        lines += [remove, f"{make} -Direction Inbound -Action Allow {what} -Profile Any | Out-Null"]
        undo.append(remove)
    return written(order, lines, undo)


PRODUCT = Product(
    id="windows-firewall",
    title="Windows Defender Firewall",
    kinds=(HopKind.FIREWALL,),
    recognise=_recognise,
    read=_read,
    write=_write,
)
