"""What gateways said, in words: one catalogue for each language, in `resources/gateway`."""

from __future__ import annotations

import string
import tomllib
from functools import cache

from wizard.model.gateway import Gateway, Mapping, Spoken
from wizard.model.mapped import Stretch
from wizard.model.resource import resource
from wizard.report.wording import ENGLISH


def found(spoken: Spoken, language: str = ENGLISH) -> str:
    """Whether a gateway speaks a protocol, or why not."""
    words = _catalogue(language)
    colon = ": " if language == ENGLISH else "："
    return words["way"][spoken.way] + colon + _fill(words["found"][spoken.took], detail=spoken.detail or "-")


def changed(spoken: Spoken, language: str = ENGLISH) -> str:
    """What came of asking for a mapping."""
    words = _catalogue(language)
    said = _fill(words["changed"][spoken.took], detail=spoken.detail or "-")
    return f"{said} ({words['way'][spoken.way]})"


def held(stretch: Stretch, language: str = ENGLISH) -> str:
    """What a gateway has on some ports."""
    to = f"{stretch.example.host}:{stretch.example.internal}" if stretch.example else ""
    return _fill(_catalogue(language)["held"][stretch.held], to=to)


def pinholes(gateway: Gateway, language: str = ENGLISH) -> str:
    """What its IPv6 firewall allows; empty if it does not tell."""
    return _catalogue(language)["pinholes"][gateway.pinholes]


def mapping(mapping: Mapping) -> str:
    """A mapping as it is written: `udp 5000 -> 192.168.77.20 : 5000`."""
    return f"{mapping.protocol} {mapping.external} -> {mapping.host} : {mapping.internal}"


def guide_words(language: str = ENGLISH) -> dict[str, str]:
    """The sentences that every guide needs; `$host` in one stands for the service's address."""
    return _catalogue(language)["guide"]


def _fill(text: str, **values: str) -> str:
    return string.Template(text).substitute(values)


@cache
def _catalogue(language: str) -> dict[str, dict[str, str]]:
    return tomllib.loads(resource("gateway", f"{language}.toml").read_text("utf-8"))
