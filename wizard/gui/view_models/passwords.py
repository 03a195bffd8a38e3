"""The passwords of TURN servers: asked for in password fields, kept by the keyring, shown nowhere."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable, Iterable
from typing import TypeVar, cast

from PySide6.QtCore import QObject, Signal

from wizard.gui.jobs import Jobs
from wizard.model.secret import Secret
from wizard.model.vantage import Vantage, VantageKind
from wizard.system.keyring import Keyring, Trouble

KEYRING_TIMEOUT_S = 60.0
"""A person may have to type the keyring's own password meanwhile."""

Account = tuple[str, str]
Answer = TypeVar("Answer")


class PasswordModel(QObject):
    """Passwords by server and user name. Signal: `changed` when one is found or the keyring's state is known."""

    changed = Signal()

    def __init__(self, jobs: Jobs, keyring: Keyring, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._jobs = jobs
        self._keyring = keyring
        self._known: dict[Account, Secret | None] = {}
        self._waiting: set[Account] = set()
        # One at a time: two requests at once would ask the person twice to unlock.
        self._turn = asyncio.Lock()

    @property
    def trouble(self) -> Trouble | None:
        """Why passwords are kept in memory only; None if the keyring keeps them."""
        return self._keyring.trouble

    @property
    def busy(self) -> bool:
        """Whether the keyring is being asked."""
        return bool(self._waiting)

    def look_up(self, vantages: Iterable[Vantage]) -> None:
        """Ask the keyring for those that are not known yet."""
        for vantage in vantages:
            account = account_of(vantage)
            if account is not None and account not in self._known and account not in self._waiting:
                self._waiting.add(account)
                self._jobs.start(self._find(account))

    def password(self, vantage: Vantage) -> Secret | None:
        """The password of a relay, as far as it is known."""
        account = account_of(vantage)
        return self._known.get(account) if account else None

    def by_vantage(self, vantages: Iterable[Vantage]) -> dict[str, Secret]:
        """The known passwords by vantage id."""
        return {vantage.id: found for vantage in vantages if (found := self.password(vantage)) is not None}

    def set(self, vantage: Vantage, secret: Secret) -> None:
        """Use this password from now on, and have it kept. An empty one is forgotten."""
        account = account_of(vantage)
        if account is None:
            return
        self.remember(account, secret)

    def remember(self, account: Account, secret: Secret) -> None:
        """Use this secret for the account from now on, and have it kept. An empty one is forgotten."""
        empty = not secret.reveal()
        self._known[account] = None if empty else secret
        self._jobs.start(self._forget(account) if empty else self._keep(account, secret))
        self.changed.emit()

    def known(self, account: Account) -> Secret | None:
        """The secret of the account, as far as it is known."""
        return self._known.get(account)

    async def recall(self, account: Account) -> Secret | None:
        """The secret of the account, from the keyring if it is not known yet."""
        if account not in self._known:
            found = await self._ask(self._keyring.find, *account)
            self._known.setdefault(account, found)
            self.changed.emit()
        return self._known[account]

    async def _find(self, account: Account) -> None:
        try:
            found = await self._ask(self._keyring.find, *account)
            self._known.setdefault(account, found)
        finally:
            self._waiting.discard(account)
            self.changed.emit()

    async def _keep(self, account: Account, secret: Secret) -> None:
        await self._ask(self._keyring.keep, *account, secret)
        self.changed.emit()

    async def _forget(self, account: Account) -> None:
        await self._ask(self._keyring.forget, *account)
        self.changed.emit()

    async def _ask(self, call: Callable[..., Answer], *arguments: object) -> Answer | None:
        async with self._turn:
            try:
                return await asyncio.wait_for(_in_thread(call, *arguments), KEYRING_TIMEOUT_S)
            except TimeoutError:
                self._keyring.trouble = Trouble.LOCKED
                return None


async def _in_thread(call: Callable[..., Answer], *arguments: object) -> Answer:
    """`call` in a thread that does not hold up the end of the program: a keyring may wait for a person for ever."""
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[Answer] = loop.create_future()

    def put(value: Answer | None, error: Exception | None) -> None:
        if answer.done():
            return
        if error is not None:
            answer.set_exception(error)
        else:
            answer.set_result(cast("Answer", value))

    def work() -> None:
        value: Answer | None = None
        fault: Exception | None = None
        try:
            value = call(*arguments)
        except Exception as error:  # noqa: BLE001 - carried to the one who awaits
            fault = error
        # A loop that has been closed meanwhile has nobody left to tell.
        with contextlib.suppress(RuntimeError):
            loop.call_soon_threadsafe(put, value, fault)

    threading.Thread(target=work, name="keyring", daemon=True).start()
    return await answer


def account_of(vantage: Vantage) -> Account | None:
    """Whose password a vantage needs; None if it needs none."""
    if vantage.kind is not VantageKind.TURN or not vantage.server or not vantage.username:
        return None
    return vantage.server, vantage.username
