"""The port table: one line for each plan, one column for each place where numbers change."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt
from PySide6.QtGui import QBrush, QColor

from wizard.gui.edits import value_at, with_port, with_value, without
from wizard.gui.theme import Theme
from wizard.gui.view_models.document import DocumentModel, advices
from wizard.model.hop import Hop
from wizard.model.port import PortRange
from wizard.model.problem import KeyPath, Problem
from wizard.model.project import arrival_numbers
from wizard.report.wrap import wrap

Index = QModelIndex | QPersistentModelIndex
_NOWHERE = QModelIndex()
_TITLE_COLUMNS = 22


@dataclass(frozen=True, slots=True)
class Column:
    """A column. `behind` is the translating hop whose inner numbers it holds, with the hops that they hold for."""

    key: str
    behind: Hop | None = None
    hops: tuple[Hop, ...] = ()


class PortTable(QAbstractTableModel):
    """The ports of the document, to be edited in place."""

    def __init__(self, document: DocumentModel, theme: Theme, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._document = document
        self._theme = theme
        self._columns = _columns(())
        self._rows = 0
        self.language = "en"
        document.changed.connect(self._follow)
        self._follow()

    @property
    def columns(self) -> tuple[Column, ...]:
        """What the columns are."""
        return self._columns

    def rowCount(self, parent: Index = _NOWHERE) -> int:
        return 0 if parent.isValid() else self._rows

    def columnCount(self, parent: Index = _NOWHERE) -> int:
        return 0 if parent.isValid() else len(self._columns)

    def flags(self, index: Index) -> Qt.ItemFlag:
        return Qt.ItemFlag.ItemIsEditable | super().flags(index)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if orientation is Qt.Orientation.Vertical:
            return str(section + 1) if role == Qt.ItemDataRole.DisplayRole else None
        column = self._columns[section]
        names = {
            "name": self.tr("Name"),
            "protocol": self.tr("Protocol"),
            "outside": self.tr("Outside"),
            "inside": self.tr("Behind {hop}"),
            "speaks": self.tr("Speaks"),
            "path": self.tr("Path"),
        }
        hints = {
            "name": self.tr("What the port is for, in your own words"),
            "protocol": self.tr("udp or tcp: a rule for one does nothing for the other"),
            "outside": self.tr("The port or range that clients use, as 8172 or 10000-10100"),
            "inside": self.tr("The numbers that {hop} changes them to; empty if it leaves them as they are"),
            "speaks": self.tr("What your service answers here, if Hopwise may ask it; empty if you are not sure"),
            "path": self.tr("For http and ws: what to ask for, as /ws"),
        }
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.ToolTipRole):
            text = (names if role == Qt.ItemDataRole.DisplayRole else hints)[column.key]
            if column.behind is None:
                return text
            # A long name is whole in the hint only.
            title = column.behind.title
            return text.format(hop=_short(title) if role == Qt.ItemDataRole.DisplayRole else title)
        return None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid():
            return None
        palette = self._theme.palette
        if role == Qt.ItemDataRole.EditRole:
            return self._text(index)
        if role == Qt.ItemDataRole.DisplayRole:
            return ("✖ " if self.problems(index) else "") + (self._text(index) or self._inherited(index))
        if role == Qt.ItemDataRole.ForegroundRole:
            if self.problems(index):
                return QBrush(QColor(palette.blocked))
            return None if self._text(index) else QBrush(QColor(palette.muted))
        if role == Qt.ItemDataRole.BackgroundRole and self.problems(index):
            return QBrush(QColor(palette.blocked_tint))
        if role == Qt.ItemDataRole.ToolTipRole:
            return "\n".join(advices(self.problems(index), self.language)) or None
        if role == Qt.ItemDataRole.AccessibleDescriptionRole:
            return "\n".join(advices(self.problems(index), self.language))
        return None

    def setData(self, index: Index, value: Any, role: int = Qt.ItemDataRole.EditRole) -> bool:
        if role != Qt.ItemDataRole.EditRole:
            return False
        path = self._path(index)
        self._document.edit(with_value(self._document.table, path, str(value).strip()), path)
        return True

    def add(self) -> int:
        """A new line at the end. Returns its row."""
        self._document.edit(with_port(self._document.table))
        return self._rows - 1

    def remove(self, row: int) -> None:
        """A line taken out."""
        self._document.edit(without(self._document.table, "ports", row))

    def problems(self, index: Index) -> tuple[Problem, ...]:
        """What is wrong with a cell."""
        return self._document.problems_at(self._path(index))

    def where(self, problem: Problem) -> QModelIndex:
        """The cell that a problem is in; no index if it is in none."""
        for row in range(self._rows):
            for column in range(len(self._columns)):
                index = self.index(row, column)
                if problem in self.problems(index):
                    return index
        return QModelIndex()

    def _follow(self) -> None:
        ports = self._document.table.get("ports", [])
        columns = _columns(self._document.sketch.hops)
        if len(ports) != self._rows or columns != self._columns:
            self.beginResetModel()
            self._rows = len(ports)
            self._columns = columns
            self.endResetModel()
        elif self._rows:
            self.dataChanged.emit(self.index(0, 0), self.index(self._rows - 1, len(columns) - 1))

    def _path(self, index: Index) -> KeyPath:
        column = self._columns[index.column()]
        if column.behind is None:
            return ("ports", index.row(), column.key)
        return ("ports", index.row(), "inside", self._inner_hop(index.row(), column).id)

    def _inner_hop(self, row: int, column: Column) -> Hop:
        """The hop under whose id a plan has its numbers there: the one that the file names, or else the nearest."""
        inside = value_at(self._document.table, ("ports", row, "inside"))
        named = [hop for hop in column.hops if isinstance(inside, dict) and hop.id in inside]
        return named[0] if named else column.hops[0]

    def _text(self, index: Index) -> str:
        return self._document.text(*self._path(index))

    def _inherited(self, index: Index) -> str:
        """The numbers that a plan has behind a hop which does not change them."""
        column = self._columns[index.column()]
        if column.behind is None:
            return ""
        hops = self._document.sketch.hops
        outside = self._document.text("ports", index.row(), "outside")
        plan = next((plan for plan in self._document.sketch.ports if str(plan.outside) == outside), None)
        if plan is None:
            return ""
        first = arrival_numbers(hops, plan, plan.outside.first)[hops.index(column.hops[0])]
        return str(PortRange(first, first + len(plan.outside) - 1))


def _columns(hops: tuple[Hop, ...]) -> tuple[Column, ...]:
    found = [Column("name"), Column("protocol"), Column("outside")]
    translators = [position for position, hop in enumerate(hops[:-1]) if hop.kind.translates]
    for position, after in pairwise([*translators, len(hops) - 1]):
        found.append(Column("inside", hops[position], hops[position + 1 : after + 1]))
    return (*found, Column("speaks"), Column("path"))


def _short(title: str) -> str:
    """As much of a hop's title as three lines of a column's head hold."""
    first = wrap(title, _TITLE_COLUMNS)[0]
    return first if first == title else f"{first}…"
