"""Everybody can read it."""

import pytest
from PySide6.QtGui import QColor

from wizard.diagnosis.verdict import State
from wizard.gui.palette import DARK, LIGHT


def luminance(colour):
    parts = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in QColor(colour).getRgbF()[:3]]
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]


def contrast(one, other):
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("palette", [LIGHT, DARK], ids=["light", "dark"])
def test_text_has_a_contrast_of_four_and_a_half_on_everything_it_lies_on(palette):
    for ground in (palette.ground, palette.surface, palette.rail):
        assert contrast(palette.text, ground) >= 4.5
        assert contrast(palette.muted, ground) >= 4.5
    for state in State:
        for ground in (palette.surface, palette.tint(state)):
            assert contrast(palette.of(state), ground) >= 4.5, state
        assert contrast(palette.text, palette.tint(state)) >= 4.5
    assert contrast(palette.on_accent, palette.accent) >= 4.5
    assert contrast(palette.on_accent, palette.accent_hover) >= 4.5
    assert contrast(palette.accent, palette.surface) >= 4.5
    assert contrast(palette.unknown, palette.ground) >= 4.5
