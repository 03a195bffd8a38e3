"""A session description is pasted, and held against the plan as it is typed."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QHBoxLayout, QPlainTextEdit, QScrollArea, QVBoxLayout, QWidget

from wizard.diagnosis.sdp import Told
from wizard.diagnosis.sdp_rewrite import static_candidates
from wizard.diagnosis.verdict import State
from wizard.gui.context import Context
from wizard.gui.controls.copied import Copied
from wizard.gui.controls.frames import Text
from wizard.gui.controls.mark import Mark
from wizard.report.sdp import CLIENT, SdpReport, report, say, shown, words
from wizard.report.wrap import printable
from wizard.wire.sdp import SdpError, parse

_MOST, _LONGEST = 200, 60
"""Sentences, and characters of a line, that are shown at most."""


class SdpWindow(QWidget):
    """What is pasted on the left, what is to be said of it on the right. It is kept nowhere."""

    def __init__(self, context: Context, parent: QWidget) -> None:
        super().__init__(parent, Qt.WindowType.Window)
        self._context = context
        self.told: SdpReport | None = None
        self.setObjectName("ground")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setMinimumSize(640, 420)
        self.resize(1040, 720)
        self.title, self.said = Text("title"), Text("answer")
        self.edit = QPlainTextEdit()
        self.edit.setTabChangesFocus(True)
        self.edit.setStyleSheet("font-family: monospace; font-size: 12px;")
        self.edit.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        self._results = QScrollArea()
        self._results.setWidgetResizable(True)
        self._results.setFrameShape(QScrollArea.Shape.NoFrame)
        self._results.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        halves = QHBoxLayout()
        halves.setSpacing(20)
        halves.addWidget(self.edit, 2)
        halves.addWidget(self._results, 3)
        column = QVBoxLayout(self)
        column.setContentsMargins(28, 20, 28, 20)
        column.setSpacing(12)
        column.addWidget(self.title)
        column.addWidget(self.said)
        column.addLayout(halves, 1)
        self.edit.textChanged.connect(self._look)
        context.speech.changed.connect(self._look)
        context.document.changed.connect(self._look)
        QShortcut(QKeySequence(QKeySequence.StandardKey.Close), self, self.close)
        self._look()

    def open(self) -> None:
        """Show it, in front."""
        self._look()
        if self.isVisible():
            self.raise_()
        self.show()
        self.activateWindow()
        self.edit.setFocus()

    def _look(self) -> None:
        language = self._context.speech.language
        self.setWindowTitle(f"{words('window', language)} — Hopwise")
        self.title.setText(words("window", language))
        self.edit.setAccessibleName(words("paste", language))
        self.told = None
        text = self.edit.toPlainText()
        if not text.strip():
            self._show(words("paste", language), QWidget())
            return
        try:
            description = parse(text)
        except SdpError:
            self._show(words("no-sdp", language), QWidget())
            return
        project = self._context.document.project
        self.told = report(description, project)
        inner = QWidget()
        _Results(self._context, self.told, language).fill(inner)
        fine = "fine" if project is not None else "fine-alone"
        self._show(words("some-wrong" if self.told.status else fine, language), inner)

    def _show(self, said: str, inner: QWidget) -> None:
        inner.setObjectName("ground")
        self.said.say(said)
        self._results.setWidget(inner)


class _Results:
    """The rows about one description."""

    def __init__(self, context: Context, told: SdpReport, language: str) -> None:
        self._theme = context.theme
        self._told = told
        self._language = language
        self._column = QVBoxLayout()

    def fill(self, inner: QWidget) -> None:
        """Put them into a widget."""
        inner.setLayout(self._column)
        self._column.setContentsMargins(0, 0, 12, 0)
        self._column.setSpacing(8)
        description, verdict = self._told.description, self._told.verdict
        in_short = {one.line: shown(one) for media in description.media for one in media.candidates}
        for one in sorted((*verdict.candidates, *verdict.lines), key=lambda told: told.line)[:_MOST]:
            self._row(one, in_short.get(one.line) or f"{one.line}: {description.lines[one.line - 1][:_LONGEST]}")
        if verdict.notes:
            self._heading("know")
            for note in verdict.notes:
                self._text(say(note, self._language))
        self._fixed()
        self._column.addStretch(1)

    def _fixed(self) -> None:
        project, rewritten = self._told.project, self._told.rewritten
        if project is None or rewritten is None:
            return
        if self._told.verdict.wrong:
            self._heading("rewritten")
            self._column.addWidget(Copied(rewritten.text.rstrip().replace("\r\n", "\n")))
            for one in rewritten.moved:
                values = {"socket": one.socket, "outside": str(one.outside), "inner": str(one.inner)}
                self._text(words("moved-line", self._language, **values))
            if rewritten.left_out:
                self._text(words("left-out", self._language, sockets=", ".join(rewritten.left_out)))
        static = list(static_candidates(project))
        if static:
            self._heading("static")
            self._column.addWidget(Copied("\n".join(static)))
        self._heading("client")
        self._column.addWidget(Copied(CLIENT))

    def _row(self, told: Told, line: str) -> None:
        fine = told.phrase.key.startswith("fine-")
        state = State.BLOCKED if told.wrong else State.OPEN if fine else State.UNKNOWN
        texts = QVBoxLayout()
        texts.setSpacing(2)
        head = Text("heading")
        head.setText(printable(line))
        texts.addWidget(head)
        sentence = Text()
        sentence.setText(say(told.phrase, self._language))
        texts.addWidget(sentence)
        row = QHBoxLayout()
        row.setSpacing(10)
        row.addWidget(Mark(self._theme, state, 18), 0, Qt.AlignmentFlag.AlignTop)
        row.addLayout(texts, 1)
        self._column.addLayout(row)

    def _heading(self, key: str) -> None:
        label = Text("heading")
        label.setText(words(key, self._language))
        self._column.addSpacing(8)
        self._column.addWidget(label)

    def _text(self, text: str) -> None:
        label = Text()
        label.setText(text)
        self._column.addWidget(label)
