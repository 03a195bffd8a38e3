"""What happened, a line for each thing."""

from __future__ import annotations

from datetime import datetime

from PySide6.QtCore import QObject

from wizard.configs.words import say
from wizard.gui.context import Context
from wizard.gui.pages.place_words import PlaceWords
from wizard.gui.view_models.run import Item
from wizard.model.gateway import Gateway
from wizard.model.phrase import Phrase
from wizard.observation import (
    AnnouncedSeen,
    Configured,
    HostInspected,
    MappedSeen,
    NameResolved,
    Observation,
    RelayChecked,
)
from wizard.progress import Skipped
from wizard.report.wording import wording


class LogWords(QObject):
    """Lines of the log."""

    def __init__(self, context: Context, parent: QObject) -> None:
        super().__init__(parent)
        self._context = context
        self._place_words = PlaceWords(self)

    def line(self, heard: tuple[datetime | None, Item]) -> str:
        """One thing that was heard, with its time."""
        at, item = heard
        time = at.astimezone().strftime("%H:%M:%S") if at else " " * 8
        return f"{time}  {self._said(item)}"

    def skipped(self, item: Skipped) -> str:
        """A place that no test was sent from, and why."""
        project = self._context.run.project
        found = next((v for v in project.places() if v.id == item.vantage), None) if project else None
        reason = self._place_words.hindrance(found, item.reason) if found else item.reason
        return self.tr("Not tested from {place}. {reason}").format(place=item.vantage, reason=reason)

    def _said(self, item: Item) -> str:
        match item:
            case Observation():
                time = f"  {item.rtt_ms:.1f} ms" if item.rtt_ms is not None else ""
                fault = f"  {item.error}" if item.error else ""
                outcome = wording(f"outcome-{item.outcome.value}", self._context.language)
                host = f"[{item.address}]" if ":" in item.address else item.address
                return f"{item.vantage} → {item.enters}  {item.protocol} {host}:{item.port}  {outcome}{time}{fault}"
            case Skipped():
                return self.skipped(item)
            case NameResolved():
                found = ", ".join(item.addresses) or item.error or self.tr("no address")
                return self.tr("DNS, IPv{family}: {name} → {found}").format(
                    family=item.family, name=item.name, found=found
                )
            case HostInspected():
                return self.tr("The listening sockets of this computer were read: {count}").format(
                    count=len(item.sockets)
                )
            case RelayChecked():
                said = item.relayed or f"{item.code or ''} {item.text}".strip()
                return self.tr("Relay {server}: {said}").format(server=item.server, said=said)
            case Configured():
                said = say(Phrase(f"coverage-{item.coverage}"), self._context.language)
                return f"{item.file}, {item.hop}: {item.protocol} {item.outside}  {said}"
            case Gateway():
                return self.tr("Gateway {address} on {interface}: {said}").format(
                    address=item.address, interface=item.interface, said=item.wan or self.tr("no outer address told")
                )
            case AnnouncedSeen():
                outcome = wording(f"outcome-{item.outcome.value}", self._context.language)
                return f"{item.vantage} → {item.address}  {item.protocol} {item.outside}  {outcome}"
            case MappedSeen():
                return self.tr("{server} sees this computer at {address}").format(
                    server=item.server, address=item.address
                )
