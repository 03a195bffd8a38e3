"""One word for each address and name, the same wherever it stands; and free text with those words put in."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Iterable

from wizard.diagnosis.verdict import Severity, State
from wizard.model.hop import HopKind
from wizard.model.port import Protocol, Speaks
from wizard.model.project import THIS_COMPUTER
from wizard.model.vantage import VantageKind
from wizard.observation import RESPONDER, Outcome
from wizard.plan import same_address
from wizard.report.summary import split_port

_FORMAT_WORDS = (HopKind, Protocol, Speaks, VantageKind, Outcome, State, Severity)
_NEUTRAL = frozenset(token for words in _FORMAT_WORDS for word in words for token in word.value.split("-")) | {
    *THIS_COMPUTER.split("-"),
    RESPONDER,
    "localhost",
}
_FILE_ENDINGS = (
    "conf",
    "toml",
    "ini",
    "yml",
    "yaml",
    "env",
    "json",
    "service",
    "py",
    "sock",
    "pem",
    "log",
    "txt",
    "exe",
)

_URI = re.compile(r"((?:stuns?|turns?):)(\[[^\]]*\]|[^:?/\s]+)(.*)")
_FOUR = r"\d{1,3}(?:\.\d{1,3}){3}(?!\.?\d)"
_GENERIC = "|".join(
    (
        r"(?P<key>SHA256:[A-Za-z0-9+/]{43}=?)",
        r"(?P<mail>[A-Za-z0-9_.+-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*)",
        r"(?P<mac>(?<![0-9A-Za-z:])[0-9A-Fa-f]{2}(?:[:-][0-9A-Fa-f]{2}){5}(?![0-9A-Za-z:]))",
        rf"(?P<six>(?<![0-9A-Za-z:])(?:[0-9A-Fa-f]*:){{2,}}(?:{_FOUR}|[0-9A-Fa-f]*))",
        rf"(?P<four>(?<!\d)(?<!\d\.){_FOUR})",
        r"(?P<host>(?<![A-Za-z0-9.-])(?:[A-Za-z0-9](?:[A-Za-z0-9_-]*[A-Za-z0-9])?\.)+[A-Za-z](?:[A-Za-z0-9-]*[A-Za-z0-9])"
        r"(?![A-Za-z0-9-]))",
        r"(?P<home>(?<=/home/)[^/\s:'\"]+|(?<=[/\\]Users[/\\])[^/\\\s:'\"]+)",
    )
)


def is_neutral(text: str) -> bool:
    """Whether `text` consists of words of the project file's format, and so names nobody."""
    return all(
        token in _NEUTRAL or (len(token) < 6 and token.isdigit()) for token in re.split(r"[\s-]+", text.casefold())
    )


class Pseudonyms:
    """Hands out words, and remembers them. Equal addresses have one word, however they are spelt."""

    def __init__(self, taken: Iterable[str]) -> None:
        self._taken = set(taken)
        self._counts: dict[str, int] = {}
        self._words: dict[str, str] = {}
        self._names: dict[str, str] = {}
        self._pattern: re.Pattern[str] | None = None

    def name(self, name: str, stem: str) -> str:
        """The word for somebody's or something's name; a neutral name is its own."""
        if not name or is_neutral(name):
            return name
        if name not in self._names:
            self._names[name] = self._next(stem)
            self._pattern = None
        return self._names[name]

    def alias(self, name: str, word: str) -> None:
        """Let a further name have a word that has been given out."""
        if name and not is_neutral(name):
            self._names.setdefault(name, word)
            self._pattern = None

    def address(self, address: str) -> str:
        """The word for an IP address or host name; loopback and wildcard addresses are their own."""
        try:
            ip = ipaddress.ip_address(address.partition("%")[0])
        except ValueError:
            return self._word(same_address(address), "host") if address and not is_neutral(address) else address
        if ip.is_loopback or ip.is_unspecified:
            return address
        mapped = getattr(ip, "ipv4_mapped", None)
        return self._word(str(mapped or ip), "address")

    def endpoint(self, endpoint: str) -> str:
        """`192.0.2.1:5000` or `[2001:db8::1]:5000` with a word for the address."""
        host, port = split_port(endpoint)
        shown = self.address(host or "")
        return shown if port is None else f"[{shown}]:{port}" if ":" in shown else f"{shown}:{port}"

    def network(self, network: str) -> str:
        """`192.0.2.1/24` with a word for the address."""
        address, slash, length = network.partition("/")
        return self.address(address) + slash + length

    def server(self, server: str) -> str:
        """A STUN or TURN URI, or `user@host`, with words for user and host."""
        uri = _URI.fullmatch(server)
        if uri is not None:
            scheme, host, rest = uri.groups()
            return scheme + self.address(host.strip("[]")) + rest
        user, at, host = server.rpartition("@")
        return (self.user(user) + at if at else "") + self.endpoint(host)

    def user(self, user: str) -> str:
        """The word for a user name."""
        word = self.name(user, "user")
        # RFC-style time-limited credentials carry the user's own name behind an expiry time.
        for part in user.split(":") if ":" in user else ():
            if not part.isdigit():
                self.alias(part, word)
        return word

    def text(self, text: str) -> str:
        """Free text with the words put in, also for addresses and hosts that occur nowhere else."""
        if text in self._names:
            return self._names[text]
        return self._known_and_generic().sub(self._replaced, text)

    def program(self, program: str) -> str:
        """The name of a program, which stays unless it is somebody's name too."""
        return self._names.get(program, program)

    def _next(self, stem: str) -> str:
        while True:
            self._counts[stem] = self._counts.get(stem, 0) + 1
            word = f"{stem}-{self._counts[stem]}"
            if word not in self._taken:
                return word

    def _word(self, key: str, stem: str) -> str:
        if key not in self._words:
            self._words[key] = self._next(stem)
            self._pattern = None
        return self._words[key]

    def _known_and_generic(self) -> re.Pattern[str]:
        if self._pattern is None:
            told = [name for name in self._names if len(name) > 1]
            # A name with a space may begin with a host; a bare name may be the beginning of one.
            phrases = _either(name for name in told if re.search(r"[^\w.-]", name))
            names = _either(name for name in told if not re.search(r"[^\w.-]", name))
            hosts = _either(self._words)
            self._pattern = re.compile(f"(?P<phrase>{phrases})|{_GENERIC}|(?P<known>(?i:{hosts}))|(?P<name>{names})")
        return self._pattern

    def _replaced(self, found: re.Match[str]) -> str:
        text = found.group()
        replace: dict[str, Callable[[str], str]] = {
            "phrase": self._names.__getitem__,
            "name": self._names.__getitem__,
            "known": self.address,
            # There are search engines that find a host by its key.
            "key": lambda _: "SHA256:…",
            "mail": self.server,
            "mac": lambda mac: self._word(mac.lower().replace("-", ":"), "hardware"),
            "six": self._six,
            "four": self._ip,
            "host": self._host,
            "home": self.user,
        }
        return replace[str(found.lastgroup)](text)

    def _ip(self, text: str) -> str:
        try:
            ipaddress.ip_address(text)
        except ValueError:
            return text
        return self.address(text)

    def _six(self, text: str) -> str:
        # In "2001:db8::1: no route" the last colon is the sentence's own.
        bare = text[:-1] if text.endswith(":") and not text.endswith("::") else text
        word = self._ip(bare)
        if word == bare:
            return re.sub(_FOUR, lambda found: self._ip(found.group()), text)
        return word + text[len(bare) :]

    def _host(self, text: str) -> str:
        if text in self._names:
            return self._names[text]
        if same_address(text) not in self._words and text.rpartition(".")[2].lower() in _FILE_ENDINGS:
            return text
        return self.address(text)


def _either(names: Iterable[str]) -> str:
    """A pattern for any of `names`, the longest first, none of which is a part of a longer word."""
    longest_first = sorted(names, key=lambda name: (-len(name), name))
    return "|".join(_edge(name[0], "<!") + re.escape(name) + _edge(name[-1], "!") for name in longest_first) or "(?!)"


def _edge(character: str, look: str) -> str:
    if not character.isascii() or not character.isalnum():
        return ""
    return f"(?{look}[0-9])" if character.isdigit() else f"(?{look}[A-Za-z0-9])"
