"""What the person has chosen for the wizard itself."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QLocale, QSettings

from wizard.diagnosis.words import LANGUAGES
from wizard.gui.theme import Look


class Preferences:
    """Language and look, kept in a file of their own."""

    def __init__(self, folder: Path) -> None:
        self._settings = QSettings(str(folder / "wizard.ini"), QSettings.Format.IniFormat)

    @property
    def language(self) -> str:
        """One of LANGUAGES: the chosen one, or else the system's if Hopwise speaks it."""
        chosen = self._settings.value("language")
        if chosen in LANGUAGES:
            return str(chosen)
        return "zh_CN" if QLocale.system().language() == QLocale.Language.Chinese else "en"

    @language.setter
    def language(self, language: str) -> None:
        self._settings.setValue("language", language)

    @property
    def look(self) -> Look:
        """Light, dark, or as the system."""
        chosen = self._settings.value("look")
        return Look(chosen) if chosen in {look.value for look in Look} else Look.SYSTEM

    @look.setter
    def look(self, look: Look) -> None:
        self._settings.setValue("look", look.value)
