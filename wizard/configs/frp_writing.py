"""Proxies for frpc, in the syntax of the file that they are added to."""

from __future__ import annotations

import json
from collections.abc import Iterator

from wizard.configs.frp_file import Syntax
from wizard.configs.product import Order, Wanted, Written
from wizard.configs.service_reading import ServiceReading
from wizard.configs.words import say
from wizard.configs.writing import comment, named, shadowed
from wizard.model.hop import HopKind
from wizard.model.phrase import Phrase

SERVER_PORT = 7000
STARTS_ONLY = "starts-only"
"""The note about a file that names the proxies to start."""
_LONGEST_ONE_BY_ONE = 5
"""Ports that get a block each; more of them get a template."""
_OWN = "127.0.0.1"


def write(order: Order) -> Written:
    """A whole file, or the proxies to add to the one that there is."""
    existing = order.existing if isinstance(order.existing, ServiceReading) else None
    syntax = Syntax(existing.dialect) if existing is not None else Syntax.TOML
    place = "write-add-list" if syntax in (Syntax.YAML, Syntax.JSON) else "write-add-end"
    lines = _head(order) if existing is None else [_said(order, place, comment(existing.file))]
    proxies = [line for wanted in order.wanted for line in _proxies(wanted, syntax, wanted.host or _usual(existing))]
    text = "\n".join([*lines, *proxies]).rstrip("\n") + "\n"
    file = comment(existing.file) if existing is not None else "frpc.toml"
    cautions = list(shadowed(order))
    if syntax is Syntax.JSON:
        # JSON has no comments.
        text = text.removeprefix(f"{lines[0]}\n")
        cautions.append(Phrase(place, {"file": file}))
    if existing is not None and any(note.phrase.key == STARTS_ONLY for note in existing.notes):
        cautions.append(Phrase(STARTS_ONLY))
    return Written(text, _said(order, "undo-blocks", file) + "\n", tuple(cautions))


def _said(order: Order, key: str, file: str) -> str:
    return f"# {say(Phrase(key, {'file': file}), order.language)}"


def _head(order: Order) -> list[str]:
    server = next((h for h in order.project.hops[: order.position] if h.kind is HopKind.TUNNEL_SERVER), None)
    address = (server.address if server else None) or order.project.public_address
    return [
        f"# {say(Phrase('write-frpc'), order.language)}",
        f"serverAddr = {json.dumps(address)}",
        f"serverPort = {SERVER_PORT}",
        f"# {say(Phrase('write-frp-token'), order.language)}",
        '# auth.token = "…"',
        "",
    ]


def _usual(existing: ServiceReading | None) -> str:
    """Where most of the proxies that there are lead to."""
    hosts = [] if existing is None else [rule.host or _OWN for rule in existing.rules if rule.inner is not None]
    return max(dict.fromkeys(hosts), key=hosts.count, default=_OWN)


def _proxies(wanted: Wanted, syntax: Syntax, host: str) -> Iterator[str]:
    # The number behind the name keeps each proxy's name unique.
    name = named(wanted).removesuffix(f"-{wanted.arrives.first}")
    if syntax is Syntax.INI:
        title = f"{name}-{wanted.arrives.first}"
        yield f"[{title}]" if len(wanted.arrives) == 1 else f"[range:{title}]"
        yield f"type = {wanted.protocol}"
        yield f"local_ip = {host}"
        yield f"local_port = {wanted.leaves}"
        yield f"remote_port = {wanted.arrives}"
        yield ""
        return
    if len(wanted.arrives) > _LONGEST_ONE_BY_ONE and syntax is not Syntax.JSON:
        yield f'{{{{- range $_, $v := parseNumberRangePair "{wanted.leaves}" "{wanted.arrives}" }}}}'
        yield from _block(f"{name}-{{{{ $v.Second }}}}", wanted, host, "{{ $v.First }}", "{{ $v.Second }}", syntax)
        yield "{{- end }}"
        return
    for arrives, leaves in zip(wanted.arrives, wanted.leaves, strict=True):
        yield from _block(f"{name}-{arrives}", wanted, host, str(leaves), str(arrives), syntax)


def _block(name: str, wanted: Wanted, host: str, local: str, remote: str, syntax: Syntax) -> tuple[str, ...]:
    values = {
        "name": json.dumps(name),
        "type": json.dumps(wanted.protocol.value),
        "localIP": json.dumps(host),
        "localPort": local,
        "remotePort": remote,
    }
    if syntax is Syntax.JSON:
        return (", {" + ", ".join(f'"{key}": {value}' for key, value in values.items()) + "}",)
    if syntax is Syntax.YAML:
        keys = [f"{key}: {value}" for key, value in values.items()]
        return (f"  - {keys[0]}", *(f"    {line}" for line in keys[1:]))
    return ("[[proxies]]", *(f"{key} = {value}" for key, value in values.items()), "")
