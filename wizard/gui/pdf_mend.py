"""What QPdfWriter leaves undone: text that can be searched and copied, an outline, metadata."""

from __future__ import annotations

import io
import re
import unicodedata
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
        # Qt's identifier is random; without it the same result gives the same file.
        del pdf.trailer.ID
        out = io.BytesIO()
        pdf.save(out, deterministic_id=True, compress_streams=True)
        return out.getvalue()


# QPdfWriter writes `<first> <last> [<unicode> <unicode> …]`, one code for each glyph.
_CODES = re.compile(r"\[[^\]]*\]")
_CODE = re.compile(r"<([0-9A-Fa-f]{4})>")


def _mend_maps(pdf: pikepdf.Pdf, written: frozenset[str], fonts: Sequence[QFont]) -> None:
    """Where one glyph stands for several characters, let it be the one that was written.

    QPdfWriter takes the first in the font's table: a Kangxi radical for an ideograph, a tab for a space.
    """
    owners = [obj for obj in pdf.objects if isinstance(obj, pikepdf.Dictionary) and "/ToUnicode" in obj]
    streams = {owner.ToUnicode.objgen: owner.ToUnicode for owner in owners}
    maps = {key: stream.read_bytes().decode("latin-1") for key, stream in streams.items()}
    named = {
        _character(code) for text in maps.values() for codes in _CODES.findall(text) for code in _CODE.findall(codes)
    }
    meant = _meant(named - written, written, fonts)
    for key, text in maps.items():
        streams[key].write(_CODES.sub(lambda codes: _renamed(codes.group(), meant), text).encode("latin-1"))


def _character(code: str) -> str:
    return chr(int(code, 16))


def _renamed(codes: str, meant: Mapping[str, str]) -> str:
    def renamed(code: re.Match[str]) -> str:
        character = _character(code.group(1))
        return f"<{meant[character].encode('utf-16-be').hex().upper()}>" if character in meant else code.group()

    return _CODE.sub(renamed, codes)


def _meant(strays: Iterable[str], written: frozenset[str], fonts: Sequence[QFont]) -> dict[str, str]:
    """For each character that nobody wrote, the written one that has the same glyph, or those of a ligature."""
    text = "".join(sorted(character for character in written if ord(character) < 0x10000))
    meant: dict[str, str] = {}
    strays = tuple(strays)
    for font in fonts:
        for raw in _raw_fonts(text, font):
            glyphs = {index: c for c in reversed(text) if (index := _glyph(raw, c))}
            for stray in strays:
                if (index := _glyph(raw, stray)) in glyphs:
                    meant.setdefault(stray, glyphs[index])
    plain = {stray: unicodedata.normalize("NFKC", stray) for stray in strays}
    return {stray: letters for stray, letters in plain.items() if written.issuperset(letters)} | meant


def _raw_fonts(text: str, font: QFont) -> Iterator[QRawFont]:
    """The faces that Qt falls back on to set `text`."""
    layout = QTextLayout(text, font)
    layout.beginLayout()
    layout.createLine()
    layout.endLayout()
    seen: set[tuple[str, str]] = set()
    for run in layout.glyphRuns():
        raw = run.rawFont()
        if (name := (raw.familyName(), raw.styleName())) not in seen:
            seen.add(name)
            yield raw


def _glyph(raw: QRawFont, character: str) -> int:
    """The index of a character's glyph; 0 where the face has none."""
    return next(iter(raw.glyphIndexesForString(character)), 0)


def _add_outline(pdf: pikepdf.Pdf, bookmarks: Sequence[Bookmark]) -> None:
    with pdf.open_outline() as outline:
        trail: list[pikepdf.OutlineItem] = []
        for mark in bookmarks:
            top = (PAGE_HEIGHT - mark.top) * _POINTS
            item = pikepdf.OutlineItem(mark.title, mark.page, "XYZ", left=0, top=top, zoom=0)
            del trail[mark.level :]
            (trail[-1].children if trail else outline.root).append(item)
            trail.append(item)
    pdf.Root.PageMode = pikepdf.Name.UseOutlines


def _add_metadata(pdf: pikepdf.Pdf, title: str, language: str, created: datetime) -> None:
    pdf.Root.Lang = pikepdf.String(language)
    pdf.Root.ViewerPreferences = pikepdf.Dictionary(DisplayDocTitle=True)
    for key in [str(key) for key in pdf.docinfo]:
        del pdf.docinfo[key]
    with pdf.open_metadata(set_pikepdf_as_editor=False, update_docinfo=True) as metadata:
        for key in [str(key) for key in metadata]:
            del metadata[key]
        metadata["dc:title"] = title
        metadata["dc:creator"] = [_PRODUCT]
        metadata["dc:language"] = {language}
        metadata["xmp:CreatorTool"] = _PRODUCT
        metadata["pdf:Producer"] = _PRODUCT
        metadata["xmp:CreateDate"] = created.astimezone(UTC).isoformat(timespec="seconds")
        metadata["xmp:ModifyDate"] = created.astimezone(UTC).isoformat(timespec="seconds")
