"""Ports: an editable table, checked at every key."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QAbstractItemModel, QModelIndex, QPersistentModelIndex, Qt
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import (
    QAbstractItemView,
    QComboBox,
    QHBoxLayout,
    QHeaderView,
    QLineEdit,
    QPushButton,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTableView,
    QWidget,
)

from wizard.gui.context import Context
from wizard.gui.controls.frames import Card, Text
from wizard.gui.flow import Step
from wizard.gui.pages.page import Page
from wizard.gui.view_models.ports import PortTable
from wizard.model.port import Protocol, Speaks

Index = QModelIndex | QPersistentModelIndex


class PortsPage(Page):
    """The port table, and what is wrong with it beneath."""

    def __init__(self, context: Context, parent: QWidget | None = None) -> None:
        super().__init__(context, parent)
        card = Card()
        self.table = PortTable(context.document, context.theme, self)
        self.view = _PortView()
        self.view.setModel(self.table)
        self.view.setItemDelegate(_Delegate(self))
        buttons = QHBoxLayout()
        buttons.setSpacing(10)
        self.add = QPushButton()
        self.remove = QPushButton()
        for button in (self.add, self.remove):
            button.setObjectName("small")
            buttons.addWidget(button)
        self._count = Text("muted", wrap=False)
        buttons.addStretch(1)
        buttons.addWidget(self._count)
        card.body.addWidget(self.view)
        card.body.addLayout(buttons)
        self.column.addWidget(card)
        self.faults = Text("problem")
        self.column.addWidget(self.faults)
        self._hint = Text("muted")
        self.column.addWidget(self._hint)
        self.column.addStretch(1)

        self.add.clicked.connect(self._add)
        self.remove.clicked.connect(self._remove)
        self.table.modelReset.connect(self._arrange)
        selection = self.view.selectionModel()
        selection.currentChanged.connect(lambda *_: self._enable())
        QShortcut(QKeySequence(Qt.Modifier.CTRL | Qt.Key.Key_Delete), self.view, self._remove)
        context.document.changed.connect(self.refresh)
        self.retranslate()
        self._arrange()

    def first(self) -> QWidget:
        return self.view

    def title(self) -> str:
        return self.tr("Which ports must get through?")

    def answer(self) -> str:
        return self.tr("One line for each port or range. Where a hop changes the numbers, say to what.")

    def primary_text(self) -> str:
        return self.tr("Fr&om where")

    def primary_enabled(self) -> bool:
        return Step.PORTS not in self.context.document.known.faulty

    def on_primary(self) -> None:
        self.wanted.emit(Step.ORIGIN)

    def retranslate(self) -> None:
        self.view.setAccessibleName(self.tr("Ports"))
        self.add.setText(self.tr("&Add a port"))
        self.remove.setText(self.tr("&Remove"))
        self.remove.setToolTip(self.tr("Take this line out (Ctrl+Delete). Ctrl+Z brings it back."))
        self._hint.setText(
            self.tr(
                "Speaks is what your running service answers on a port. Where it is empty, only the responder that "
                "you start on the service's host can prove the port open."
            )
        )
        self.table.language = self.context.language
        self.table.headerDataChanged.emit(Qt.Orientation.Horizontal, 0, self.table.columnCount() - 1)

    def refresh(self) -> None:
        document = self.context.document
        total = sum(len(plan.outside) for plan in document.sketch.ports)
        self._count.setText(self.tr("%n port(s) in all", "", total))
        problems = [problem for problem in document.problems if problem.path[:1] == ("ports",)]
        lines = [f"✖ {self._place(p.path)}{p.advice(self.context.language)}" for p in problems]
        if not document.table.get("ports"):
            lines = [self.tr("✖ There is nothing to test yet. Add a port.")]
        self.faults.say("\n".join(lines))
        self._enable()
        self.said.emit()

    def _place(self, path: tuple[str | int, ...]) -> str:
        row = path[1] if len(path) > 1 and isinstance(path[1], int) else 0
        column = next(
            (
                str(self.table.headerData(number, Qt.Orientation.Horizontal))
                for number, column in enumerate(self.table.columns)
                if len(path) > 2 and column.key == path[2] and (len(path) < 4 or path[3] in {h.id for h in column.hops})
            ),
            "",
        )
        line = self.tr("Line {number}, {column}: ") if column else self.tr("Line {number}: ")
        return line.format(number=row + 1, column=column)

    def _arrange(self) -> None:
        header = self.view.horizontalHeader()
        for number, column in enumerate(self.table.columns):
            fixed = column.key in _WORDS
            header.setSectionResizeMode(
                number, QHeaderView.ResizeMode.ResizeToContents if fixed else QHeaderView.ResizeMode.Stretch
            )
        metrics = header.fontMetrics()
        titles = [str(self.table.headerData(n, Qt.Orientation.Horizontal)) for n in range(len(self.table.columns))]
        longest = max(metrics.horizontalAdvance(title) for title in titles)
        lines = min(3, 1 + longest // (header.minimumSectionSize() - 22))
        header.setFixedHeight(20 + lines * (metrics.lineSpacing() + 3))
        rows = max(3, min(self.table.rowCount(), 12))
        height = header.height() + rows * self.view.verticalHeader().defaultSectionSize() + 22
        self.view.setFixedHeight(height)

    def _enable(self) -> None:
        self.remove.setEnabled(self.view.currentIndex().isValid())

    def _add(self) -> None:
        row = self.table.add()
        outside = next(n for n, column in enumerate(self.table.columns) if column.key == "outside")
        self.view.setCurrentIndex(self.table.index(row, outside))
        self.view.edit(self.view.currentIndex())

    def _remove(self) -> None:
        index = self.view.currentIndex()
        if index.isValid():
            self.table.remove(index.row())
            self.view.setCurrentIndex(self.table.index(min(index.row(), self.table.rowCount() - 1), index.column()))


class _PortView(QTableView):
    """The table; Tab leaves it at its end instead of going round."""

    def __init__(self) -> None:
        super().__init__()
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setEditTriggers(
            QAbstractItemView.EditTrigger.DoubleClicked
            | QAbstractItemView.EditTrigger.SelectedClicked
            | QAbstractItemView.EditTrigger.AnyKeyPressed
            | QAbstractItemView.EditTrigger.EditKeyPressed
        )
        self.setTabKeyNavigation(False)
        self.setShowGrid(True)
        self.setWordWrap(False)
        self.verticalHeader().setDefaultSectionSize(36)
        self.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        self.horizontalHeader().setHighlightSections(False)
        self.horizontalHeader().setMinimumSectionSize(110)
        self.horizontalHeader().setDefaultAlignment(
            Qt.AlignmentFlag.AlignLeft
            | Qt.AlignmentFlag.AlignVCenter
            | Qt.AlignmentFlag(Qt.TextFlag.TextWordWrap.value)
        )


class _Delegate(QStyledItemDelegate):
    """A line of text, or one of several words, that goes into the model at every key.

    One for all columns: of several, Qt leaves the filter of all but its own on an editor that a reset closes.
    """

    def createEditor(self, parent: QWidget, _: QStyleOptionViewItem, index: Index) -> QWidget:
        held = QPersistentModelIndex(index)
        model = index.model()
        assert isinstance(model, PortTable)
        words = _WORDS.get(model.columns[index.column()].key)
        if words is None:
            line = QLineEdit(parent)
            line.textEdited.connect(_typed(held))
            return line
        box = QComboBox(parent)
        box.addItems(words)
        box.textActivated.connect(_typed(held))
        return box

    def setEditorData(self, editor: QWidget, index: Index) -> None:
        text = index.data(Qt.ItemDataRole.EditRole)
        if isinstance(editor, QComboBox):
            editor.setCurrentText(text)
        elif isinstance(editor, QLineEdit) and text != editor.text().strip():
            editor.setText(text)

    def setModelData(self, editor: QWidget, model: QAbstractItemModel, index: Index) -> None:
        if isinstance(editor, QComboBox):
            model.setData(index, editor.currentText())
        elif isinstance(editor, QLineEdit):
            model.setData(index, editor.text())


_WORDS = {
    "protocol": [protocol.value for protocol in Protocol],
    "speaks": ["", *(speaks.value for speaks in Speaks)],
}


def _typed(index: QPersistentModelIndex) -> Callable[[str], None]:
    def put(text: str) -> None:
        model = index.model()
        if index.isValid() and isinstance(model, PortTable):
            model.setData(index, text)

    return put
