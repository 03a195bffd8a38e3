"""Sentences that the program makes while it works, in the reader's language; what others say stays as they said it."""

from __future__ import annotations

import re
import tomllib
from functools import cache

from wizard.model.resource import resource

_CHINESE = "zh_CN"
_DEEPEST = 3
"""Sentences within the gaps of sentences."""
_GAP = re.compile(r"\{(\w+)\}")


def said(text: str, language: str) -> str:
    """`text` in that language, where it is a sentence of ours; else as it is."""
    return text if language != _CHINESE else _in_chinese(text, _DEEPEST)


def _in_chinese(text: str, depth: int) -> str:
    whole, patterns = _sentences()
    if text in whole:
        return whole[text]
    for pattern, chinese in patterns if depth else ():
        found = pattern.fullmatch(text)
        if found is not None:
            return chinese.format(**{name: _in_chinese(gap, depth - 1) for name, gap in found.groupdict().items()})
    # What is said of a place has the place before it.
    place, colon, rest = text.partition(": ")
    inner = _in_chinese(rest, depth - 1) if colon and depth else rest
    return f"{place}：{inner}" if inner != rest else text


@cache
def _sentences() -> tuple[dict[str, str], list[tuple[re.Pattern[str], str]]]:
    table: dict[str, str] = tomllib.loads(resource("said", f"{_CHINESE}.toml").read_text(encoding="utf-8"))
    whole = {english: chinese for english, chinese in table.items() if not _GAP.search(english)}
    patterns = []
    for english, chinese in table.items():
        if english in whole:
            continue
        parts = _GAP.split(english)
        spelled = "".join(re.escape(part) if at % 2 == 0 else f"(?P<{part}>.+?)" for at, part in enumerate(parts))
        patterns.append((re.compile(spelled), chinese))
    return whole, patterns
