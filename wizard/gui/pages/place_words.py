"""Why no test is sent from a place."""

from __future__ import annotations

from PySide6.QtCore import QObject

from wizard.model.vantage import Vantage, VantageKind


class PlaceWords(QObject):
    """What keeps this computer from testing from there."""

    def ready(self, vantage: Vantage) -> str:
        """That tests can be sent from there, and what that takes."""
        if vantage.kind is not VantageKind.SSH:
            return self.tr("✔ Tests can be sent from here by this computer.")
        return self.tr(
            "During a test this computer logs in there by itself, as ssh does: with a key of yours, without a "
            "question. The host only lends its sockets: nothing is installed there and nothing stays. It needs Python "
            "3.8 or later.\n\nIf you have never logged in there from this computer, do so once in a terminal and "
            "compare the fingerprint: a host that is not known is not trusted."
        )

    def hindrance(self, vantage: Vantage, reason: str) -> str:
        """What is in the way, and what to do; `reason` says it in English."""
        match vantage.kind:
            case VantageKind.LOCAL:
                return self.tr(
                    "This computer does not seem to stand there. Open this project in Hopwise on a computer that "
                    "does, and bring its result here on the Test page."
                )
            case VantageKind.SSH:
                return reason
            case VantageKind.TURN:
                return self.tr("Enter the user name and the password to test from this relay.")
