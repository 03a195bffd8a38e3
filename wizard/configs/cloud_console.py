"""Security groups and firewalls of cloud providers, as steps on their consoles."""

from __future__ import annotations

from functools import partial

from wizard.configs.console_steps import steps
from wizard.configs.product import Likeness, Product
from wizard.model.hop import HopKind

_TITLES = {
    "alibaba": "Alibaba Cloud security group",
    "azure": "Azure network security group",
    "google": "Google Cloud firewall",
    "hetzner": "Hetzner Cloud firewall",
    "huawei": "Huawei Cloud security group",
    "oracle": "Oracle Cloud security rules",
    "tencent": "Tencent Cloud security group",
}


def _recognise(_: str) -> Likeness:
    return Likeness.NO


PRODUCTS = tuple(
    Product(
        id=name,
        title=title,
        kinds=(HopKind.SECURITY_GROUP,),
        recognise=_recognise,
        read=None,
        write=partial(steps, page=name),
    )
    for name, title in _TITLES.items()
)
