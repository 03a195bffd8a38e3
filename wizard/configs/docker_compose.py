"""Docker Compose files. Only `ports` publishes; a service in the host's own network has the host's ports."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

from wizard.configs.filtering import BOTH
from wizard.configs.interpolation import interpolate
from wizard.configs.product import Likeness, Order, Product, Written
from wizard.configs.publishing import Published, in_the_way, made, short
from wizard.configs.reading import Note, Reading, Source, UnreadableError
from wizard.configs.tree import Tree
from wizard.configs.words import say
from wizard.configs.writing import comment
from wizard.configs.yaml_tree import yaml_tree
from wizard.model.hop import HopKind
from wizard.model.phrase import Phrase
from wizard.model.port import PortRange, Protocol

ID = "docker-compose"
_DEEPEST_BASE = 8
_SERVICE_KEYS = r"image|build|container_name|ports|network_mode|extends|restart|expose|env_file"


def recognise(text: str) -> Likeness:
    """By `services` and what services have."""
    keys = re.search(rf"^[ \t{{]+[\"']?(?:{_SERVICE_KEYS})[\"']?[ \t]*:", text, re.MULTILINE)
    if re.search(r"^services[ \t]*:|[{,\s]\"services\"\s*:", text, re.MULTILINE):
        return Likeness.SURE if keys else Likeness.MAYBE
    # The first version of the format had its services at the top.
    old = re.search(r"^[\w.-]+:[ \t]*(?:#.*)?\n(?:[ \t]*(?:#.*)?\n)*[ \t]+(?:image|build)[ \t]*:", text, re.MULTILINE)
    return Likeness.MAYBE if old else Likeness.NO


def read(source: Source) -> Reading:
    """Raises UnreadableError."""
    root = yaml_tree(source.text)
    services = root.get("services")
    if services is None and any(tree.get("image") or tree.get("build") for _, tree in root.items()):
        services = root
    if services is None or not isinstance(services.value, dict):
        raise UnreadableError(Phrase("no-services"), root.line)
    reader = _Reader(services, source.variables)
    for include in root.elements("include"):
        reader.published.notes.append(Note(Phrase("includes"), include.line))
        reader.published.doubt(include.line, "include")
    for name, service in services.items():
        reader.service(name, service)
    return reader.published.reading(ID, source.name, "Docker Compose")


class _Reader:
    def __init__(self, services: Tree, variables: Mapping[str, str]) -> None:
        self.services = services
        self.variables = variables
        self.published = Published()
        self.profiles = {name.strip() for name in variables.get("COMPOSE_PROFILES", "").split(",")}

    def service(self, name: str, service: Tree) -> None:
        profiles = [profile for profile in service.elements("profiles") if isinstance(profile.value, str)]
        asleep = bool(profiles) and not any(p.value in self.profiles or "*" in self.profiles for p in profiles)
        if asleep:
            self.published.notes.append(Note(Phrase("profile", {"name": name}), profiles[0].line))
        mode = self._inherited(service, "network_mode", name)
        network = "" if mode is None else interpolate(mode.shown, self.variables).text
        entries = self._ports(service, name, 0)
        if network == "host" and mode is not None:
            if asleep:
                self.published.doubt(mode.line, "network_mode: host")
            else:
                self.published.hosts.append((name, mode.line))
            self.published.notes += [Note(Phrase("ports-ignored", {"name": name}), e.line) for e in entries[:1]]
            return
        if mode is not None and (network.startswith(("service:", "container:")) or "$" in mode.shown):
            self.published.doubt(mode.line, f"network_mode: {mode.shown}")
        if network == "none":
            return
        for entry in entries:
            self._entry(name, entry, asleep)
        for entry in service.elements("expose"):
            self._exposed(entry)

    def _inherited(self, service: Tree, key: str, name: str, depth: int = 0) -> Tree | None:
        found = service.get(key)
        base = self._base(service, name)
        if found is not None or base is None or depth >= _DEEPEST_BASE:
            return found
        return self._inherited(base, key, name, depth + 1)

    def _base(self, service: Tree, name: str) -> Tree | None:
        """The service of the same file that it extends."""
        extends = service.get("extends")
        if extends is None or extends.get("file") is not None:
            return None
        other = extends.value if isinstance(extends.value, str) else extends.text("service")
        return None if other is None or other == name else self.services.get(other)

    def _ports(self, service: Tree, name: str, depth: int) -> list[Tree]:
        """Its own entries and those of what it extends."""
        ports = service.get("ports")
        extends = service.get("extends")
        base = self._base(service, name)
        inherited: list[Tree] = []
        if base is not None and depth < _DEEPEST_BASE:
            inherited = self._ports(base, name, depth + 1)
        elif extends is not None:
            self.published.notes.append(Note(Phrase("extends", {"name": name}), extends.line))
            self.published.doubt(extends.line, "extends")
        if ports is None or ports.tag == "!reset":
            return [] if ports is not None else inherited
        if not isinstance(ports.value, tuple):
            self.published.bad_port(ports.line, ports.shown or "ports")
            return inherited
        return [*([] if ports.tag == "!override" else inherited), *ports.value]

    def _entry(self, name: str, entry: Tree, asleep: bool) -> None:
        parts = dict(entry.items()) if isinstance(entry.value, dict) else {}
        shown = ", ".join(f"{key}: {part.shown}" for key, part in parts.items()) if parts else entry.shown
        texts = {"": entry} if isinstance(entry.value, str) else parts
        filled = {key: interpolate(tree.shown, self.variables) for key, tree in texts.items()}
        missing = [name for key in filled if key not in ("name", "app_protocol") for name in filled[key].unset]
        if missing:
            self.published.unset(missing, entry.line, shown)
            return
        words = {key: found.text for key, found in filled.items()}
        try:
            if "" in words:
                publication = short(words[""])
            else:
                publication = made(
                    *(words.get(key, default) for key, default in _LONG_FORM),
                )
        except ValueError:
            self.published.bad_port(entry.line, shown or "ports")
            return
        self.published.publish(publication, name, entry.line, shown, perhaps=asleep)

    def _exposed(self, entry: Tree) -> None:
        numbers, _, protocol = interpolate(entry.shown, self.variables).text.partition("/")
        try:
            protocols = frozenset((Protocol(protocol),)) if protocol else BOTH
            self.published.unpublished(protocols, PortRange.parse(numbers), entry.line, f"expose: {entry.shown}")
        except ValueError:
            # It publishes nothing, whatever it is.
            pass


_LONG_FORM = (("target", ""), ("published", ""), ("protocol", "tcp"), ("host_ip", ""))


def write(order: Order) -> Written:
    """An override file that adds to the one that there is: Compose merges the two."""
    service = next((h.id for h in order.project.hops[order.position :] if h.kind is HopKind.SERVICE), order.hop.id)
    named = (
        next((p.label for p in order.existing.pieces if p.kind is HopKind.SERVICE), None) if order.existing else None
    )
    lines = [
        f"# {say(Phrase('write-compose'), order.language)}",
        "services:",
        f"  {json.dumps(named or service, ensure_ascii=False)}:",
        "    ports:",
    ]
    for wanted in order.wanted:
        entry = f"{wanted.arrives}:{wanted.leaves}/{wanted.protocol}"
        lines.append(f'      - "{entry}"  # {comment(wanted.name)}')
    if not order.wanted:
        lines[-1] = "    ports: []"
    cautions = [] if named else [Phrase("name-the-service", {"service": service})]
    if order.wanted:
        cautions.insert(0, Phrase("bypasses-firewall"))
    undo = f"# {say(Phrase('undo-compose'), order.language)}\nrm compose.override.yaml\ndocker compose up -d\n"
    return Written("\n".join(lines) + "\n", undo, (*cautions, *in_the_way(order)))


PRODUCT = Product(ID, "Docker Compose", (HopKind.CONTAINER,), recognise, read, write)
