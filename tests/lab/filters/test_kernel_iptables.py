"""Random tables of iptables: what we say of each port, and what the kernel does with a packet to it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from wizard.configs.iptables import read
from wizard.configs.reading import Source

from .iptables_rules import tables
from .oracle import compare
from .yard import Yard

pytestmark = pytest.mark.requires("root", "iptables")
_TABLES = st.sampled_from((4, 6)).flatmap(lambda family: st.tuples(st.just(family), tables(family)))
_MANY = settings(
    phases=[Phase.generate], max_examples=130, deadline=None, suppress_health_check=list(HealthCheck), database=None
)


@pytest.fixture(scope="module", params=["nft", "legacy"])
def yard(request: pytest.FixtureRequest) -> Iterator[tuple[Yard, str]]:
    """A yard, and which of the kernel's two machineries iptables drives there."""
    with Yard() as built:
        yield built, request.param


@_MANY
@given(drawn=_TABLES)
def test_every_port_fares_as_we_say(yard: tuple[Yard, str], drawn: tuple[int, str]) -> None:
    (built, flavour), (family, rules) = yard, drawn
    name = "iptables" if family == 4 else "ip6tables"
    built.box.run([f"{name}-{flavour}-restore"], rules)
    saved = built.box.run([f"{name}-{flavour}-save"])
    readings = {"as written": read(Source(rules, "rules")).rules, "as saved": read(Source(saved, "rules")).rules}
    if family == 6:
        # Nothing in the text itself may say which family it is for; what ip6tables-save prints does.
        readings.pop("as written")
    compare(built, readings, (family,))


ONTO_ITSELF = """\
*nat
:PREROUTING ACCEPT [0:0]
-A PREROUTING -p tcp -m multiport --dports 443,8000 -j DNAT --to-destination fd00:77::2
COMMIT
*filter
:INPUT ACCEPT [0:0]
:FORWARD ACCEPT [0:0]
-A FORWARD -m conntrack --ctstate DNAT -j DROP
COMMIT
"""


def test_what_is_handed_on_to_where_it_goes_anyway_is_no_translation(yard: tuple[Yard, str]) -> None:
    built, flavour = yard
    built.box.run([f"ip6tables-{flavour}-restore"], ONTO_ITSELF)
    saved = built.box.run([f"ip6tables-{flavour}-save"])
    compare(built, {"as saved": read(Source(saved, "rules")).rules}, (6,))
