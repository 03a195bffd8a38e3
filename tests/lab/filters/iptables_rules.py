"""Random tables for iptables-restore."""

from __future__ import annotations

from hypothesis import strategies as st

from .yard import BEHIND, BOX, PORTS, SENDERS

_CHAINS = ("ONE", "TWO", "THREE")
_STATES = ("NEW", "ESTABLISHED", "RELATED", "INVALID", "NEW,RELATED", "ESTABLISHED,RELATED", "UNTRACKED", "DNAT")
_PORT = st.sampled_from([*map(str, PORTS), "8000:8002", "1:1023", "9000:65535", ":8001", "8003:", "22"])
_FLAGS = ("--syn", "! --syn", "--tcp-flags SYN,ACK SYN", "--tcp-flags FIN,SYN,RST,ACK ACK")


def _sources(family: int) -> list[str]:
    one, two, other = *SENDERS["w0"][family], *SENDERS["w1"][family]
    if family == 4:
        return [one, f"{two}/32", f"{other}/24", "192.0.2.0/25", "0.0.0.0/1", "10.0.0.0/8", "192.0.2.8/255.0.255.248"]
    return [one, f"{two}/128", f"{other}/64", "2001:db8:2::/120", "2001:db8::/46", "fd00::/8"]


def _destinations(family: int) -> list[str]:
    return [BOX["w0"][family], BOX["w1"][family], f"{BEHIND[family]}/{32 if family == 4 else 128}"]


@st.composite
def _matches(draw: st.DrawFn, family: int, table: str, place: str) -> list[str]:
    """Options of a rule in a chain that is reached at `place`: `inward`, `outward` or `both`."""
    words: list[str] = []

    def perhaps(chance: int, *parts: str, negatable: bool = True) -> None:
        if draw(st.integers(0, 9)) < chance:
            words.extend(["!", *parts] if negatable and draw(st.integers(0, 4)) == 0 else parts)

    perhaps(3, "-s", draw(st.sampled_from(_sources(family))))
    perhaps(1, "-d", draw(st.sampled_from(_destinations(family))))
    if place == "inward":
        perhaps(2, "-i", draw(st.sampled_from(["w0", "w1", "w+", "in0", "lo"])))
    if place == "outward":
        perhaps(2, "-o", draw(st.sampled_from(["w0", "in0", "w+"])))
    # A translation to a port needs one of the protocols that have some.
    protocol = draw(
        st.sampled_from(["tcp", "udp"] if table == "nat" else ["tcp", "udp", "tcp", "udp", "all", "", "!tcp"])
    )
    if protocol == "!tcp":
        words += ["!", "-p", "tcp"]
    elif protocol:
        words += ["-p", protocol]
    if protocol in ("tcp", "udp"):
        kind = draw(st.sampled_from(["one", "one", "multi", "multi", "either", "source", "none"]))
        if kind == "one":
            words += ["-m", protocol]
            perhaps(10, "--dport", draw(_PORT))
        elif kind == "multi":
            words += ["-m", "multiport"]
            several = [p for p in draw(st.lists(_PORT, min_size=1, max_size=4, unique=True)) if p[0] != ":" != p[-1]]
            perhaps(10, "--dports", ",".join(several or ["443"]))
        elif kind == "either":
            words += ["-m", "multiport", "--ports", draw(st.sampled_from(["443,8001", "8000:8002"]))]
        elif kind == "source":
            words += ["-m", protocol]
            perhaps(10, "--sport", draw(st.sampled_from(["1024:65535", "1:1023", "53"])))
        if protocol == "tcp":
            perhaps(1, *draw(st.sampled_from(_FLAGS)).split(), negatable=False)
    if table != "raw" and draw(st.integers(0, 9)) < 3:
        words += ["-m", "conntrack"]
        perhaps(10, "--ctstate", draw(st.sampled_from(_STATES)))
    if table != "raw":
        perhaps(1, "-m", "conntrack", "--ctorigdstport", draw(st.sampled_from(["443", "8000:8002"])), negatable=False)
        perhaps(1, "-m", "state", "--state", draw(st.sampled_from(["NEW", "ESTABLISHED"])), negatable=False)
    if table != "nat":
        perhaps(1, "-m", "mark", "--mark", draw(st.sampled_from(["0x1", "0", "0x2/0x3"])), negatable=False)
        perhaps(1, "-m", "connmark", "--mark", draw(st.sampled_from(["0x1", "0"])), negatable=False)
    perhaps(1, "-m", "addrtype", "--dst-type", draw(st.sampled_from(["LOCAL", "UNICAST"])), negatable=False)
    perhaps(1, "-m", "comment", "--comment", '"a \\"b\\" -j DROP"', negatable=False)
    perhaps(1, "-m", "limit", "--limit", "10000/sec", "--limit-burst", "10000", negatable=False)
    return words


def _rule(family: int, table: str, place: str, targets: list[str], inner: int) -> st.SearchStrategy[str]:
    """A rule with one of these targets, or a jump to a chain further in than `inner`."""
    jumps = [f"-j {name}" for name in _CHAINS[inner:]] + [f"-g {name}" for name in _CHAINS[inner:]]
    target = st.sampled_from([*targets, *targets, *jumps]) if table == "filter" else st.sampled_from(targets)
    return st.tuples(_matches(family, table, place), target).map(lambda both: " ".join([*both[0], both[1]]))


def _rules(family: int, table: str, place: str, targets: list[str], inner: int = 0) -> st.SearchStrategy[list[str]]:
    return st.lists(_rule(family, table, place, targets, inner), max_size=4)


_VERDICTS = ["-j ACCEPT", "-j ACCEPT", "-j DROP", "-j REJECT", "-j RETURN", "-j LOG", ""]
_MARKS = ["-j MARK --set-mark 1", "-j MARK --or-mark 0x2", "-j CONNMARK --set-mark 1", "-j DROP", "-j ACCEPT"]


def _translations(family: int) -> list[str]:
    host = BEHIND[family]
    where = f"[{host}]" if family == 6 else host
    return [
        f"-j DNAT --to-destination {host}",
        f"-j DNAT --to-destination {where}:8000",
        f"-j DNAT --to-destination {where}:8001-8003/8000",
        "-j REDIRECT --to-ports 8002",
        "-j ACCEPT",
        "-j RETURN",
    ]


@st.composite
def tables(draw: st.DrawFn, family: int) -> str:
    """All of `filter`, `nat`, `mangle` and `raw`."""

    def chain(table: str, name: str, place: str, targets: list[str], inner: int = 0) -> list[str]:
        return [f"-A {name} {rule}".rstrip() for rule in draw(_rules(family, table, place, targets, inner))]

    def policy(drops: int = 4) -> str:
        return "DROP" if draw(st.integers(0, 9)) < drops else "ACCEPT"

    lines = ["*raw", ":PREROUTING ACCEPT [0:0]", ":OUTPUT ACCEPT [0:0]"]
    if draw(st.integers(0, 7)) == 0:
        lines += chain("raw", "PREROUTING", "inward", ["-j NOTRACK", "-j DROP", "-j ACCEPT"])
    lines += ["COMMIT", "*mangle"]
    lines += [f":{name} ACCEPT [0:0]" for name in ("PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING")]
    if draw(st.integers(0, 2)) == 0:
        lines += chain("mangle", "PREROUTING", "inward", _MARKS)
    lines += ["COMMIT", "*nat"]
    lines += [f":{name} ACCEPT [0:0]" for name in ("PREROUTING", "INPUT", "OUTPUT", "POSTROUTING")]
    if draw(st.integers(0, 2)):
        lines += chain("nat", "PREROUTING", "inward", _translations(family))
    lines += ["COMMIT", "*filter"]
    lines += [f":INPUT {policy()} [0:0]", f":FORWARD {policy()} [0:0]", f":OUTPUT {policy(2)} [0:0]"]
    lines += [f":{name} - [0:0]" for name in _CHAINS]
    for name, place, inner in (("INPUT", "inward", 0), ("FORWARD", "outward", 0), ("OUTPUT", "outward", 0)):
        if name != "OUTPUT" or draw(st.integers(0, 3)) == 0:
            lines += chain("filter", name, place, _VERDICTS, inner)
        if draw(st.booleans()):
            lines += [f"-A {name} -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT"]
    for inner, name in enumerate(_CHAINS, 1):
        lines += chain("filter", name, "both", _VERDICTS, inner)
    return "\n".join([*lines, "COMMIT", ""])
