"""`hopwise respond`: a project's responder on this host, or as a script for a host where nothing is installed."""

from __future__ import annotations

import ast
import base64
import sys
import zlib
from collections.abc import Iterator
from datetime import datetime
from typing import TextIO

from wizard.model.key import probe_key
from wizard.model.port import PortPlan, Protocol
from wizard.model.project import Project, arrival_numbers, translator_of
from wizard.observation import RESPONDER, Observation, Outcome
from wizard.report.responder_terminal import Holder, run, seen_line
from wizard.system.listening import inspect
from wizard.vantage.far_script import carried
from wizard.wire.response import ResponderPlan, Route, Seen

CARRIED = (
    "wire/probe.py",
    "wire/packet.py",
    "wire/response.py",
    "wire/syn.py",
    "card.py",
    "vigil.py",
    "responder.py",
    "report/responder_terminal.py",
)
"""The sources that make up the printed responder, in the order in which they build on one another."""


def responder_plan(project: Project, at: str | None = None) -> ResponderPlan:
    """What a responder in the place of the hop `at` must know; the last hop by default. Raises KeyError."""
    position = len(project.hops) - 1 if at is None else project.index(at)
    hop = project.hops[position]
    return ResponderPlan(
        key=probe_key(project),
        hop=hop.id,
        address=hop.address,
        ports=tuple(_range(project, plan, position) for plan in project.ports),
        addresses=tuple(dict.fromkeys(_addresses(project, position))),
        routes=tuple(
            Route(project.hops[entry].id, *_range(project, plan, entry), _range(project, plan, position)[1])
            for entry in range(position + 1)
            for plan in project.ports
        ),
        vantages=tuple(vantage.id for vantage in project.places()),
    )


def respond(
    project: Project,
    at: str | None,
    minutes: float,
    *,
    as_json: bool = False,
    out: TextIO | None = None,
    err: TextIO | None = None,
) -> int:
    """Answer the project's probes here until Ctrl-C, SIGTERM or the minutes' end. Returns the exit status."""
    plan = responder_plan(project, at)
    return run(plan, minutes, as_json, out or sys.stdout, err or sys.stderr, _holders)


def printed(project: Project, at: str | None, minutes: float) -> str:
    """One Python script, standard library only and 3.8 or later, that does the same on its own."""
    plan = responder_plan(project, at)
    return (
        "#!/usr/bin/env python3\n"
        "# Hopwise responder. It needs Python 3.8 or later and nothing else. On the service's host:\n"
        "#     python3 - < this-file\n"
        "# It answers the signed probes of one project on the planned ports that nothing else holds, and stops by\n"
        f"# itself after {minutes:g} minutes. --json prints each probe that arrives; --minutes N changes the time.\n"
        "# The probe key of the project is in this file. It signs probes and nothing else.\n\n"
        "from __future__ import annotations\n\n"
        f"{carried(CARRIED)}\n\n"
        f"PLAN = {plan!a}\n\n"
        'if __name__ == "__main__":\n'
        f"    sys.exit(main(PLAN, {float(minutes)!r}))\n"
    )


def one_line(project: Project, minutes: float) -> str:
    """The same script as one line to be pasted into a shell on the service's host."""
    tree = ast.parse(printed(project, None, minutes))
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            # What only a reader needs would make the line twice as long.
            node.body = [one for one in node.body if not _is_text(one)] or [ast.Pass()]
    packed = base64.b64encode(zlib.compress(ast.unparse(tree).encode(), 9)).decode()
    return f"python3 -c \"import base64,zlib;exec(zlib.decompress(base64.b64decode('{packed}')))\""


def observation(plan: ResponderPlan, seen: Seen, at: datetime) -> Observation:
    """What a responder on this computer saw, as others report it with `--json`."""
    line = seen_line(plan, seen, "")
    return Observation(
        vantage=RESPONDER,
        enters=line["enters"],
        address=line["address"],
        port=line["port"],
        protocol=Protocol(line["protocol"]),
        outcome=Outcome(line["outcome"]),
        at=at,
        seen_as=line["seen_as"],
        error=line.get("error"),
        stands_at=line["stands_at"],
        came_in_on=line["came_in_on"],
        probe_vantage=line["probe_vantage"],
        probe_enters=line["probe_enters"],
    )


def _is_text(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def _range(project: Project, plan: PortPlan, position: int) -> tuple[str, int, int]:
    first = arrival_numbers(project.hops, plan, plan.outside.first)[position]
    return plan.protocol.value, first, first + len(plan.outside) - 1


def _addresses(project: Project, position: int) -> Iterator[str]:
    """The addresses of the hops between the translating hops around `position`.

    Within that stretch nothing changes a packet's destination, so that all its addresses are one host's. The inner
    translating hop counts: it is entered by an address of this stretch.
    """
    outer = translator_of(project.hops, position)
    for hop in project.hops[0 if outer is None else outer + 1 :]:
        if hop.address is not None:
            yield hop.address
        if hop.kind.translates:
            return


def _holders() -> Iterator[Holder]:
    inspected = inspect()
    for found in inspected.sockets if inspected else ():
        yield Holder(found.protocol.value, found.port, found.address, found.program, found.pid)
