"""Changes to a project's table."""

import copy

from hypothesis import given
from hypothesis import strategies as st

from wizard.gui.edits import (
    free_id,
    with_hop,
    with_hop_moved,
    with_port,
    with_public_address,
    with_value,
    with_vantage,
    without,
    without_hop,
)
from wizard.gui.sketch import sketch
from wizard.model.hop import HopKind
from wizard.model.presets import new_project, presets
from wizard.model.table import to_table
from wizard.model.validate import read
from wizard.model.vantage import VantageKind

PRESETS = {preset.id: preset for preset in presets()}


def table(preset="aquarhome"):
    return to_table(new_project(PRESETS[preset], "203.0.113.20"))


def test_an_edit_leaves_the_table_before_it_as_it_was():
    before = table()
    kept = copy.deepcopy(before)
    with_value(before, ("hops", 0, "name"), "Edge")
    with_public_address(before, "198.51.100.9")
    with_hop(before, 2, HopKind.FIREWALL, "Firewall")
    without_hop(before, 3)
    with_hop_moved(before, 1, 1)
    with_port(before)
    with_vantage(before, VantageKind.TURN)
    assert before == kept


def test_every_hop_that_was_entered_by_the_public_address_follows_it():
    changed = with_public_address(table(), "198.51.100.9")
    assert [hop.get("address") for hop in changed["hops"][:3]] == ["198.51.100.9"] * 3
    assert all("address" not in hop for hop in changed["hops"][3:])


def test_an_emptied_optional_value_leaves_the_file_and_a_required_one_stays_to_be_blamed():
    changed = with_value(table(), ("hops", 0, "address"), "")
    assert "address" not in changed["hops"][0]
    changed = with_value(changed, ("ports", 0, "name"), "")
    assert changed["ports"][0]["name"] == ""
    assert any(problem.path == ("ports", 0, "name") for problem in read(changed)[1])


def test_inner_numbers_come_and_go():
    changed = with_value(table(), ("ports", 1, "inside", "aquarhome"), "20000-20100")
    assert sketch(changed).ports[1].inside["aquarhome"].first == 20000
    changed = with_value(changed, ("ports", 1, "inside", "aquarhome"), "")
    assert "inside" not in changed["ports"][1]


def test_a_removed_hop_hands_its_numbers_and_its_observers_to_its_neighbours():
    start = with_value(table(), ("ports", 0, "inside", "vm-firewall"), "8080")
    start = with_vantage(start, VantageKind.LOCAL)
    start = with_value(start, ("vantages", 0, "beyond"), "vm-firewall")
    changed = without_hop(start, 4)
    assert changed["ports"][0]["inside"] == {"docker": "8080"}
    assert changed["vantages"][0]["beyond"] == "frpc"
    assert read(changed)[1] == ()


def test_a_vantage_behind_a_removed_first_hop_stands_outside():
    start = with_value(with_vantage(table(), VantageKind.LOCAL), ("vantages", 0, "beyond"), "security-group")
    assert "beyond" not in without_hop(start, 0)["vantages"][0]


def test_new_things_get_ids_and_names_of_their_own():
    changed = with_hop(with_hop(table(), 0, HopKind.ROUTER, "Router"), 0, HopKind.ROUTER, "Router")
    assert [hop["id"] for hop in changed["hops"][:2]] == ["router-2", "router"]
    changed = with_port(with_port(changed))
    names = [port["name"] for port in changed["ports"]]
    assert len(set(names)) == len(names)
    changed = with_vantage(with_vantage(changed, VantageKind.TURN), VantageKind.TURN)
    assert [vantage["id"] for vantage in changed["vantages"]] == ["relay", "relay-2"]
    assert without(changed, "vantages", 0)["vantages"][0]["id"] == "relay-2"


@given(st.text(), st.lists(st.text()))
def test_a_free_id_is_valid_and_free(stem, taken):
    found = free_id(stem, taken)
    assert found not in taken
    assert set(found) <= set("abcdefghijklmnopqrstuvwxyz0123456789-")
    assert found


_JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from(["name", "hops", "ports", "vantages", "public_address"]), _JUNK))
def test_a_sketch_is_made_of_whatever_is_there(junk):
    assert sketch(junk) is not None
