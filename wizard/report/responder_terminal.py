"""What a responder says on the terminal: what it answers on, who holds the rest, and each probe as a line of JSON.

Standard library only and Python 3.8, because the printed responder carries this file along.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import datetime
import ipaddress
import json
import os
import pathlib
import queue
import signal
import sys
import threading
from typing import Any, Callable, Dict, Iterable, List, NamedTuple, Optional, Set, TextIO, Tuple

from wizard.responder import DEFAULT_MINUTES, Bound, Held, Responder, TooManyPortsError
from wizard.vigil import Span
from wizard.wire.response import Address, ResponderPlan, Seen

STRANGERS = 16
"""Sources that are named as signing under another key; more would only fill the screen."""
DRAIN_S = 5.0
"""Longest wait at the end for a reader that has not yet taken the last lines."""


class Holder(NamedTuple):
    """A socket that a program on this host holds."""

    protocol: str
    number: int
    address: str
    program: str
    pid: Optional[int]


async def serve(
    plan: ResponderPlan,
    minutes: float,
    as_json: bool,
    out: TextIO,
    err: TextIO,
    holders: Callable[[], Iterable[Holder]],
) -> int:
    """Answer probes until Ctrl-C, SIGTERM or the minutes' end. Returns the exit status.

    Prints `ready` on a line of its own once everything is bound.
    """
    lines = _Lines(out)
    tally = _Tally()

    def seen(probe: Seen) -> None:
        tally.add(probe)
        if as_json:
            lines.put(json.dumps(seen_line(plan, probe, _now())))

    def stranger(source: Address) -> None:
        if source[0] not in tally.strangers and len(tally.strangers) < STRANGERS:
            tally.strangers.add(source[0])
            print(
                "A probe from {} is signed with another project's key: is the project file the same there?".format(
                    source[0]
                ),
                file=err,
                flush=True,
            )

    def watched(span: Span) -> None:
        if as_json:
            lines.put(json.dumps(watched_line(plan, span)))

    responder = Responder(plan, minutes, seen=seen, stranger=stranger, watched=watched)
    loop = asyncio.get_running_loop()
    # Windows has no signal handlers in the loop, and only the main thread may have any: there Ctrl-C raises.
    with contextlib.suppress(NotImplementedError, RuntimeError, ValueError):
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, responder.finish)
    try:
        bound = await responder.start()
    except TooManyPortsError as fault:
        print("hopwise respond: {}".format(fault), file=err, flush=True)
        lines.close()
        return 1
    try:
        whys = held_by(bound.held, holders() if bound.held else ())
        if as_json:
            for held, why in zip(bound.held, whys):
                lines.put(json.dumps(held_line(plan, held, why, _now())))
        else:
            for line in opening(plan, bound, whys, minutes):
                lines.put(line)
        watching = responder.watch_card()
        if as_json and not watching:
            print("Arrivals at the network card are not told: that needs root on Linux.", file=err, flush=True)
        lines.put("ready")
        await responder.over()
    finally:
        await responder.stop()
    if not as_json:
        for line in tally.closing(watching):
            lines.put(line)
    lines.close()
    return 0


def opening(plan: ResponderPlan, bound: Bound, whys: Iterable[str], minutes: float) -> List[str]:
    """What is answered on and what is not, for a person."""
    lines = [
        "Standing in for the hop {} for {:g} minutes: answers this project's signed probes and nothing else.".format(
            plan.hop, minutes
        )
    ]
    lines += ["answers on  {} {}".format(protocol, numbers) for protocol, numbers in ranges(bound.ports)]
    together: Dict[str, List[Tuple[str, int]]] = {}
    for held, why in zip(bound.held, whys):
        together.setdefault(why, []).append((held.protocol, held.number))
    for why, ports in together.items():
        lines += ["leaves      {} {}: {}".format(protocol, numbers, why) for protocol, numbers in ranges(ports)]
    return lines


def ranges(ports: Iterable[Tuple[str, int]]) -> List[Tuple[str, str]]:
    """Protocols in the order in which they first come, each with its numbers merged: ("udp", "10000-10100, 30882")."""
    numbers: Dict[str, Set[int]] = {}
    for protocol, number in ports:
        numbers.setdefault(protocol, set()).add(number)
    return [(protocol, ", ".join(_runs(found))) for protocol, found in numbers.items()]


def _runs(numbers: Set[int]) -> Iterable[str]:
    for first in sorted(n for n in numbers if n - 1 not in numbers):
        last = first
        while last + 1 in numbers:
            last += 1
        yield str(first) if first == last else "{}-{}".format(first, last)


def held_by(held: Iterable[Held], holders: Iterable[Holder]) -> List[str]:
    """For each port that is left alone, why."""
    sockets: Dict[Tuple[str, int], List[Holder]] = {}
    for holder in holders:
        sockets.setdefault((holder.protocol, holder.number), []).append(holder)
    return [port.refusal or _held_by(sockets.get((port.protocol, port.number), [])) for port in held]


def _held_by(sockets: List[Holder]) -> str:
    names = dict.fromkeys("{} (pid {})".format(s.program or "a program", s.pid) for s in sockets if s.pid is not None)
    words = "held by {}".format(" and ".join(names) or "a program that this user may not see")
    addresses = list(dict.fromkeys(s.address for s in sockets))
    if addresses and all(ipaddress.ip_address(address.partition("%")[0]).is_loopback for address in addresses):
        words += ", on {} only: nothing from outside this host reaches it".format(" and ".join(addresses))
    return words


def seen_line(plan: ResponderPlan, probe: Seen, at: str) -> Dict[str, Any]:
    """A probe that reached this host, as an observation."""
    line = {
        "vantage": "responder",
        "enters": plan.hop,
        "address": plan.address or probe.came_in_on[0],
        "port": probe.came_in_on[1],
        "protocol": probe.protocol,
        "outcome": probe.outcome,
        "seen_as": _text(probe.source),
        "came_in_on": _text(probe.came_in_on),
        "stands_at": plan.hop,
        "probe_vantage": probe.request.vantage,
        "probe_enters": probe.request.enters,
        "probe_port": probe.request.port,
        "at": at,
    }
    if probe.error is not None:
        line["error"] = probe.error
    if probe.proxied:
        line["proxy_header"] = True
    return line


def held_line(plan: ResponderPlan, held: Held, why: str, at: str) -> Dict[str, Any]:
    """A port that is not answered, as an observation."""
    return {
        "vantage": "responder",
        "enters": plan.hop,
        "address": plan.address or "0.0.0.0",
        "port": held.number,
        "protocol": held.protocol,
        "outcome": "not-checked",
        "error": why,
        "at": at,
    }


def watched_line(plan: ResponderPlan, span: Span) -> Dict[str, Any]:
    """The time during which the network card was watched, in an observation's shape: it says nothing of its port."""
    protocol, number, _ = plan.ports[0]
    return {
        "vantage": "responder",
        "enters": plan.hop,
        "address": span.address,
        "port": number,
        "protocol": protocol,
        "outcome": "not-checked",
        "error": "the network card is watched",
        "watched_since": _moment(span.began),
        "at": _moment(span.ended),
        "over": span.over,
    }


def _text(address: Address) -> str:
    return ("[{}]:{}" if ":" in address[0] else "{}:{}").format(*address)


def _now() -> str:
    return _moment(datetime.datetime.now(datetime.timezone.utc).timestamp())


def _moment(seconds: float) -> str:
    now = datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc)
    return now.isoformat(timespec="milliseconds").replace("+00:00", "Z")


class _Tally:
    """What a whole run saw, for the words at its end."""

    def __init__(self) -> None:
        self.strangers: Set[str] = set()
        self._proxied: Set[Tuple[str, int]] = set()
        self._seen: Dict[str, Set[Tuple[str, int]]] = {"answered": set(), "misdirected": set(), "arrived": set()}

    def add(self, probe: Seen) -> None:
        port = (probe.protocol, probe.came_in_on[1])
        self._seen[probe.outcome].add(port)
        if probe.proxied:
            self._proxied.add(port)

    def closing(self, watched_card: bool) -> List[str]:
        lines = ["answered    {} {}".format(*row) for row in ranges(self._seen["answered"])]
        lines += [
            "answered    {} {}: probes that were sent to another port or host than this".format(*row)
            for row in ranges(self._seen["misdirected"])
        ]
        stopped = self._seen["arrived"] - self._seen["answered"] - self._seen["misdirected"]
        lines += [
            "stopped     {} {}: reached this host's network card and no further; its firewall stops them".format(*row)
            for row in ranges(stopped)
        ]
        lines += [
            "note        {} {}: a PROXY protocol header comes first; the service must be told to expect it".format(*row)
            for row in ranges(self._proxied)
        ]
        if not lines:
            card = "no signed probe reached this host" if watched_card else "no probe was answered"
            lines.append(card)
        return lines


class _Lines:
    """Lines to a stream that may be slow or gone, without ever making the probes wait for it."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._descriptor: Optional[int] = None
        with contextlib.suppress(OSError, ValueError):
            self._descriptor = out.fileno()
            out.flush()
        self._queue: queue.SimpleQueue[Optional[str]] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._write_all, daemon=True)
        self._thread.start()

    def put(self, line: str) -> None:
        self._queue.put(line)

    def close(self) -> None:
        self._queue.put(None)
        self._thread.join(DRAIN_S)

    def _write_all(self) -> None:
        for line in iter(self._queue.get, None):
            try:
                self._write(line + "\n")
            except (OSError, ValueError):
                # Whoever read this has gone. The probes are still answered, which is what they wait for.
                return

    def _write(self, text: str) -> None:
        if self._descriptor is None:
            self._out.write(text)
            self._out.flush()
            return
        # Past the stream's own buffer: a write that never ends must not hold its lock when the program does.
        data = text.encode()
        while data:
            data = data[os.write(self._descriptor, data) :]


def proc_holders() -> List[Holder]:
    """The sockets of this host by Linux's /proc, as far as this user may see; nothing on other systems."""
    programs = _programs()
    found: List[Holder] = []
    for protocol, listening in (("tcp", "0A"), ("udp", "07")):
        for table in (protocol, protocol + "6"):
            try:
                rows = pathlib.Path("/proc/net", table).read_text().splitlines()[1:]
            except OSError:
                continue
            for row in rows:
                fields = row.split()
                if fields[3] == listening:
                    pid, program = programs.get(fields[9], (None, ""))
                    address, _, number = fields[1].partition(":")
                    found.append(Holder(protocol, int(number, 16), _proc_address(address), program, pid))
    return found


def _proc_address(text: str) -> str:
    # proc(5): each 32-bit word of the address is printed as this machine stores it.
    words = [bytes.fromhex(text[i : i + 8]) for i in range(0, len(text), 8)]
    if sys.byteorder == "little":
        words = [word[::-1] for word in words]
    return str(ipaddress.ip_address(b"".join(words)))


def _programs() -> Dict[str, Tuple[Optional[int], str]]:
    """Process id and name by the inode of each socket that the process has open."""
    found: Dict[str, Tuple[Optional[int], str]] = {}
    for process in pathlib.Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            name = (process / "comm").read_text().strip()
            for descriptor in (process / "fd").iterdir():
                with contextlib.suppress(OSError):
                    target = os.readlink(str(descriptor))
                    if target.startswith("socket:["):
                        found[target[8:-1]] = (int(process.name), name)
    return found


def main(plan: ResponderPlan, minutes: float = DEFAULT_MINUTES) -> int:
    """Run the printed responder with the arguments of the command line. Returns the exit status."""
    parser = argparse.ArgumentParser(description="Answers the signed probes of one Hopwise project.")
    parser.add_argument("--json", action="store_true", help="print each probe that arrives as a line of JSON")
    parser.add_argument("--minutes", type=float, default=minutes, help="stop after so many minutes")
    options = parser.parse_args()
    return run(plan, options.minutes, options.json, sys.stdout, sys.stderr, proc_holders)


def run(
    plan: ResponderPlan,
    minutes: float,
    as_json: bool,
    out: TextIO,
    err: TextIO,
    holders: Callable[[], Iterable[Holder]],
) -> int:
    """`serve` in an event loop of its own. Returns the exit status; Ctrl-C is a clean end."""
    try:
        return asyncio.run(serve(plan, minutes, as_json, out, err, holders))
    except KeyboardInterrupt:
        return 0
