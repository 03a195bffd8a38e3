"""How a host to log in to is written."""

from __future__ import annotations

import pytest

from wizard.model.ssh_destination import SshDestination, parse


@pytest.mark.parametrize(
    ("text", "found", "command"),
    [
        ("alice@198.51.100.7", SshDestination("alice", "198.51.100.7", None), "ssh alice@198.51.100.7"),
        ("alice@cloud.example:2222", SshDestination("alice", "cloud.example", 2222), "ssh -p 2222 alice@cloud.example"),
        ("cloud", SshDestination(None, "cloud", None), "ssh cloud"),
        ("bob@2001:db8::1", SshDestination("bob", "2001:db8::1", None), "ssh bob@2001:db8::1"),
        ("bob@[2001:db8::1]:22", SshDestination("bob", "2001:db8::1", 22), "ssh -p 22 bob@2001:db8::1"),
        ("bob@[2001:db8::1]", SshDestination("bob", "2001:db8::1", None), "ssh bob@2001:db8::1"),
    ],
)
def test_a_destination_is_read_and_typed_as_ssh_takes_it(text: str, found: SshDestination, command: str) -> None:
    assert parse(text) == found
    assert found.command == command
    assert parse(str(found)) == found


@pytest.mark.parametrize(
    "text",
    [
        "",
        "@host",
        "alice@",
        "-oProxyCommand=touch",
        "alice@-oProxyCommand=touch",
        "a b@host",
        "alice@host:",
        "alice@host:0",
        "alice@host:65536",
        "alice@host:22x",
        "alice@ho st",
        "ssh://alice@host",
        "alice@[198.51.100.7",
        "$(reboot)@host",
    ],
)
def test_what_is_no_destination_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="no "):
        parse(text)
