"""What `hopwise router` does once its arguments are understood: ask, change, read again, and probe."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Iterable, Sequence
from contextlib import aclosing
from typing import Any

from wizard.cli.exits import EXIT_USAGE, complain
from wizard.cli.passwords import vantage_passwords
from wizard.diagnosis.engine import Diagnoser
from wizard.diagnosis.gateways import CODES
from wizard.diagnosis.verdict import Finding
from wizard.diagnosis.words import say
from wizard.model.forward import Forward, only
from wizard.model.gateway import Gateway, Mapping, Way, nearest
from wizard.model.key import probe_key
from wizard.model.mapped import Held, mappings_of, stretches
from wizard.model.port import OutsidePort
from wizard.model.project import Project
from wizard.observation import Fact
from wizard.probes.gateway import ask
from wizard.probes.gateway_change import DEFAULT_LIFETIME_S, Change, Wish, change
from wizard.probes.mapped import mapped
from wizard.progress import Result
from wizard.report.json import finding_to_json
from wizard.report.router import RouterPage
from wizard.report.router_json import change_to_json, gateway_to_json
from wizard.report.summary import sentence
from wizard.report.text import terminal
from wizard.session import Session
from wizard.vantage.streets import streets
from wizard.wire.uri import IceUri

_ASKED = {
    Wish.ADD: set(Held) - {Held.MAPPED},
    Wish.REMOVE: {Held.MAPPED, Held.DISABLED, Held.UNTOLD},
}
"""What is asked for and what is taken away; what is not as planned is not ours to take away."""


class RouterRun:
    """One run of the command."""

    def __init__(
        self, options: argparse.Namespace, project: Project | None, rules: Sequence[Forward], server: IceUri | None
    ) -> None:
        self._options = options
        self._project = project
        self._rules = rules
        self._server = server
        self._wish = Wish.ADD if options.add else Wish.REMOVE if options.remove else None
        self._page = RouterPage(terminal(sys.stdout, os.environ))

    async def run(self) -> int:
        """Returns the exit status: 0 if a router answered and did what it was asked to, 1 if not."""
        gateways = await ask(streets())
        facts: list[Fact] = [*gateways]
        if self._server is not None:
            seen = await mapped(self._server)
            if isinstance(seen, str):
                print(f"hopwise: --server {self._server.text}: {seen}", file=sys.stderr)
            else:
                facts.append(seen)
        changes: list[Change] = []
        checked: Result | None = None
        if self._wish is not None:
            chosen = self._chosen(gateways)
            if chosen is None:
                return EXIT_USAGE if self._options.gateway else self._nobody(gateways)
            self._tell(self._page.gateways(gateways, self._rules))
            changes = await self._change(chosen)
            if changes:
                gateways = await ask(streets())
                facts += gateways
                checked = await self._probe(changes)
        elif not self._options.json:
            self._tell(self._page.gateways(gateways, self._rules))
        findings = self._findings(facts)
        if self._options.json:
            print(json.dumps(self._json(gateways, findings, changes, checked), indent=1))
        else:
            self._tell(self._page.findings(findings))
        answered = any(gateway.answers for gateway in gateways)
        return 0 if answered and all(one.done for one in changes) else 1

    def _chosen(self, gateways: Sequence[Gateway]) -> Gateway | None:
        if self._options.gateway is None:
            return nearest(gateways, self._rules[0].host if self._rules else None)
        chosen = next((g for g in gateways if g.address == self._options.gateway), None)
        if chosen is None:
            found = ", ".join(g.address for g in gateways) or "none"
            complain(f"--gateway {self._options.gateway}: no such router was found; found: {found}")
        return chosen

    def _nobody(self, gateways: Sequence[Gateway]) -> int:
        if self._options.json:
            print(json.dumps(self._json(gateways, self._findings(gateways), [], None), indent=1))
        else:
            self._tell(self._page.gateways(gateways, self._rules))
        host = self._rules[0].host if self._rules else "?"
        print(f"hopwise: no router answers that could map ports to {host}; nothing was changed", file=sys.stderr)
        return 1

    async def _change(self, gateway: Gateway) -> list[Change]:
        assert self._wish is not None
        assert self._project is not None
        wanted: list[Mapping] = []
        for stretch in stretches(gateway, self._rules):
            if stretch.held in _ASKED[self._wish]:
                wanted += mappings_of(stretch.forward, stretch.outside)
        lifetime_s = DEFAULT_LIFETIME_S if self._options.lifetime is None else self._options.lifetime
        way = Way(self._options.by) if self._options.by else None
        life = f", for {lifetime_s} s" if lifetime_s else ", for good"
        if not wanted:
            self._tell([f"{gateway.title} has every port as asked for already.", ""])
            return []
        self._tell([self._intention(gateway, len(wanted), life if self._wish is Wish.ADD else "")])
        made: list[Change] = []
        async with aclosing(change(gateway, self._wish, wanted, lifetime_s, probe_key(self._project), way)) as changes:
            async for one in changes:
                made.append(one)
                self._tell(self._page.change(one))
        return made

    def _intention(self, gateway: Gateway, count: int, life: str) -> str:
        verb = "to map" if self._wish is Wish.ADD else "to take away the mappings of"
        ports = "1 port" if count == 1 else f"{count} ports"
        return f"Asking {gateway.title} at {gateway.address} on {gateway.interface} {verb} {ports}{life}."

    async def _probe(self, changes: Iterable[Change]) -> Result | None:
        """Probe the ports that were mapped, from every place that can be had here."""
        assert self._project is not None
        made = {(one.mapping.protocol, one.mapping.external) for one in changes if one.wish is Wish.ADD and one.done}
        ports = [
            OutsidePort(rule.protocol, outside)
            for rule in self._rules
            for outside, external in zip(rule.outside, rule.external, strict=True)
            if (rule.protocol, external) in made
        ]
        if not ports:
            return None
        session = Session(only(self._project, ports), passwords=vantage_passwords(self._project, self._options))
        async with aclosing(session.run()) as steps:
            async for _ in steps:
                pass
        self._tell(["", "Probed: " + sentence(session.project, session.diagnosis, "en")])
        for row in session.diagnosis.ports:
            reason = f", {say(row.reason)}" if row.reason else ""
            self._tell([f"    {row.protocol} {row.outside}: {row.state}{reason}"])
        self._tell([""])
        return session.result

    def _findings(self, facts: Iterable[Fact]) -> list[Finding]:
        if self._project is None:
            return []
        diagnoser = Diagnoser(self._project)
        diagnoser.extend(facts)
        return [finding for finding in diagnoser.diagnosis().findings if finding.code in CODES]

    def _json(
        self,
        gateways: Sequence[Gateway],
        findings: Sequence[Finding],
        changes: Sequence[Change],
        checked: Result | None,
    ) -> dict[str, Any]:
        rows = checked.diagnosis.ports if checked is not None else ()
        return {
            "format": 1,
            "project": self._project.name if self._project else None,
            "gateways": [gateway_to_json(gateway, self._rules) for gateway in gateways],
            "changes": [change_to_json(one) for one in changes],
            "checked": [
                {"protocol": row.protocol.value, "outside": str(row.outside), "state": row.state.value} for row in rows
            ],
            "findings": [finding_to_json(finding) for finding in findings],
        }

    def _tell(self, lines: Iterable[str]) -> None:
        if not self._options.json:
            for line in lines:
                print(line, flush=True)
