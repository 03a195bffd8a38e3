"""`hopwise demo`: the practice network in the terminal, where things are broken, found and mended."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from typing import TextIO

from wizard.diagnosis.verdict import State
from wizard.practice.fault import Fault
from wizard.practice.network import Practice
from wizard.probes.persistence import DEFAULT_TIMEOUT_S
from wizard.progress import Result
from wizard.report.text import terminal, to_text
from wizard.session import Session

SHOWN_FIRST = "router-hole"


async def demo(
    out: TextIO,
    answers: TextIO | None,
    report: Callable[[Result], str],
    timeout_s: float = DEFAULT_TIMEOUT_S,
) -> int:
    """Break one fault, find it, mend it. Returns 0 if the verdict was right each time, 1 if not.

    `report` writes the report of the broken path and returns a line that says where. With `answers`, a person who
    types there then breaks and mends what they like.
    """
    practice = Practice()
    await practice.start()
    try:
        guide = _Guide(practice, out, timeout_s)
        right = await guide.walk(report)
        if answers is not None:
            await guide.play(answers)
    finally:
        await practice.stop()
    return 0 if right else 1


class _Guide:
    """Leads through the practice network."""

    def __init__(self, practice: Practice, out: TextIO, timeout_s: float) -> None:
        self._practice = practice
        self._out = out
        self._timeout_s = timeout_s

    async def walk(self, report: Callable[[Result], str]) -> bool:
        """One fault from end to end. Returns whether the verdicts were right."""
        fault = next(fault for fault in self._practice.faults if fault.id == SHOWN_FIRST)
        self._say("A practice network, on this computer only. Everything works:\n")
        before = await self._test()
        await self._practice.break_(fault)
        self._say(f"\nNow something is broken on purpose: {_sentence(fault.title.en)} The test finds it:\n")
        broken = await self._test()
        self._say("\n" + report(broken))
        await self._practice.mend(fault)
        self._say(f"\nThe remedy is applied: {_sentence(fault.remedy.en)} The test again:\n")
        after = await self._test()
        found = [hop.id for hop in broken.diagnosis.hops if hop.state is State.BLOCKED]
        return found == [fault.hop] and before.diagnosis.state is after.diagnosis.state is State.OPEN

    async def play(self, answers: TextIO) -> None:
        """Break and mend what is typed, until nothing is."""
        while True:
            self._ask()
            fault = self._choices().get(await _line(answers))
            if fault is None:
                return
            if fault in self._practice.broken:
                await self._practice.mend(fault)
            else:
                await self._practice.break_(fault)
            self._say("")
            await self._test()

    def _choices(self) -> dict[str, Fault]:
        return {str(number): fault for number, fault in enumerate(self._practice.faults, start=1)}

    def _ask(self) -> None:
        self._say("\nBreak or mend:")
        for number, fault in self._choices().items():
            if fault in self._practice.broken:
                self._say(f"  {number}  mend: {fault.remedy.en}")
            else:
                self._say(f"  {number}  break: {fault.title.en}")
        self._out.write("A number, or Enter to end: ")
        self._out.flush()

    async def _test(self) -> Result:
        session = Session(self._practice.project, timeout_s=self._timeout_s)
        async for _ in session.run():
            pass
        self._say(to_text(session.result, terminal(self._out, os.environ)))
        return session.result

    def _say(self, text: str) -> None:
        self._out.write(text + "\n")
        self._out.flush()


def _sentence(text: str) -> str:
    return text if text.endswith((".", "/udp")) else text + "."


async def _line(answers: TextIO) -> str:
    """The next line that is typed. Where the loop can wait for it, the practice network goes on meanwhile."""
    loop = asyncio.get_running_loop()
    typed = asyncio.Event()
    try:
        loop.add_reader(answers.fileno(), typed.set)
    except (NotImplementedError, OSError):
        return answers.readline().strip()
    try:
        await typed.wait()
    finally:
        loop.remove_reader(answers.fileno())
    return answers.readline().strip()
