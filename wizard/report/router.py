"""What the gateways said, and what to enter there, as a person reads it in a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from wizard.diagnosis.verdict import Finding
from wizard.diagnosis.words import words
from wizard.model.forward import Forward
from wizard.model.gateway import Gateway, Took
from wizard.model.mapped import Held, stretches
from wizard.model.router_guide import Guide, commands, rows
from wizard.probes.gateway_change import Change
from wizard.report.gateway_words import changed, found, guide_words, held, pinholes
from wizard.report.gateway_words import mapping as spelt
from wizard.report.text import Terminal
from wizard.report.wrap import printable, wrap

_MOST_MAPPINGS = 40
"""Mappings of others that are listed; the rest is counted."""


class RouterPage:
    """Lines for one terminal. No line is wider than it, but for what is there to be copied."""

    def __init__(self, on: Terminal) -> None:
        self._on = on

    def gateways(self, gateways: Sequence[Gateway], forwards: Sequence[Forward]) -> Iterator[str]:
        """Each gateway: who it is, what it speaks, and what it has on the planned ports."""
        if not gateways:
            yield from self._flow("No router was found on any network of this computer.")
        for gateway in gateways:
            yield from self._gateway(gateway, forwards)
            yield ""

    def _gateway(self, gateway: Gateway, forwards: Sequence[Forward]) -> Iterator[str]:
        place = f"{gateway.address} on {gateway.interface}" + (", default route" if gateway.default else "")
        title = f"{gateway.title} ({place})" if gateway.title != gateway.address else place
        yield from self._flow(title, self._mark(gateway.answers))
        for spoken in gateway.spoken:
            yield from self._flow(found(spoken), f"    {self._mark(spoken.took is Took.GRANTED)}")
        if gateway.wan is not None:
            yield from self._flow(f"outer (WAN) address: {gateway.wan}", "    ")
        if told := pinholes(gateway):
            yield from self._flow(told, "    ")
        for stretch in stretches(gateway, forwards) if gateway.answers else ():
            fine = stretch.held is Held.MAPPED
            text = f"{stretch.forward.protocol} {stretch.outside} ({stretch.forward.name}): {held(stretch)}"
            yield from self._flow(text, f"    {self._mark(fine)}")
        if gateway.mappings and not forwards:
            for mapping in gateway.mappings[:_MOST_MAPPINGS]:
                yield from self._flow(f"{spelt(mapping)}  {mapping.description}", "    ")
        if (rest := len(gateway.mappings)) > (0 if forwards else _MOST_MAPPINGS):
            yield from self._flow(f"mappings that it lists in all: {rest}", "    ")

    def findings(self, findings: Sequence[Finding]) -> Iterator[str]:
        """What follows for the plan."""
        for number, finding in enumerate(findings, start=1):
            said = words(finding)
            yield from self._flow(said.title, f"{number}. ")
            yield from self._flow(said.detail, "   ")
            for line in said.remedy:
                if line.startswith("    "):
                    yield "   " + printable(line)
                else:
                    yield from self._flow(line, "   ")
            yield ""

    def change(self, change: Change) -> Iterator[str]:
        """One mapping made or taken away, or why not."""
        text = f"{change.wish} {spelt(change.mapping)}: {changed(change.spoken)}"
        yield from self._flow(text, self._mark(change.done))

    def guide(self, guide: Guide, forwards: Sequence[Forward]) -> Iterator[str]:
        """Where a router's port forwarding is, and the rules to enter."""
        said = guide_words()
        yield from self._flow(guide.title.en)
        host = next((forward.host for forward in forwards if forward.host), None) or said["unknown"]
        yield from self._flow(said["reserve"].replace("$host", host), "  1. ")
        yield from self._flow(f"{said['open']}: {', '.join(guide.addresses)}", "  2. ")
        yield from self._flow(f"{said['path']}: {' > '.join(step.en for step in guide.page)}", "  3. ")
        yield from self._flow(f"{said['rows']}:", "  4. ")
        for row in rows(guide, forwards):
            yield "       " + printable(row.text)
        if script := commands(guide, forwards):
            yield ""
            yield from self._flow(f"{said['commands']}:", "  ")
            yield from (f"    {printable(line)}" for line in script.splitlines())
        yield ""
        for quirk in guide.quirks:
            yield from self._flow(quirk.en, "  - ")
        yield from self._flow(said["hairpin"], "  - ")
        yield from self._flow(said["names"], "  - ")

    def _mark(self, fine: bool) -> str:
        marks = "✔?" if self._on.draws else "+?"
        return f"{marks[0] if fine else marks[1]} "

    def _flow(self, text: str, first: str = "") -> Iterator[str]:
        for number, line in enumerate(wrap(printable(text), max(40, self._on.columns) - len(first))):
            yield (" " * len(first) if number else first) + line
