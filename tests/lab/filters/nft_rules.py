"""Random rule sets in nft's language."""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import strategies as st

from .yard import BEHIND, BOX, SENDERS

_CHAINS = ("one", "two", "three")
_PORT = ["443", "8000", "8001", "8003", "9000", "8000-8002", "1-1023", "9000-65535", "https", "22"]
_WITHIN = {"443": "1-1023", "8000": "8000-8002", "8001": "8000-8002", "9000": "9000-65535"}
_STATES = ["new", "established", "related", "invalid", "new,related", "established,related", "untracked"]
_SIGNS = ["", "", "", "!= "]
_TARGETS = ["accept", "accept", "drop", "reject", "return", ""]


@dataclass(frozen=True, slots=True)
class _Match:
    """A match, and of which packets alone it can be: nft takes no rule whose matches exclude each other."""

    text: str
    family: int | None = None
    transport: str | None = None


def _addresses(family: int) -> list[str]:
    one, two, other = *SENDERS["w0"][family], *SENDERS["w1"][family]
    if family == 4:
        return [one, two, other, "192.0.2.0/25", "198.51.100.0/24", "10.0.0.0/8", "192.0.2.5-192.0.2.20"]
    return [one, two, other, "2001:db8:2::/120", "2001:db8:51::/64", "fd00::/8", "2001:db8:2::5-2001:db8:2::20"]


def _set(draw: st.DrawFn) -> str:
    chosen = draw(st.lists(st.sampled_from(_PORT[:8]), min_size=1, max_size=4, unique=True))
    # nft takes no set whose elements overlap.
    return "{ " + ", ".join(each for each in chosen if _WITHIN.get(each) not in chosen) + " }"


_ANYWHERE = [
    _Match("meta l4proto tcp", transport="tcp"),
    _Match("meta l4proto { tcp, udp }", transport="both"),
    _Match("meta l4proto { tcp, udp } th dport 8000-8002", transport="both"),
    _Match("meta l4proto != udp", transport="other"),
    _Match("meta l4proto icmp", transport="icmp"),
    _Match("ip protocol udp", 4, "udp"),
    _Match("ip6 nexthdr tcp", 6, "tcp"),
    _Match("meta mark 0x1"),
    _Match("meta mark != 0"),
    _Match("meta mark & 0x2 == 0x2"),
    _Match("ct mark 1"),
    _Match("ct mark != 1"),
    _Match("meta nfproto ipv4", 4),
    _Match("meta nfproto ipv6", 6),
    _Match("tcp flags syn", transport="tcp"),
    _Match("tcp flags & (fin | syn | rst | ack) == syn", transport="tcp"),
    _Match("tcp flags & (syn | ack) == ack", transport="tcp"),
    _Match("ip saddr & 255.255.255.128 == 192.0.2.128", 4),
    _Match("ct status dnat"),
    _Match("ct state ! established,related"),
    _Match("ct state != established,new"),
    _Match("ct state == new"),
    _Match("ct state != { established, related }"),
    _Match("ct direction original"),
    _Match("ct direction reply"),
    _Match("meta l4proto tcp ct original proto-dst 443", transport="tcp"),
    _Match("meta l4proto udp ct original proto-dst 8000-8002", transport="udp"),
    _Match("ct original ip daddr 192.0.2.1", 4),
    _Match("fib daddr type local"),
    _Match("fib daddr type unicast"),
    _Match("meta pkttype host"),
]


@st.composite
def _match(draw: st.DrawFn, hook: str) -> _Match:
    kinds = ["port", "port", "set", "set", "named", "source", "source", "sources", "destination", "sport", "together"]
    kinds += ["less", "state", "state", *["other"] * 5]
    kinds += ["in", "in"] if hook in ("prerouting", "input", "forward") else []
    kinds += ["out"] if hook in ("forward", "output") else []
    kind, sign = draw(st.sampled_from(kinds)), draw(st.sampled_from(_SIGNS))
    family, transport = draw(st.sampled_from((4, 4, 6))), draw(st.sampled_from(["tcp", "udp"]))
    ip = "ip" if family == 4 else "ip6"
    match kind:
        case "port":
            return _Match(f"{transport} dport {sign}{draw(st.sampled_from(_PORT))}", transport=transport)
        case "set":
            return _Match(f"{transport} dport {sign}{_set(draw)}", transport=transport)
        case "named":
            return _Match(f"{transport} dport {sign}@ports", transport=transport)
        case "sport":
            return _Match(f"{transport} sport {sign}1024-65535", transport=transport)
        case "less":
            operator = draw(st.sampled_from(["<", ">", "<=", ">="]))
            return _Match(f"{transport} dport {operator} 8001", transport=transport)
        case "source":
            return _Match(f"{ip} saddr {sign}{draw(st.sampled_from(_addresses(family)))}", family)
        case "sources":
            several = f"{{ {_addresses(family)[0]}, {_addresses(family)[4]} }}"
            return _Match(f"{ip} saddr {sign}{draw(st.sampled_from([f'@hosts{family}', several]))}", family)
        case "destination":
            host = draw(st.sampled_from([BOX["w0"][family], BEHIND[family]]))
            return _Match(f"{ip} daddr {sign}{host}", family)
        case "together":
            rows = "192.0.2.10 . 443, 192.0.2.128/25 . 8000-8002, 198.51.100.10 . 9000"
            return _Match(f"ip saddr . {transport} dport {sign}{{ {rows} }}", 4, transport)
        case "state":
            return _Match(f"ct state {sign}{draw(st.sampled_from(_STATES))}")
        case "in":
            name = draw(st.sampled_from(["iifname", "iif"]))
            return _Match(f"{name} {sign}{draw(st.sampled_from(['w0', 'w1', 'in0', 'lo']))}")
        case "out":
            return _Match(f"oifname {sign}{draw(st.sampled_from(['w0', 'in0', 'w*']))}")
        case _:
            return draw(st.sampled_from(_ANYWHERE))


@st.composite
def _rule(draw: st.DrawFn, table: str, hook: str, verdicts: list[str]) -> str:
    family, transport = (4 if table == "ip" else None), None
    words: list[str] = []
    for each in draw(st.lists(_match(hook), max_size=3)):
        if table == "ip" and "nfproto" in each.text:
            continue
        if each.family not in (None, family or each.family) or each.transport not in (
            None,
            transport or each.transport,
        ):
            continue
        family, transport = each.family or family, each.transport or transport
        words.append(each.text)
    if draw(st.integers(0, 5)) == 0:
        words += [draw(st.sampled_from(["counter", 'log prefix "p: "', "limit rate 10000/second burst 1000 packets"]))]
    if draw(st.integers(0, 9)) == 0:
        words += [draw(st.sampled_from(["meta mark set 0x1", "meta mark set meta mark | 0x2", "ct mark set 0x1"]))]
    return " ".join([*words, draw(st.sampled_from(verdicts))]).strip() or "counter"


def _choices(inner: int) -> list[str]:
    jump = f"jump {_CHAINS[inner]}" if inner < len(_CHAINS) else "drop"
    found = [
        f"tcp dport vmap {{ 443 : accept, 8000-8001 : {jump}, 9000 : drop }}",
        f"meta l4proto . th dport vmap {{ tcp . 443 : drop, udp . 8000-8002 : {jump}, udp . 443 : accept }}",
        f"ip saddr vmap {{ 192.0.2.10 : {jump}, 192.0.2.128/25 : return, 198.51.100.0/24 : accept }}",
        "ct state vmap { established : accept, related : accept, invalid : drop }",
        "udp dport vmap @verdicts",
    ]
    return [*found, f'iifname vmap {{ "w0" : {jump}, "w1" : continue }}'] if inner == 0 else found


def _translations(family: str) -> list[str]:
    four, six = BEHIND[4], BEHIND[6]
    ip = "ip " if family == "inet" else ""
    found = [
        f"tcp dport 443 dnat {ip}to {four}",
        f"udp dport 8000-8002 dnat {ip}to {four}",
        f"meta l4proto udp dnat {ip}to {four}:8000",
        f"tcp dport {{ 443, 8003 }} dnat {ip}to {four}:9000",
        f"dnat ip to udp dport map {{ 443 : {four} . 8000, 8001 : {four} . 8003 }}",
        f"dnat {ip}to tcp dport map {{ 443 : {four}, 9000 : 192.0.2.1 }}",
        "udp dport 9000 redirect to :8003",
        "tcp dport 8001-8002 redirect to :8001-8002",
        "tcp dport 8001 accept",
        "ip saddr 198.51.100.10 return",
    ]
    if family == "inet":
        found += [f"tcp dport 8000 dnat ip6 to {six}", f"udp dport 443 dnat ip6 to [{six}]:8001"]
    return found


@st.composite
def rulesets(draw: st.DrawFn) -> str:
    """One table with chains at several hooks."""
    family = draw(st.sampled_from(["inet", "inet", "inet", "ip"]))
    lines = [
        f"table {family} t {{",
        "\tset ports { type inet_service; flags interval; elements = { 443, 8001-8003 } }",
        "\tset hosts4 { type ipv4_addr; flags interval; elements = { 192.0.2.10, 198.51.100.0/24 } }",
        "\tset hosts6 { type ipv6_addr; elements = { 2001:db8:2::10 } }",
        "\tmap verdicts { type inet_service : verdict; elements = { 443 : accept, 9000 : drop } }",
    ]

    def chain(name: str, hook: str, head: str = "", inner: int = 0, verdicts: list[str] | None = None) -> None:
        jumps = [f"{word} {each}" for word in ("jump", "goto") for each in _CHAINS[inner:]]
        lines.append(f"\tchain {name} {{ {head}")
        for _ in range(draw(st.integers(0, 4))):
            if verdicts is None and draw(st.integers(0, 5)) == 0:
                lines.append(f"\t\t{draw(st.sampled_from(_choices(inner)))}")
            else:
                lines.append(f"\t\t{draw(_rule(family, hook, verdicts or [*_TARGETS, *jumps]))}")
        if hook in ("input", "forward") and draw(st.booleans()):
            lines.append("\t\tct state established,related accept")
        lines.append("\t}")

    def base(hook: str, kind: str = "filter", priority: str = "filter", policies: str = "accept drop") -> str:
        return f"type {kind} hook {hook} priority {priority}; policy {draw(st.sampled_from(policies.split()))};"

    for inner, name in reversed(list(enumerate(_CHAINS, 1))):
        chain(name, "any", inner=inner)
    chain("input", "input", base("input"))
    chain("forward", "forward", base("forward"))
    if draw(st.integers(0, 3)) == 0:
        chain("output", "output", base("output", policies="accept"))
    if draw(st.integers(0, 3)) == 0:
        chain("again", "input", base("input", priority="filter + 10", policies="accept"))
    if draw(st.integers(0, 3)) == 0:
        priority = draw(st.sampled_from(["raw", "mangle", "-50"]))
        verdicts = ["accept", "drop", "return", "meta mark set 1", *(["notrack"] if priority == "raw" else [])]
        chain("early", "prerouting", base("prerouting", priority=priority, policies="accept"), verdicts=verdicts)
    if draw(st.booleans()):
        lines.append(f"\tchain nat {{ {base('prerouting', 'nat', 'dstnat', 'accept')}")
        lines += [f"\t\t{rule}" for rule in draw(st.lists(st.sampled_from(_translations(family)), max_size=4))]
        lines.append("\t}")
    return "\n".join([*lines, "}", ""])
