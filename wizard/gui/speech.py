"""The language of the interface, switched while it runs."""

from __future__ import annotations

from PySide6.QtCore import QLibraryInfo, QLocale, QObject, QTranslator, Signal
from PySide6.QtGui import QFont, QFontInfo
from PySide6.QtWidgets import QApplication

from wizard.model.resource import resource

_FACES = {
    "zh_CN": ("Noto Sans CJK SC", "Source Han Sans SC", "PingFang SC", "Microsoft YaHei", "WenQuanYi Micro Hei"),
}


class Speech(QObject):
    """Which language is spoken. Signal: `changed` after every widget has been told by a LanguageChange event."""

    changed = Signal()

    def __init__(self, app: QApplication, language: str) -> None:
        super().__init__(app)
        self._app = app
        # By its real name: behind an alias such as `Sans Serif`, Qt takes the next real face for every letter.
        self._family = QFontInfo(app.font()).family()
        self._translators: list[QTranslator] = []
        self.language = ""
        self.speak(language)

    def speak(self, language: str) -> None:
        """Change the language now."""
        if language == self.language:
            return
        self.language = language
        QLocale.setDefault(QLocale(language))
        self.fall_silent()
        if language != "en":
            self._install(f"qtbase_{language}", QLibraryInfo.path(QLibraryInfo.LibraryPath.TranslationsPath))
        # English has a file too, for its plurals.
        self._install(f"hopwise_{language}", str(resource("translations")))
        # Left to itself Qt may take Chinese from a Japanese face, or from one that has bold only.
        self._app.setFont(QFont([self._family, *_FACES.get(language, ())]))
        self.changed.emit()

    def fall_silent(self) -> None:
        """Take back every translation."""
        for translator in self._translators:
            self._app.removeTranslator(translator)
        self._translators.clear()

    def _install(self, name: str, folder: str) -> None:
        translator = QTranslator(self)
        if translator.load(name, folder):
            self._app.installTranslator(translator)
            self._translators.append(translator)
