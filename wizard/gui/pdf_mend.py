"""What QPdfWriter leaves undone: text that can be searched and copied, an outline, metadata."""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime

import pikepdf
from PySide6.QtGui import QFont, QRawFont, QTextLayout

from wizard.gui.pdf_flow import PAGE_HEIGHT, Bookmark

_PRODUCT = "Hopwise"
_POINTS = 72 / 96
"""PDF points in a pixel."""


def mend(
    document: bytes,
    written: Iterable[str],
    fonts: Sequence[QFont],
    bookmarks: Sequence[Bookmark],
    title: str,
    language: str,
    created: datetime,
) -> bytes:
    """The document with true ToUnicode maps, an outline, a title, a language and a date."""
    with pikepdf.open(io.BytesIO(document)) as pdf:
        _mend_maps(pdf, frozenset(written), fonts)
        _add_outline(pdf, bookmarks)
        _add_metadata(pdf, title, language.replace("_", "-"), created)
        out = io.BytesIO()
        pdf.save(out, deterministic_id=True, compress_streams=True)
        return out.getvalue()


def _mend_maps(pdf: pikepdf.Pdf, written: frozenset[str], fonts: Sequence[QFont]) -> None:
    maps = [obj for obj in pdf.objects if isinstance(obj, pikepdf.Dictionary) and "/ToUnicode" in obj]
    streams = {font.ToUnicode.objgen: font.ToUnicode for font in maps}
    texts = {key: stream.read_bytes().decode("latin-1") for key, stream in streams.items()}
    strays = {c for text in texts.values() for c in _characters(text)} - written
    meant = _meant(strays, written, fonts)
    if not meant:
        return
    for key, text in texts.items():
        streams[key].write(_replaced(text, meant).encode("latin-1"))


_RANGES = re.compile(r"(beginbf(?:range|char)\n)(.*?)(endbf(?:range|char))", re.DOTALL)
_TARGET = re.compile(r"<([0-9A-Fa-f]{4,8})>")


def _characters(text: str) -> Iterator[str]:
    for section in _RANGES.finditer(text):
        for line in section.group(2).splitlines():
            yield from (character for code in _targets(line) if (character := _decoded(code)))


def _targets(line: str) -> list[str]:
    """The characters, as hexadecimal UTF-16, in one line of a map: after the source code or the source range."""
    codes = _TARGET.findall(line)
    if "[" in line:
        return _TARGET.findall(line.partition("[")[2])
    return codes[-1:]


def _decoded(code: str) -> str:
    return bytes.fromhex(code).decode("utf-16-be", "ignore") if len(code) % 4 == 0 else ""
