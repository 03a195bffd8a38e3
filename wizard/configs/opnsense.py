"""OPNsense: its `config.xml`, and the steps on its pages."""

from __future__ import annotations

import re
from functools import partial

from wizard.configs.console_steps import steps
from wizard.configs.pf_config import read
from wizard.configs.product import Likeness, Product
from wizard.model.hop import HopKind

_ROOT = re.compile(r"<opnsense[ >]")


def _recognise(text: str) -> Likeness:
    return Likeness.SURE if _ROOT.search(text[:4096]) else Likeness.NO


PRODUCT = Product(
    id="opnsense",
    title="OPNsense",
    kinds=(HopKind.ROUTER, HopKind.FIREWALL),
    recognise=_recognise,
    read=partial(read, product="opnsense", title="OPNsense"),
    write=partial(steps, page="opnsense"),
)
