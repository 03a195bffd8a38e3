"""Why there is no conversation with a server, or no longer one."""

from __future__ import annotations

import enum
import errno
import os
import ssl
from dataclasses import dataclass

from wizard.probes import icmp


class Fault(enum.StrEnum):
    """Why there is no conversation, or no longer one."""

    REFUSED = "refused"
    """RST, or ICMP port unreachable."""
    TIMED_OUT = "timed-out"
    UNREACHABLE = "unreachable"
    """ICMP host or network unreachable; of a stream that may also mean that a firewall rejects it."""
    REJECTED = "rejected"
    """ICMP administratively prohibited."""
    NO_ROUTE = "no-route"
    """This computer has no way to that address family; nothing was sent."""
    LOCAL = "local"
    """This computer would not let us."""
    CLOSED = "closed"
    """The server closed the connection."""
    TLS_EXPIRED = "tls-expired"
    TLS_NOT_YET_VALID = "tls-not-yet-valid"
    TLS_WRONG_NAME = "tls-wrong-name"
    TLS_UNKNOWN_ISSUER = "tls-unknown-issuer"
    TLS_REVOKED = "tls-revoked"
    TLS_NONE = "tls-none"
    """What answers there does not speak TLS."""
    TLS_CLOSED = "tls-closed"
    TLS_SILENT = "tls-silent"
    TLS_OTHER = "tls-other"

    @property
    def of_tls(self) -> bool:
        """Whether the connection stood and TLS did not."""
        return self.value.startswith("tls-")


@dataclass(frozen=True, slots=True)
class LinkFault:
    """The fault, and the system's words for it."""

    fault: Fault
    text: str


_NO_ROUTE = frozenset({errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT, errno.ENETDOWN})
UNREACHABLE = frozenset({errno.ENETUNREACH, errno.EHOSTUNREACH, errno.EHOSTDOWN})
"""What the system says when nothing leads there."""


def fault_of(error: OSError) -> LinkFault:
    # asyncio puts its own sentence, with the address, in the place of the system's.
    text = (os.strerror(error.errno) if error.errno else str(error)).lower()
    if isinstance(error, ConnectionRefusedError):
        return LinkFault(Fault.REFUSED, text)
    if isinstance(error, TimeoutError):
        return LinkFault(Fault.TIMED_OUT, text)
    if error.errno == errno.EACCES and icmp.TOLD:
        # So Linux reports ICMPv6 administratively prohibited.
        return LinkFault(Fault.REJECTED, "administratively prohibited")
    if error.errno in _NO_ROUTE:
        return LinkFault(Fault.NO_ROUTE, text)
    if error.errno in UNREACHABLE:
        return LinkFault(Fault.UNREACHABLE, text)
    if isinstance(error, ConnectionError):
        return LinkFault(Fault.CLOSED, text)
    return LinkFault(Fault.LOCAL, text)


# Numbers of X.509 verification results, as OpenSSL has them in x509_vfy.h.
_VERIFY = {
    9: Fault.TLS_NOT_YET_VALID,
    10: Fault.TLS_EXPIRED,
    62: Fault.TLS_WRONG_NAME,
    64: Fault.TLS_WRONG_NAME,
    18: Fault.TLS_UNKNOWN_ISSUER,
    19: Fault.TLS_UNKNOWN_ISSUER,
    20: Fault.TLS_UNKNOWN_ISSUER,
    21: Fault.TLS_UNKNOWN_ISSUER,
    23: Fault.TLS_REVOKED,
}
_NOT_TLS = (
    "WRONG_VERSION_NUMBER",
    "HTTP_REQUEST",
    "UNKNOWN_PROTOCOL",
    "RECORD_LAYER_FAILURE",
    "PACKET_LENGTH_TOO_LONG",
)


def tls_fault_of(error: OSError) -> LinkFault:
    if isinstance(error, ssl.SSLCertVerificationError):
        return LinkFault(_VERIFY.get(error.verify_code, Fault.TLS_OTHER), error.verify_message)
    if isinstance(error, ssl.SSLEOFError | ConnectionError):
        return LinkFault(Fault.TLS_CLOSED, "the server closed the connection during the TLS handshake")
    if isinstance(error, ssl.SSLError):
        reason = error.reason or "TLS failed"
        fault = Fault.TLS_NONE if any(word in reason for word in _NOT_TLS) else Fault.TLS_OTHER
        return LinkFault(fault, reason.replace("_", " ").lower())
    return LinkFault(Fault.TLS_OTHER, (error.strerror or str(error)).lower())
