"""The page of the router: nothing is sent before a press, nothing is changed before a yes, and rows are checked."""

from __future__ import annotations

import os
import subprocess

import pytest
from PySide6.QtWidgets import QMessageBox

from tests.gui.driver import answer, click, dialog, fill, flip, in_wizard, practice, turn, until, verdict
from tests.gui.test_configs import PROJECT
from tests.lab.gateway_street import HOME, ROUTER, TOLD, WAN, Street
from tests.lab.namespaces import Namespace, delete
from wizard.diagnosis.verdict import State
from wizard.gui.flow import Step

pytestmark = pytest.mark.qt_log_ignore("propagateSizeHints", extend=True)


async def found_faulty(window):
    """A hole in the practice router, with its finding in view."""
    await flip(window, "router-hole")
    await verdict(window)
    click(window.primary)
    await turn()
    return window.fix_page.cards[0]


def test_the_rows_are_those_of_the_finding_and_each_is_checked_alone(qapp, tmp_path):
    async def walk(window):
        async with practice(window):
            card = await found_faulty(window)
            click(card.router)
            await turn()
            page, router = window.router_page, window.router
            assert window.page is page
            assert router.gateways is None, "nobody was asked yet"
            (row,) = page.rows.rows
            assert [str(rule.outside) for rule in router.rules] == [str(card.finding.outside)]
            assert str(card.finding.outside) in row.row.text
            click(row.check)
            await until(router.changed, lambda: not router.busy)
            assert router.marks[row.row.ports] is State.BLOCKED
            assert row.word.text() == "blocked"

            window.go(Step.TEST)
            await flip(window, "router-hole")
            window.go(Step.FIX)
            click(card.router)
            await turn()
            click(page.rows.rows[0].check)
            await until(router.changed, lambda: not router.busy)
            assert page.rows.rows[0].word.text() == "open"

            page.guide.box.setCurrentIndex(page.guide.box.findData("openwrt"))
            page.guide.picked.emit("openwrt")
            await turn()
            assert f"src_dport='{card.finding.outside}'" in page.commands.text
            click(window.back)
            await turn()
            assert window.page is window.fix_page

    in_wizard(qapp, tmp_path, walk)


def test_the_path_leads_to_the_rules_of_the_whole_plan_before_any_test(qapp, tmp_path):
    project = tmp_path / "chat.toml"
    project.write_text(PROJECT)

    async def walk(window):
        await until(window.context.document.opened, lambda: window.context.document.chosen)
        await turn()
        page = window.path_page
        click(page.router)
        await turn()
        assert window.page is window.router_page
        assert [(str(rule.outside), rule.host) for rule in window.router.rules] == [("10000-10100", "192.168.77.10")]
        assert window.primary.text() == "&Test"
        click(window.back)
        await turn()
        assert window.page is page
        page.diagram.chosen.emit("nas")
        await turn()
        assert not page.router.isVisible(), "a firewall forwards nothing"

    in_wizard(qapp, tmp_path / "state", walk, project=project)


@pytest.mark.requires("namespaces")
def test_without_a_router_the_page_says_so_and_a_started_question_can_be_left(qapp, tmp_path):
    async def walk(window):
        async with practice(window):
            await found_faulty(window)
            click(window.fix_page.router)
            await turn()
            page, router = window.router_page, window.router
            click(page.ask)
            await until(router.changed, lambda: not router.busy)
            await turn()
            assert page.answers.lines == ["No router was found on any network of this computer."]
            assert not page.add.isVisible()
            click(page.rows.rows[0].check)
            click(window.back)
            await until(router.changed, lambda: not router.busy)
            assert router.marks == {}

    in_wizard(qapp, tmp_path, walk)


@pytest.mark.requires("root", "nft", "miniupnpd")
def test_the_router_is_asked_and_maps_after_a_yes_and_everything_is_tested_again(qapp, tmp_path):
    space = Namespace(f"hw{os.getpid()}lab990-gui-router")
    subprocess.run(["ip", "netns", "add", space.name], check=True)
    try:
        # The wizard's own network is that of the test run, which has nothing but loopback before and after.
        cable = ["ip", "link", "add", "lan", "type", "veth", "peer", "name", "lan", "netns", space.name]
        subprocess.run(cable, check=True)
        for line in (f"addr add {HOME}/24 dev lan", "link set lan up", f"route add default via {ROUTER}"):
            subprocess.run(["ip", *line.split()], check=True)
        up = ["link set lo up", "link set lan up", f"addr add {ROUTER}/24 dev lan"]
        space.ip([*up, "link add wan type veth peer name far", "link set wan up", f"addr add {WAN}/28 dev wan"])
        street = Street(space, space, space, space, tmp_path)
        project = tmp_path / "home.toml"
        project.write_text(
            f'format = 1\nname = "Home"\npublic_address = "{WAN}"\n\n'
            f'[[hops]]\nid = "router"\nkind = "router"\naddress = "{WAN}"\n\n'
            '[[hops]]\nid = "calls"\nkind = "service"\n\n'
            '[[ports]]\nname = "media"\nprotocol = "udp"\noutside = "40000-40003"\n\n'
            '[[vantages]]\nid = "home"\nkind = "local"\n'
        )

        async def walk(window):
            document = window.context.document
            await until(document.changed, lambda: document.chosen)
            await turn()
            window.go(Step.TEST)
            await turn()
            await verdict(window)
            click(window.primary)
            await turn()
            click(window.fix_page.router)
            await turn()
            page, router = window.router_page, window.router
            click(page.ask)
            await until(router.changed, lambda: not router.busy)
            await turn()
            assert f"Lab Model L 1 ({ROUTER} on lan), on the default route" in page.answers.lines
            assert f"Outer (WAN) address: {TOLD}" in page.answers.lines
            assert "gateway-not-planned" in {f.code for f in window.context.run.diagnosis.findings}
            assert not page.add.isVisible(), "nobody has said where to"
            fill(page.host.line, "192.168.77")
            assert page.host.problem
            fill(page.host.line, HOME)
            await turn()
            assert not page.host.problem

            click(page.add)
            box = await dialog(QMessageBox)
            assert "40000-40003" in box.informativeText()
            assert "one hour" in box.informativeText()
            await answer("Cancel")
            assert router.changes == ()
            click(page.add)
            await answer("Map them")
            await until(router.changed, lambda: len(router.changes) == 4 and not router.busy)
            assert all(change.done for change in router.changes)
            assert window.page is window.test_page, "what was changed is tested again"
            await until(window.context.run.ended, lambda: not window.context.run.busy)
            codes = {f.code for f in window.context.run.diagnosis.findings}
            assert "mapping-missing" not in codes
            assert "gateway-not-planned" in codes, "what the router said holds for the next test too"

        with street.miniupnpd(f"ext_ip={TOLD}"):
            in_wizard(qapp, tmp_path, walk, project=project)
    finally:
        delete([space.name])
