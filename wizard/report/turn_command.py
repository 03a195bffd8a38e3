"""`hopwise turn`: what it accepts, what it does in which order, and the status that it ends with."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import ssl
import sys
from collections.abc import Callable
from dataclasses import replace
from typing import TextIO

from wizard.probes.call import calls
from wizard.probes.relay_capacity import SIZES, Capacity, Load, Ramping, ramp
from wizard.probes.relay_leg import Access
from wizard.probes.relay_quality import Options, Progress, Quality, measure
from wizard.probes.relay_verdict import Grade, Measured, Reason
from wizard.report.login import Logins, believed, worded
from wizard.report.text import terminal
from wizard.report.turn import TurnResult, result_of, to_json, to_text
from wizard.report.wrap import printable
from wizard.vantage.relay_server import RelayServer, find_server
from wizard.wire import uri
from wizard.wire.long_term import Credentials

_KEPT, _BROKEN, _USAGE = 0, 1, 2
_LINGER_S = 1.5
"""coturn counts a released allocation against the quota for a second more."""


def run_turn(
    options: argparse.Namespace,
    logins: Logins,
    out: TextIO | None = None,
    err: TextIO | None = None,
    tell: Callable[[TurnResult], object] | None = None,
) -> int:
    """Test as the command line says, and print. Returns the exit status: 0 if the promise is kept, 1, or 2.

    `tell` is given the result.
    """
    out, err = out or sys.stdout, err or sys.stderr
    try:
        found = uri.parse(options.url)
        _check(options, found)
        tls = None if options.ca is None else believed(options.ca)
        credentials = logins.credentials(found, options.username)
        if credentials is None:
            raise ValueError("nobody to log in as: give --username, or --credentials-from")
    except (ValueError, OSError, ssl.SSLError) as fault:
        print(f"hopwise turn: {printable(worded(fault))}", file=err)
        return _USAGE
    counting = err if err.isatty() else None
    result = asyncio.run(_tested(options, found, credentials, tls, counting))
    if tell is not None:
        tell(result)
    if options.json:
        print(json.dumps(to_json(result), indent=2, ensure_ascii=False), file=out)
    else:
        print(to_text(result, terminal(out, os.environ)), file=out)
    return _KEPT if result.grade is Grade.OK else _BROKEN


def _check(options: argparse.Namespace, found: uri.IceUri) -> None:
    """Raises ValueError in words for options that do not fit together."""
    if not found.relays:
        raise ValueError(f"{found.text} is a STUN server, which relays nothing")
    if options.capacity is None and (options.mbit is not None or options.own):
        raise ValueError("--mbit and --own belong to --capacity")
    if options.capacity is not None and not options.own:
        megabytes = _load(options).most_bytes / 1e6
        raise ValueError(
            f"--capacity sends up to {megabytes:.0f} MB through the server and tries its limits: "
            "say with --own that it is yours"
        )
    if options.min_port is not None and options.max_port is not None and options.min_port > options.max_port:
        raise ValueError(f"--min-port {options.min_port} is greater than --max-port {options.max_port}")


def _load(options: argparse.Namespace) -> Load:
    return Load(options.capacity, options.mbit or SIZES[options.capacity])


async def _tested(
    options: argparse.Namespace,
    found: uri.IceUri,
    credentials: Credentials,
    tls: ssl.SSLContext | None,
    counting: TextIO | None,
) -> TurnResult:
    server = await find_server(found.text, credentials)
    if not isinstance(server, RelayServer):
        return TurnResult(found.text, None, (Reason("unfound", Grade.FAILED, (("text", server),)),))
    access = Access(server.endpoint(stream=False), credentials, tls or server.tls, options.peer_family)
    quality, moments = await _quality(access, options.seconds, counting)
    measured = Measured(access.endpoint.address, access.endpoint.transport, quality, ports=_range(options))
    if measured.quality.survey.ports:
        if options.call:
            await asyncio.sleep(_LINGER_S)
            async with contextlib.aclosing(calls(access)) as made:
                measured = replace(measured, calls=tuple([call async for call in made]))
        if options.capacity is not None:
            await asyncio.sleep(_LINGER_S)
            measured = replace(measured, capacity=await _ramped(access, _load(options), counting))
    if counting is not None:
        print("\r\033[K", end="", file=counting, flush=True)
    return result_of(found.text, measured, moments)


def _range(options: argparse.Namespace) -> range | None:
    if options.min_port is None and options.max_port is None:
        return None
    return range(options.min_port or 1, (options.max_port or 65535) + 1)


async def _quality(access: Access, seconds: float, counting: TextIO | None) -> tuple[Quality, list[Progress]]:
    moments: list[Progress] = []
    async with contextlib.aclosing(measure(access, Options(seconds))) as events:
        async for event in events:
            if isinstance(event, Quality):
                return event, moments
            if not isinstance(event, Progress):
                continue
            moments.append(event)
            if counting is not None:
                rtt = "" if event.delay is None else f", round trip {event.delay.median_ms:.1f} ms"
                print(f"\r\033[K{event.at_s:.1f} of {event.of_s:g} s{rtt} ", end="", file=counting, flush=True)
    raise AssertionError("a test ends with its result")


async def _ramped(access: Access, load: Load, counting: TextIO | None) -> Capacity:
    async with contextlib.aclosing(ramp(access, load)) as events:
        async for event in events:
            if isinstance(event, Capacity):
                return event
            if isinstance(event, Ramping) and counting is not None:
                print(f"\r\033[K{event.sessions} of {event.of} sessions ", end="", file=counting, flush=True)
    raise AssertionError("a ramp ends with its result")
