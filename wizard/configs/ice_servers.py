"""Lists of ICE servers from whatever people have: RTCConfiguration in JSON or JavaScript, or a `turnserver.conf`."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass

from wizard.configs import turnserver
from wizard.configs.turnserver import Turnserver
from wizard.model.secret import Secret
from wizard.model.server_list import CredentialKind, ServerEntry
from wizard.wire import rtc_config, uri
from wizard.wire.rtc_config import LARGEST, ConfigError, RtcServer

LARGEST_FILE = LARGEST
"""Bytes of a file at most: no more than the characters that are read."""


@dataclass(frozen=True, slots=True)
class ImportedServer:
    """A server, and the secret that its kind of credential wants, where the file had one."""

    entry: ServerEntry
    secret: Secret | None = None
    unread: tuple[str, ...] = ()
    """What the file does not tell, in words with lines."""
    username_unread: bool = False
    """Whether the user name is among it."""


@dataclass(frozen=True, slots=True)
class Imported:
    """What a file holds, in its order. `notes` are about the file as a whole."""

    servers: tuple[ImportedServer, ...]
    relay_only: bool = False
    notes: tuple[str, ...] = ()


def read_servers(data: bytes, host: str | None = None) -> Imported:
    """The servers in a file, recognised by what is in it. Raises ConfigError in words without the file's name.

    `host` is where a `turnserver.conf` is reached, for one that does not say it.
    """
    if len(data) > LARGEST_FILE:
        raise ConfigError(f"too long for a list of servers; {LARGEST // 1024} kB are the most")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as fault:
        line = data.count(b"\n", 0, fault.start) + 1
        raise ConfigError(f"line {line}: not text in UTF-8; save it as UTF-8") from None
    conf = turnserver.parse(data)
    known = [option for option in conf.options if option.kind is not None]
    if known and len(known) * 2 >= len(conf.options):
        return from_turnserver(conf, host)
    if not rtc_config.is_config(text):
        raise ConfigError(
            "no list of servers is written out here; expected an RTCConfiguration as JSON or JavaScript, "
            "or coturn's turnserver.conf"
        )
    config = rtc_config.parse_config(text, Secret)
    return Imported(tuple(_entry(server) for server in config.servers), config.relay_only)


def _entry(server: RtcServer[Secret]) -> ImportedServer:
    entry = ServerEntry(tuple(found.text for found in server.uris), server.username or "")
    return ImportedServer(
        entry,
        server.credential,
        tuple(str(unread) for unread in server.unread),
        any(unread.key.endswith(".username") for unread in server.unread),
    )


def from_turnserver(conf: Turnserver, host: str | None = None) -> Imported:
    """The server that a coturn so configured is to its clients. Raises ConfigError."""
    notes: list[str] = []
    urls = _urls(conf, _hosts(conf, host, notes), notes)
    if not urls:
        raise ConfigError(
            "this server would listen on nothing: UDP and TCP are off, and TLS is off or has no certificate"
        )
    if conf.on("stun-only"):
        # The address of a STUN server has no transport in it (RFC 7064 section 3.1).
        stun = tuple(f"stun{url[4:].partition('?')[0]}" for url in urls if url.endswith("=udp"))
        if not stun:
            raise ConfigError("with stun-only and no-udp there is nothing to test")
        return Imported((ImportedServer(ServerEntry(stun)),), notes=tuple(notes))
    secrets = [option.secret for option in conf.all("static-auth-secret") if option.secret and option.secret.reveal()]
    if conf.on("use-auth-secret") or secrets:
        separator = conf.text("rest-api-separator")[:1] or ":"
        entry = ServerEntry(urls, kind=CredentialKind.SHARED_SECRET, separator=separator)
        if not secrets:
            notes.append("use-auth-secret without static-auth-secret: the secret is in a database; enter it here")
        return Imported((ImportedServer(entry, secrets[0] if secrets else None),), notes=tuple(notes))
    users = [] if conf.on("no-auth") else _users(conf, urls, notes)
    if not users:
        if not conf.on("no-auth"):
            notes.append("no user= line that can be used here: enter the user name and the password")
        users = [ImportedServer(ServerEntry(urls))]
    return Imported(tuple(users), notes=tuple(notes))


def _users(conf: Turnserver, urls: tuple[str, ...], notes: list[str]) -> list[ImportedServer]:
    users: list[ImportedServer] = []
    for option in conf.all("user"):
        name, colon, password = (option.secret.reveal() if option.secret else option.value).partition(":")
        if not colon or not name or not password:
            notes.append(f"line {option.line}: user= is not a name, a colon and a password")
        elif password.startswith("0x"):
            notes.append(f"line {option.line}: user= has a key in place of the password; enter the password here")
            users.append(ImportedServer(ServerEntry(urls, name, enabled=not users)))
        else:
            users.append(ImportedServer(ServerEntry(urls, name, enabled=not users), Secret(password)))
    if len(users) > 1:
        notes.append(f"{len(users)} users; the first one is tested, the others are in the list, switched off")
    return users[: rtc_config.MAX_SERVERS]


def _hosts(conf: Turnserver, host: str | None, notes: list[str]) -> tuple[str, ...]:
    if host is not None:
        return (host,)
    outside = [option.value.partition("/")[0].strip() for option in conf.all("external-ip")]
    listening = [option.value.strip() for option in conf.all("listening-ip")]
    for addresses in (outside, listening):
        usable = [address for address in addresses if _reachable(address)]
        if usable:
            return tuple(dict.fromkeys(usable))
    realm = conf.text("realm").strip()
    try:
        if "." in realm and uri.parse(f"turn:{realm}").host == realm:
            notes.append(f"the file has no address that clients can use; its realm {realm} is taken for the host name")
            return (realm,)
    except uri.UriError:
        pass
    raise ConfigError(
        "the file does not say where clients reach the server; add external-ip=ADDRESS to it, or give the server's URL"
    )


def _reachable(address: str) -> bool:
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return False
    return not (ip.is_unspecified or ip.is_multicast)


def _urls(conf: Turnserver, hosts: tuple[str, ...], notes: list[str]) -> tuple[str, ...]:
    plain, secure = _port(conf, "listening-port", 3478), _port(conf, "tls-listening-port", 5349)
    ends: list[str] = []
    for host in hosts:
        shown = f"[{host}]" if ":" in host else host
        if not conf.on("no-udp"):
            ends.append(f"turn:{shown}:{plain}?transport=udp")
        if not conf.on("no-tcp"):
            ends.append(f"turn:{shown}:{plain}?transport=tcp")
        if not conf.on("no-tls") and conf.text("cert") and conf.text("pkey"):
            ends.append(f"turns:{shown}:{secure}?transport=tcp")
            if uri.parse(ends[-1]).family is not None:
                notes.append(
                    "certificates name hosts: if TLS fails for its name, write the host name into the turns: URL"
                )
    if not conf.on("no-tls") and not (conf.text("cert") and conf.text("pkey")):
        notes.append("without cert and pkey this server has no TLS, so there is no turns: URL")
    return tuple(ends)


def _port(conf: Turnserver, name: str, default: int) -> int:
    number = conf.number(name, default)
    if not 0 <= number <= 65535:
        option = conf.last(name)
        raise ConfigError(f"line {option.line if option else 0}: {name}={number} is no port; ports run from 1 to 65535")
    # coturn reads 0 as its default.
    return number or default
