"""What Docker tells of the containers that run: `docker inspect`, `docker ps`, `docker port`."""

from __future__ import annotations

import re
from collections.abc import Iterator

from wizard.configs.filtering import BOTH
from wizard.configs.json_tree import json_tree
from wizard.configs.publishing import Published, made
from wizard.configs.reading import UnreadableError
from wizard.configs.tree import Tree
from wizard.model.port import PortRange, Protocol

INSPECT = re.compile(r"\"(?:NetworkSettings|HostConfig)\"\s*:")
TABLE = re.compile(r"^(?:CONTAINER ID|NAME)[ ]+.*\bPORTS\b", re.MULTILINE)
ROWS = re.compile(r"^[ \t]*\{.*\"Ports\"\s*:\s*\"", re.MULTILINE)
PORT = re.compile(
    r"^(?:(?P<name>\S+)[ \t]+)?(?P<inner>\d+)/(?P<protocol>tcp|udp|sctp) -> (?P<ip>\S*):(?P<outer>\d+)[ \t]*$",
    re.MULTILINE,
)
_ENTRY = re.compile(r"(?:(?P<ip>.*):(?P<outer>\d+(?:-\d+)?)->)?(?P<inner>\d+(?:-\d+)?)/(?P<protocol>\w+)")


def read_inspect(text: str, published: Published) -> int:
    """The JSON of `docker inspect`; how many containers it is of. Raises UnreadableError."""
    root = json_tree(text)
    containers = root.value if isinstance(root.value, tuple) else (root,)
    for container in containers:
        name = (container.text("Name") or "container").removeprefix("/")
        mode = container.get("HostConfig", "NetworkMode")
        if mode is not None and mode.value == "host":
            published.hosts.append((name, mode.line))
            continue
        if mode is not None and mode.shown.startswith("container:"):
            published.doubt(mode.line, f"NetworkMode: {mode.shown}")
        # What it has now comes first: for ports that were left to chance, only that has them.
        running = dict(container.items("NetworkSettings", "Ports"))
        for key, bindings in (running or dict(container.items("HostConfig", "PortBindings"))).items():
            _bindings(name, key, bindings, published)
    return len(containers)


def _bindings(name: str, key: str, bindings: Tree, published: Published) -> None:
    inner, _, protocol = key.partition("/")
    if not bindings.elements():
        try:
            published.unpublished(frozenset((Protocol(protocol),)), PortRange.parse(inner), bindings.line, key)
        except ValueError:
            # It publishes nothing, whatever it is.
            return
    for binding in bindings.elements():
        outer, host_ip = binding.text("HostPort") or "", binding.text("HostIp") or ""
        line = (binding.get("HostPort") or binding).line
        text = f"{host_ip}:{outer} -> {key}".removeprefix(":")
        try:
            entry = made(inner, outer, protocol or "tcp", host_ip)
        except ValueError:
            published.bad_port(line, text)
            continue
        published.publish(entry, name, line, text)


def read_table(text: str, published: Published) -> int:
    """The table of `docker ps`; how many containers it has."""
    lines = text.split("\n")
    head = next(at for at, line in enumerate(lines) if TABLE.match(line))
    columns = [(found[0], found.start()) for found in re.finditer(r"\S+(?: \S+)*", lines[head])]
    count = 0
    for number, line in enumerate(lines[head + 1 :], head + 2):
        if not line.strip():
            continue
        count += 1
        cells = _cells(line, columns)
        name = cells.get("NAMES") or cells.get("NAME") or f"container-{count}"
        _row(name, cells.get("PORTS", ""), number, cells.get("STATUS", ""), None, published)
    return count


def _cells(line: str, columns: list[tuple[str, int]]) -> dict[str, str]:
    ends = [start for _, start in columns[1:]] + [len(line)]
    return {title: line[start:end].strip() for (title, start), end in zip(columns, ends, strict=True)}


def read_rows(text: str, published: Published) -> int:
    """The lines of `docker ps --format json`; how many containers it has. Raises UnreadableError."""
    count = 0
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            row = json_tree(line)
        except UnreadableError as fault:
            raise UnreadableError(fault.phrase, number) from None
        count += 1
        name, network = row.text("Names") or f"container-{count}", row.text("Networks")
        _row(name, row.text("Ports") or "", number, row.text("Status") or "", network, published)
    return count


def _row(name: str, ports: str, line: int, status: str, network: str | None, published: Published) -> None:
    if status.startswith(("Exited", "Created", "Dead")):
        return
    if network == "host":
        published.hosts.append((name, line))
        return
    if not ports:
        if network is None:
            # Containers in the host's own network are listed so, too, and their ports are the host's.
            published.doubt(line, name)
        return
    for text in ports.split(", "):
        for ip, outer, inner, protocol in _entries(text):
            shown = f"{name}: {text.strip()}"
            try:
                entry = made(inner, outer, protocol, ip)
            except ValueError:
                published.bad_port(line, text)
                continue
            if entry.outer is None:
                protocols = BOTH if entry.protocol is None else frozenset((entry.protocol,))
                published.unpublished(protocols, entry.inner, line, shown)
            else:
                published.publish(entry, name, line, shown)


def _entries(text: str) -> Iterator[tuple[str, str, str, str]]:
    found = _ENTRY.fullmatch(text.strip())
    if found is None:
        yield "", "", text, "tcp"
    else:
        yield found["ip"] or "", found["outer"] or "", found["inner"], found["protocol"]


def read_port(text: str, published: Published) -> int:
    """The lines of `docker port`; it is asked of one container."""
    for found in PORT.finditer(text):
        line = text.count("\n", 0, found.start()) + 1
        shown = found[0].strip()
        try:
            entry = made(found["inner"], found["outer"], found["protocol"], found["ip"])
        except ValueError:
            published.bad_port(line, shown)
            continue
        published.publish(entry, found["name"] or "container", line, shown)
    return 1
