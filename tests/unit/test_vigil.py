"""The watched time of a network card: told only as long as nothing can have been missed."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from wizard.vigil import STALLED_S, TELL_EVERY_S, Span, Vigil

HOST = "192.168.77.10"


@dataclass
class Scene:
    """A host whose card is glanced at."""

    now: float = 1000.0
    whole: bool = True
    address: str | None = HOST
    told: list[Span] = field(default_factory=list)

    def vigil(self) -> Vigil:
        return Vigil(lambda: self.whole, lambda: self.address, self.told.append, lambda: self.now)


def test_a_whole_watch_is_told_at_its_beginning_now_and_then_and_at_its_end() -> None:
    scene = Scene()
    vigil = scene.vigil()
    for second in range(13):
        scene.now = 1000.0 + second
        vigil.look()
    scene.now = 1012.5
    vigil.close()
    assert scene.told == [
        Span(HOST, 1000, 1000),
        Span(HOST, 1000, 1000 + TELL_EVERY_S),
        Span(HOST, 1000, 1012.5, over=True),
    ]


@pytest.mark.parametrize(
    "trouble",
    [
        {"whole": False},
        {"address": None},
        {"address": "192.168.77.11"},
        {"now": 1001 + STALLED_S + 1},
        {"now": 900.0},
    ],
)
def test_after_whatever_may_have_hidden_a_probe_another_span_begins(trouble: dict[str, object]) -> None:
    scene = Scene()
    vigil = scene.vigil()
    vigil.look()
    scene.now = 1001.0
    vigil.look()
    for name, value in trouble.items():
        setattr(scene, name, value)
    vigil.look()
    troubled, scene.now, scene.whole, scene.address = scene.now, scene.now + 1, True, HOST
    vigil.look()
    scene.now += 1
    vigil.close()
    assert scene.told[-1].over
    assert scene.told[-1].began >= troubled
