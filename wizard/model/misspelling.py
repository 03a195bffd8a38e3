"""Which known word somebody meant."""

from __future__ import annotations

import re
from collections.abc import Iterable

_LONGEST = 40


def misspelt(word: str, known: Iterable[str]) -> str | None:
    """The known word nearest to `word`: the same but for case and hyphens, or one or two letters off. Else None."""
    if len(word) > _LONGEST:
        return None
    plain = _plain(word)
    limit = 2 if len(plain) >= 6 else 1 if len(plain) >= 3 else 0
    best: tuple[int, str] | None = None
    for candidate in known:
        other = _plain(candidate)
        # Each letter that only one of them has costs an edit at least, or half of one where it is replaced.
        if abs(len(other) - len(plain)) > limit or len(set(other) ^ set(plain)) > 2 * limit:
            continue
        edits = _edits(plain, other)
        if edits <= limit and (best is None or edits < best[0]):
            best = edits, candidate
    return best[1] if best else None


def _plain(word: str) -> str:
    return re.sub(r"[-_ ]", "", word.lower())


def _edits(a: str, b: str) -> int:
    """Letters to insert, remove, replace or swap with a neighbour to turn `a` into `b`."""
    before: list[int] = []
    row = list(range(len(b) + 1))
    for i, letter in enumerate(a, 1):
        following = [i]
        for j, other in enumerate(b, 1):
            cost = min(row[j] + 1, following[j - 1] + 1, row[j - 1] + (letter != other))
            if i > 1 and j > 1 and letter == b[j - 2] and a[i - 2] == other:
                cost = min(cost, before[j - 2] + 1)
            following.append(cost)
        before, row = row, following
    return row[-1]
