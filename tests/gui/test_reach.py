"""Everything can be reached by keyboard and named by a screen reader."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QAbstractItemView, QApplication, QComboBox, QLineEdit, QPlainTextEdit

from tests.gui.driver import fill, flip, in_wizard, practice, turn, until, verdict
from wizard.gui.diagram.view import DiagramView
from wizard.gui.flow import Step

pytestmark = pytest.mark.qt_log_ignore("propagateSizeHints", extend=True)
CONTROLS = (QAbstractButton, QAbstractItemView, QComboBox, QLineEdit, QPlainTextEdit, DiagramView)


def controls(window):
    return [
        widget
        for widget in window.findChildren(object)
        if isinstance(widget, CONTROLS)
        and widget.isVisible()
        and widget.isEnabled()
        and widget.focusPolicy() & Qt.FocusPolicy.TabFocus
        and not isinstance(widget.parent(), QComboBox)
    ]


def stops(window):
    """Every widget that Tab leads to."""
    found = []
    while (widget := QApplication.focusWidget()) not in found:
        found.append(widget)
        QTest.keyClick(widget, Qt.Key.Key_Tab)
    return found


def test_tab_leads_to_every_control_of_every_page_and_each_has_a_name(qapp, tmp_path):
    async def walk(window):
        async with practice(window):
            await flip(window, "router-hole")
            await verdict(window)
            for step in Step:
                window.go(step)
                await turn()
                window.activateWindow()
                reached = stops(window)
                for control in controls(window):
                    assert control in reached, (step, control)
                    name = control.accessibleName() or getattr(control, "text", str)()
                    assert name.strip("&"), (step, control)

    in_wizard(qapp, tmp_path, walk)


def test_the_whole_way_can_be_gone_with_keys_alone(qapp, tmp_path):
    async def walk(window):
        run = window.context.run

        def key(code, modifier=Qt.KeyboardModifier.NoModifier):
            QTest.keyClick(QApplication.focusWidget() or window, code, modifier)

        window.activateWindow()
        await turn()
        assert QApplication.focusWidget() is window.service_page.presets
        fill(window.service_page.new_address.line, "127.0.0.1")
        key(Qt.Key.Key_Return)
        await until(window.context.document.opened, lambda: window.context.document.chosen)
        await turn()
        key(Qt.Key.Key_Right)
        assert window.path_page.diagram.highlight == window.context.document.sketch.hops[1].id
        for step in (Step.PORTS, Step.ORIGIN, Step.TEST):
            key(Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
            await turn()
            assert window.page is window.pages[step]
        key(Qt.Key.Key_Left, Qt.KeyboardModifier.AltModifier)
        await turn()
        assert window.page is window.origin_page
        key(Qt.Key.Key_2, Qt.KeyboardModifier.AltModifier)
        await until(window.stack.currentChanged, lambda: window.page is window.path_page)
        assert not run.busy

    in_wizard(qapp, tmp_path, walk)


def test_no_two_mnemonics_of_a_page_are_the_same(qapp, tmp_path):
    async def walk(window):
        async with practice(window):
            await verdict(window)
            for language in (0, 1):
                window.menus.languages.actions()[language].trigger()
                for step in Step:
                    window.go(step)
                    await turn()
                    texts = [action.text() for action in window.menuBar().actions()]
                    texts += [b.text() for b in window.findChildren(QAbstractButton) if b.isVisible() and b.isEnabled()]
                    texts += [
                        label.text()
                        for label in window.page.findChildren(type(window.title).__mro__[1])
                        if label.isVisible() and label.buddy()
                    ]
                    keys = [text[text.index("&") + 1].upper() for text in texts if "&" in text]
                    assert len(keys) == len(set(keys)), (step, sorted(keys), texts)

    in_wizard(qapp, tmp_path, walk)


def test_the_smallest_window_cuts_nothing_off(qapp, tmp_path):
    async def walk(window):
        async with practice(window):
            await flip(window, "router-hole")
            await verdict(window)
            window.resize(1, 1)
            for language in (0, 1):
                window.menus.languages.actions()[language].trigger()
                for step in Step:
                    window.go(step)
                    await turn()
                    page = window.page
                    assert page.widget().width() <= page.viewport().width(), step
                    for widget in page.widget().findChildren(QAbstractButton):
                        if widget.isVisible() and widget.text():
                            assert widget.width() >= widget.minimumSizeHint().width(), (step, widget.text())

    in_wizard(qapp, tmp_path, walk)
