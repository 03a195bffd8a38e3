"""The key that signs probes, so that only this project's responder can answer them."""

from __future__ import annotations

import hashlib
import json

from wizard.model.project import Project


def probe_key(project: Project) -> bytes:
    """The project's own key, or one derived from its hops and ports.

    A derived key is the same for every copy of a path, whatever its comments, labels and order of keys.
    """
    if project.probe_key is not None:
        return project.probe_key.encode()
    path = [[hop.id, hop.kind.value, hop.address] for hop in project.hops]
    ports = [
        [plan.name, plan.protocol.value, str(plan.outside), sorted((k, str(v)) for k, v in plan.inside.items())]
        for plan in project.ports
    ]
    return hashlib.sha256(json.dumps([path, ports]).encode()).hexdigest().encode()
