"""The configuration that was audited, with its holes closed, as a file."""

from __future__ import annotations

import asyncio

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QPushButton, QWidget

from wizard.configs.turnserver import Turnserver
from wizard.gui.asking import file_to_save
from wizard.gui.bench.running import BenchModel
from wizard.gui.context import Context
from wizard.report.audit import harden_into


class Hardening(QObject):
    """Asks where to, and writes. `said` tells what became of it."""

    def __init__(self, context: Context, bench: BenchModel, page: QWidget) -> None:
        super().__init__(page)
        self._context = context
        self._bench = bench
        self._page = page
        self._of: Turnserver | None = None
        self.said = ""
        self.button = QPushButton()
        self.button.setObjectName("small")
        self.button.clicked.connect(self._start)

    def retranslate(self) -> None:
        """Name the button."""
        self.button.setText(self.tr("Save with its holes closed…"))
        self.button.setToolTip(self.tr("Writes a new turnserver.conf; the old one is not touched."))

    def refresh(self) -> None:
        """Offer it where there is a configuration, and tell of that one only."""
        if self._bench.conf is not self._of:
            self._of, self.said = self._bench.conf, ""
        self.button.setVisible(self._bench.conf is not None)
        self.button.setEnabled(not self._bench.busy)

    def _start(self) -> None:
        conf = self._bench.conf
        if conf is not None:
            self._context.jobs.start(self._save(conf))

    async def _save(self, conf: Turnserver) -> None:
        title = self.tr("Save the safer configuration")
        path = await file_to_save(self._page, title, self.tr("All files (*)"), "turnserver-safer.conf")
        if path is None:
            return
        try:
            said = await asyncio.to_thread(harden_into, conf, path, self._context.language)
        except OSError as error:
            said = [f"✖ {path}: {error.strerror or error}"]
        self.said = "\n".join(said)
        self._bench.changed.emit()
