"""A probe on its way."""

from __future__ import annotations

from dataclasses import dataclass

from wizard.plan import Probe
from wizard.probes.target import Target


@dataclass(frozen=True, slots=True)
class Aimed:
    """A probe and the address that it is sent to."""

    probe: Probe
    target: Target
