"""Time-limited credentials as coturn and every other TURN server expects them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from wizard.model.secret import Secret
from wizard.wire.rest_credentials import expiry, mint

NORTH = Secret("north")


def test_the_password_is_the_hmac_of_the_user_name() -> None:
    """Compared with: printf 1433895918:alice | openssl dgst -sha1 -hmac north -binary | base64"""
    minted = mint(NORTH, Secret, 1433895918, "alice")
    assert minted.username == "1433895918:alice"
    assert minted.password == Secret("RqMvcGPYTJMGThVLSi4amT4zFtI=")
    assert minted.expires == datetime(2015, 6, 10, 0, 25, 18, tzinfo=UTC)


def test_without_a_user_the_time_alone_is_the_name() -> None:
    assert mint(NORTH, Secret, 1433895918).username == "1433895918"


def test_the_password_does_not_show() -> None:
    assert "RqMvcGPYTJMGThVLSi4amT4zFtI=" not in repr(mint(NORTH, Secret, 1433895918, "alice"))


def test_a_time_that_no_calendar_has_is_refused() -> None:
    with pytest.raises(ValueError, match="no time"):
        mint(NORTH, Secret, 10**30)


@pytest.mark.parametrize(
    ("name", "seconds"),
    [("1433895918:alice", 1433895918), ("1433895918", 1433895918), ("alice:1433895918", 1433895918)],
)
def test_the_end_is_read_from_the_name(name: str, seconds: int) -> None:
    assert expiry(name) == datetime.fromtimestamp(seconds, UTC)


@pytest.mark.parametrize("name", ["alice", "12345", "alice:7", "99999999999999", ""])
def test_a_name_without_a_time_has_no_end(name: str) -> None:
    assert expiry(name) is None
