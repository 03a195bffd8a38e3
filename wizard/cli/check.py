"""`hopwise check`: probes every port, names the hop that stops it."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from wizard.cli.arguments import add_password, seconds, ssh_destination
from wizard.cli.exits import EXIT_USAGE, complain, reason
from wizard.cli.outcome import tell_progress, verdict_status, write_report
from wizard.cli.passwords import vantage_passwords
from wizard.cli.project import load_project, usable_configs

if TYPE_CHECKING:
    from wizard.cli.arguments import Commands
    from wizard.model.project import Project
    from wizard.observation import Configured, Observation
    from wizard.progress import Result
    from wizard.session import Session


def add(commands: Commands) -> None:
    """Add it to the commands."""
    check = commands.add_parser("check", help="probe every port, name the hop that stops it, say what to do")
    check.add_argument("project", metavar="PROJECT", type=Path)
    check.add_argument("--json", action="store_true", help="print the result as JSON")
    check.add_argument("--pdf", metavar="FILE", type=Path, help="also write the report as a PDF")
    check.add_argument("--vantage", metavar="ID", action="append", help="test from this place only (repeatable)")
    check.add_argument(
        "--with",
        dest="earlier",
        metavar="FILE",
        type=Path,
        action="append",
        default=[],
        help="add what an earlier check --json or respond --json saw, on this computer or another (repeatable)",
    )
    check.add_argument("--timeout", metavar="S", type=seconds, help="seconds after which silence is believed")
    check.add_argument(
        "--respond-by-ssh",
        dest="respond_on",
        metavar="USER@HOST",
        type=ssh_destination,
        help="start the responder on the service's host over SSH, and end it with the run",
    )
    check.add_argument(
        "--watch",
        action="store_true",
        help="go on until Ctrl-C, and tell each change as it happens; with --json, a whole result on a line each time",
    )
    check.add_argument(
        "--metrics", metavar="FILE", type=Path, help="with --watch: keep the state in a file that Prometheus reads"
    )
    add_password(check)
    check.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    project = load_project(options.project)
    if project is None:
        return EXIT_USAGE
    if options.vantage:
        known = [vantage.id for vantage in project.places()]
        for name in options.vantage:
            if name not in known:
                return complain(f"--vantage {name}: {options.project} has no such vantage; it has {', '.join(known)}")
    if options.metrics is not None and not options.watch:
        return complain("--metrics: it goes with --watch, which keeps the file up to date")
    from wizard.report.earlier import EarlierError, read_observations

    earlier: list[Observation] = []
    for path in options.earlier:
        try:
            observations, notes = read_observations(path.read_text(encoding="utf-8"), project)
        except (OSError, UnicodeDecodeError, EarlierError) as error:
            return complain(f"--with {path}: {reason(error)}")
        earlier += observations
        for note in notes:
            print(f"hopwise: --with {path}: {note}", file=sys.stderr)
    from wizard.probes.persistence import DEFAULT_TIMEOUT_S
    from wizard.session import Session

    session = Session(
        project,
        configured=_configured(project, options.project.parent),
        vantages=options.vantage,
        earlier=earlier,
        timeout_s=options.timeout or DEFAULT_TIMEOUT_S,
        passwords=vantage_passwords(project, options),
        respond_on=options.respond_on,
    )
    if options.watch:
        from wizard.cli.watch import watch

        return watch(session, as_json=options.json, metrics=options.metrics, pdf=options.pdf)
    return _run_session(session, as_json=options.json, pdf=options.pdf)


def _configured(project: Project, folder: Path) -> tuple[Configured, ...]:
    """What the project's configuration files say. One that cannot be read is told and passed over."""
    if not project.configs:
        return ()
    from wizard.configs.coverage import coverage

    return coverage(project, usable_configs(project, folder))


def _run_session(session: Session, *, as_json: bool, pdf: Path | None) -> int:
    """Run, print, write the report. Returns the exit status that the verdict has."""
    import asyncio

    from wizard.progress import NoResponderError

    try:
        result = asyncio.run(_follow(session))
    except NoResponderError as error:
        return complain(f"--respond-by-ssh: {error}")
    if as_json:
        from wizard.report.json import dumps

        text = dumps(result)
    else:
        from wizard.report.text import terminal, to_text

        text = to_text(result, terminal(sys.stdout, os.environ))
    try:
        print(text, flush=True)
    except BrokenPipeError:
        raise
    except OSError as error:
        return complain(f"the result cannot be written: {reason(error)}")
    return write_report(result, pdf) or verdict_status(result)


async def _follow(session: Session) -> Result:
    async for progress in session.run():
        tell_progress(progress)
    tell_progress(None)
    return session.result
