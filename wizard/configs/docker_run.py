"""`docker run` and `docker create`, or Podman's: what a command line publishes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from wizard.configs.interpolation import interpolate
from wizard.configs.publishing import Published, made, short
from wizard.configs.reading import Note
from wizard.configs.shell_words import Word, commands
from wizard.model.phrase import Phrase

LOOK = re.compile(
    r"^[ \t]*(?:\$ |> |PS[^\n>]*> |ExecStart=)?(?:sudo(?: -\S+)* )?(?:[^\s\"']*[/\\])?"
    r"(?:docker|podman|nerdctl)(?:\.exe)?[ \t]+(?:container[ \t]+)?(?:run|create)\b",
    re.MULTILINE,
)
_ENGINES = re.compile(r"(?:.*[/\\])?(?:docker|podman|nerdctl)(?:\.exe)?")
_ALONE = (
    *("detach", "rm", "interactive", "tty", "privileged", "init", "read-only", "publish-all", "no-healthcheck"),
    *("oom-kill-disable", "sig-proxy", "quiet", "disable-content-trust", "help", "replace", "tls-verify"),
)
"""Long options that take no value of their own."""
_ALONE_SHORT = "ditPq"
_NAMES = {"p": "publish", "P": "publish-all"}
_HOST = "--network host"


@dataclass(frozen=True, slots=True)
class _Option:
    name: str
    value: str
    line: int


def read_runs(text: str, variables: Mapping[str, str], published: Published) -> int:
    """Gather what the commands of a text publish; how many containers they start."""
    count = 0
    for words in commands(text):
        options = _options(words)
        if options is None:
            continue
        count += 1
        name = next((option.value for option in options if option.name == "name"), f"container-{count}")
        _publish(options, name, variables, published)
    return count


def _options(words: Sequence[Word]) -> list[_Option] | None:
    """The options before the image, if it is such a command: what follows the image is the container's own."""
    start = next((at for at, word in enumerate(words) if _ENGINES.fullmatch(word.text)), None)
    if start is None:
        return None
    verb = next((at for at, word in enumerate(words) if at > start and word.text in ("run", "create")), None)
    if verb is None or any(word.text in ("compose", "exec", "volume", "network") for word in words[start:verb]):
        return None
    return list(_before_image(words[verb + 1 :]))


def _before_image(words: Sequence[Word]) -> Iterator[_Option]:
    at = 0
    while at < len(words):
        word = words[at]
        at += 1
        if word.text == "--" or not word.text.startswith("-") or word.text == "-":
            return
        if word.text.startswith("--"):
            name, mark, value = word.text[2:].partition("=")
            if not mark and name not in _ALONE:
                value, at = (words[at].text, at + 1) if at < len(words) else ("", at)
            yield _Option(name, value, word.line)
            continue
        # Short ones may stand together, the last with its value: -dp 80:80.
        letters = word.text[1:]
        for position, letter in enumerate(letters):
            if letter in _ALONE_SHORT:
                yield _Option(_NAMES.get(letter, letter), "", word.line)
                continue
            value = letters[position + 1 :].removeprefix("=")
            if not value and at < len(words):
                value, at = words[at].text, at + 1
            yield _Option(_NAMES.get(letter, letter), value, word.line)
            break


def _publish(options: list[_Option], name: str, variables: Mapping[str, str], published: Published) -> None:
    networks = [option for option in options if option.name in ("network", "net")]
    hosts = [option for option in networks if option.value == "host"]
    ports = [option for option in options if option.name in ("publish", "publish-all")]
    if hosts:
        published.hosts.append((name, hosts[0].line))
        published.notes += [Note(Phrase("ports-ignored", {"name": name}), option.line) for option in ports[:1]]
        return
    for option in networks:
        if option.value.startswith("container:") or "$" in option.value:
            published.doubt(option.line, f"--network {option.value}")
    for option in options:
        if option.name == "publish-all" and option.value != "false":
            published.notes.append(Note(Phrase("random-port", {"name": "-P"}), option.line))
            published.doubt(option.line, "-P")
        elif option.name == "publish":
            _entry(option, name, variables, published)


def _entry(option: _Option, name: str, variables: Mapping[str, str], published: Published) -> None:
    shown = f"-p {option.value.replace('$$', '$')}"
    filled = interpolate(option.value, variables)
    if filled.unset:
        published.unset(filled.unset, option.line, shown)
        return
    try:
        if "=" in filled.text:
            parts = dict(part.partition("=")[::2] for part in filled.text.split(","))
            words = [parts.get(key, "") for key in ("target", "published", "protocol", "host_ip")]
            entry = made(words[0], words[1], words[2] or "tcp", words[3])
        else:
            entry = short(filled.text)
    except ValueError:
        published.bad_port(option.line, shown)
        return
    published.publish(entry, name, option.line, shown)
