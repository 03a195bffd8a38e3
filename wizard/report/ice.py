"""What the ICE servers gave, as a person reads it and as the JSON that scripts read."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import enum
import ipaddress
import json
import os
import ssl
import sys
import time
import tomllib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, TextIO

from wizard.configs.ice_servers import LARGEST_FILE, read_servers
from wizard.model.resource import resource
from wizard.model.said import said
from wizard.model.secret import Secret
from wizard.model.server_list import CredentialKind
from wizard.probes.candidate import Candidate, CandidateError, Event, ServerTried
from wizard.probes.ice import Options, Target, gather
from wizard.probes.server_verdict import NO_ANSWER, Sentence, Verdict
from wizard.probes.source import Source
from wizard.report.login import Logins, believed, worded
from wizard.report.text import Terminal, terminal
from wizard.report.wording import ENGLISH, wording
from wizard.report.wrap import columns, pad, printable, wrap
from wizard.system.interfaces import networks
from wizard.wire import uri
from wizard.wire.rest_credentials import LIFETIME_S, mint
from wizard.wire.rtc_config import ConfigError

FORMAT = 1
_OK, _FAULTY, _USAGE = 0, 1, 2
_MARKS = {True: "✔", False: "✖"}
_ASCII_MARKS = {True: "+", False: "x"}
_COLOURS = {True: "32", False: "1;31"}


@dataclass(frozen=True, slots=True)
class CauseWords:
    """Why, and what to do."""

    cause: str
    remedy: str


@dataclass(slots=True)
class IceResult:
    """Everything that was gathered."""

    urls: Sequence[str] = ()
    servers: list[ServerTried] = field(default_factory=list)
    candidates: list[Candidate] = field(default_factory=list)
    errors: list[CandidateError] = field(default_factory=list)

    def add(self, event: Event) -> None:
        """Take one event of the gathering."""
        match event:
            case Candidate():
                self.candidates.append(event)
            case CandidateError():
                self.errors.append(event)
            case ServerTried():
                self.servers.append(event)
                self.servers.sort(key=self._place)

    def _place(self, tried: ServerTried) -> tuple[int, int, int]:
        url = self.urls.index(tried.url) if tried.url in self.urls else len(self.urls)
        return url, list(uri.Transport).index(tried.transport), tried.family

    @property
    def ok(self) -> bool:
        """Whether every server is ok on every transport and family that was tried."""
        return bool(self.servers) and all(server.verdict is Verdict.OK for server in self.servers)

    def beside(self, error: CandidateError) -> Beside | None:
        """What of the same server works all the same, though nothing answered here."""
        if error.sentence.code != NO_ANSWER or error.sentence.verdict is Verdict.OK:
            return None
        working = [server for server in self.servers if server.verdict is Verdict.OK]
        same = [server for server in working if server.url == error.url and server.transport is error.transport]
        if any(server.family == error.family for server in same):
            return Beside.ADDRESS
        if same:
            return Beside.FAMILY
        failed = error.sentence.verdict in (Verdict.UNREACHABLE, Verdict.REFUSED)
        others = (server for server in working if server.transport is not error.transport)
        if failed and any(_same_relay(server.url, error.url) for server in others):
            return Beside.TRANSPORT
        return None

    def harmless(self, error: CandidateError) -> bool:
        """Whether the same server works over its other address family."""
        return self.beside(error) is Beside.FAMILY


class Beside(enum.StrEnum):
    """What works beside an address that does not; each has its sentence in the catalogue."""

    ADDRESS = "other-address"
    FAMILY = "other-family"
    TRANSPORT = "other-transport"


def _same_relay(one: str, other: str) -> bool:
    first, second = uri.parse(one), uri.parse(other)
    return first.relays and second.relays and first.ascii_host == second.ascii_host


def cause_words(cause: str, language: str = ENGLISH) -> CauseWords:
    """The words of a cause. Raises KeyError for one that the catalogue lacks."""
    entry = _catalogue(language)["cause"][cause]
    return CauseWords(entry["cause"], entry["remedy"])


@cache
def _catalogue(language: str) -> dict[str, Any]:
    return tomllib.loads(resource("ice-errors", f"{language}.toml").read_text(encoding="utf-8"))


def explained(result: IceResult, error: CandidateError, language: str = ENGLISH) -> CauseWords:
    """The words of an error, saying what of the server works all the same."""
    words = cause_words(error.sentence.cause, language)
    beside = result.beside(error)
    if beside is None:
        return words
    said = _catalogue(language)["beside"][beside]
    return CauseWords(f"{words.cause} {said}", words.remedy)


def to_json(result: IceResult, language: str = ENGLISH) -> dict[str, Any]:
    """The result in the shape that scripts depend on."""
    return {
        "format": FORMAT,
        "servers": [
            {
                "url": server.url,
                "transport": server.transport.value,
                "family": server.family,
                "verdict": server.verdict.value,
                "rtt_ms": _rounded(server.rtt_ms),
                "seconds": round(server.seconds, 3),
                "error": server.error,
            }
            for server in result.servers
        ],
        "candidates": [_candidate(candidate) for candidate in result.candidates],
        "errors": [
            {
                "time_ms": _rounded(error.time_ms),
                "url": error.url,
                "address": error.address,
                "code": error.sentence.code,
                "text": error.sentence.text,
                "cause": (words := explained(result, error, language)).cause,
                "remedy": words.remedy,
            }
            for error in result.errors
        ],
    }


def _candidate(candidate: Candidate) -> dict[str, Any]:
    related = candidate.related
    return {
        "time_ms": _rounded(candidate.time_ms),
        "type": candidate.type.value,
        "component": 1,
        "foundation": candidate.foundation,
        "protocol": "udp",
        "address": candidate.address,
        "port": candidate.port,
        "priority": candidate.priority,
        "related_address": None if related is None else related[0],
        "related_port": None if related is None else related[1],
        "url": candidate.url,
        "relay_protocol": None if candidate.relay_protocol is None else candidate.relay_protocol.value,
    }


def _rounded(number: float | None) -> float | None:
    return None if number is None else round(number, 2)


def to_text(result: IceResult, on: Terminal | None = None, language: str = ENGLISH) -> str:
    """The verdicts, the candidates, and for each error its cause and what to do."""
    on = on or Terminal()
    lines = [_server_line(server, on) for server in result.servers]
    if result.candidates:
        lines += ["", *_table(result.candidates)]
    for error, words in different_errors(result, language):
        lines += ["", *wrap(printable(headline(error)), on.columns)]
        lines += [f"  {line}" for text in (words.cause, words.remedy) for line in wrap(text, on.columns - 2)]
    return "\n".join(line.encode(on.encoding, "replace").decode(on.encoding) for line in lines)


def different_errors(result: IceResult, language: str = ENGLISH) -> Iterator[tuple[CandidateError, CauseWords]]:
    """Each error with its words, once: a name without any address is an error of both families."""
    told: set[tuple[str, ...]] = set()
    for error in result.errors:
        words = explained(result, error, language)
        same = (error.url, error.address, error.sentence.text, words.cause)
        if same not in told:
            told.add(same)
            yield error, words


def headline(error: CandidateError, language: str = ENGLISH) -> str:
    """The server, its address, the code, and what the server or the system said."""
    where = f" ({error.address})" if error.address else ""
    text = sentence_words(error.sentence, language)
    colon = wording("colon", language) if text else ""
    return f"{error.url}{where} {error.sentence.code}{colon}{text}"


def sentence_words(sentence: Sentence, language: str) -> str:
    """What was said: our own words in that language, the server's own as they are."""
    return said(sentence.text, language) if sentence.code == NO_ANSWER else sentence.text


def preferred_first(candidates: Sequence[Candidate]) -> list[Candidate]:
    """In the order of their priority."""
    return sorted(candidates, key=lambda candidate: -candidate.priority)


def cells(candidate: Candidate) -> tuple[str, ...]:
    """Time in seconds, type, foundation, protocol, address, port, the parts of the priority, URL, relay protocol."""
    return (
        f"{candidate.time_ms / 1000:.3f}",
        candidate.type.value,
        candidate.foundation,
        "udp",
        candidate.address,
        str(candidate.port),
        f"{candidate.type.preference} | {candidate.local_preference} | 255",
        candidate.url or "",
        candidate.relay_protocol.value if candidate.relay_protocol else "",
    )


def _server_line(server: ServerTried, on: Terminal) -> str:
    good = server.verdict is Verdict.OK
    mark = (_MARKS if on.draws else _ASCII_MARKS)[good]
    rtt = "" if server.rtt_ms is None else f"  {server.rtt_ms:.1f} ms"
    head = f"{mark} {server.verdict.value:<14}"
    if on.colour:
        head = f"\x1b[{_COLOURS[good]}m{head}\x1b[0m"
    return f"{head}  {printable(server.url)}  {server.transport.value} IPv{server.family}{rtt}"


def _table(candidates: Sequence[Candidate]) -> list[str]:
    head = ("Time", "Type", "Foundation", "Protocol", "Address", "Port", "Priority", "URL", "Relay")
    rows = [tuple(map(printable, cells(candidate))) for candidate in preferred_first(candidates)]
    widths = [max(columns(row[at]) for row in [head, *rows]) for at in range(len(head))]
    return [
        "  ".join(pad(cell, width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in [head, *rows]
    ]


def run_ice(
    options: argparse.Namespace,
    logins: Logins,
    out: TextIO | None = None,
    err: TextIO | None = None,
    tell: Callable[[IceResult], object] | None = None,
) -> int:
    """Gather as the command line says, and print. Returns the exit status: 0 if every server is ok, 1, or 2.

    `tell` is given the result. `logins` are for `--server`, and for each of `--servers` that brings no credential.
    """
    out, err = out or sys.stdout, err or sys.stderr
    try:
        targets = _targets(options, logins, err)
        tls = None
        if options.ca is not None or any(target.uri.transport is uri.Transport.TLS for target in targets):
            tls = believed(options.ca)
        sources = _sources(options.interface)
    except (ValueError, OSError, ssl.SSLError) as fault:
        print(f"hopwise ice: {printable(worded(fault))}", file=err)
        return _USAGE
    chosen = Options(
        family=options.family,
        relay_only=options.relay_only,
        tls=tls,
        own_addresses=tuple(
            network.address
            for network in networks()
            if options.interface in (None, network.interface) and _may_be_candidate(network.address)
        ),
        sources=sources,
    )
    result = asyncio.run(_gathered(targets, chosen))
    if tell is not None:
        tell(result)
    if options.json:
        print(json.dumps(to_json(result), indent=2, ensure_ascii=False), file=out)
    else:
        print(to_text(result, terminal(out, os.environ)), file=out)
    return _OK if result.ok else _FAULTY


def _sources(interface: str | None) -> tuple[Source, ...]:
    """The addresses of that interface to send from, usable ones first. Raises ValueError if there is none."""
    if interface is None:
        return ()
    known = networks()
    own = [network.address for network in known if network.interface == interface]
    if not own:
        names = ", ".join(dict.fromkeys(network.interface for network in known))
        raise ValueError(f"--interface {interface}: no such interface with an address; there are {names}")
    own.sort(key=lambda address: ipaddress.ip_address(address).is_link_local)
    return tuple(Source(interface, address) for address in own)


async def _gathered(targets: Sequence[Target], options: Options) -> IceResult:
    result = IceResult(urls=[target.uri.text for target in targets])
    async with contextlib.aclosing(gather(targets, options)) as events:
        async for event in events:
            result.add(event)
    return result


def _targets(options: argparse.Namespace, logins: Logins, err: TextIO) -> list[Target]:
    """What to try. Raises ValueError in words, or OSError for a file that cannot be read."""
    targets: list[Target] = []
    for text in options.server:
        found = uri.parse(text)
        targets.append(Target(found, logins.credentials(found, options.username)))
    if options.servers is not None:
        targets += _listed(options, logins, err)
    if not targets:
        raise ValueError("no server to test: name one with --server URL or --servers FILE")
    return targets


def _listed(options: argparse.Namespace, logins: Logins, err: TextIO) -> list[Target]:
    """What the file of `--servers` says to try. Raises ValueError in words, or OSError."""
    file: Path = options.servers
    try:
        with file.open("rb") as opened:
            imported = read_servers(opened.read(LARGEST_FILE + 1))
    except ConfigError as fault:
        raise ValueError(f"{file}: {fault}") from None
    for note in (*imported.notes, *(words for server in imported.servers for words in server.unread)):
        print(f"hopwise ice: {printable(f'{file}: {note}')}", file=err)
    options.relay_only = options.relay_only or imported.relay_only
    targets: list[Target] = []
    for server in imported.servers:
        entry, secret = server.entry, server.secret
        if not entry.enabled:
            continue
        if entry.relays and secret is None and entry.kind is CredentialKind.SHARED_SECRET:
            raise ValueError(f"{file}: no static-auth-secret in it, so no credentials can be made; add it")
        if entry.relays and server.username_unread and options.username is None:
            raise ValueError(f"{file}: {server.unread[0]}; give it with --username")
        username = entry.username or options.username
        if entry.kind is CredentialKind.SHARED_SECRET and secret is not None:
            made = mint(secret, Secret, int(time.time()) + LIFETIME_S, username or "", entry.separator)
            username, secret = made.username, made.password
        targets += [Target(found, logins.credentials(found, username, secret)) for found in entry.uris]
    return targets


def _may_be_candidate(address: str) -> bool:
    # RFC 8445 section 5.1.1.1; of link-local addresses a peer elsewhere can make nothing.
    ip = ipaddress.ip_address(address)
    return not (ip.is_loopback or ip.is_link_local or ip.is_unspecified or ip.is_multicast)
