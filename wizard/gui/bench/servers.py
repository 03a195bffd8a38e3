"""The list of servers of the bench, and their secrets."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from PySide6.QtCore import QObject, QTimer, Signal

from wizard.configs.ice_servers import read_servers
from wizard.gui.view_models.passwords import PasswordModel
from wizard.model import server_list
from wizard.model.secret import Secret
from wizard.model.server_list import CredentialKind, ServerEntry, Servers, keyring_names
from wizard.probes.server_credentials import Login, login
from wizard.system.recent import KeptServers
from wizard.wire.rtc_config import ConfigError
from wizard.wire.uri import IceUri, Transport, UriError


class ServerListModel(QObject):
    """The servers in order, one of them chosen. Secrets are in memory and in the keyring.

    Signals: `changed`; `brought` when a list came.
    """

    changed = Signal()
    brought = Signal()

    def __init__(self, passwords: PasswordModel, kept: KeptServers, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.passwords = passwords
        self._kept = kept
        self.servers: Servers = kept.servers()
        # Not at each key that is typed.
        self._soon = QTimer(self, interval=1000, singleShot=True)
        self._soon.timeout.connect(self.keep)
        self.chosen = 0
        self.notes: tuple[str, ...] = ()
        self.error = ""
        self.relay_only = False
        """What the last list that was brought says of iceTransportPolicy."""
        self.ca_file: Path | None = None
        """The authorities to believe in place of this computer's."""
        self._secrets: dict[ServerEntry, Secret] = {}
        self._logins: dict[ServerEntry, Login] = {}

    @property
    def entry(self) -> ServerEntry | None:
        """The chosen one."""
        return self.servers[self.chosen] if self.chosen < len(self.servers) else None

    @property
    def enabled(self) -> Servers:
        """Those that are to be tested."""
        return tuple(entry for entry in self.servers if entry.enabled)

    @property
    def fault(self) -> str:
        """What is wrong with the first that cannot be tested; empty if all can."""
        return next((f"{place + 1}: {entry.fault}" for place, entry in self._numbered() if entry.fault), "")

    @property
    def relays(self) -> list[tuple[ServerEntry, IceUri]]:
        """Each TURN address that can be tested."""
        return [(entry, uri) for entry in self._readable() for uri in entry.uris if uri.relays]

    @property
    def uris(self) -> list[IceUri]:
        """Each address that can be tested."""
        return [uri for entry in self._readable() for uri in entry.uris]

    @property
    def secure(self) -> bool:
        """Whether any server speaks TLS, or a web service is asked by it."""
        services = (entry.endpoint for entry in self.enabled if entry.kind is CredentialKind.REST_ENDPOINT)
        return any(uri.transport is Transport.TLS for uri in self.uris) or any(
            address.lower().startswith("https:") for address in services
        )

    def choose(self, at: int) -> None:
        """Edit that one."""
        if at != self.chosen and 0 <= at < len(self.servers):
            self.chosen = at
            self.changed.emit()

    def add(self, entry: ServerEntry) -> None:
        """One more, at the end, and chosen."""
        self._take(server_list.added(self.servers, entry), len(self.servers))

    def begin_with(self, entries: Iterable[ServerEntry]) -> None:
        """Begin with these, if there are none yet."""
        if not self.servers:
            self._take(tuple(entries), 0)

    def edit(self, entry: ServerEntry) -> None:
        """Put `entry` in the place of the chosen one; a password that was typed stays with it."""
        before = self.entry
        if before is None or before == entry:
            return
        servers = server_list.edited(self.servers, self.chosen, entry)
        secret = self._secrets.get(_key(before))
        if secret is not None and before.kind is entry.kind:
            self._secrets[_key(entry)] = secret
        if all(_key(other) != _key(before) for other in servers):
            self._secrets.pop(_key(before), None)
        self._take(servers, self.chosen)

    def enable(self, at: int, on: bool) -> None:
        """Test that one, or leave it out."""
        self._take(server_list.enabled(self.servers, at, on), self.chosen)

    def remove(self) -> None:
        """Drop the chosen one. What the keyring has stays there."""
        if self.entry is not None:
            self._take(server_list.removed(self.servers, self.chosen), max(0, self.chosen - 1))

    def duplicate(self) -> None:
        """Copy the chosen one, and choose the copy."""
        if self.entry is not None:
            self._take(server_list.duplicated(self.servers, self.chosen), self.chosen + 1)

    def move(self, by: int) -> None:
        """Move the chosen one up (-1) or down (1)."""
        to = self.chosen + by
        if self.entry is not None and 0 <= to < len(self.servers):
            self._take(server_list.moved(self.servers, self.chosen, to), to)

    def bring(self, data: bytes) -> bool:
        """Add the servers of an RTCConfiguration, a script or a turnserver.conf. Returns whether it was one."""
        self.error, self.notes = "", ()
        try:
            found = read_servers(data)
        except (ConfigError, UriError) as fault:
            self.error = str(fault)
            self.changed.emit()
            return False
        self.notes = (*found.notes, *(words for server in found.servers for words in server.unread))
        self.relay_only = found.relay_only
        first = len(self.servers)
        for server in found.servers:
            self.servers = server_list.added(self.servers, server.entry)
            if server.secret is not None:
                self._secrets[_key(server.entry)] = server.secret
                self._keep(server.entry)
        self._take(self.servers, first if len(self.servers) > first else self.chosen)
        self.brought.emit()
        return True

    def keep(self) -> None:
        """Have the list, without its secrets, there at the next start."""
        self._soon.stop()
        self._kept.keep(self.servers)

    def say(self, fault: str) -> None:
        """Tell why a list could not be read."""
        self.error = fault
        self.changed.emit()

    def believe(self, ca_file: Path | None) -> None:
        """Believe the authorities in that file alone; None: this computer's."""
        self.ca_file = ca_file
        self.changed.emit()

    def set_secret(self, secret: Secret) -> None:
        """The chosen one's password, shared secret or token, as it is typed."""
        if self.entry is not None:
            self._secrets[_key(self.entry)] = secret
            self._logins.pop(_key(self.entry), None)

    def keep_secret(self) -> None:
        """Have the keyring keep what was typed for the chosen one."""
        if self.entry is not None:
            self._keep(self.entry)

    def typed(self, entry: ServerEntry) -> Secret | None:
        """What was typed for it in this session."""
        return self._secrets.get(_key(entry))

    def ends(self, entry: ServerEntry) -> datetime | None:
        """When the credentials end that were made or fetched for it; None as long as there are none."""
        held = self._logins.get(_key(entry))
        return held.expires if held is not None else None

    async def login(self, entry: ServerEntry) -> Login | None:
        """What to log in with; None where nothing is wanted. Raises NoCredentialsError."""
        secret = self.typed(entry)
        if secret is None:
            secret = await self._recall(entry)
        else:
            self._keep(entry)
        key = _key(entry)
        made = await login(entry, secret, datetime.now(UTC), held=self._logins.get(key), ca_file=self.ca_file)
        if made is not None and entry.kind is not CredentialKind.STATIC:
            self._logins[key] = made
            self.changed.emit()
        return made

    async def _recall(self, entry: ServerEntry) -> Secret | None:
        for account in keyring_names(entry):
            found = await self.passwords.recall(account)
            if found is not None:
                return found
        return None

    def _keep(self, entry: ServerEntry) -> None:
        secret = self.typed(entry)
        if secret is not None:
            for account in keyring_names(entry):
                if self.passwords.known(account) != secret:
                    self.passwords.remember(account, secret)

    def _readable(self) -> Servers:
        return tuple(entry for entry in self.enabled if entry.fault is None)

    def _numbered(self) -> Iterable[tuple[int, ServerEntry]]:
        return ((place, entry) for place, entry in enumerate(self.servers) if entry.enabled)

    def _take(self, servers: Servers, chosen: int) -> None:
        self.servers, self.chosen = servers, chosen
        self._soon.start()
        self.changed.emit()


def _key(entry: ServerEntry) -> ServerEntry:
    return replace(entry, enabled=True)
