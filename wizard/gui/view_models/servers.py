"""STUN and TURN servers tested on their own."""

from __future__ import annotations

import asyncio
import contextlib
import ssl

from PySide6.QtCore import QObject, Signal

from wizard.gui.jobs import Jobs
from wizard.model.secret import Secret
from wizard.probes.conversation import trust
from wizard.probes.ice import Options, Target, gather
from wizard.report.ice import IceResult
from wizard.wire.turn import Credentials
from wizard.wire.uri import Transport, UriError, parse


class ServerTestModel(QObject):
    """Gathers candidates from servers, as a browser would. Signal: `changed`."""

    changed = Signal()

    def __init__(self, jobs: Jobs, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._jobs = jobs
        self._task: asyncio.Future[None] | None = None
        self.result: IceResult | None = None
        self.error = ""

    @property
    def busy(self) -> bool:
        """Whether servers are being asked."""
        return self._task is not None

    def run(self, servers: str, username: str, password: Secret) -> None:
        """Ask every server; `servers` has one on each line. What cannot be read is told in `error`."""
        if self.busy:
            return
        self.result = None
        self.error = ""
        credentials = Credentials(username, password) if username else None
        try:
            uris = [parse(line) for line in servers.splitlines() if line.strip()]
            tls = trust() if any(uri.transport is Transport.TLS for uri in uris) else None
        except (UriError, OSError, ssl.SSLError) as error:
            self.error = str(error)
            self.changed.emit()
            return
        targets = [Target(uri, credentials if uri.relays else None) for uri in uris]
        if targets:
            self.result = IceResult(urls=[target.uri.text for target in targets])
            self._task = self._jobs.start(self._gather(targets, tls, self.result))
        self.changed.emit()

    def stop(self) -> None:
        """End early; every allocation is given back."""
        if self._task is not None:
            self._task.cancel()

    async def _gather(self, targets: list[Target], tls: ssl.SSLContext | None, result: IceResult) -> None:
        try:
            async with contextlib.aclosing(gather(targets, Options(tls=tls))) as events:
                async for event in events:
                    result.add(event)
                    self.changed.emit()
        finally:
            self._task = None
            self.changed.emit()
