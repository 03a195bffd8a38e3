"""Why no test is sent from a place."""

from __future__ import annotations

from PySide6.QtCore import QObject

from wizard.model.vantage import Vantage, VantageKind


class PlaceWords(QObject):
    """What keeps this computer from testing from there."""

    def hindrance(self, vantage: Vantage) -> str:
        """The reason, and what to do."""
        match vantage.kind:
            case VantageKind.LOCAL:
                return self.tr(
                    "This computer does not seem to stand there. Open this project in Hopwise on a computer that "
                    "does, and bring its result here on the Test page."
                )
            case VantageKind.SSH:
                return self.tr(
                    "Tests over SSH cannot be run yet. Run Hopwise on that computer and bring its result here."
                )
            case VantageKind.TURN:
                return self.tr("Enter the user name and the password to test from this relay.")
