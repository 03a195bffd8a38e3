"""Whom to believe that a server is what its certificate says: the system's authorities, or one of one's own."""

from __future__ import annotations

import asyncio
import ssl

from PySide6.QtWidgets import QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from wizard.gui.asking import file_to_open
from wizard.gui.bench.servers import ServerListModel
from wizard.gui.context import Context
from wizard.gui.controls.frames import Text
from wizard.model.said import said
from wizard.probes.conversation import trust


class AuthorityRow(QWidget):
    """Says who is believed, and lets a person name a file of their own."""

    def __init__(self, context: Context, servers: ServerListModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._context = context
        self._servers = servers
        self.state = Text("muted")
        self.problem = Text("problem")
        self.choose = QPushButton()
        self.choose.setObjectName("small")
        self.choose.clicked.connect(lambda: context.jobs.start(self._choose()))
        self.drop = QPushButton()
        self.drop.setObjectName("small")
        self.drop.clicked.connect(lambda: servers.believe(None))
        row = QHBoxLayout()
        row.setSpacing(8)
        row.addWidget(self.state, 1)
        row.addWidget(self.choose)
        row.addWidget(self.drop)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addLayout(row)
        column.addWidget(self.problem)
        self.problem.say("")

    def retranslate(self) -> None:
        """Name everything."""
        self.choose.setText(self.tr("Own authority…"))
        self.choose.setToolTip(self.tr("A file in PEM with the certificates of who signed those of your servers."))
        self.drop.setText(self.tr("As this computer"))
        self.refresh()

    def refresh(self) -> None:
        """Say who is believed."""
        file = self._servers.ca_file
        self.state.say(
            self.tr("TLS: certificates are checked as this computer does.")
            if file is None
            else self.tr("TLS: only the authorities in {file} are believed.").format(file=file.name)
        )
        self.state.setToolTip("" if file is None else str(file))
        self.drop.setVisible(file is not None)

    async def _choose(self) -> None:
        title = self.tr("Authority that signed the certificates")
        path = await file_to_open(self, title, self.tr("Certificates (*.pem *.crt *.cer);;All files (*)"))
        if path is None:
            return
        try:
            await asyncio.to_thread(trust, path)
        except (ValueError, OSError, ssl.SSLError) as fault:
            self.problem.say(f"✖ {said(str(fault), self._context.language)}")
            return
        self.problem.say("")
        self._servers.believe(path)
