"""The command line."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from wizard import __version__

if TYPE_CHECKING:
    from wizard.model.project import Project
    from wizard.model.secret import Secret
    from wizard.observation import Observation
    from wizard.report.bench import BenchResult, Part
    from wizard.session import Result, Session

EXIT_USAGE = 2
EXIT_UNPROVEN = 3
EXIT_DEFECT = 70
"""Of Hopwise itself, as in sysexits.h. Python's own is 1, which here says that a port is blocked."""
EXIT_INTERRUPTED = 130

_DISPLAYS = ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one line."""

    def error(self, message: str) -> NoReturn:
        self.exit(EXIT_USAGE, f"{self.prog}: {message} (see {self.prog} --help)\n")


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command. Returns its exit status."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    parser, commands = _parser()
    _open_closed_streams()
    try:
        if not arguments or (arguments[0] not in commands and not arguments[0].startswith("-")):
            return _wizard(arguments, commands)
        options = parser.parse_args(arguments)
        status: int = options.run(options)
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED
    except BrokenPipeError:
        # The reader has gone; there is nobody left to tell.
        sys.stderr.close()
        return EXIT_INTERRUPTED
    except Exception:  # noqa: BLE001 - shown whole, not swallowed
        import traceback

        traceback.print_exc()
        return EXIT_DEFECT
    return status


def _open_closed_streams() -> None:
    """Give whoever closed standard output or error a place to write to all the same: its number is then no socket's."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, os.fdopen(os.open(os.devnull, os.O_WRONLY), "w", encoding="utf-8"))


def _wizard(arguments: Sequence[str], commands: Sequence[str]) -> int:
    if len(arguments) > 1 or (arguments and not Path(arguments[0]).exists()):
        word = arguments[0]
        return _complain(f"{word}: neither a project file nor a command; the commands are {', '.join(commands)}")
    if sys.platform.startswith("linux") and not any(map(os.environ.get, _DISPLAYS)):
        # Qt would abort without a word that helps.
        return _complain("there is no display for the wizard; in a terminal use hopwise check PROJECT or hopwise demo")
    from wizard.gui.app import main as wizard_main

    return wizard_main(list(arguments))


def _parser() -> tuple[argparse.ArgumentParser, list[str]]:
    parser = _Parser(
        prog="hopwise",
        usage="hopwise [PROJECT] | hopwise COMMAND …",
        description="Finds the hop that stops a self-hosted call, and says how to mend it. "
        "Without a command it opens the wizard.",
    )
    parser.add_argument("--version", action="version", version=f"hopwise {__version__}")
    commands = parser.add_subparsers(
        title="commands", metavar="COMMAND", required=True, parser_class=_Parser, prog="hopwise"
    )

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
    check.add_argument("--timeout", metavar="S", type=_seconds, help="seconds after which silence is believed")
    _add_password(check)
    check.set_defaults(run=_check)

    respond = commands.add_parser("respond", help="answer the probes, on the service's host")
    respond.add_argument("project", metavar="PROJECT", type=Path)
    respond.add_argument("--json", action="store_true", help="print each probe that arrives as a line of JSON")
    respond.add_argument("--at", metavar="HOP", help="whose port numbers to answer on (default: the last hop)")
    respond.add_argument("--minutes", metavar="N", type=_minutes, default=30.0, help="stop after N minutes (30)")
    respond.add_argument(
        "--print", dest="printed", action="store_true", help="print a script that does the same with bare Python"
    )
    respond.set_defaults(run=_respond)

    ice = commands.add_parser("ice", help="gather candidates from STUN and TURN servers, and say why one fails")
    ice.add_argument("--server", metavar="URL", action="append", default=[], help="stun:, stuns:, turn: or turns: URL")
    ice.add_argument(
        "--servers", metavar="FILE", type=Path, help="an RTCConfiguration as JSON or JavaScript, or a turnserver.conf"
    )
    ice.add_argument("--username", metavar="U")
    ice.add_argument("--relay-only", action="store_true", help="relay candidates only")
    ice.add_argument("--interface", metavar="NAME", help="send through this network interface only")
    ice.add_argument(
        "--ca", metavar="FILE", type=Path, help="believe the authorities in this PEM file instead of the system's"
    )
    ice.add_argument("--family", type=int, choices=(4, 6), help="IPv4 or IPv6 only")
    ice.add_argument("--json", action="store_true")
    _add_reports(ice)
    _add_password(ice)
    ice.set_defaults(run=_ice)

    nat = commands.add_parser("nat", help="what the NAT on the way does, and whether you need STUN or TURN")
    nat.add_argument(
        "--server", metavar="URL", action="append", default=[], help="stun: or turn: URL (repeatable: two tell more)"
    )
    nat.add_argument("--lifetime", action="store_true", help="also how long an unused mapping lives: takes 5 minutes")
    nat.add_argument("--json", action="store_true")
    _add_reports(nat)
    nat.set_defaults(run=_nat)

    turn = commands.add_parser("turn", help="relay a call's packets through a TURN server, and say how well it does")
    turn.add_argument("url", metavar="URL", help="turn: or turns: URL")
    turn.add_argument("--username", metavar="U", required=True)
    turn.add_argument("--seconds", metavar="S", type=_call_seconds, default=5.0, help="how long to send (5)")
    turn.add_argument(
        "--call", action="store_true", help="also connect two ICE agents, and say whether TURN was needed"
    )
    turn.add_argument(
        "--capacity",
        type=int,
        choices=(10, 50, 200),
        help="also how many sessions it carries; for your own server only",
    )
    turn.add_argument("--mbit", metavar="M", type=_mbit, help="Mbit/s of each session (0.5 for 10 sessions, else 1)")
    turn.add_argument("--own", action="store_true", help="confirm that the server is yours to load")
    turn.add_argument("--peer-family", type=int, choices=(4, 6), help="relay over IPv4 or IPv6")
    turn.add_argument("--min-port", metavar="P", type=_port, help="the first relay port, as the server is configured")
    turn.add_argument("--max-port", metavar="P", type=_port, help="the last one")
    turn.add_argument(
        "--ca", metavar="FILE", type=Path, help="believe the authorities in this PEM file instead of the system's"
    )
    turn.add_argument("--json", action="store_true")
    _add_reports(turn)
    _add_password(turn)
    turn.set_defaults(run=_turn)

    audit = commands.add_parser("audit", help="what is unsafe about a turnserver.conf or a running TURN server")
    audit.add_argument("target", metavar="FILE|URL", help="a turnserver.conf, or a turn: or turns: URL")
    audit.add_argument("--username", metavar="U")
    audit.add_argument(
        "--secret-stdin",
        action="store_true",
        help="read the shared secret of use-auth-secret from standard input, and log in with what it mints",
    )
    audit.add_argument("--own", action="store_true", help="the server is mine: try its limits and its own ports too")
    audit.add_argument("--harden", metavar="FILE", type=Path, help="also write the configuration with its holes closed")
    audit.add_argument(
        "--ca", metavar="FILE", type=Path, help="believe the authorities in this PEM file instead of the system's"
    )
    audit.add_argument("--json", action="store_true")
    _add_reports(audit)
    _add_password(audit)
    audit.set_defaults(run=_audit)

    presets = commands.add_parser("presets", help="list the services that Hopwise knows")
    presets.set_defaults(run=_presets)

    demo = commands.add_parser("demo", help="a practice network on this computer, with faults to find")
    demo.add_argument("--pdf", metavar="FILE", type=Path, help="where to write the report")
    demo.set_defaults(run=_demo)
    return parser, list(commands.choices)


def _add_password(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--password-stdin", action="store_true", help="read the TURN password from the first line of standard input"
    )


def _add_reports(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--pdf", metavar="FILE", type=Path, help="also write the report as a PDF")
    parser.add_argument("--markdown", metavar="FILE", type=Path, help="also write the report as Markdown")


def _seconds(text: str) -> float:
    return _number(text, "seconds", 0.2, 600)


def _minutes(text: str) -> float:
    return _number(text, "minutes", 0.01, 7 * 24 * 60)


def _call_seconds(text: str) -> float:
    return _number(text, "seconds", 1, 240)


def _mbit(text: str) -> float:
    return _number(text, "Mbit/s", 0.05, 1)


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 5 and 1 <= int(text) <= 65535):
        raise argparse.ArgumentTypeError(f"{text!r} is not a port; ports run from 1 to 65535")
    return int(text)


def _number(text: str, unit: str, least: float, most: float) -> float:
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not least <= value <= most:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of {unit} from {least:g} to {most:g}")
    return value


def _complain(message: str) -> int:
    print(f"hopwise: {message}", file=sys.stderr)
    return EXIT_USAGE


# Each command imports what it needs, so that none pays for another's libraries.


def _check(options: argparse.Namespace) -> int:
    project = _load(options.project)
    if project is None:
        return EXIT_USAGE
    if options.vantage:
        known = [vantage.id for vantage in project.places()]
        for name in options.vantage:
            if name not in known:
                return _complain(f"--vantage {name}: {options.project} has no such vantage; it has {', '.join(known)}")
    from wizard.report.earlier import EarlierError, read_observations

    earlier: list[Observation] = []
    for path in options.earlier:
        try:
            observations, notes = read_observations(path.read_text(encoding="utf-8"), project)
        except (OSError, UnicodeDecodeError, EarlierError) as error:
            return _complain(f"--with {path}: {_reason(error)}")
        earlier += observations
        for note in notes:
            print(f"hopwise: --with {path}: {note}", file=sys.stderr)
    from wizard.probes.persistence import DEFAULT_TIMEOUT_S
    from wizard.session import Session

    session = Session(
        project,
        vantages=options.vantage,
        earlier=earlier,
        timeout_s=options.timeout or DEFAULT_TIMEOUT_S,
        passwords=_passwords(project, options),
    )
    return _run_session(session, as_json=options.json, pdf=options.pdf)


def _run_session(session: Session, *, as_json: bool, pdf: Path | None) -> int:
    """Run, print, write the report. Returns the exit status that the verdict has."""
    import asyncio

    from wizard.diagnosis.verdict import State

    result = asyncio.run(_follow(session))
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
        return _complain(f"the result cannot be written: {_reason(error)}")
    if pdf is not None:
        from wizard.gui.pdf import write_pdf

        try:
            write_pdf(result, pdf)
        except OSError as error:
            return _complain(f"--pdf {pdf}: {_reason(error)}")
        print(f"The report is in {pdf}", file=sys.stderr)
    return {State.OPEN: 0, State.BLOCKED: 1}.get(result.diagnosis.state, EXIT_UNPROVEN)


async def _follow(session: Session) -> Result:
    from wizard.session import Learnt, Skipped

    counting = sys.stderr.isatty()
    async for progress in session.run():
        match progress:
            case Skipped(vantage, reason):
                print(f"hopwise: not tested from {vantage}: {reason}", file=sys.stderr)
            case Learnt(_, done, planned) if counting:
                print(f"\r{done} of {planned} probes decided ", end="", file=sys.stderr, flush=True)
            case _:
                pass
    if counting:
        print("\r\033[K", end="", file=sys.stderr, flush=True)
    return session.result


def _load(path: Path) -> Project | None:
    from wizard.model.load import ProjectError, load

    try:
        return load(path)
    except ProjectError as error:
        for problem in error.problems:
            print(f"hopwise: {problem}", file=sys.stderr)
    except OSError as error:
        _complain(f"{path}: {_reason(error)}")
    return None


def _reason(error: BaseException) -> str:
    return getattr(error, "strerror", None) or str(error)


def _passwords(project: Project, options: argparse.Namespace) -> dict[str, Secret]:
    """The password of each TURN vantage, by its id: from standard input, the environment or the keyring."""
    from wizard.model.vantage import VantageKind

    wanted = [v for v in project.vantages if v.kind is VantageKind.TURN]
    if not wanted:
        return {}
    given = _given_password(options)
    if given is not None:
        return {vantage.id: given for vantage in wanted}
    found = {vantage.id: _kept_password(vantage.server or "", vantage.username or "") for vantage in wanted}
    return {name: secret for name, secret in found.items() if secret is not None}


def _given_password(options: argparse.Namespace) -> Secret | None:
    from wizard.model.secret import Secret

    # Taken out, so that no program that we start inherits it.
    value = os.environ.pop("HOPWISE_TURN_PASSWORD", None)
    if options.password_stdin:
        return Secret(sys.stdin.readline().rstrip("\r\n"))
    return Secret(value) if value else None


def _respond(options: argparse.Namespace) -> int:
    project = _load(options.project)
    if project is None:
        return EXIT_USAGE
    hops = [hop.id for hop in project.hops]
    if options.at is not None and options.at not in hops:
        return _complain(f"--at {options.at}: {options.project} has no such hop; it has {', '.join(hops)}")
    from wizard.report.responder import printed, respond

    if options.printed:
        print(printed(project, options.at, options.minutes), end="")
        return 0
    return respond(project, options.at, options.minutes, as_json=options.json)


def _ice(options: argparse.Namespace) -> int:
    from wizard.report.ice import run_ice

    password = _given_password(options)
    return _reported(options, lambda tell: run_ice(options, password, _kept_password, tell=tell))


def _nat(options: argparse.Namespace) -> int:
    from wizard.report.nat import run_nat

    return _reported(options, lambda tell: run_nat(options, tell=tell))


def _turn(options: argparse.Namespace) -> int:
    from wizard.report.turn_command import run_turn

    password = _given_password(options)
    return _reported(options, lambda tell: run_turn(options, password, _kept_password, tell=tell))


def _audit(options: argparse.Namespace) -> int:
    from wizard.model.secret import Secret
    from wizard.report.audit import run_audit

    def given() -> Secret | None:
        return Secret(sys.stdin.readline().rstrip("\r\n")) if options.secret_stdin else _given_password(options)

    return _reported(options, lambda tell: run_audit(options, given, _kept_password, tell=tell))


def _reported(options: argparse.Namespace, run: Callable[[Callable[[Part], object]], int]) -> int:
    """Run a test, and write the reports that were asked for of what it tells. Returns its exit status, or 2 if one
    cannot be written."""
    parts: list[Part] = []
    started = datetime.now(UTC)
    status = run(parts.append)
    if not parts:
        return status
    from wizard.report.bench import bench_of

    bench = bench_of(started, (datetime.now(UTC) - started).total_seconds(), parts)
    for name, path, write in (
        ("--markdown", options.markdown, _write_bench_markdown),
        ("--pdf", options.pdf, _write_bench_pdf),
    ):
        if path is None:
            continue
        try:
            write(bench, path)
        except OSError as error:
            status = _complain(f"{name} {path}: {_reason(error)}")
        else:
            print(f"The report is in {path}", file=sys.stderr)
    return status


def _write_bench_markdown(bench: BenchResult, path: Path) -> None:
    from wizard.model.atomic import write_whole
    from wizard.report.bench_markdown import to_markdown

    write_whole(path, to_markdown(bench).encode("utf-8"))


def _write_bench_pdf(bench: BenchResult, path: Path) -> None:
    from wizard.gui.bench_pdf import write_bench_pdf

    write_bench_pdf(bench, path)


def _kept_password(server: str, username: str) -> Secret | None:
    from wizard.system.keyring import find

    return find(server, username)


def _presets(_: argparse.Namespace) -> int:
    from wizard.model.presets import presets

    for preset in presets():
        print(f"{preset.id:22} {preset.title.en}")
    return 0


def _demo(options: argparse.Namespace) -> int:
    import asyncio

    from wizard.practice.demo import demo

    path: Path = options.pdf or Path("hopwise-practice.pdf")

    def report(result: Result) -> str:
        try:
            from wizard.gui.pdf import write_pdf

            write_pdf(result, path)
        except (ImportError, OSError) as error:
            return f"There is no report: {_reason(error)}"
        return f"The report is in {path}"

    try:
        return asyncio.run(demo(sys.stdout, sys.stdin if sys.stdin.isatty() else None, report))
    except OSError as error:
        return _complain(f"demo: {_reason(error)}")


if __name__ == "__main__":
    sys.exit(main())
