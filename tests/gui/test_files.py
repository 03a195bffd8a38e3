"""Projects are opened, saved and rescued."""

import json

import pytest
from PySide6.QtCore import QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QDropEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QDialogButtonBox

from tests.gui.driver import answer, click, dialog, fill, give_file, in_wizard, turn, until
from wizard.gui.pages.problems import ProblemsDialog
from wizard.model.load import load
from wizard.model.presets import new_project, presets
from wizard.model.save import save
from wizard.system.recent import Recovery

# The offscreen platform says so of every dialog.
pytestmark = pytest.mark.qt_log_ignore("propagateSizeHints", extend=True)


GOOD = """\
# my own remark
format = 1
name = "Chat"
public_address = "203.0.113.20"

[[hops]]
id = "router"
kind = "router"
address = "203.0.113.20"  # the WAN side

[[hops]]
id = "chat"
kind = "service"

[[ports]]
name = "media"
protocol = "udp"
outside = "10000-10100"
"""


@pytest.fixture
def good(tmp_path):
    file = tmp_path / "chat.toml"
    file.write_text(GOOD)
    return file


def test_an_edited_file_keeps_its_remarks(qapp, tmp_path, good):
    async def walk(window):
        document = window.context.document
        await until(document.opened, lambda: document.chosen)
        assert not document.dirty
        fill(window.path_page.label.line, "Fritz")
        assert document.dirty
        assert window.isWindowModified()
        window.menus.save.trigger()
        await until(document.changed, lambda: not document.dirty)

    in_wizard(qapp, tmp_path / "state", walk, project=good)
    text = good.read_text()
    assert "# my own remark" in text
    assert "# the WAN side" in text
    assert load(good).hops[0].label == "Fritz"


def test_a_bad_file_shows_every_problem_and_can_be_mended_here(qapp, tmp_path):
    bad = tmp_path / "bad.toml"
    bad.write_text(GOOD.replace("203.0.113.20", "203.0.113.999").replace('"10000-10100"', '"10100-10000"'))
    worse = tmp_path / "overlap.toml"
    worse.write_text(GOOD + '\n[[ports]]\nname = ""\nprotocol = "udp"\noutside = "10050"\n')

    async def walk(window):
        document = window.context.document
        shown = await dialog(ProblemsDialog)
        rows = [shown.list.item(row).text() for row in range(shown.list.count())]
        assert len(rows) == 3
        assert all("bad.toml" in row and "line" in row for row in rows)
        click(shown.findChild(QDialogButtonBox).buttons()[-1])
        await turn()
        assert not document.chosen

        window.files.open(worse)
        shown = await dialog(ProblemsDialog)
        assert shown.list.count() == 2
        click(shown.findChild(QDialogButtonBox).buttons()[0])
        await until(document.opened, lambda: document.chosen)
        await turn()
        assert window.page is window.ports_page
        assert window.ports_page.faults.text().count("✖") == 2
        assert not document.valid

    in_wizard(qapp, tmp_path / "state", walk, project=bad)


def test_a_file_that_is_no_text_is_said_to_be_none(qapp, tmp_path):
    file = tmp_path / "picture.toml"
    file.write_bytes(bytes(range(256)))

    async def walk(window):
        shown = await dialog(ProblemsDialog)
        assert "UTF-8" in shown.list.item(0).text()
        QTest.keyClick(shown, Qt.Key.Key_Escape)
        await turn()

    in_wizard(qapp, tmp_path / "state", walk, project=file)


def test_a_file_can_be_dropped_on_the_window(qapp, tmp_path, good):
    async def walk(window):
        data = QMimeData()
        data.setUrls([QUrl.fromLocalFile(str(good))])
        left, none = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
        window.dropEvent(QDropEvent(QPointF(300, 300), Qt.DropAction.CopyAction, data, left, none))
        await until(window.context.document.opened, lambda: window.context.document.path == good)

    in_wizard(qapp, tmp_path / "state", walk)


def test_files_opened_lately_are_offered_again(qapp, tmp_path, good):
    async def opened(window):
        await until(window.context.document.opened, lambda: window.context.document.chosen)

    async def again(window):
        window.menus.recent.aboutToShow.emit()
        first = window.menus.recent.actions()[0]
        assert first.text().startswith("chat.toml")
        first.trigger()
        await until(window.context.document.opened, lambda: window.context.document.path == good)

    in_wizard(qapp, tmp_path / "state", opened, project=good)
    in_wizard(qapp, tmp_path / "state", again)


def test_work_that_a_crash_left_behind_is_offered_and_gone_on_with(qapp, tmp_path):
    state = tmp_path / "state"
    table = {"format": 1, "name": "Half done", "public_address": "", "hops": [], "ports": []}
    Recovery(state, pid=2**22 + 7).keep(None, table)

    async def walk(window):
        document = window.context.document
        await answer("Go on with it")
        await until(document.opened, lambda: document.chosen)
        await turn()
        assert document.text("name") == "Half done"
        assert document.dirty
        assert not document.valid
        assert window.page is window.service_page

    in_wizard(qapp, state, walk)


def test_an_edit_is_written_down_and_forgotten_once_saved(qapp, tmp_path, good):
    state = tmp_path / "state"

    async def walk(window):
        document = window.context.document
        await until(document.opened, lambda: document.chosen)
        fill(window.path_page.label.line, "Fritz")
        (task,) = [task for task in [document._keeping] if task]
        await task
        (kept,) = state.glob("unsaved-*.json")
        content = json.loads(kept.read_text())
        assert content["path"] == str(good)
        assert content["table"]["hops"][0]["name"] == "Fritz"
        window.menus.save.trigger()
        await until(document.changed, lambda: not document.dirty)
        assert not kept.exists()

    in_wizard(qapp, state, walk, project=good)


def test_a_copy_elsewhere_keeps_the_remarks_and_leaves_the_first_file_alone(qapp, tmp_path, good):
    copy = tmp_path / "copy.toml"

    async def walk(window):
        document = window.context.document
        await until(document.opened, lambda: document.chosen)
        fill(window.path_page.label.line, "Fritz")
        window.menus.save_as.trigger()
        await give_file(copy)
        await until(document.changed, lambda: document.path == copy)

    in_wizard(qapp, tmp_path / "state", walk, project=good)
    assert good.read_text() == GOOD
    assert "# my own remark" in copy.read_text()
    assert load(copy).hops[0].label == "Fritz"


def test_a_file_is_replaced_only_if_the_person_says_so(qapp, tmp_path, good):
    other = tmp_path / "other.toml"
    other.write_text("# somebody else's")

    async def walk(window):
        document = window.context.document
        await until(document.opened, lambda: document.chosen)
        window.menus.save_as.trigger()
        await give_file(other)
        await answer("Cancel")
        assert other.read_text() == "# somebody else's"
        window.menus.save_as.trigger()
        await give_file(other)
        await answer("Replace")
        await until(document.changed, lambda: document.path == other)

    in_wizard(qapp, tmp_path / "state", walk, project=good)
    assert load(other).name == "Chat"


def test_a_file_that_cannot_be_written_is_told_and_the_work_stays(qapp, tmp_path, good):
    target = tmp_path / "folder.toml"
    target.mkdir()

    async def walk(window):
        document = window.context.document
        await until(document.opened, lambda: document.chosen)
        fill(window.path_page.label.line, "Fritz")
        assert document.save(target) is False
        await answer("Close")
        assert document.dirty
        assert document.path == good

    in_wizard(qapp, tmp_path / "state", walk, project=good)


def test_undo_takes_back_a_whole_word_and_redo_makes_it_again(qapp, tmp_path, good):
    async def walk(window):
        document = window.context.document
        await until(document.opened, lambda: document.chosen)
        fill(window.path_page.label.line, "Fritz box")
        click(window.path_page.remove)
        assert len(document.sketch.hops) == 1
        window.menus.undo.trigger()
        assert len(document.sketch.hops) == 2
        assert document.text("hops", 0, "name") == "Fritz box"
        window.menus.undo.trigger()
        assert document.text("hops", 0, "name") == ""
        assert not document.dirty
        window.menus.redo.trigger()
        assert document.text("hops", 0, "name") == "Fritz box"

    in_wizard(qapp, tmp_path / "state", walk, project=good)


def test_every_preset_opens_every_page(qapp, tmp_path):
    files = []
    for preset in presets():
        files.append(tmp_path / f"{preset.id}.toml")
        save(new_project(preset, "203.0.113.20"), files[-1])

    async def walk(window):
        for file in files:
            window.files.open(file)
            await until(window.context.document.opened, lambda file=file: window.context.document.path == file)
            assert window.context.document.valid
            for step, page in window.pages.items():
                window.go(step)
                await turn()
                assert page.title()

    in_wizard(qapp, tmp_path / "state", walk)
