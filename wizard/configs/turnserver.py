"""coturn's `turnserver.conf`, read as coturn 4.5 and 4.6 read it, and written back line by line."""

from __future__ import annotations

import enum
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from wizard.model.secret import Secret

LONGEST_LINE = 1023
"""Bytes that coturn reads as one line."""


class Kind(enum.Enum):
    """What stands behind an option's name."""

    FLAG = enum.auto()
    """Nothing, or yes or no."""
    SWITCH = enum.auto()
    """Nothing that matters: to name it is to set it."""
    NUMBER = enum.auto()
    TEXT = enum.auto()
    SECRET = enum.auto()
    GONE = enum.auto()
    """Known once; 4.6 passes it over."""


def _of(kind: Kind, names: str) -> dict[str, Kind]:
    return dict.fromkeys(names.split(), kind)


KNOWN: Mapping[str, Kind] = {
    **_of(
        Kind.FLAG,
        "udp-self-balance allow-loopback-peers no-multicast-peers verbose Verbose daemon no-software-attribute prod "
        "fingerprint lt-cred-mech no-auth check-origin-consistency no-auth-pings no-dynamic-ip-list no-dynamic-realms "
        "oauth dh566 dh1066 dh2066 no-tlsv1 no-tlsv1_1 no-tlsv1_2 no-udp no-tcp no-tls no-dtls no-udp-relay "
        "no-tcp-relay no-stdout-log syslog simple-log new-log-timestamp log-binding stun-only no-stun secure-stun "
        "mobility keep-address-family no-cli web-admin web-admin-listen-on-workers server-relay no-rfc5780 "
        "no-stun-backward-compatibility response-origin-only-with-rfc5780 prometheus prometheus-username-labels "
        "include-reason-string sql-userdb-ssl",
    ),
    **_of(Kind.SWITCH, "use-auth-secret"),
    **_of(
        Kind.NUMBER,
        "listening-port tls-listening-port alt-listening-port alt-tls-listening-port tcp-proxy-port relay-threads "
        "min-port max-port user-quota total-quota max-bps bps-capacity stale-nonce max-allocate-lifetime "
        "channel-lifetime permission-lifetime max-allocate-timeout cli-port web-admin-port prometheus-port "
        "cli-max-output-sessions ne",
    ),
    **_of(
        Kind.TEXT,
        "listening-device listening-ip aux-server relay-device relay-ip external-ip realm db userdb secret-key-file "
        "server-name cert pkey cipher-list CA-file ec-curve-name dh-file log-file syslog-facility "
        "new-log-timestamp-format alternate-server tls-alternate-server rest-api-separator allowed-peer-ip "
        "denied-peer-ip pidfile acme-redirect proc-user proc-group allocation-default-address-family cli-ip "
        "web-admin-ip prometheus-address prometheus-path",
    ),
    **_of(
        Kind.SECRET,
        "user static-auth-secret pkey-pwd cli-password psql-userdb sql-userdb mysql-userdb mongo-userdb redis-userdb "
        "redis-statsdb",
    ),
    **_of(Kind.GONE, "no-sslv2 no-sslv3 no-loopback-peers secret-ts-exp-time"),
}
"""Every option of coturn 4.5 and 4.6 that a file may have."""

_SHOWN_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,39}")
_FOREIGN = re.compile("[\udc80-\udcff]")
_COMMENT = re.compile(r"\s*#")
_TRUE, _FALSE = "yYtT123456789", "0nNfF"


@dataclass(frozen=True, slots=True)
class Option:
    """One line that is no comment. A value that may be a secret is one."""

    name: str
    line: int
    value: str = ""
    secret: Secret | None = None

    @property
    def kind(self) -> Kind | None:
        """None for an option that coturn does not have."""
        return KNOWN.get(self.name)

    @property
    def truth(self) -> bool | None:
        """The value as coturn reads yes and no; None for one that stops coturn from starting."""
        if not self.value or self.value[0] in _TRUE or self.value in ("on", "ON", "On"):
            return True
        return False if self.value[0] in _FALSE or self.value in ("off", "OFF", "Off") else None

    @property
    def number(self) -> int | None:
        """The value as a number; None where the text does not start with one."""
        found = re.match(r"\s*([+-]?[0-9]{1,18})", self.value)
        return int(found[1]) if found else None


@dataclass(frozen=True, slots=True)
class Turnserver:
    """A configuration file. `name` is how findings call it."""

    name: str
    options: tuple[Option, ...]
    lines: tuple[str, ...] = field(repr=False)
    """As they were, with their ends; secrets among them."""
    damaged: tuple[int, ...] = ()
    """Lines with NUL, bytes of no known encoding, or more than coturn takes for one line."""

    def all(self, name: str) -> tuple[Option, ...]:
        """Every line with that option."""
        return tuple(option for option in self.options if option.name == name)

    def last(self, *names: str) -> Option | None:
        """The line that counts: of several, coturn takes the last."""
        return next((option for option in reversed(self.options) if option.name in names), None)

    def on(self, *names: str) -> bool:
        """Whether a flag is set."""
        option = self.last(*names)
        return option is not None and (option.kind is Kind.SWITCH or option.truth is True)

    def text(self, name: str) -> str:
        """The value that counts; empty if there is none."""
        option = self.last(name)
        return "" if option is None else option.value

    def number(self, name: str, default: int) -> int:
        """The number that counts. coturn reads text that is none as 0."""
        option = self.last(name)
        return default if option is None else option.number or 0

    @property
    def unknown(self) -> tuple[Option, ...]:
        """What coturn does not know, and passes over."""
        return tuple(option for option in self.options if option.kind is None)

    def edited(self, removed: Mapping[int, str], added: Iterable[str]) -> bytes:
        """The file with lines made comments, by number and with the words to leave there, and lines added at the end.

        Every other line stays as it is.
        """
        end = "\r\n" if any(line.endswith("\r\n") for line in self.lines) else "\n"
        text = [f"# {removed[number]}{end}" if number in removed else line for number, line in enumerate(self.lines, 1)]
        if text and not text[-1].endswith("\n"):
            text[-1] += end
        return "".join([*text, *(line + end for line in added)]).encode("utf-8", "surrogateescape")


def parse(data: bytes, name: str = "turnserver.conf") -> Turnserver:
    """Read a file. There is nothing it refuses: what coturn would pass over is in `unknown` or `damaged`."""
    lines = tuple(_lines(_decoded(data)))
    options: list[Option] = []
    damaged: list[int] = []
    for number, line in enumerate(lines, 1):
        raw = line.encode("utf-8", "surrogateescape")
        if len(raw) > LONGEST_LINE or b"\0" in raw or _FOREIGN.search(line):
            damaged.append(number)
        # fgets and the string functions of C end at a NUL.
        content = line.partition("\0")[0].rstrip("\r\n").lstrip(" \t\f\v")
        if content and not _COMMENT.match(content):
            options.append(_option(content, number))
    return Turnserver(name, tuple(options), lines, tuple(damaged))


def _lines(text: str) -> list[str]:
    # Not splitlines: to coturn a line ends at a line feed alone.
    return [line for line in re.split(r"(?<=\n)", text) if line]


def _decoded(data: bytes) -> str:
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        # coturn makes nothing of it; each line gets a mark of damage.
        return re.sub(r"\r?\n", "\udcff\n", data.decode("utf-16", "replace")) + "\udcff"
    return data.removeprefix(b"\xef\xbb\xbf").decode("utf-8", "surrogateescape")


def _option(content: str, line: int) -> Option:
    name, value = re.match(r"([^ =\t]*)[ =\t]*(.*)", content, re.DOTALL).groups()  # type: ignore[union-attr]
    if value.startswith('"'):
        value = value[1:].rstrip("\n\r \t").removesuffix('"')
    kind = KNOWN.get(name)
    if kind is None:
        # A value of an option misspelt may be a password, and so may the whole line.
        shown = name if _SHOWN_NAME.fullmatch(name) and (value or "-" in name) else ""
        return Option(shown, line, secret=Secret(value))
    if kind is Kind.SECRET:
        return Option(name, line, secret=Secret(value))
    return Option(name, line, value)
