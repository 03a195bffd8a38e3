"""What a running TURN server permits. Nothing is ever sent to a peer: permissions and channels are asked for, not used.

No password is guessed. Whatever is allocated is released. What was not tried is said to be so.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from wizard.audit.finding import Audit, AuditFinding, NotChecked, sorted_findings
from wizard.audit.reach import GROUP_CODE
from wizard.audit.strength import weakness
from wizard.configs.peers import FORBIDDEN, Forbidden, Group
from wizard.model.secret import Secret
from wizard.probes.audit_tls import TlsAudit, unverified
from wizard.probes.conversation import Conversation, Endpoint, Reply, converse, new_client
from wizard.probes.directory import preferred
from wizard.probes.fault import LinkFault
from wizard.wire import turn
from wizard.wire.long_term import Credentials
from wizard.wire.request import Timing
from wizard.wire.rest_credentials import LIFETIME_S, expiry
from wizard.wire.turn_event import Refused, Succeeded
from wizard.wire.uri import IceUri, Transport

QUOTA_TRIES = 5
"""Allocations at once to see whether a quota stops them: few enough to leave room for others."""
CONNECT_WITHIN_S = 3.0
PATIENCE = Timing(timeout_s=4.0)
_LONG = timedelta(seconds=7 * LIFETIME_S)
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
        transport, ends = await preferred(uri)
    except OSError as fault:
        raise AuditError(f"{uri.host}: {fault}") from None
    return await _Live(uri, Endpoint(ends[0].address, ends[0].port, transport, uri.ascii_host), options).run()


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
        tls = TlsAudit(self.end, self.uri.host, self.options.tls, self.options.timing, self.options.now, self)
        await tls.run()
        self._weigh()
        if await self._login():
            await self._ipv6_peers()
            self._judge_peers()
            await self._stream_relay()
            await self._quota()
        self.miss("bandwidth")
        self.miss("dtls")
        self.miss("logs")
        return Audit(self.uri.text, sorted_findings(self.findings), tuple(self.missing))

    def find(self, code: str, *change: str, **values: str) -> None:
        """Something that is unsafe."""
        self.findings.append(AuditFinding(code, self.uri.text, values, change if self.changes else ()))

    def miss(self, code: str, **values: str) -> None:
        """Something that was not tried."""
        self.missing.append(NotChecked(code, values))

    @contextlib.asynccontextmanager
    async def _talk(
        self, credentials: Credentials | None = None, endpoint: Endpoint | None = None
    ) -> AsyncIterator[Conversation | LinkFault]:
        end = endpoint or self.end
        client = new_client(end.transport, credentials, self.options.timing)
        # An audit goes on where the certificate is bad: that is a finding of its own.
        async with converse(end, client, unverified(), connect_timeout_s=self.options.timing.timeout_s) as talk:
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
            self.miss("software")
            return
        self.changes = software.lower().startswith("coturn")
        version = _version(software)
        if version is None:
            # A name alone says little; coturn's is followed by its version.
            return
        released = _RELEASED.get(version, "") if self.changes else ""
        self.find("banner", "+ no-software-attribute", software=f": {software}" + (released and f" ({released})"))
        if self.changes and version < _FIRST_SOUND:
            self.find("old-version", software=software, fixed=".".join(map(str, _FIRST_SOUND)))

    async def _anonymous(self) -> None:
        async with self._talk() as talk:
            reply: Reply = talk if isinstance(talk, LinkFault) else await talk.ask(talk.client.allocate)
        if isinstance(reply, Succeeded):
            self.find("open-relay", "- no-auth", "+ use-auth-secret", "+ static-auth-secret=…")
        elif not isinstance(reply, Refused) or reply.code in (486, 500, 508):
            self.miss("anonymous", text=_said(reply))

    def _weigh(self) -> None:
        credentials = self.options.credentials
        if credentials is None:
            return
        ends = expiry(credentials.username)
        if self.options.minted:
            self.miss("password")
        elif ends is None:
            self.find("endless-credentials", "+ use-auth-secret", "+ static-auth-secret=…")
        if ends is not None and ends - self.options.now() > _LONG:
            self.find("long-credentials", expires=f"{ends:%Y-%m-%d %H:%M} UTC")
        if ends is None:
            reason = weakness(Secret(credentials.password.reveal()), (credentials.username, self.uri.host))
            if reason is not None:
                name = credentials.username
                self.find("weak-password", f"- user={name}:…", f"+ user={name}:…", user=name, reason=reason)

    async def _login(self) -> bool:
        if self.options.credentials is None:
            self.miss("login", text="no credentials were given")
            return False
        async with self._talk(self.options.credentials) as talk:
            reply: Reply = talk if isinstance(talk, LinkFault) else await talk.ask(talk.client.allocate)
            if isinstance(reply, Succeeded) and not isinstance(talk, LinkFault):
                # The same allocation: each one more counts against the user's quota for a while.
                await self._peers(talk, 4)
                return True
        if isinstance(reply, Refused) and reply.code == 401:
            self.find("login-refused", user=self.options.credentials.username)
        self.miss("login", text=_said(reply))
        return False

    async def _ipv6_peers(self) -> None:
        async with self._talk(self.options.credentials) as talk:
            if isinstance(talk, LinkFault):
                self.miss("ipv6-peers", text=talk.text)
                return
            reply = await talk.ask(lambda now: talk.client.allocate(now, family=turn.IPV6))
            if isinstance(reply, Succeeded):
                await self._peers(talk, 6)
            else:
                self.miss("ipv6-peers", text=_said(reply))

    async def _peers(self, talk: Conversation, version: int) -> None:
        wanted = [forbidden for forbidden in FORBIDDEN if forbidden.range.first.version == version]
        for place, forbidden in enumerate(wanted):
            answers = await self._ask_for(talk, forbidden.sample)
            if any(isinstance(answer, Succeeded) for answer in answers):
                self.permitted.append(forbidden)
            elif any(isinstance(answer, Refused) and answer.code in _UNTOLD for answer in answers):
                self.miss("peers", list=forbidden.sample, text=_said(answers[-1]))
            elif not all(isinstance(answer, Refused) for answer in answers):
                # Whoever has fallen silent is not asked sixteen times more.
                rest = ", ".join(other.sample for other in wanted[place:])
                self.miss("peers", list=rest, text=_said(answers[-1]))
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
                self.find(code, *change, list=", ".join(forbidden.sample for forbidden in found))

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
                self.miss("tcp-relay", text=f"port {end.port} by TCP: {talk.text}")
                return
            reply = await talk.ask(lambda now: talk.client.allocate(now, transport=turn.TCP))
            if not isinstance(reply, Succeeded):
                # RFC 8656 section 7.2: 442 says that the transport is not relayed; some servers say 403 or 400.
                if not (isinstance(reply, Refused) and reply.code in _NO_TCP):
                    self.miss("tcp-relay", text=_said(reply))
                return
            self.find("tcp-relay", "+ no-tcp-relay")
            if not self.options.own:
                self.miss("own-listener", text="nobody said that the server is theirs")
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
                self.miss("own-listener", text=f"{address}:{end.port} gave no answer within {CONNECT_WITHIN_S:g} s")
                continue
            if isinstance(reply, Succeeded):
                reached.append(f"{address}:{end.port}")
            elif not isinstance(reply, Refused):
                self.miss("own-listener", text=_said(reply))
        if reached:
            self.find("own-listener", "+ no-tcp-relay", list=", ".join(reached))

    async def _quota(self) -> None:
        if not self.options.own:
            self.miss("quota", text="nobody said that the server is theirs")
            return
        async with contextlib.AsyncExitStack() as stack:
            for _ in range(QUOTA_TRIES):
                talk = await stack.enter_async_context(self._talk(self.options.credentials))
                reply: Reply = talk if isinstance(talk, LinkFault) else await talk.ask(talk.client.allocate)
                if isinstance(reply, Refused) and reply.code == 486:
                    return
                if not isinstance(reply, Succeeded):
                    self.miss("quota", text=_said(reply))
                    return
        self.miss("quota", text=f"none stopped {QUOTA_TRIES} sessions at once, and more were not tried")


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
