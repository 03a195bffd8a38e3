"""Random rule sets of nftables: what we say of each port, and what the kernel does with a packet to it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from wizard.configs.nftables import read
from wizard.configs.reading import Source

from .nft_rules import rulesets
from .oracle import compare
from .yard import Yard

pytestmark = pytest.mark.requires("root", "nft")
_MANY = settings(
    phases=[Phase.generate], max_examples=250, deadline=None, suppress_health_check=list(HealthCheck), database=None
)


@pytest.fixture(scope="module")
def yard() -> Iterator[Yard]:
    with Yard() as built:
        yield built


@_MANY
@given(rules=rulesets())
def test_every_port_fares_as_we_say_of_the_script_and_of_both_listings(yard: Yard, rules: str) -> None:
    yard.box.nft(f"flush ruleset\n{rules}")
    listings = {
        "script": rules,
        "JSON": yard.box.run(["nft", "-j", "list", "ruleset"]),
        "listing": yard.box.run(["nft", "list", "ruleset"]),
    }
    compare(yard, {name: read(Source(text, name)).rules for name, text in listings.items()})
