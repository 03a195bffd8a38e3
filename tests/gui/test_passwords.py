"""Passwords are typed into password fields, kept, and shown nowhere."""

import asyncio
import threading

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLineEdit

from tests.gui.driver import click, fill, in_wizard, turn, until
from wizard.gui.jobs import Jobs
from wizard.gui.view_models.passwords import PasswordModel
from wizard.model.secret import Secret
from wizard.model.vantage import Vantage, VantageKind
from wizard.system.keyring import Keyring, Trouble

pytestmark = pytest.mark.qt_log_ignore("propagateSizeHints", extend=True)
RELAY = Vantage("relay", VantageKind.TURN, None, "turn:198.51.100.7:3478?transport=udp", "alice")


class Vault:
    """A keyring in memory that can be made to wait for a person."""

    def __init__(self):
        self.kept = {}
        self.open = threading.Event()
        self.open.set()

    def get_password(self, service, username):
        self.open.wait(10)
        return self.kept.get((service, username))

    def set_password(self, service, username, password):
        self.open.wait(10)
        self.kept[service, username] = password

    def delete_password(self, service, username):
        del self.kept[service, username]


async def test_a_password_is_kept_and_found_again(qapp):
    vault = Vault()
    async with asyncio.TaskGroup() as group:
        model = PasswordModel(Jobs(group, print), Keyring(vault))
        model.set(RELAY, Secret("s3cret"))
        assert model.by_vantage([RELAY]) == {"relay": Secret("s3cret")}
    assert list(vault.kept.values()) == ["s3cret"]
    async with asyncio.TaskGroup() as group:
        model = PasswordModel(Jobs(group, print), Keyring(vault))
        model.look_up([RELAY])
        assert model.password(RELAY) is None
    assert model.password(RELAY) == Secret("s3cret")
    async with asyncio.TaskGroup() as group:
        model = PasswordModel(Jobs(group, print), Keyring(vault))
        model.set(RELAY, Secret(""))
    assert vault.kept == {}


async def test_a_keyring_that_waits_for_a_person_does_not_hold_up_the_end(qapp):
    vault = Vault()
    vault.open.clear()
    async with asyncio.TaskGroup() as group:
        jobs = Jobs(group, print)
        model = PasswordModel(jobs, Keyring(vault))
        model.look_up([RELAY])
        await asyncio.sleep(0)
        assert model.busy
        jobs.cancel()
    vault.open.set()
    assert not model.busy


def test_without_a_keyring_the_page_says_where_the_password_stays(qapp, tmp_path, caplog):
    caplog.set_level("DEBUG")

    async def walk(window):
        page = window.service_page
        fill(page.new_address.line, "203.0.113.20")
        click(page.begin)
        await until(window.context.document.opened, lambda: window.context.document.chosen)
        for _ in range(2):
            click(window.primary)
            await turn()
        origin = window.origin_page
        assert window.page is origin
        origin.add.menu().actions()[1].trigger()
        await turn()
        fill(origin.server.line, "turn:198.51.100.7:3478")
        fill(origin.username.line, "alice")
        fill(origin.password.line, "hunter2")
        assert origin.password.line.echoMode() is QLineEdit.EchoMode.Password
        QTest.keyClick(origin.password.line, Qt.Key.Key_Return)
        await until(window.context.passwords.changed, lambda: window.context.passwords.trouble is Trouble.MISSING)
        await turn()
        (place,) = window.context.document.project.vantages
        assert window.context.passwords.by_vantage([place]) == {"relay": Secret("hunter2")}
        said = " ".join(label.text() for label in origin.findChildren(type(window.title)) if label.isVisible())
        assert "no keyring" in said
        assert "forgotten when Hopwise is closed" in said
        for widget in QApplication.allWidgets():
            for name in ("text", "toPlainText", "toolTip", "accessibleName", "accessibleDescription", "windowTitle"):
                getter = getattr(widget, name, None)
                if callable(getter) and widget is not origin.password.line:
                    assert "hunter2" not in str(getter())
        (task,) = [window.context.document._keeping]
        await task
        (kept,) = tmp_path.glob("unsaved-*")
        assert "hunter2" not in kept.read_text()
        assert "alice" in kept.read_text()

    in_wizard(qapp, tmp_path, walk)
    assert "hunter2" not in caplog.text
