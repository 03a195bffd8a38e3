"""What the gateways said, and what was changed there, as the values of a JSON document."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from wizard.model.forward import Forward
from wizard.model.gateway import Gateway, Mapping, Spoken
from wizard.model.mapped import stretches
from wizard.probes.gateway_change import Change
from wizard.report.gateway_words import changed, found

FORMAT = 1


def gateway_to_json(gateway: Gateway, forwards: Sequence[Forward]) -> dict[str, Any]:
    """One gateway, and what it has on the ports that are needed."""
    return {
        "interface": gateway.interface,
        "address": gateway.address,
        "own": gateway.network,
        "default": gateway.default,
        "manufacturer": gateway.manufacturer,
        "model": gateway.model,
        "wan": gateway.wan,
        "withheld": gateway.withheld,
        "protocols": [_spoken(one) | {"found": one.found, "text": found(one)} for one in gateway.spoken],
        "epoch_s": gateway.epoch_s,
        "listed": gateway.listed,
        "mappings": [mapping_to_json(mapping) for mapping in gateway.mappings],
        "pinholes": gateway.pinholes.value,
        "planned": [
            {
                "name": stretch.forward.name,
                "protocol": stretch.forward.protocol.value,
                "outside": str(stretch.outside),
                "held": stretch.held.value,
            }
            for stretch in stretches(gateway, forwards)
        ],
    }


def mapping_to_json(mapping: Mapping) -> dict[str, Any]:
    """One mapping. A lifetime of 0 s is for good."""
    return {
        "protocol": mapping.protocol.value,
        "external": mapping.external,
        "host": mapping.host,
        "internal": mapping.internal,
        "description": mapping.description,
        "enabled": mapping.enabled,
        "lifetime_s": mapping.lifetime_s,
    }


def change_to_json(change: Change) -> dict[str, Any]:
    """One wish and what came of it."""
    return {
        "wish": change.wish.value,
        "done": change.done,
        **{key: value for key, value in mapping_to_json(change.mapping).items() if key in _NAMED},
        **_spoken(change.spoken),
        "text": changed(change.spoken),
    }


_NAMED = ("protocol", "external", "host", "internal")


def _spoken(spoken: Spoken) -> dict[str, Any]:
    return {"way": spoken.way.value, "took": spoken.took.value, "detail": spoken.detail}
