"""Sets of numbers (addresses, ports, marks) as ascending stretches that do not touch."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator

Span = tuple[int, int]
"""First and last, both included."""
Spans = tuple[Span, ...]
NONE: Spans = ()
PORTS: Spans = ((1, 65535),)


def normal(spans: Iterable[Span]) -> Spans:
    """The same numbers, in order and merged."""
    found: list[Span] = []
    for first, last in sorted(spans):
        if found and first <= found[-1][1] + 1:
            if last > found[-1][1]:
                found[-1] = (found[-1][0], last)
        else:
            found.append((first, last))
    return tuple(found)


def holds(spans: Spans, number: int) -> bool:
    """Whether the number is among them."""
    at = bisect_right(spans, number, key=_first) - 1
    return at >= 0 and number <= spans[at][1]


def united(a: Spans, b: Spans) -> Spans:
    """What is in either."""
    if not a or not b:
        return a or b
    return normal((*a, *b))


def common(a: Spans, b: Spans) -> Spans:
    """What is in both. Quick where one of them is short."""
    if len(a) < len(b):
        a, b = b, a
    found: list[Span] = []
    for first, last in b:
        start, end = _touched(a, first, last)
        found.extend((max(first, x), min(last, y)) for x, y in a[start:end])
    return tuple(found)


def without(a: Spans, b: Spans) -> Spans:
    """What is in `a` and not in `b`. Quick where `b` is short."""
    if len(b) > len(a):
        return tuple(piece for first, last in a for piece in _pieces(first, last, b))
    for first, last in b:
        start, end = _touched(a, first, last)
        if start < end:
            edges = ((a[start][0], first - 1), (last + 1, a[end - 1][1]))
            a = a[:start] + tuple((x, y) for x, y in edges if x <= y) + a[end:]
    return a


def _pieces(first: int, last: int, holes: Spans) -> Iterator[Span]:
    """What is left of a stretch."""
    start, end = _touched(holes, first, last)
    for hole, hole_end in holes[start:end]:
        if first < hole:
            yield first, hole - 1
        first = hole_end + 1
    if first <= last:
        yield first, last


def size(spans: Spans) -> int:
    """How many numbers they are."""
    return sum(last - first + 1 for first, last in spans)


def _touched(spans: Spans, first: int, last: int) -> tuple[int, int]:
    """The slice of those that share a number with a stretch."""
    return bisect_left(spans, first, key=_last), bisect_right(spans, last, key=_first)


def _first(span: Span) -> int:
    return span[0]


def _last(span: Span) -> int:
    return span[1]
