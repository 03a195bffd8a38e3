"""What rules of a packet filter let in from anywhere, listed rule by rule."""

from __future__ import annotations

import pytest

from wizard.configs.products import product
from wizard.configs.reading import Source

NFT = """table inet filter {
    chain input {
        type filter hook input priority filter; policy drop;
        iif "lo" accept
        STATE accept
        tcp dport 22 accept
    }
}
"""
IPTABLES = """*filter
:INPUT DROP [0:0]
-A INPUT -i lo -j ACCEPT
-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT

-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT
COMMIT
"""


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("nftables", NFT.replace("STATE", "ct state established,related")),
        ("nftables", NFT.replace("STATE", "ct state { established, related }")),
        ("nftables", NFT.replace("STATE", "ct state != new")),
        ("iptables", IPTABLES),
    ],
)
def test_a_rule_for_connections_under_way_lets_nobody_in(name: str, text: str) -> None:
    read = product(name).read
    assert read is not None
    assert [(rule.line, str(rule.numbers)) for rule in read(Source(text, "rules")).allowed] == [(6, "22")]
