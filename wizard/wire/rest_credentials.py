"""Time-limited TURN credentials from a shared secret (draft-uberti-behave-turn-rest-00 section 2.2)."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Generic, TypeVar

from wizard.wire.long_term import Password

_Concealed = TypeVar("_Concealed", bound=Password)

LIFETIME_S = 24 * 3600
"""A day, as the draft suggests."""
_DIGITS = 11
"""More than these are no time in seconds."""


@dataclass(frozen=True, slots=True)
class RestCredentials(Generic[_Concealed]):
    """A user name and its password, good until `expires`."""

    username: str
    password: _Concealed
    expires: datetime


def mint(
    secret: Password, conceal: Callable[[str], _Concealed], expires_s: int, user: str = "", separator: str = ":"
) -> RestCredentials[_Concealed]:
    """Credentials that end at `expires_s`, in seconds since 1970.

    `conceal` wraps the password at once. Raises ValueError for a time that no calendar has.
    """
    try:
        expires = datetime.fromtimestamp(expires_s, UTC)
    except (OverflowError, OSError) as fault:
        raise ValueError(f"{expires_s} is no time in seconds") from fault
    username = f"{expires_s}{separator}{user}" if user else str(expires_s)
    digest = hmac.digest(secret.reveal().encode(), username.encode(), hashlib.sha1)
    return RestCredentials(username, conceal(base64.b64encode(digest).decode("ascii")), expires)


def expiry(username: str, separator: str = ":") -> datetime | None:
    """When a user name says that it ends; None for one that bears no time. The time may stand on either side."""
    for part in (username.partition(separator)[0], username.rpartition(separator)[2]):
        if part.isascii() and part.isdigit() and 9 <= len(part) <= _DIGITS:
            return datetime.fromtimestamp(int(part), UTC)
    return None
