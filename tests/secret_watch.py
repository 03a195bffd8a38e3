"""Looks for every password that a test run uses, in every encoding, wherever it must not be.

Whatever becomes a `Secret` in a test, or reaches a command by its standard input or environment, is looked for in log
records, in what tests and the programs that they start print, in the exceptions that tests expect, and in the arguments
of every process on the computer while the tests run; at their end in every file that they left. A find fails the run.

Workers of `pytest -n` tell the first process what they used and found.
"""

from __future__ import annotations

import asyncio.subprocess
import json
import logging
import os
import re
import subprocess
import sys
from collections.abc import Callable, Generator, Iterable
from contextlib import AbstractContextManager
from functools import cache, wraps
from pathlib import Path
from typing import Any

import hypothesis
import pytest

import wizard
from tests.secret_search import encodings, opened
from wizard.model.secret import Secret

LARGEST = 32 << 20
"""Bytes of a file that is looked into."""
LONGEST = 1000
"""Characters of a password that is looked for."""
OWN_FILES = ("turnserver.conf", "plain.conf", "servers.json", "servers", "safer.conf", "compose.yaml")
"""Files that people keep their passwords in, and that tests write for them."""
THEIR_WAY = ("turnutils_uclient", "stdbuf")
"""Programs of others that take a password in no other way than as an argument, and what starts them."""
_BY_INPUT = ("--password-stdin", "--token-stdin", "--secret-stdin")
_BY_ENVIRONMENT = "HOPWISE_TURN_PASSWORD"
_SAMPLER = """
import json, pathlib, select, sys
seen = set()
while True:
    ended = select.select([sys.stdin], [], [], 0.5)[0]
    for entry in pathlib.Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                seen.add(entry.joinpath("cmdline").read_bytes())
            except OSError:
                pass
    if ended:
        print(json.dumps([line.hex() for line in seen]))
        break
"""


def is_telling(text: str) -> bool:
    """Whether a find of it is no chance: long enough, no word of a language, and not part of the program itself."""
    mixed = any(map(str.isalpha, text)) and any(map(str.isdigit, text))
    joined = re.search(r"[^\W\d]-\w", text) is not None
    telling = mixed or joined or not text.isascii()
    return 6 <= len(text) <= LONGEST and telling and text not in _program()


@cache
def _program() -> str:
    folder = Path(wizard.__file__).parent
    return "\n".join(file.read_text(encoding="utf-8") for file in folder.rglob("*.py"))


class SecretWatch:
    """One process of the run. `leaks` says where something was found, and never what."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._is_worker = hasattr(config, "workerinput")
        self.secrets: dict[str, dict[str, bytes]] = {}
        self.leaks: dict[str, None] = {}
        self._heard: list[tuple[str, bytes]] = []
        self._commands: set[bytes] = set()
        self._sampler: subprocess.Popen[bytes] | None = None
        self._undo: list[Callable[[], None]] = []

    def note(self, text: str) -> None:
        """Look for that from now on."""
        if text not in self.secrets and is_telling(text) and not hypothesis.currently_in_test_context():
            self.secrets[text] = encodings(text)

    def look(self, place: str, data: bytes) -> None:
        """Note a leak for each secret in `data`."""
        for text, forms in self.secrets.items():
            for name, form in forms.items():
                if form in data:
                    self.leaks[f"{place}: a password of {len(text)} characters, as {name}"] = None

    def begin(self) -> None:
        """Listen to secrets as they are made, and to what is said."""
        logging.getLogger().setLevel(logging.DEBUG)
        handler = _Handler(self._heard)
        logging.getLogger().addHandler(handler)
        self._undo.append(lambda: logging.getLogger().removeHandler(handler))
        self._around(Secret, "__init__", self._noting)
        self._around(subprocess.Popen, "communicate", self._listening)
        self._around(asyncio.subprocess.Process, "communicate", self._typing)
        self._around(asyncio.subprocess.SubprocessStreamProtocol, "pipe_data_received", self._reading)
        self._around(pytest, "raises", self._raising)
        sys.addaudithook(self._audit)
        if not self._is_worker and Path("/proc/self/cmdline").exists():
            pipe = subprocess.PIPE
            self._sampler = subprocess.Popen([sys.executable, "-c", _SAMPLER], stdin=pipe, stdout=pipe)

    def _around(self, owner: Any, name: str, wrap: Callable[[Callable[..., Any]], Callable[..., Any]]) -> None:
        before = getattr(owner, name)
        setattr(owner, name, wraps(before)(wrap(before)))
        self._undo.append(lambda: setattr(owner, name, before))

    def _noting(self, before: Callable[..., Any]) -> Callable[..., Any]:
        def init(secret: Secret, value: str) -> None:
            self.note(value)
            before(secret, value)

        return init

    def _listening(self, before: Callable[..., Any]) -> Callable[..., Any]:
        def communicate(process: subprocess.Popen[Any], typed: Any = None, *more: Any, **others: Any) -> Any:
            self._note_typed(process.args, others.get("input", typed))
            said = before(process, typed, *more, **others)
            for output in said:
                if output:
                    self._heard.append(("what a program said", output.encode() if isinstance(output, str) else output))
            return said

        return communicate

    def _typing(self, before: Callable[..., Any]) -> Callable[..., Any]:
        def communicate(process: Any, typed: bytes | None = None) -> Any:
            self._note_typed(process._transport.get_extra_info("subprocess").args, typed)
            return before(process, typed)

        return communicate

    def _reading(self, before: Callable[..., Any]) -> Callable[..., Any]:
        def pipe_data_received(protocol: Any, pipe: int, data: bytes) -> None:
            self._heard.append((f"what a program said on {pipe}", bytes(data)))
            before(protocol, pipe, data)

        return pipe_data_received

    def _raising(self, before: Callable[..., Any]) -> Callable[..., Any]:
        def raises(*expected: Any, **others: Any) -> Any:
            inner = before(*expected, **others)
            return _Raised(inner, self._heard) if hasattr(inner, "__enter__") else inner

        return raises

    def _note_typed(self, arguments: Any, typed: Any) -> None:
        words = [arguments] if isinstance(arguments, str) else [os.fspath(word) for word in arguments]
        if typed and any(word in _BY_INPUT for word in words):
            text = typed.decode(errors="replace") if isinstance(typed, bytes) else typed
            self.note(text.partition("\n")[0].rstrip("\r"))

    def _audit(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event != "subprocess.Popen" or not self._undo:
            return
        _, words, _, environment = arguments
        words = [words] if isinstance(words, str | bytes) else words
        self._commands.add(b"\0".join(os.fsencode(word) for word in words))
        if environment and environment.get(_BY_ENVIRONMENT):
            self.note(environment[_BY_ENVIRONMENT])

    def look_at_heard(self, test: str) -> None:
        """Look at what was said since the last time."""
        places: dict[str, list[bytes]] = {}
        for place, data in self._heard:
            places.setdefault(place, []).append(data)
        self._heard.clear()
        for place, parts in places.items():
            self.look(f"{test}: {place}", b"".join(parts))

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self, item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Look at what a part of the test printed and logged."""
        report = yield
        self.look_at_heard(item.nodeid)
        for name, content in report.sections:
            self.look(f"{item.nodeid}: {name}", content.encode(errors="replace"))
        return report

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """Take over what a worker used and found."""
        told = getattr(node, "workeroutput", {}).get("secret-watch", {})
        for text in told.get("secrets", ()):
            self.secrets.setdefault(text, encodings(text))
        self.leaks.update(dict.fromkeys(told.get("leaks", ())))
        self._commands.update(bytes.fromhex(line) for line in told.get("commands", ()))

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Look at the rest, or tell the first process."""
        self.look_at_heard("after the tests")
        for undo in reversed(self._undo):
            undo()
        self._undo.clear()
        if self._is_worker:
            session.config.workeroutput["secret-watch"] = {  # type: ignore[attr-defined]
                "secrets": list(self.secrets),
                "leaks": list(self.leaks),
                "commands": [line.hex() for line in self._commands],
            }
            return
        if self._sampler is not None:
            said, _ = self._sampler.communicate()
            self._commands.update(bytes.fromhex(line) for line in json.loads(said))
        for command in self._commands:
            program = command.partition(b"\0")[0].decode(errors="replace")
            if Path(program).name not in THEIR_WAY:
                self.look(f"the arguments of {program}", command)
        # Where workers keep theirs, too.
        self._look_at_files(session.config._tmp_path_factory.getbasetemp())  # type: ignore[attr-defined]
        if self.leaks and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def _look_at_files(self, base: Path) -> None:
        for folder, _, names in os.walk(base):
            for name in names:
                file = Path(folder, name)
                if name in OWN_FILES or not file.is_file() or file.is_symlink() or file.stat().st_size > LARGEST:
                    continue
                self.look(f"the file {file.relative_to(base)}", opened(file) + os.fsencode(name))

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """Say where."""
        if self.leaks and not self._is_worker:
            terminalreporter.section("passwords where none belongs", red=True)
            for leak in self.leaks:
                terminalreporter.write_line(leak, red=True)


class _Handler(logging.Handler):
    def __init__(self, heard: list[tuple[str, bytes]]) -> None:
        super().__init__(logging.NOTSET)
        self._heard = heard

    def emit(self, record: logging.LogRecord) -> None:
        self._heard.append((f"the log of {record.name}", self.format(record).encode(errors="replace")))


class _Raised(AbstractContextManager[Any]):
    """`pytest.raises`, with a look at what was raised."""

    def __init__(self, inner: Any, heard: list[tuple[str, bytes]]) -> None:
        self._inner = inner
        self._heard = heard

    def __enter__(self) -> Any:
        return self._inner.__enter__()

    def __exit__(self, kind: Any, raised: BaseException | None, trace: Any) -> Any:
        for one in _chain(raised):
            self._heard.append(("an exception", f"{one!s} {one!r}".encode(errors="replace")))
        return self._inner.__exit__(kind, raised, trace)


def _chain(raised: BaseException | None) -> Iterable[BaseException]:
    while raised is not None:
        yield raised
        raised = raised.__cause__ or (None if raised.__suppress_context__ else raised.__context__)


def pytest_configure(config: pytest.Config) -> None:
    """Begin, once in each process."""
    watch = SecretWatch(config)
    watch.begin()
    config.pluginmanager.register(watch, "secret-watch-of-this-process")
