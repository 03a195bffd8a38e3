"""Configuration files in the wizard: a path built of them, a hop given one, what it lacks, what it tells of a test."""

import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDropEvent, QGuiApplication
from PySide6.QtWidgets import QPushButton

from tests.gui.driver import answer, click, dialog, flip, give_file, in_wizard, practice, turn, until, verdict
from wizard.diagnosis.verdict import Severity
from wizard.gui.flow import Step
from wizard.gui.pages.paste import PasteDialog
from wizard.model.load import load
from wizard.observation import Coverage

# The offscreen platform says so of every dialog.
pytestmark = pytest.mark.qt_log_ignore("propagateSizeHints", extend=True)

ROUTER = "Name,Protocol,External port,Internal port,Internal IP\nmedia,udp,10000-10050,10000-10050,192.168.77.10\n"
PROJECT = """\
format = 1
name = "Chat"
public_address = "203.0.113.20"

[[hops]]
id = "router"
kind = "router"
address = "203.0.113.20"

[[hops]]
id = "nas"
kind = "firewall"
address = "192.168.77.10"

[[hops]]
id = "chat"
kind = "service"

[[ports]]
name = "media"
protocol = "udp"
outside = "10000-10100"
"""


@pytest.fixture
def router(tmp_path):
    file = tmp_path / "router.csv"
    file.write_text(ROUTER)
    return file


@pytest.fixture
def project(tmp_path):
    file = tmp_path / "chat.toml"
    file.write_text(PROJECT)
    return file


def drop(window, at, *paths):
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    buttons, keys = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    window.dropEvent(QDropEvent(QPointF(at), Qt.DropAction.CopyAction, data, buttons, keys))


@pytest.mark.parametrize("language", ["en", "zh_CN"])
def test_a_path_is_built_of_files_that_are_chosen(qapp, tmp_path, router, language):
    async def walk(window):
        document = window.context.document
        click(window.service_page.ways[1].button)
        await give_file(router)
        await until(document.opened, lambda: document.chosen)
        assert [hop["kind"] for hop in document.table["hops"]] == ["router", "service"]
        assert document.table["ports"][0]["outside"] == "10000-10050"
        assert document.table["configs"] == [{"hop": "router", "file": str(router), "product": "router-table"}]
        assert [row.coverage for row in window.context.configs.rows] == [Coverage.COVERED]

    in_wizard(qapp, tmp_path / "state", walk, language=language)


def test_a_hop_that_is_given_its_file_shows_the_gap_and_what_to_enter(qapp, tmp_path, router, project):
    async def walk(window):
        document = window.context.document
        await until(document.opened, lambda: document.chosen)
        card = window.path_page.configs
        click(card.add)
        await give_file(router)
        await until(window.context.configs.changed, lambda: window.context.configs.rows)
        found = [(str(row.outside), row.coverage) for row in window.context.configs.rows]
        assert found == [("10000-10050", Coverage.COVERED), ("10051-10100", Coverage.MISSING)]
        await turn()
        box = card.writer.box
        box.setCurrentIndex(box.findData("router-table"))
        box.activated.emit(box.currentIndex())
        await turn()
        assert "10051" in card.written.text
        assert "10000-10050" not in card.written.text
        card.written.findChild(QPushButton).click()
        assert QGuiApplication.clipboard().text() == card.written.text
        window.menus.save.trigger()
        await until(document.changed, lambda: not document.dirty)
        click(card.removes[0])
        await turn()
        assert window.context.configs.rows == ()
        window.menus.undo.trigger()
        assert len(window.context.configs.rows) == 2

    in_wizard(qapp, tmp_path / "state", walk, project=project)
    assert [(c.hop, c.file) for c in load(project).configs] == [("router", "router.csv")]


def test_a_file_dropped_on_a_hop_is_that_hops(qapp, tmp_path, router, project):
    async def walk(window):
        document = window.context.document
        await until(document.opened, lambda: document.chosen)
        diagram = window.path_page.diagram
        spots = [QPoint(x, y) for y in range(0, diagram.height(), 8) for x in range(0, diagram.width(), 8)]
        spot = next(point for point in spots if diagram.hop_at(QPointF(point)) == "router")
        drop(window, diagram.mapTo(window, spot), router)
        await until(document.changed, lambda: document.table.get("configs"))
        assert document.table["configs"][0]["hop"] == "router"

    in_wizard(qapp, tmp_path / "state", walk, project=project)


def test_files_dropped_beside_the_path_find_their_hop_themselves(qapp, tmp_path, router, project):
    async def walk(window):
        document = window.context.document
        await until(document.opened, lambda: document.chosen)
        window.go(Step.PORTS)
        drop(window, QPoint(5, 5), router)
        await until(document.changed, lambda: document.table.get("configs"))
        assert document.table["configs"][0]["hop"] == "router"
        assert document.can_undo

    in_wizard(qapp, tmp_path / "state", walk, project=project)


def test_a_file_that_could_be_of_two_hops_is_asked_about(qapp, tmp_path, router, project):
    project.write_text(PROJECT.replace('id = "nas"\nkind = "firewall"', 'id = "inner"\nkind = "router"'))

    async def walk(window):
        document = window.context.document
        await until(document.opened, lambda: document.chosen)
        window.go(Step.PORTS)
        drop(window, QPoint(5, 5), router)
        await answer("inner")
        await until(document.changed, lambda: document.table.get("configs"))
        assert document.table["configs"][0]["hop"] == "inner"

    in_wizard(qapp, tmp_path / "state", walk, project=project)


def test_what_is_pasted_is_recognised_and_kept_in_a_file_of_the_persons_choice(qapp, tmp_path, project):
    kept = tmp_path / "kept.txt"

    async def walk(window):
        document = window.context.document
        await until(document.opened, lambda: document.chosen)
        click(window.path_page.configs.paste)
        opened = await dialog(PasteDialog)
        assert not opened.take.isEnabled()
        opened.edit.setPlainText("what is this")
        assert not opened.take.isEnabled()
        assert "✖" in opened.told.text()
        opened.edit.setPlainText(ROUTER)
        assert opened.take.isEnabled()
        click(opened.take)
        await give_file(kept)
        await until(document.changed, lambda: document.table.get("configs"))

    in_wizard(qapp, tmp_path / "state", walk, project=project)
    assert kept.read_text() == ROUTER


def test_a_file_that_is_nobodys_is_said_so_and_changes_nothing(qapp, tmp_path, project):
    odd = tmp_path / "notes.txt"
    odd.write_text("call the provider on Monday")

    async def walk(window):
        document = window.context.document
        await until(document.opened, lambda: document.chosen)
        before = document.table
        click(window.path_page.configs.add)
        await give_file(odd)
        await answer("Close")
        assert document.table == before

    in_wizard(qapp, tmp_path / "state", walk, project=project)


def test_what_a_file_says_is_evidence_beside_the_test(qapp, tmp_path):
    wrong = tmp_path / "router.csv"
    wrong.write_text(ROUTER.replace("10000-10050", "9000"))

    async def walk(window):
        async with practice(window):
            hop = window.context.document.table["hops"][0]["id"]
            window.context.configs.add(hop, wrong)
            await verdict(window)
            codes = {finding.code for finding in window.context.run.diagnosis.findings}
            assert "config-outdated" in codes
            await flip(window, "router-hole")
            click(window.test_page.again)
            await until(window.context.run.ended, lambda: not window.context.run.busy)
            errors = [f for f in window.context.run.diagnosis.findings if f.severity is Severity.ERROR]
            assert any("router.csv" in phrase.values.get("file", "") for f in errors for phrase in f.evidence)

    in_wizard(qapp, tmp_path / "state", walk)
