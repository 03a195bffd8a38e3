"""What the bench runs against the servers: gathering, a relay's quality, the NAT, an audit. One at a time."""

from __future__ import annotations

import asyncio
import contextlib
import enum
import ipaddress
import ssl
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from wizard.audit.finding import Audit
from wizard.audit.rules import audit_file
from wizard.configs.turnserver import Turnserver
from wizard.gui.bench.servers import ServerListModel
from wizard.gui.jobs import Jobs
from wizard.model.server_list import CredentialKind, ServerEntry
from wizard.probes import audit as live_audit
from wizard.probes import ice, nat, relay_quality
from wizard.probes.call import calls
from wizard.probes.conversation import trust
from wizard.probes.relay_capacity import SIZES, Capacity, Load, Ramping, ramp
from wizard.probes.relay_leg import Access
from wizard.probes.relay_quality import Progress, Quality
from wizard.probes.relay_verdict import Grade, Measured, Reason
from wizard.probes.server_credentials import NoCredentialsError
from wizard.probes.source import Source
from wizard.report.audit import read
from wizard.report.bench import BenchResult
from wizard.report.ice import IceResult
from wizard.report.nat import NatResult, interface_of, verdict_of
from wizard.report.turn import TurnResult, result_of
from wizard.system.interfaces import networks
from wizard.vantage.relay_server import RelayServer, find_server
from wizard.wire.long_term import Credentials
from wizard.wire.uri import IceUri, Transport

_LINGER_S = 1.5
"""coturn counts a released allocation against the quota for a second more."""


class Part(enum.Enum):
    """What can be run."""

    GATHER = "gather"
    CALL = "call"
    NAT = "nat"
    AUDIT = "audit"


class BenchModel(QObject):
    """The tests and what they gave. Signals: `changed`; `moment` while a call's packets are sent."""

    changed = Signal()
    moment = Signal()

    def __init__(self, jobs: Jobs, servers: ServerListModel, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._jobs = jobs
        self.servers = servers
        self.relay_only = False
        self.family: int | None = None
        self.interface: str | None = None
        self.own = False
        """Whether the person said that the relay is theirs, so that its limits may be tried."""
        self.sessions: int | None = None
        self.lifetime = False
        self.ice: IceResult | None = None
        self.turn: TurnResult | None = None
        self.nat: NatResult | None = None
        self.audit: Audit | None = None
        self.conf: Turnserver | None = None
        """The configuration that the audit is of, if it is of one."""
        self.moments: list[Progress] = []
        self.ramping: Ramping | None = None
        self.doing: Part | None = None
        self.stopped: Part | None = None
        """What was ended early."""
        self.problems: dict[Part, tuple[str, ...]] = {}
        self._task: asyncio.Future[None] | None = None
        self._began: tuple[datetime, float] | None = None
        self._seconds = 0.0
        self._users: dict[str, None] = {}
        servers.brought.connect(self._follow_list)

    @property
    def busy(self) -> bool:
        """Whether anything runs."""
        return self.doing is not None

    @property
    def report(self) -> BenchResult | None:
        """Whatever was tested; None before that."""
        parts = (self.ice, self.turn, self.nat, self.audit)
        if self.busy or self._began is None or all(part is None for part in parts):
            return None
        return BenchResult(self._began[0], self._seconds, *parts, users=tuple(self._users))

    def gather(self) -> None:
        """Ask every enabled server for candidates, all at once."""
        self._start(Part.GATHER, self._gather)

    def call(self, url: str) -> None:
        """Send a call's packets through that relay."""
        self._start(Part.CALL, lambda: self._call(url))

    def measure_nat(self) -> None:
        """Ask the servers that speak UDP what the NAT does."""
        self._start(Part.NAT, self._nat)

    def audit_relay(self, url: str) -> None:
        """Ask a running server what it permits."""
        self._start(Part.AUDIT, lambda: self._audit_relay(url))

    def audit_file(self, path: Path) -> None:
        """Weigh a turnserver.conf."""
        self._start(Part.AUDIT, lambda: self._audit_file(path))

    def stop(self) -> None:
        """End early; every allocation is given back."""
        if self._task is not None and self.doing is not None:
            self.stopped = self.doing
            self._task.cancel()

    def _follow_list(self) -> None:
        self.relay_only = self.servers.relay_only
        self.changed.emit()

    def _start(self, part: Part, job: Callable[[], Awaitable[None]]) -> None:
        if self.busy:
            return
        self.doing, self.stopped = part, None
        self.problems[part] = ()
        now = time.monotonic()
        self._began = self._began or (datetime.now(UTC), now)
        self._task = self._jobs.start(self._run(part, job))
        # Cancelled before its first step it never comes to its own end.
        self._task.add_done_callback(lambda _: self._ended(now))
        self.changed.emit()

    async def _run(self, part: Part, job: Callable[[], Awaitable[None]]) -> None:
        try:
            await job()
        except (OSError, ssl.SSLError, ValueError, NoCredentialsError, live_audit.AuditError) as fault:
            self._say(part, str(fault))

    def _ended(self, began: float) -> None:
        self._seconds += time.monotonic() - began
        self.doing, self._task, self.ramping = None, None, None
        self.changed.emit()

    def _say(self, part: Part, text: str) -> None:
        self.problems[part] = (*self.problems[part], text)

    async def _credentials(self, entry: ServerEntry) -> Credentials | None:
        """Raises NoCredentialsError."""
        made = await self.servers.login(entry)
        if made is None:
            return None
        self._users[made.username] = None
        return Credentials(made.username, made.password)

    async def _gather(self) -> None:
        self.ice = None
        targets: list[ice.Target] = []
        for entry in self.servers.enabled:
            if entry.fault is not None:
                self._say(Part.GATHER, entry.fault)
                continue
            try:
                credentials = await self._credentials(entry)
            except NoCredentialsError as fault:
                # Its STUN addresses want none, and the other servers are not to wait for it.
                self._say(Part.GATHER, str(fault))
                targets += [ice.Target(uri) for uri in entry.uris if not uri.relays]
                continue
            targets += [ice.Target(uri, credentials if uri.relays else None) for uri in entry.uris]
        if not targets:
            return
        secure = any(target.uri.transport is Transport.TLS for target in targets)
        options = ice.Options(
            family=self.family,
            relay_only=self.relay_only,
            tls=await asyncio.to_thread(trust, self.servers.ca_file) if secure else None,
            own_addresses=_own_addresses(self.interface),
            sources=_sources(self.interface),
        )
        result = self.ice = IceResult(urls=[target.uri.text for target in targets])
        self.changed.emit()
        async with contextlib.aclosing(ice.gather(targets, options)) as events:
            async for event in events:
                result.add(event)
                self.changed.emit()

    async def _relay(self, url: str) -> tuple[ServerEntry, IceUri]:
        """Raises ValueError."""
        found = next(((entry, uri) for entry, uri in self.servers.relays if uri.text == url), None)
        if found is None:
            raise ValueError(f"{url} is not in the list of servers any more")
        return found

    async def _call(self, url: str) -> None:
        self.turn, self.moments = None, []
        entry, uri = await self._relay(url)
        credentials = await self._credentials(entry)
        if credentials is None:
            raise NoCredentialsError(f"{url} wants a user name and a password: enter them in the list of servers")
        server = await find_server(uri.text, credentials)
        if not isinstance(server, RelayServer):
            self.turn = TurnResult(uri.text, None, (Reason("unfound", Grade.FAILED, (("text", server),)),))
            return
        tls = await self._own_trust() or server.tls
        access = Access(server.endpoint(stream=False), credentials, tls, self.family)
        quality = await self._quality(access)
        measured = Measured(access.endpoint.address, access.endpoint.transport, quality)
        if quality.survey.ports:
            await asyncio.sleep(_LINGER_S)
            async with contextlib.aclosing(calls(access)) as made:
                measured = replace(measured, calls=tuple([call async for call in made]))
            if self.sessions is not None and self.own:
                await asyncio.sleep(_LINGER_S)
                capacity = await self._ramped(access, Load(self.sessions, SIZES[self.sessions]))
                measured = replace(measured, capacity=capacity)
        self.turn = result_of(uri.text, measured, self.moments)

    async def _quality(self, access: Access) -> Quality:
        async with contextlib.aclosing(relay_quality.measure(access)) as events:
            async for event in events:
                if isinstance(event, Quality):
                    return event
                if isinstance(event, Progress):
                    self.moments.append(event)
                    self.moment.emit()
        raise AssertionError("a test ends with its result")

    async def _ramped(self, access: Access, load: Load) -> Capacity:
        async with contextlib.aclosing(ramp(access, load)) as events:
            async for event in events:
                if isinstance(event, Capacity):
                    return event
                if isinstance(event, Ramping):
                    self.ramping = event
                    self.moment.emit()
        raise AssertionError("a ramp ends with its result")

    async def _nat(self) -> None:
        self.nat = None
        uris = [uri for uri in self.servers.uris if uri.transport is Transport.UDP]
        survey = await nat.measure(uris, nat.Options(lifetimes_s=nat.LIFETIMES_S if self.lifetime else ()))
        interface = interface_of(survey.measured.local)
        self.nat = NatResult(survey, verdict_of(survey, interface), interface)

    async def _own_trust(self) -> ssl.SSLContext | None:
        """The authorities of a person's own, if they named any. Raises ValueError."""
        file = self.servers.ca_file
        return None if file is None else await asyncio.to_thread(trust, file)

    async def _audit_relay(self, url: str) -> None:
        self.audit, self.conf = None, None
        entry, uri = await self._relay(url)
        try:
            credentials = await self._credentials(entry)
        except NoCredentialsError as fault:
            # What can be seen without logging in is told all the same.
            self._say(Part.AUDIT, str(fault))
            credentials = None
        minted = entry.kind is CredentialKind.SHARED_SECRET
        tls = await self._own_trust()
        options = live_audit.Options(credentials, minted=minted, own=self.own, tls=tls)
        self.audit = await live_audit.audit_server(uri, options)

    async def _audit_file(self, path: Path) -> None:
        self.audit, self.conf = None, None
        conf = await asyncio.to_thread(read, path)
        self.audit, self.conf = audit_file(conf), conf


def _own_addresses(interface: str | None) -> tuple[str, ...]:
    # RFC 8445 section 5.1.1.1; of link-local addresses a peer elsewhere can make nothing.
    found = [net.address for net in networks() if interface in (None, net.interface)]
    parsed = [ipaddress.ip_address(address) for address in found]
    return tuple(str(ip) for ip in parsed if not (ip.is_loopback or ip.is_link_local))


def _sources(interface: str | None) -> tuple[Source, ...]:
    if interface is None:
        return ()
    own = sorted(
        (net.address for net in networks() if net.interface == interface),
        key=lambda address: ipaddress.ip_address(address).is_link_local,
    )
    return tuple(Source(interface, address) for address in own)
