"""An audit as a person reads it, as the JSON that scripts read, and the command that makes it."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TextIO

from wizard.audit.finding import Audit, AuditFinding
from wizard.audit.harden import harden
from wizard.audit.rules import audit_file
from wizard.audit.words import finding_words, not_checked_words, phrase
from wizard.configs.turnserver import Turnserver, parse
from wizard.diagnosis.verdict import Severity
from wizard.model.atomic import write_whole
from wizard.model.secret import Secret
from wizard.probes.audit import AuditError, Options, audit_server
from wizard.report.login import Logins, believed, worded
from wizard.report.text import Terminal, terminal
from wizard.report.wording import ENGLISH, wording
from wizard.report.wrap import printable, wrap
from wizard.wire import uri
from wizard.wire.long_term import Credentials
from wizard.wire.rest_credentials import RestCredentials, mint

FORMAT = 1
LARGEST = 4 << 20
"""Bytes of a file that may be a configuration."""
MINTED_S = 3600
"""How long credentials that are made for an audit are good."""
_PASSED, _FOUND, _USAGE = 0, 1, 2
_SCHEMES = ("turn:", "turns:", "stun:", "stuns:")
_MARKS = {Severity.ERROR: "✖", Severity.WARNING: "▲", Severity.INFO: "·"}
_ASCII_MARKS = {Severity.ERROR: "x", Severity.WARNING: "!", Severity.INFO: "-"}
_COLOURS = {Severity.ERROR: "1;31", Severity.WARNING: "33", Severity.INFO: "2"}


def to_json(audit: Audit, language: str = ENGLISH) -> dict[str, Any]:
    """The audit in the shape that scripts depend on."""
    return {
        "format": FORMAT,
        "target": audit.target,
        "findings": [
            {
                "code": finding.code,
                "severity": finding.severity.value,
                "minutes": finding.minutes,
                "where": finding.where,
                "title": (words := finding_words(finding, language)).title,
                "detail": words.detail,
                "change": list(finding.change),
            }
            for finding in audit.findings
        ],
        "not_checked": [
            {"code": missing.code, "title": (words := not_checked_words(missing, language)).title, "how": words.detail}
            for missing in audit.not_checked
        ],
        "unknown_options": [{"name": option.name or None, "line": option.line} for option in audit.unknown_options],
    }


def to_text(audit: Audit, on: Terminal | None = None, language: str = ENGLISH) -> str:
    """The findings, the worst first, each with the exact change; then what was not checked, and how to."""
    on = on or Terminal()
    lines = [printable(audit.target), count_words(audit, language)]
    for finding in audit.findings:
        lines += ["", *_finding_lines(finding, on, language)]
    if audit.unknown_options:
        lines += ["", phrase("unknown", language)]
        for option in audit.unknown_options:
            name = option.name or phrase("unnamed", language)
            lines.append("  " + phrase("line", language, line=option.line, name=name))
    if audit.not_checked:
        lines += ["", phrase("not-checked", language)]
    for missing in audit.not_checked:
        words = not_checked_words(missing, language)
        lines += [f"  {line}" for line in wrap(printable(words.title), on.columns - 2)]
        lines += [f"      {line}" for line in wrap(printable(words.detail), on.columns - 6)]
    return "\n".join(line.encode(on.encoding, "replace").decode(on.encoding) for line in lines)


def count_words(audit: Audit, language: str = ENGLISH) -> str:
    """How much was found."""
    if not audit.findings:
        return phrase("none", language)
    counts = {severity: sum(f.severity is severity for f in audit.findings) for severity in Severity}
    return phrase(
        "count",
        language,
        errors=counts[Severity.ERROR],
        warnings=counts[Severity.WARNING],
        infos=counts[Severity.INFO],
    )


def _finding_lines(finding: AuditFinding, on: Terminal, language: str) -> list[str]:
    words = finding_words(finding, language)
    mark = (_MARKS if on.draws else _ASCII_MARKS)[finding.severity]
    word = wording(f"severity-{finding.severity.value}", language)
    head = f"{mark} {word}, {phrase('minutes', language, count=finding.minutes)}  {printable(finding.where)}"
    if on.colour:
        head = f"\x1b[{_COLOURS[finding.severity]}m{head}\x1b[0m"
    lines = [head]
    for text in (words.title, words.detail):
        lines += [f"  {line}" for line in wrap(printable(text), on.columns - 2)]
    # Not wrapped: they are to be copied.
    return lines + [f"    {printable(line)}" for line in finding.change]


def run_audit(
    options: argparse.Namespace,
    logins: Callable[[], Logins],
    minting: Callable[[], Secret | None],
    out: TextIO | None = None,
    err: TextIO | None = None,
    tell: Callable[[Audit], object] | None = None,
) -> int:
    """Audit as the command line says, and print. Returns 0 for nothing worse than a note, 1 for findings, or 2.

    `logins` are asked for a running server alone, and `minting` for the shared secret where one was promised. `tell` is
    given the audit.
    """
    out, err = out or sys.stdout, err or sys.stderr
    try:
        if options.target.lower().startswith(_SCHEMES):
            audit = _of_server(options, logins, minting, err)
        else:
            audit = _of_file(options, err)
    except (ValueError, OSError, AuditError) as fault:
        print(f"hopwise audit: {printable(worded(fault))}", file=err)
        return _USAGE
    if tell is not None:
        tell(audit)
    if options.json:
        print(json.dumps(to_json(audit), indent=2, ensure_ascii=False), file=out)
    else:
        print(to_text(audit, terminal(out, os.environ)), file=out)
    return _PASSED if audit.passed else _FOUND


def _of_file(options: argparse.Namespace, err: TextIO) -> Audit:
    for name in ("username", "password_stdin", "secret_stdin", "credentials_from", "own", "ca"):
        if getattr(options, name):
            raise ValueError(f"--{name.replace('_', '-')} is for a running server, {options.target} is a file")
    path = Path(options.target)
    conf = read(path)
    if options.harden is not None:
        for line in harden_into(conf, options.harden):
            print(line, file=err)
    return audit_file(conf)


def harden_into(conf: Turnserver, path: Path, language: str = ENGLISH) -> list[str]:
    """Write the configuration with its holes closed, whole or not at all. Returns what is to be said: where it is, and
    what it leaves to do. Raises OSError."""
    hardened = harden(conf)
    # It holds a secret: a new file is its owner's alone. A link stays a link: what it points to is replaced.
    write_whole(Path(os.path.realpath(path)), hardened, 0o600)
    left = [finding for finding in audit_file(parse(hardened)).findings if finding.severity is not Severity.INFO]
    titles = dict.fromkeys(finding_words(finding, language).title for finding in left)
    said = [phrase("written", language, file=path)]
    return [*said, phrase("left", language, list="; ".join(titles))] if left else said


def read(path: Path) -> Turnserver:
    """The configuration in a file. Raises OSError, or ValueError for a file that is none."""
    with path.open("rb") as file:
        data = file.read(LARGEST + 1)
    if len(data) > LARGEST:
        raise ValueError(f"{path}: too large for a turnserver.conf")
    conf = parse(data, str(path))
    if conf.lines and not any(option.kind is not None for option in conf.options) and conf.unknown:
        raise ValueError(f"{path}: not a turnserver.conf, there is no option of coturn in it")
    return conf


def _of_server(
    options: argparse.Namespace,
    logins: Callable[[], Logins],
    minting: Callable[[], Secret | None],
    err: TextIO,
) -> Audit:
    if options.harden is not None:
        raise ValueError("--harden needs the server's turnserver.conf as the target, not its address")
    found = uri.parse(options.target)
    if not found.relays:
        raise ValueError(f"{found.text} is a STUN server; write turn: or turns: to audit a TURN server")
    tls = None if options.ca is None else believed(options.ca)
    if options.secret_stdin and options.credentials_from is not None:
        raise ValueError("--secret-stdin and --credentials-from are two ways to log in; choose one")
    if options.secret_stdin:
        minted = _minted(options.username or "", minting())
        print(phrase("minted", expires=f"{minted.expires:%Y-%m-%d %H:%M} UTC"), file=err)
        chosen = Options(Credentials(minted.username, minted.password), minted=True, own=options.own, tls=tls)
    elif options.username is not None or options.credentials_from is not None:
        chosen = Options(logins().credentials(found, options.username), own=options.own, tls=tls)
    elif options.password_stdin:
        raise ValueError("--password-stdin goes with --username")
    else:
        chosen = Options(own=options.own, tls=tls)
    return asyncio.run(audit_server(found, chosen))


def _minted(user: str, secret: Secret | None) -> RestCredentials[Secret]:
    if secret is None or not secret.reveal():
        raise ValueError("--secret-stdin: the first line of standard input is empty")
    return mint(secret, Secret, int(time.time()) + MINTED_S, user)
