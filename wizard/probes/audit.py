"""What a running TURN server permits. Nothing is ever sent to a peer: permissions and channels are asked for, not used.

No password is guessed. Whatever is allocated is released. What was not tried is said to be so.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import warnings
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from wizard.audit.finding import Audit, AuditFinding, NotChecked, sorted_findings
from wizard.audit.peers import FORBIDDEN, Forbidden, Group
from wizard.audit.reach import GROUP_CODE
from wizard.audit.strength import weakness
from wizard.model.secret import Secret
from wizard.probes.conversation import Conversation, Endpoint, Fault, LinkFault, Reply, converse, new_client, trust
from wizard.probes.dns import first_address
from wizard.wire import turn
from wizard.wire.rest_credentials import LIFETIME_S, expiry
from wizard.wire.turn import Credentials, Timing
from wizard.wire.turn_event import Refused, Succeeded
from wizard.wire.uri import IceUri, Transport

QUOTA_TRIES = 5
"""Allocations at once to see whether a quota stops them: few enough to leave room for others."""
CONNECT_WITHIN_S = 3.0
PATIENCE = Timing(timeout_s=4.0)
_LONG = timedelta(seconds=7 * LIFETIME_S)
_SOON = timedelta(days=14)
_FIRST_SOUND = (4, 5, 2)
"""coturn before it let clients reach loopback in several ways (CVE-2020-26262)."""
_RELEASED = {
    (4, 5, 0, 8): "2018-09",
    (4, 5, 1, 0): "2018-11",
    (4, 5, 1, 1): "2019-03",
    (4, 5, 1, 2): "2020-04",
    (4, 5, 1, 3): "2020-06",
    (4, 5, 2): "2021-01",
    (4, 6, 0): "2022-09",
    (4, 6, 1): "2022-12",
}
"""Months of coturn's releases, from its change log."""
_PLAIN_PORT, _TLS_PORT = 3478, 5349
_NO_TCP = frozenset({400, 403, 442})


@dataclass(frozen=True, slots=True)
class Options:
    """How to audit. `own`: the server is the user's own, so that limits and its own ports may be tried."""

    credentials: Credentials | None = None
    minted: bool = False
    """Whether the credentials come from a shared secret."""
    own: bool = False
    tls: ssl.SSLContext | None = None
    timing: Timing = field(default_factory=lambda: PATIENCE)
    now: Callable[[], datetime] = lambda: datetime.now(UTC)


class AuditError(Exception):
    """The server cannot be audited at all; the message says why."""


async def audit_server(uri: IceUri, options: Options) -> Audit:
    """Ask the server. Raises AuditError if it does not answer at all."""
    try:
        address = await first_address(uri.ascii_host)
    except OSError as fault:
        raise AuditError(f"{uri.host}: {fault}") from None
    return await _Live(uri, Endpoint(address, uri.port, uri.transport, uri.ascii_host), options).run()


class _Live:
    def __init__(self, uri: IceUri, endpoint: Endpoint, options: Options) -> None:
        self.uri = uri
        self.end = endpoint
        self.options = options
        self.findings: list[AuditFinding] = []
        self.missing: list[NotChecked] = []
        self.permitted: list[Forbidden] = []
        self.changes = True
        """Whether it may be coturn, whose options the changes are."""

    async def run(self) -> Audit:
        await self._greet()
        await self._anonymous()
        await self._tls()
        self._weigh()
        if await self._login():
            await self._ipv6_peers()
            self._judge_peers()
            await self._stream_relay()
            await self._quota()
        self._miss("bandwidth")
        self._miss("dtls")
        self._miss("logs")
        return Audit(self.uri.text, sorted_findings(self.findings), tuple(self.missing))

    def _find(self, code: str, *change: str, **values: str) -> None:
        self.findings.append(AuditFinding(code, self.uri.text, values, change if self.changes else ()))

    def _miss(self, code: str, **values: str) -> None:
        self.missing.append(NotChecked(code, values))

    @contextlib.asynccontextmanager
    async def _talk(
        self, credentials: Credentials | None = None, endpoint: Endpoint | None = None
    ) -> AsyncIterator[Conversation | LinkFault]:
        end = endpoint or self.end
        client = new_client(end.transport, credentials, self.options.timing)
        # An audit goes on where the certificate is bad: that is a finding of its own.
        async with converse(end, client, _unverified(), connect_timeout_s=self.options.timing.timeout_s) as talk:
            yield talk

    async def _greet(self) -> None:
        async with self._talk() as talk:
            if isinstance(talk, LinkFault):
                raise AuditError(f"{self.uri.text}: {talk.text}")
            reply = await talk.ask(talk.client.binding)
            software = talk.client.software
        if not isinstance(reply, Succeeded | Refused):
            # A server may be told to answer no Binding requests; it must then answer an Allocate.
            async with self._talk() as talk:
                reply = talk if isinstance(talk, LinkFault) else await talk.ask(talk.client.allocate)
                if not isinstance(reply, Succeeded | Refused):
                    raise AuditError(f"{self.uri.text}: {_said(reply)}")
        if not software:
            self._miss("software")
            return
        self.changes = software.lower().startswith("coturn")
        version = _version(software)
        if version is None:
            # A name alone says little; coturn's is followed by its version.
            return
        released = _RELEASED.get(version, "") if self.changes else ""
        self._find("banner", "+ no-software-attribute", software=f": {software}" + (released and f" ({released})"))
        if self.changes and version < _FIRST_SOUND:
            self._find("old-version", software=software, fixed=".".join(map(str, _FIRST_SOUND)))

    async def _anonymous(self) -> None:
        async with self._talk() as talk:
            reply: Reply = talk if isinstance(talk, LinkFault) else await talk.ask(talk.client.allocate)
        if isinstance(reply, Succeeded):
            self._find("open-relay", "- no-auth", "+ use-auth-secret", "+ static-auth-secret=…")
        elif not isinstance(reply, Refused) or reply.code in (486, 500, 508):
            self._miss("anonymous", text=_said(reply))

    def _weigh(self) -> None:
        credentials = self.options.credentials
        if credentials is None:
            return
        ends = expiry(credentials.username)
        if self.options.minted:
            self._miss("password")
        elif ends is None:
            self._find("endless-credentials", "+ use-auth-secret", "+ static-auth-secret=…")
        if ends is not None and ends - self.options.now() > _LONG:
            self._find("long-credentials", expires=f"{ends:%Y-%m-%d %H:%M} UTC")
        if ends is None:
            reason = weakness(Secret(credentials.password.reveal()), (credentials.username, self.uri.host))
            if reason is not None:
                name = credentials.username
                self._find("weak-password", f"- user={name}:…", f"+ user={name}:…", user=name, reason=reason)

    async def _login(self) -> bool:
        if self.options.credentials is None:
            self._miss("login", text="no credentials were given")
            return False
        async with self._talk(self.options.credentials) as talk:
            reply: Reply = talk if isinstance(talk, LinkFault) else await talk.ask(talk.client.allocate)
            if isinstance(reply, Succeeded) and not isinstance(talk, LinkFault):
                # The same allocation: each one more counts against the user's quota for a while.
                await self._peers(talk, 4)
                return True
        if isinstance(reply, Refused) and reply.code == 401:
            self._find("login-refused", user=self.options.credentials.username)
        self._miss("login", text=_said(reply))
        return False

    async def _ipv6_peers(self) -> None:
        async with self._talk(self.options.credentials) as talk:
            if isinstance(talk, LinkFault):
                self._miss("ipv6-peers", text=talk.text)
                return
            reply = await talk.ask(lambda now: talk.client.allocate(now, family=turn.IPV6))
            if isinstance(reply, Succeeded):
                await self._peers(talk, 6)
            else:
                self._miss("ipv6-peers", text=_said(reply))

    async def _peers(self, talk: Conversation, version: int) -> None:
        wanted = [forbidden for forbidden in FORBIDDEN if forbidden.range.first.version == version]
        for place, forbidden in enumerate(wanted):
            answers = await self._ask_for(talk, forbidden.sample)
            if any(isinstance(answer, Succeeded) for answer in answers):
                self.permitted.append(forbidden)
            elif any(isinstance(answer, Refused) and answer.code in _UNTOLD for answer in answers):
                self._miss("peers", list=forbidden.sample, text=_said(answers[-1]))
            elif not all(isinstance(answer, Refused) for answer in answers):
                # Whoever has fallen silent is not asked sixteen times more.
                rest = ", ".join(other.sample for other in wanted[place:])
                self._miss("peers", list=rest, text=_said(answers[-1]))
                break

    def _judge_peers(self) -> None:
        for group, code in GROUP_CODE.items():
            found = [forbidden for forbidden in self.permitted if forbidden.group is group]
            if found:
                change = [f"+ denied-peer-ip={forbidden.range}" for forbidden in found]
                if group is Group.LOOPBACK:
                    change = ["- allow-loopback-peers"]
                if group is Group.MULTICAST:
                    change = ["+ no-multicast-peers", *change]
                self._find(code, *change, list=", ".join(forbidden.sample for forbidden in found))

    async def _ask_for(self, talk: Conversation, sample: str) -> list[Reply]:
        # Some servers look at the peer in one of the two only.
        permission = await talk.ask(lambda now: talk.client.create_permission(now, [(sample, 9)]))
        if isinstance(permission, Succeeded):
            return [permission]
        return [permission, await talk.ask(lambda now: talk.client.channel_bind(now, (sample, 9)))]

    async def _stream_relay(self) -> None:
        end = self.end
        if end.transport is Transport.UDP:
            end = Endpoint(end.address, end.port, Transport.TCP, end.server_name)
        async with self._talk(self.options.credentials, end) as talk:
            if isinstance(talk, LinkFault):
                self._miss("tcp-relay", text=f"port {end.port} by TCP: {talk.text}")
                return
            reply = await talk.ask(lambda now: talk.client.allocate(now, transport=turn.TCP))
            if not isinstance(reply, Succeeded):
                # RFC 8656 section 7.2: 442 says that the transport is not relayed; some servers say 403 or 400.
                if not (isinstance(reply, Refused) and reply.code in _NO_TCP):
                    self._miss("tcp-relay", text=_said(reply))
                return
            self._find("tcp-relay", "+ no-tcp-relay")
            if not self.options.own:
                self._miss("own-listener", text="nobody said that the server is theirs")
                return
            await self._own_listeners(talk, end)

    async def _own_listeners(self, talk: Conversation, end: Endpoint) -> None:
        reached: list[str] = []
        for address in dict.fromkeys((end.address, "127.0.0.1")):
            if ":" in address:
                continue
            peer = (address, end.port)
            try:
                async with asyncio.timeout(CONNECT_WITHIN_S):
                    reply = await talk.ask(lambda now, peer=peer: talk.client.connect(now, peer))  # type: ignore[misc]
            except TimeoutError:
                self._miss("own-listener", text=f"{address}:{end.port} gave no answer within {CONNECT_WITHIN_S:g} s")
                continue
            if isinstance(reply, Succeeded):
                reached.append(f"{address}:{end.port}")
            elif not isinstance(reply, Refused):
                self._miss("own-listener", text=_said(reply))
        if reached:
            self._find("own-listener", "+ no-tcp-relay", list=", ".join(reached))

    async def _quota(self) -> None:
        if not self.options.own:
            self._miss("quota", text="nobody said that the server is theirs")
            return
        async with contextlib.AsyncExitStack() as stack:
            for _ in range(QUOTA_TRIES):
                talk = await stack.enter_async_context(self._talk(self.options.credentials))
                reply: Reply = talk if isinstance(talk, LinkFault) else await talk.ask(talk.client.allocate)
                if isinstance(reply, Refused) and reply.code == 486:
                    return
                if not isinstance(reply, Succeeded):
                    self._miss("quota", text=_said(reply))
                    return
        self._miss("quota", text=f"none stopped {QUOTA_TRIES} sessions at once, and more were not tried")

    async def _tls(self) -> None:
        end = self.end
        if end.transport is not Transport.TLS:
            port = _TLS_PORT if end.port == _PLAIN_PORT else end.port
            end = Endpoint(end.address, port, Transport.TLS, end.server_name)
        try:
            context = self.options.tls
            if context is None:
                context = await asyncio.to_thread(trust)
            client = new_client(Transport.TLS, None, self.options.timing)
            async with converse(end, client, context, connect_timeout_s=self.options.timing.timeout_s) as talk:
                fault = talk if isinstance(talk, LinkFault) else None
        except (OSError, ssl.SSLError) as error:
            self._miss("tls", text=str(error))
            return
        if fault is not None and fault.fault not in _CERTIFICATE and fault.fault is not Fault.TLS_OTHER:
            if fault.fault is Fault.REFUSED and end.port == _TLS_PORT:
                self._find(
                    "no-tls", "- no-tls", "+ cert=/etc/ssl/turn/fullchain.pem", "+ pkey=/etc/ssl/turn/privkey.pem"
                )
            else:
                self._miss("tls", text=f"port {end.port}: {fault.text}")
            return
        if fault is not None:
            code = _CERTIFICATE.get(fault.fault, "cert-unfit")
            self._find(code, **({"name": self.uri.host} if code == "cert-wrong-name" else {"text": fault.text}))
        else:
            await self._certificate(end, context)
        await self._old_versions(end)

    async def _certificate(self, end: Endpoint, context: ssl.SSLContext) -> None:
        try:
            info = await self._handshake(end, context)
        except (OSError, ssl.SSLError, TimeoutError) as error:
            self._miss("tls", text=str(error) or "no answer")
            return
        certificate: Any = info.getpeercert() or {}
        if "notAfter" not in certificate:
            return
        ends = datetime.fromtimestamp(ssl.cert_time_to_seconds(certificate["notAfter"]), UTC)
        if ends - self.options.now() < _SOON:
            self._find("cert-soon", expires=f"{ends:%Y-%m-%d}")

    async def _old_versions(self, end: Endpoint) -> None:
        accepted = []
        for name, version in (("TLS 1.0", ssl.TLSVersion.TLSv1), ("TLS 1.1", ssl.TLSVersion.TLSv1_1)):
            try:
                info = await self._handshake(end, _only(version))
            except ssl.SSLError as error:
                reason = error.reason or ""
                # Anything but the server's own refusal may be this computer's.
                if not any(word in reason for word in _REFUSALS):
                    self._miss("tls-version", version=name, text=reason.replace("_", " ").lower() or "it failed")
            except (ConnectionError, TimeoutError):
                # coturn says nothing at all to a version that it does not speak; to others it just spoke here.
                pass
            except OSError as error:
                self._miss("tls-version", version=name, text=str(error) or "no answer")
            else:
                accepted.append((name, info.version()))
        if accepted:
            change = [_NO_VERSION[name] for name, _ in accepted]
            self._find("old-tls", *change, versions=", ".join(name for name, _ in accepted))

    async def _handshake(self, end: Endpoint, context: ssl.SSLContext) -> ssl.SSLObject:
        async with asyncio.timeout(self.options.timing.timeout_s):
            transport, _ = await asyncio.get_running_loop().create_connection(
                asyncio.Protocol, end.address, end.port, ssl=context, server_hostname=end.server_name
            )
        info: ssl.SSLObject = transport.get_extra_info("ssl_object")
        transport.abort()
        return info


_CERTIFICATE = {
    Fault.TLS_EXPIRED: "cert-expired",
    Fault.TLS_NOT_YET_VALID: "cert-not-yet-valid",
    Fault.TLS_WRONG_NAME: "cert-wrong-name",
    Fault.TLS_UNKNOWN_ISSUER: "cert-unknown-issuer",
    Fault.TLS_REVOKED: "cert-unfit",
}
_NO_VERSION = {"TLS 1.0": "+ no-tlsv1", "TLS 1.1": "+ no-tlsv1_1"}
_REFUSALS = (
    "ALERT_PROTOCOL_VERSION",
    "ALERT_HANDSHAKE_FAILURE",
    "UNSUPPORTED_PROTOCOL",
    "UNEXPECTED_EOF",
    "WRONG_VERSION",
)
_UNTOLD = frozenset({401, 437, 438, 441, 486, 500, 508})
"""Refusals that are not about the peer."""


def _said(reply: Reply) -> str:
    if isinstance(reply, Refused):
        return f"{reply.code} {reply.reason}".strip()
    if isinstance(reply, LinkFault):
        return reply.text
    return getattr(reply, "reason", None) or getattr(reply, "heard", None) or "no answer"


def _version(software: str) -> tuple[int, ...] | None:
    """The version in `Coturn-4.6.1 'Gorst'`."""
    for word in software.replace("-", " ").replace("/", " ").split():
        parts = word.split(".")
        if len(parts) >= 2 and all(part.isascii() and part.isdigit() for part in parts):
            return tuple(int(part) for part in parts)
    return None


def _unverified() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def _only(version: ssl.TLSVersion) -> ssl.SSLContext:
    context = _unverified()
    # Without it OpenSSL 3 does not speak them; it is to ask, nothing is sent.
    context.set_ciphers("ALL:@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = version
        context.maximum_version = version
    return context
