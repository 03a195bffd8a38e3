"""A person goes through all pages, against the practice network, in both languages."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest

from tests.gui.driver import click, fill, flip, give_file, in_wizard, practice, turn, until, verdict
from wizard.diagnosis.verdict import State
from wizard.gui.flow import Step
from wizard.gui.view_models.report import ReportKind
from wizard.model.load import load

# The offscreen platform says so of every dialog.
pytestmark = pytest.mark.qt_log_ignore("propagateSizeHints", extend=True)


WORDS = {
    "en": {"blocked": "5 of 25 ports are blocked", "open": "All 25 ports are proven open", "copied": "Copied"},
    "zh_CN": {"blocked": "25 个端口中有 5 个被拦", "open": "全部 25 个端口均已证实畅通", "copied": "已复制"},
}


@pytest.mark.parametrize("language", ["en", "zh_CN"])
def test_a_newcomer_sees_a_hop_turn_red_mends_it_and_sees_it_turn_green(qapp, tmp_path, language):
    words = WORDS[language]

    async def walk(window):
        async with practice(window):
            assert window.page is window.test_page
            await flip(window, "router-hole")
            await verdict(window)
            assert words["blocked"] in window.answer.text()
            router, *others = window.test_page.diagram.model.cards
            assert router.state is State.BLOCKED
            assert {card.state for card in others} == {State.OPEN}

            click(window.primary)
            await turn()
            assert window.page is window.fix_page
            (card,) = window.fix_page.cards
            assert card.finding.suspects == ("router",)
            copy = card.copied[0].findChild(type(window.back))
            click(copy)
            assert QGuiApplication.clipboard().text() == card.copied[0].text
            assert "10010" in card.copied[0].text or "-" in card.copied[0].text
            assert copy.text() == words["copied"]
            click(card.shows[0])
            await turn()
            assert window.page is window.test_page
            assert window.test_page.diagram.highlight == "router"

            await flip(window, "router-hole")
            click(window.test_page.again)
            await until(window.context.run.ended, lambda: not window.context.run.busy)
            await turn()
            assert words["open"] in window.answer.text()
            assert {card.state for card in window.test_page.diagram.model.cards} == {State.OPEN}

    in_wizard(qapp, tmp_path, walk, language=language)


def test_a_project_is_made_saved_tested_and_reported(qapp, tmp_path):
    file = tmp_path / "my project.toml"

    async def walk(window):
        page = window.service_page
        assert not window.primary.isVisible()
        click(page.begin)
        assert page.new_address.problem, "without an address there is no project"
        page.presets.setCurrentRow(page.presets.count() - 1)
        fill(page.new_address.line, "127.0.0.1")
        QTest.keyClick(page.new_address.line, Qt.Key.Key_Return)
        await turn()
        assert window.page is window.path_page
        assert window.context.document.project is not None

        path = window.path_page
        path.diagram.setFocus()
        QTest.keyClick(path.diagram, Qt.Key.Key_Right)
        assert path.label.text == "Server firewall"
        fill(path.address.line, "127.0.0.1:80")
        assert path.address.problem
        assert not window.primary.isEnabled()
        fill(path.address.line, "127.0.0.1")
        assert not path.address.problem
        assert path.diagram.model.cards[1].address == "127.0.0.1"
        click(window.primary)
        await turn()

        ports = window.ports_page
        assert window.page is ports
        click(ports.add)
        await turn()
        editor = QGuiApplication.focusObject()
        QTest.keyClicks(editor, "65536")
        assert "Line 2" in ports.faults.text()
        assert not window.primary.isEnabled()
        QTest.keyClick(editor, Qt.Key.Key_Backspace)
        assert ports.faults.text() == ""
        QTest.keyClick(editor, Qt.Key.Key_Return)
        await turn()
        assert [str(plan.outside) for plan in window.context.document.project.ports] == ["8080", "6553"]
        click(window.primary)
        await turn()
        assert window.page is window.origin_page
        click(window.primary)
        await turn()
        assert "nothing can be sent" in window.test_page.nowhere.text()
        click(window.back)
        await turn()
        window.origin_page.add.menu().actions()[0].trigger()
        await turn()
        assert window.origin_page.places.currentItem().text().startswith("this-computer")
        click(window.primary)
        await turn()
        assert not window.test_page.nowhere.isVisible()

        window.menus.save.trigger()
        await give_file(file)
        await until(window.context.document.changed, lambda: not window.context.document.dirty)
        assert "saved" in window.rail.findChildren(type(window.status))[-1].text()

        assert window.page is window.test_page
        click(window.test_page.answerers.answer_here)
        await until(
            window.test_page.answerers.answering.changed, lambda: window.test_page.answerers.answering.bound is not None
        )
        await verdict(window)
        click(window.test_page.log_switch)
        assert "tcp 127.0.0.1:8080" in window.test_page.log.toPlainText()
        window.go(Step.REPORT)
        await turn()
        click(window.report_page.redact)
        assert "Something else" not in window.report_page.preview.toPlainText()
        for kind in ReportKind:
            click(window.report_page.saves[kind])
            await give_file(tmp_path / f"report.{kind.value}")
            await until(window.report.changed, (tmp_path / f"report.{kind.value}").exists)
            await until(window.report.changed, lambda: not window.report.busy)

    in_wizard(qapp, tmp_path, walk)
    assert load(file).name == "Something else"
    assert (tmp_path / "report.pdf").read_bytes().startswith(b"%PDF")
    assert "Something else" not in (tmp_path / "report.json").read_text()
    assert (tmp_path / "report.md").read_text().startswith("#")
    assert list(tmp_path.glob("unsaved-*")) == []


def test_the_language_changes_at_once_and_everywhere(qapp, tmp_path):
    async def walk(window):
        async with practice(window):
            await verdict(window)
            for step in Step:
                window.go(step)
                await turn()
                english = window.title.text()
                window.menus.languages.actions()[1].trigger()
                await turn()
                assert window.title.text() != english
                assert not window.title.text().isascii()
                assert not window.answer.text().isascii()
                window.menus.languages.actions()[0].trigger()
                await turn()
                assert window.title.text() == english

    in_wizard(qapp, tmp_path, walk)


def test_light_and_dark_change_at_once(qapp, tmp_path):
    async def walk(window):
        system, light, dark = window.menus.looks.actions()
        dark.trigger()
        assert window.context.theme.palette.dark
        assert window.grab().toImage().pixelColor(400, 400).lightness() < 60
        light.trigger()
        assert window.grab().toImage().pixelColor(400, 400).lightness() > 200
        system.trigger()

    in_wizard(qapp, tmp_path, walk)
