"""How Chinese is set: a gap that was filled with Chinese stands close, one with Latin letters has its spaces."""

from __future__ import annotations

import re

_WIDE = "\u3001-\u303f\u3400-\u4dbf\u4e00-\u9fff\uff00-\uffef"
_BETWEEN = re.compile(f"(?<=[{_WIDE}]) (?=[{_WIDE}])")


def closed(text: str) -> str:
    """`text` without single spaces between two wide characters."""
    return _BETWEEN.sub("", text)
