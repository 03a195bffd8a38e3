"""Bytes of a configuration file as text, whatever editor they come from."""

from __future__ import annotations

from wizard.configs.reading import UnreadableError
from wizard.model.phrase import Phrase

LARGEST = 4 * 1024 * 1024
"""Bytes of a file at most. The longest rule sets that people have are a tenth of it."""
_MARKS = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))


def decoded(data: bytes) -> str:
    """The text, its lines ended by line feeds. Raises UnreadableError.

    UTF-8 and UTF-16 with its mark are read as such, the rest as GB 18030 if it is that: comments in Chinese files are.
    """
    if len(data) > LARGEST:
        raise UnreadableError(Phrase("too-large", {"most": f"{LARGEST // 1024 // 1024} MB"}))
    encoding = next((name for mark, name in _MARKS if data.startswith(mark)), "utf-8")
    text = _decoded(data, encoding)
    if "\0" in text:
        raise UnreadableError(Phrase("nul"), text.count("\n", 0, text.index("\0")) + 1)
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _decoded(data: bytes, encoding: str) -> str:
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as fault:
        if encoding == "utf-8":
            try:
                return data.decode("gb18030")
            except UnicodeDecodeError:
                pass
        raise UnreadableError(Phrase("not-text"), data.count(b"\n", 0, fault.start) + 1) from None
