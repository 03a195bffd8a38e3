"""The colours, light and dark: plain values, so that the window and the PDF paint alike."""

from __future__ import annotations

from dataclasses import dataclass

from wizard.diagnosis.verdict import State


@dataclass(frozen=True, slots=True)
class Palette:
    """Colours as `#RRGGBB`. Text, muted and state colours have a contrast of 4.5:1 or more on ground and surface."""

    dark: bool
    ground: str
    rail: str
    surface: str
    text: str
    muted: str
    line: str
    open: str
    blocked: str
    suspect: str
    unknown: str
    accent: str
    accent_hover: str
    on_accent: str
    open_tint: str
    blocked_tint: str
    suspect_tint: str

    def of(self, state: State) -> str:
        """The colour of a state."""
        return {
            State.OPEN: self.open,
            State.BLOCKED: self.blocked,
            State.SUSPECT: self.suspect,
            State.UNKNOWN: self.unknown,
        }[state]

    def tint(self, state: State) -> str:
        """The background that a state may lie on."""
        return {
            State.OPEN: self.open_tint,
            State.BLOCKED: self.blocked_tint,
            State.SUSPECT: self.suspect_tint,
            State.UNKNOWN: self.surface,
        }[state]


LIGHT = Palette(
    dark=False,
    ground="#F6F7F9",
    rail="#EBEEF3",
    surface="#FFFFFF",
    text="#1B2430",
    muted="#566273",
    line="#D3DAE3",
    open="#0B7A4B",
    blocked="#B3261E",
    suspect="#8A5A00",
    unknown="#647084",
    accent="#2457C5",
    accent_hover="#1C479F",
    on_accent="#FFFFFF",
    open_tint="#E6F4EC",
    blocked_tint="#FBE9E7",
    suspect_tint="#FBF1DC",
)

DARK = Palette(
    dark=True,
    ground="#14181F",
    rail="#181D26",
    surface="#1C222C",
    text="#E8ECF2",
    muted="#A3AFBF",
    line="#36404E",
    open="#5ED6A0",
    blocked="#FF8A80",
    suspect="#F2C14E",
    unknown="#98A4B5",
    accent="#8AB1FF",
    accent_hover="#A9C6FF",
    on_accent="#14181F",
    open_tint="#173328",
    blocked_tint="#3C1F1F",
    suspect_tint="#372C14",
)
