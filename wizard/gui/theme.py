"""Light and dark: follows the system unless the person has chosen."""

from __future__ import annotations

import enum
from string import Template

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QColor, QPalette
from PySide6.QtWidgets import QApplication

from wizard.gui.palette import DARK, LIGHT, Palette
from wizard.model.resource import resource


class Look(enum.Enum):
    """What the person has chosen."""

    SYSTEM = "system"
    LIGHT = "light"
    DARK = "dark"


class Theme(QObject):
    """The look of the application. Signal: `changed` when the palette is another one."""

    changed = Signal()

    def __init__(self, app: QApplication, look: Look = Look.SYSTEM) -> None:
        super().__init__(app)
        self._app = app
        self.look = look
        self.palette = LIGHT
        app.setStyle("Fusion")
        app.styleHints().colorSchemeChanged.connect(self._follow)
        self._apply()

    def choose(self, look: Look) -> None:
        """Change the look now."""
        self.look = look
        self._apply()

    def _follow(self) -> None:
        if self.look is Look.SYSTEM:
            self._apply()

    def _apply(self) -> None:
        dark = self.look is Look.DARK
        if self.look is Look.SYSTEM:
            dark = self._app.styleHints().colorScheme() == Qt.ColorScheme.Dark
        self.palette = DARK if dark else LIGHT
        self._app.setPalette(_qt_palette(self.palette))
        self._app.setStyleSheet(_stylesheet(self.palette))
        self.changed.emit()


def _qt_palette(palette: Palette) -> QPalette:
    roles = QPalette.ColorRole
    made = QPalette()
    for role, colour in (
        (roles.Window, palette.ground),
        (roles.WindowText, palette.text),
        (roles.Base, palette.surface),
        (roles.AlternateBase, palette.ground),
        (roles.Text, palette.text),
        (roles.Button, palette.surface),
        (roles.ButtonText, palette.text),
        (roles.PlaceholderText, palette.muted),
        (roles.Highlight, palette.accent),
        (roles.HighlightedText, palette.on_accent),
        (roles.ToolTipBase, palette.surface),
        (roles.ToolTipText, palette.text),
        (roles.Link, palette.accent),
        (roles.LinkVisited, palette.accent),
        (roles.Mid, palette.line),
        (roles.Dark, palette.line),
        (roles.Light, palette.surface),
        (roles.Midlight, palette.line),
        (roles.Shadow, palette.line),
        (roles.BrightText, palette.blocked),
    ):
        made.setColor(role, QColor(colour))
    for role in (roles.WindowText, roles.Text, roles.ButtonText):
        made.setColor(QPalette.ColorGroup.Disabled, role, QColor(palette.unknown))
    return made


def _stylesheet(palette: Palette) -> str:
    shade = "dark" if palette.dark else "light"
    values = {name: getattr(palette, name) for name in palette.__dataclass_fields__ if name != "dark"}
    values |= {name: resource("icons", f"{name}-{shade}.svg").as_posix() for name in ("chevron", "tick")}
    return _SHEET.substitute(values)


_SHEET = Template("""
* { font-size: 13px; }
QWidget#ground, QScrollArea, QScrollArea > QWidget > QWidget#content { background: $ground; border: none; }
QWidget#rail { background: $rail; }
QLabel { background: transparent; color: $text; }
QLabel#brand { font-size: 20px; font-weight: 600; }
QLabel#title { font-size: 22px; font-weight: 600; }
QLabel#answer { font-size: 13px; color: $muted; }
QLabel#heading { font-size: 14px; font-weight: 600; }
QLabel#muted { color: $muted; }
QLabel#problem { color: $blocked; }
QLabel#finding { font-size: 15px; font-weight: 600; }
QLabel#value { font-weight: 600; }

QFrame#card { background: $surface; border: 1px solid $line; border-radius: 12px; }
QFrame#rule { border: none; border-top: 1px solid $line; }
QFrame#error { background: $blocked_tint; border: 1px solid $blocked; border-radius: 12px; }
QFrame#warning { background: $suspect_tint; border: 1px solid $suspect; border-radius: 12px; }
QFrame#success { background: $open_tint; border: 1px solid $open; border-radius: 12px; }

QPushButton { background: $surface; color: $text; border: 1px solid $line; border-radius: 8px; padding: 8px 18px;
    font-weight: 500; }
QPushButton:hover { border-color: $accent; }
QPushButton:focus { border: 2px solid $accent; padding: 7px 17px; }
QPushButton:pressed { background: $ground; }
QPushButton:disabled { color: $unknown; border-color: $line; background: $ground; }
QPushButton#primary { background: $accent; color: $on_accent; border: 1px solid $accent; font-weight: 600;
    padding: 8px 24px; }
QPushButton#primary:hover { background: $accent_hover; border-color: $accent_hover; }
QPushButton#primary:focus { border: 2px solid $text; padding: 7px 23px; }
QPushButton#primary:disabled { background: $rail; color: $muted; border-color: $line; }
QPushButton#small { padding: 5px 12px; }
QPushButton#small:focus { padding: 4px 11px; }
QPushButton#part { padding: 6px 14px; }
QPushButton#part:checked { border-color: $accent; color: $accent; background: $rail; }
QPushButton#part:focus { padding: 5px 13px; }
QPushButton#menu { padding: 5px 30px 5px 12px; }
QPushButton#menu:focus { padding: 4px 29px 4px 11px; }
QPushButton::menu-indicator { image: url("$chevron"); width: 12px; height: 12px; subcontrol-origin: padding;
    subcontrol-position: right center; right: 10px; }

QPushButton#step { background: transparent; border: 1px solid transparent; border-radius: 8px; text-align: left;
    padding: 8px 10px 8px 34px; font-weight: 400; }
QPushButton#step:hover { background: $ground; }
QPushButton#step:checked { background: $surface; border-color: $line; font-weight: 600; }
QPushButton#step:focus { border: 2px solid $accent; padding: 7px 9px 7px 33px; }
QPushButton#step:disabled { color: $muted; background: transparent; }

QPushButton#choice { text-align: left; border: 1px solid $line; border-radius: 12px; padding: 14px 16px;
    background: $surface; font-weight: 600; }
QPushButton#choice:hover { border-color: $accent; }
QPushButton#choice:focus { border: 2px solid $accent; padding: 13px 15px; }

QLineEdit, QPlainTextEdit, QComboBox, QTextBrowser { background: $surface; color: $text; border: 1px solid $line;
    border-radius: 8px; padding: 6px 10px; selection-background-color: $accent; selection-color: $on_accent; }
QLineEdit:focus, QPlainTextEdit:focus, QComboBox:focus, QTextBrowser:focus {
    border: 2px solid $accent; padding: 5px 9px; }
QLineEdit[faulty="true"] { border-color: $blocked; background: $blocked_tint; }
QLineEdit[readOnly="true"] { background: $ground; }
QComboBox { padding-right: 24px; }
QComboBox::drop-down { border: none; width: 26px; }
QComboBox::down-arrow { image: url("$chevron"); width: 12px; height: 12px; }
QComboBox QAbstractItemView { background: $surface; color: $text; border: 1px solid $line; outline: none;
    selection-background-color: $accent; selection-color: $on_accent; }

QListView, QTableView { background: $surface; color: $text; border: 1px solid $line; border-radius: 8px;
    gridline-color: $line; outline: none; selection-background-color: $accent; selection-color: $on_accent; }
QListView:focus, QTableView:focus { border: 2px solid $accent; }
QListView::item { padding: 8px 10px; border-radius: 6px; }
QListView::item:hover { background: $ground; color: $text; }
QListView::item:selected { background: $accent; color: $on_accent; }
#grid::item { padding: 5px 8px; }
QTableView QLineEdit, QTableView QComboBox { border-radius: 0; padding: 0 6px; }
QHeaderView { background: transparent; border: none; }
QHeaderView::section { background: transparent; color: $muted; border: none; border-bottom: 1px solid $line;
    padding: 8px 8px; font-weight: 500; }
QTableCornerButton::section { background: transparent; border: none; }

QCheckBox::indicator, QListView::indicator { width: 16px; height: 16px; border: 1.5px solid $unknown;
    border-radius: 4px; background: $surface; }
QCheckBox::indicator:checked { background: $accent; border-color: $accent; image: url("$tick"); }
QListView::indicator:checked { background: $accent; border-color: $on_accent; image: url("$tick"); }
QCheckBox::indicator:disabled { border-color: $line; }
QCheckBox, QRadioButton { spacing: 9px; background: transparent; padding: 4px 2px; }
QCheckBox:focus, QRadioButton:focus { border: 2px solid $accent; border-radius: 6px; padding: 2px 0; }

QProgressBar { background: $line; border: none; border-radius: 3px; max-height: 6px; min-height: 6px; }
QProgressBar::chunk { background: $accent; border-radius: 3px; }

QMenuBar { background: $rail; color: $text; }
QMenuBar::item { padding: 5px 10px; background: transparent; border-radius: 6px; }
QMenuBar::item:selected { background: $surface; }
QMenu { background: $surface; color: $text; border: 1px solid $line; padding: 6px; }
QMenu::item { padding: 6px 26px 6px 22px; border-radius: 6px; }
QMenu::item:selected { background: $accent; color: $on_accent; }
QMenu::item:disabled { color: $unknown; }
QMenu::separator { height: 1px; background: $line; margin: 6px 8px; }
QToolTip { background: $surface; color: $text; border: 1px solid $line; padding: 6px; }

QScrollBar:vertical { background: transparent; width: 12px; margin: 2px; }
QScrollBar:horizontal { background: transparent; height: 12px; margin: 2px; }
QScrollBar::handle { background: $unknown; border-radius: 4px; min-height: 28px; min-width: 28px; }
QScrollBar::add-line, QScrollBar::sub-line { width: 0; height: 0; }
QScrollBar::add-page, QScrollBar::sub-page { background: transparent; }
""")
