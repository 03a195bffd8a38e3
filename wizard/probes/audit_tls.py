"""What a TURN server's TLS is worth: the certificate, and the versions that it speaks."""

from __future__ import annotations

import asyncio
import ssl
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

from wizard.probes.conversation import Endpoint, converse, new_client, trust
from wizard.probes.fault import Fault, LinkFault
from wizard.wire.request import Timing
from wizard.wire.uri import Transport

_SOON = timedelta(days=14)
_PLAIN_PORT, _TLS_PORT = 3478, 5349


class Ledger(Protocol):
    """Takes down what is found, and what could not be tried."""

    def find(self, code: str, *change: str, **values: str) -> None:
        """Something that is unsafe."""
        ...

    def miss(self, code: str, **values: str) -> None:
        """Something that was not tried."""
        ...


@dataclass(frozen=True, slots=True)
class TlsAudit:
    """A server's TLS, judged by whom `trusted` believes; None: the system's authorities."""

    end: Endpoint
    name: str
    trusted: ssl.SSLContext | None
    timing: Timing
    now: Callable[[], datetime]
    ledger: Ledger

    async def run(self) -> None:
        """Shake hands a few times; nothing is asked within."""
        end = self.end
        if end.transport is not Transport.TLS:
            port = _TLS_PORT if end.port == _PLAIN_PORT else end.port
            end = Endpoint(end.address, port, Transport.TLS, end.server_name)
        try:
            context = self.trusted
            if context is None:
                context = await asyncio.to_thread(trust)
            client = new_client(Transport.TLS, None, self.timing)
            async with converse(end, client, context, connect_timeout_s=self.timing.timeout_s) as talk:
                fault = talk if isinstance(talk, LinkFault) else None
        except (OSError, ssl.SSLError) as error:
            self.ledger.miss("tls", text=str(error))
            return
        if fault is not None and fault.fault not in _CERTIFICATE and fault.fault is not Fault.TLS_OTHER:
            if fault.fault is Fault.REFUSED and end.port == _TLS_PORT:
                self.ledger.find(
                    "no-tls", "- no-tls", "+ cert=/etc/ssl/turn/fullchain.pem", "+ pkey=/etc/ssl/turn/privkey.pem"
                )
            else:
                self.ledger.miss("tls", text=f"port {end.port}: {fault.text}")
            return
        if fault is not None:
            code = _CERTIFICATE.get(fault.fault, "cert-unfit")
            self.ledger.find(code, **({"name": self.name} if code == "cert-wrong-name" else {"text": fault.text}))
        else:
            await self._certificate(end, context)
        await self._old_versions(end)

    async def _certificate(self, end: Endpoint, context: ssl.SSLContext) -> None:
        try:
            info = await self._handshake(end, context)
        except (OSError, ssl.SSLError, TimeoutError) as error:
            self.ledger.miss("tls", text=str(error) or "no answer")
            return
        certificate: Any = info.getpeercert() or {}
        if "notAfter" not in certificate:
            return
        ends = datetime.fromtimestamp(ssl.cert_time_to_seconds(certificate["notAfter"]), UTC)
        if ends - self.now() < _SOON:
            self.ledger.find("cert-soon", expires=f"{ends:%Y-%m-%d}")

    async def _old_versions(self, end: Endpoint) -> None:
        accepted = []
        for name, version in (("TLS 1.0", ssl.TLSVersion.TLSv1), ("TLS 1.1", ssl.TLSVersion.TLSv1_1)):
            try:
                info = await self._handshake(end, _only(version))
            except ssl.SSLError as error:
                reason = error.reason or ""
                # Anything but the server's own refusal may be this computer's.
                if not any(word in reason for word in _REFUSALS):
                    self.ledger.miss("tls-version", version=name, text=reason.replace("_", " ").lower() or "it failed")
            except (ConnectionError, TimeoutError):
                # coturn says nothing at all to a version that it does not speak; to others it just spoke here.
                pass
            except OSError as error:
                self.ledger.miss("tls-version", version=name, text=str(error) or "no answer")
            else:
                accepted.append((name, info.version()))
        if accepted:
            change = [_NO_VERSION[name] for name, _ in accepted]
            self.ledger.find("old-tls", *change, versions=", ".join(name for name, _ in accepted))

    async def _handshake(self, end: Endpoint, context: ssl.SSLContext) -> ssl.SSLObject:
        async with asyncio.timeout(self.timing.timeout_s):
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


def unverified() -> ssl.SSLContext:
    """Believes any certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def _only(version: ssl.TLSVersion) -> ssl.SSLContext:
    context = unverified()
    # Without it OpenSSL 3 does not speak them; it is to ask, nothing is sent.
    context.set_ciphers("ALL:@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = version
        context.maximum_version = version
    return context
