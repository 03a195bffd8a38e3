"""Kubernetes: the node ports of services, and the ports that pods take on the host itself."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from wizard.configs.json_tree import json_tree
from wizard.configs.product import Likeness, Order, Product, Written
from wizard.configs.publishing import Published, made
from wizard.configs.reading import Note, Reading, Source, UnreadableError
from wizard.configs.tree import LARGEST, Tree
from wizard.configs.words import say
from wizard.configs.writing import comment
from wizard.configs.yaml_tree import yaml_tree
from wizard.model.hop import HopKind
from wizard.model.phrase import Phrase
from wizard.model.port import PortRange, Protocol

ID = "kubernetes"
_KINDS = r"Service|ServiceList|List|Pod|PodList|Deployment|StatefulSet|DaemonSet"
_KIND = re.compile(rf"^[ \t{{,]*[\"']?kind[\"']?[ \t]*:[ \t]*[\"']?(?:{_KINDS})\b", re.MULTILINE)
_API = re.compile(r"[\"']?apiVersion[\"']?[ \t]*:")
_OPENED = ("NodePort", "LoadBalancer")
_FIRST, _LAST = 30000, 32767
"""The node ports that a cluster gives, unless it was told otherwise."""


def recognise(text: str) -> Likeness:
    """By what every object of Kubernetes has."""
    start = text[:LARGEST]
    return Likeness.SURE if _API.search(start) and _KIND.search(start) else Likeness.NO


def read(source: Source) -> Reading:
    """Manifests, or what `kubectl get services -A -o json` prints. Raises UnreadableError."""
    published = Published()
    found = False
    for thing in _things(source.text):
        match thing.text("kind"):
            case "Service":
                _service(thing, published)
            case "Pod":
                _pod(thing, thing.get("spec"), published)
            case "Deployment" | "StatefulSet" | "DaemonSet":
                _pod(thing, thing.get("spec", "template", "spec"), published)
            case _:
                continue
        found = True
    if not found:
        raise UnreadableError(Phrase("no-kubernetes-services"))
    return published.reading(ID, source.name, "Kubernetes")


def _things(text: str) -> Iterator[Tree]:
    """Every object, also those within lists, with the lines of the whole text."""
    roots: list[Tree] = []
    if text.lstrip().startswith("{"):
        roots.append(json_tree(text))
    else:
        before = 0
        for part in re.split(r"^---[^\n]*$", text, flags=re.MULTILINE):
            if part.strip():
                roots.append(yaml_tree("\n" * before + part))
            before += part.count("\n")
    for root in roots:
        yield from root.elements("items") or (root,)


def _service(thing: Tree, published: Published) -> None:
    name = thing.text("metadata", "name") or "service"
    opened = thing.text("spec", "type") in _OPENED
    for entry in thing.elements("spec", "ports"):
        port, target, outer = entry.text("port") or "", entry.text("targetPort"), entry.text("nodePort")
        protocol = entry.text("protocol") or "TCP"
        line = (entry.get("nodePort") or entry).line
        shown = f"{name}: {protocol.lower()} {outer or port} -> {target or port}"
        inner = port if target is None else target
        try:
            if not opened or outer is None:
                if opened:
                    published.notes.append(Note(Phrase("random-port", {"name": shown}), line))
                published.unpublished(frozenset((Protocol(protocol.lower()),)), PortRange.parse(port), line, shown)
            elif inner.isdigit():
                published.publish(made(inner, outer, protocol, ""), name, line, shown)
            else:
                # A port by its name: its number is in the pod.
                published.publish(made(port, outer, protocol, ""), name, line, shown, perhaps=True)
        except ValueError:
            published.bad_port(line, shown)


def _pod(thing: Tree, spec: Tree | None, published: Published) -> None:
    name = thing.text("metadata", "name") or "pod"
    if spec is None:
        return
    if spec.text("hostNetwork") == "true":
        published.hosts.append((name, (spec.get("hostNetwork") or spec).line))
        return
    for container in spec.elements("containers"):
        for entry in container.elements("ports"):
            inner, outer = entry.text("containerPort") or "", entry.text("hostPort")
            protocol = entry.text("protocol") or "TCP"
            line = (entry.get("hostPort") or entry).line
            shown = f"{name}: {protocol.lower()} {outer or '-'} -> {inner}"
            try:
                if outer is None:
                    published.unpublished(frozenset((Protocol(protocol.lower()),)), PortRange.parse(inner), line, shown)
                else:
                    published.publish(made(inner, outer, protocol, entry.text("hostIP") or ""), name, line, shown)
            except ValueError:
                published.bad_port(line, shown)


def write(order: Order) -> Written:
    """A service with a node port for each port: Kubernetes has no ranges."""
    service = next((h.id for h in order.project.hops[order.position :] if h.kind is HopKind.SERVICE), order.hop.id)
    lines = [
        f"# {say(Phrase('write-kubernetes'), order.language)}",
        "apiVersion: v1",
        "kind: Service",
        "metadata:",
        f"  name: {json.dumps(f'hopwise-{service}')}",
        "spec:",
        "  type: NodePort",
        "  externalTrafficPolicy: Local",
        "  selector:",
        f"    app: {json.dumps(service)}",
        "  ports:",
    ]
    pairs = [
        (wanted, outer, inner)
        for wanted in order.wanted
        for outer, inner in zip(wanted.arrives, wanted.leaves, strict=True)
    ]
    for wanted, outer, inner in pairs:
        lines += [
            f"    - name: {wanted.protocol}-{outer}  # {comment(wanted.name)}",
            f"      protocol: {wanted.protocol.value.upper()}",
            f"      port: {inner}",
            f"      targetPort: {inner}",
            f"      nodePort: {outer}",
        ]
    if not pairs:
        lines[-1] = "  ports: []"
    cautions = [Phrase("name-the-app", {"name": service})]
    if any(not _FIRST <= outer <= _LAST for _, outer, _ in pairs):
        cautions.append(Phrase("outside-node-ports", {"first": str(_FIRST), "last": str(_LAST)}))
    return Written("\n".join(lines) + "\n", f"kubectl delete service hopwise-{service}\n", tuple(cautions))


PRODUCT = Product(ID, "Kubernetes", (HopKind.CONTAINER,), recognise, read, write)
