"""What a turnserver.conf says that is unsafe, where, and what mends it."""

from __future__ import annotations

import ipaddress
import re
import string
import tomllib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wizard.audit.finding import WEIGHT, Audit, AuditFinding, NotChecked
from wizard.audit.harden import LEFT_TO_THE_USER, harden
from wizard.audit.rules import audit_file
from wizard.audit.strength import DOCUMENTED_CLI_HASH, generate, weakness
from wizard.audit.words import finding_words, not_checked_words
from wizard.configs.peers import FORBIDDEN, Range, parse_range, reachable
from wizard.configs.turnserver import KNOWN, parse
from wizard.diagnosis.verdict import Severity
from wizard.model.resource import resource
from wizard.model.secret import Secret

STRONG = "c0rrect-Horse!battery/Staple-7291"
SECRET = "b3a1f4c2d5e69788" * 3
SOUND = f"""\
use-auth-secret
static-auth-secret={SECRET}
realm=turn.example.org
stale-nonce=600
cert=cert.pem
pkey=key.pem
no-tlsv1
no-tlsv1_1
no-multicast-peers
no-tcp-relay
user-quota=12
total-quota=250
max-bps=500000
bps-capacity=125000000
syslog
verbose
no-cli
fingerprint
no-software-attribute
no-rfc5780
no-stun-backward-compatibility
response-origin-only-with-rfc5780
""" + "".join(f"denied-peer-ip={network.range}\n" for network in FORBIDDEN)


def audited(text: str) -> Audit:
    return audit_file(parse(text.encode()))


def codes(text: str) -> set[str]:
    return {finding.code for finding in audited(text).findings}


def only(code: str, text: str) -> AuditFinding:
    (finding,) = (finding for finding in audited(text).findings if finding.code == code)
    return finding


def without(*names: str) -> str:
    """The sound file without some of its options."""
    return "".join(line for line in SOUND.splitlines(keepends=True) if line.strip().partition("=")[0] not in names)


def test_nothing_is_said_of_a_sound_file() -> None:
    assert audited(SOUND).findings == ()
    assert audited(SOUND).passed


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (without("use-auth-secret", "static-auth-secret"), "open-relay"),
        (SOUND + "no-auth\n", "auth-conflict"),
        (without("use-auth-secret", "static-auth-secret") + "no-auth\n", "open-relay"),
        (without("use-auth-secret", "static-auth-secret") + f"lt-cred-mech\nuser=a:{STRONG}\n", "fixed-credentials"),
        (without("use-auth-secret", "static-auth-secret") + "user=alice:alice\n", "weak-password"),
        (SOUND + f"user=a:{STRONG}\n", "mixed-credentials"),
        (SOUND + "static-auth-secret=north\n", "weak-secret"),
        (without("realm"), "no-realm"),
        (without("cert"), "no-tls"),
        (without("pkey"), "no-tls"),
        (SOUND + "no-tls\n", "no-tls"),
        (without("no-tlsv1"), "old-tls"),
        (SOUND + "no-tlsv1_1=no\n", "old-tls"),
        (SOUND + "dh566\n", "weak-dh"),
        (SOUND + "cipher-list=ALL:!aNULL\n", "weak-ciphers"),
        (without("denied-peer-ip"), "private-peers"),
        (without("denied-peer-ip"), "special-peers"),
        (without("denied-peer-ip"), "mapped-peers"),
        (without("denied-peer-ip") + "allow-loopback-peers\n", "loopback-peers"),
        (without("denied-peer-ip", "no-multicast-peers"), "multicast-peers"),
        (SOUND + "allowed-peer-ip=10.1.2.3\n", "peer-hole"),
        (SOUND + "denied-peer-ip=10.0.0.0/8\n", "bad-peer-range"),
        (SOUND + "denied-peer-ip=::\n", "denies-all"),
        (SOUND + "denied-peer-ip=0.0.0.0\n", "denies-all"),
        (SOUND + "allowed-peer-ip=0.0.0.0\n", "peer-hole"),
        (without("no-tcp-relay"), "tcp-relay"),
        (SOUND + "server-relay\n", "server-relay"),
        (without("user-quota"), "no-user-quota"),
        (SOUND + "total-quota=0\n", "no-user-quota"),
        (without("max-bps", "bps-capacity"), "no-bandwidth-limit"),
        (without("max-bps"), "capacity-alone"),
        (SOUND + "min-port=50000\nmax-port=49000\n", "range-inverted"),
        (SOUND + "min-port=65530\nmax-port=65535\n", "range-small"),
        (SOUND + "min-port=3000\nmax-port=4000\n", "range-overlap"),
        (SOUND + "permission-lifetime=86400\n", "odd-lifetime"),
        (without("syslog"), "no-log"),
        (without("syslog") + "log-file=/dev/null\n", "lost-log"),
        (without("verbose"), "quiet-log"),
        (SOUND + "Verbose\n", "loud-log"),
        (without("no-cli") + "cli-password=qwerty\n", "cli-weak"),
        (without("no-cli") + f"cli-password={DOCUMENTED_CLI_HASH}\n", "cli-weak"),
        (without("no-cli") + f"cli-password={STRONG}\n", "cli-plain"),
        (without("no-cli") + f"cli-password={STRONG}\ncli-ip=0.0.0.0\n", "cli-open"),
        (SOUND + "web-admin\n", "web-admin"),
        (SOUND + "web-admin\nweb-admin-ip=0.0.0.0\n", "web-admin-open"),
        (SOUND + "web-admin\nweb-admin-listen-on-workers\n", "web-admin-open"),
        (SOUND + "prometheus\n", "metrics-open"),
        (SOUND + "listening-ip=192.168.1.5\n", "private-address"),
        (SOUND + "external-ip=192.168.1.5\n", "wrong-external-ip"),
        (SOUND + "external-ip=example\n", "wrong-external-ip"),
        (SOUND + "external-ip=203.0.113.5/192.168.1.9\nrelay-ip=192.168.1.5\n", "wrong-external-ip"),
        (SOUND + "stale-nonce=0\n", "endless-nonce"),
        (without("no-rfc5780"), "amplification"),
        (without("fingerprint"), "no-fingerprint"),
        (without("no-software-attribute"), "banner"),
        (SOUND + "mobility # why\n", "bad-value"),
        (SOUND + "user-quota=many\n", "bad-value"),
        (SOUND + "no-loopback-peers\n", "gone-option"),
        (SOUND + "pidfile=a\0b\n", "damaged-line"),
    ],
)
def test_what_is_unsafe_is_found(text: str, code: str) -> None:
    assert code in codes(text)
    assert code not in codes(SOUND)


@pytest.mark.parametrize(
    "text",
    [
        SOUND + "stale-nonce\n",
        SOUND + "stale-nonce=600\n",
        SOUND + "listening-ip=192.168.1.5\nexternal-ip=203.0.113.5\n",
        SOUND + "listening-ip=192.168.1.5\nlistening-ip=203.0.113.5\n",
        SOUND + "listening-ip=127.0.0.1\n",
        SOUND + "external-ip=203.0.113.5/192.168.1.5\nrelay-ip=192.168.1.5\n",
        SOUND + "allowed-peer-ip=203.0.113.7\n",
        SOUND + "web-admin=no\nprometheus=0\nallow-loopback-peers=off\n",
        without("no-cli"),
        without("syslog") + "log-file=/var/log/turnserver/turn.log\n",
    ],
)
def test_what_is_safe_is_left_alone(text: str) -> None:
    assert audited(text).findings == ()


def test_a_finding_names_its_line_and_the_exact_change() -> None:
    finding = only("bad-peer-range", "# mine\ndenied-peer-ip=10.0.0.0/8\n")
    assert finding.where == "turnserver.conf:2"
    assert finding.change == ("- denied-peer-ip=10.0.0.0/8", "+ denied-peer-ip=10.0.0.0-10.255.255.255")


def test_only_the_part_of_a_network_that_is_not_denied_is_named() -> None:
    text = SOUND.replace("denied-peer-ip=10.0.0.0-10.255.255.255", "denied-peer-ip=10.0.0.0-10.255.255.254")
    assert only("private-peers", text).change == ("+ denied-peer-ip=10.255.255.255",)


def test_a_server_without_ipv6_is_not_told_to_deny_it() -> None:
    four = "".join(f"denied-peer-ip={n.range}\n" for n in FORBIDDEN if n.range.first.version == 4)
    assert codes(without("denied-peer-ip") + four + "relay-ip=203.0.113.5\n") == set()
    assert "private-peers" in codes(without("denied-peer-ip") + four)


def test_a_stun_server_needs_no_limits() -> None:
    assert codes("stun-only\nsyslog\nverbose\nno-cli\n") & {"open-relay", "no-user-quota", "private-peers"} == set()


def test_the_worst_comes_first() -> None:
    order = [list(Severity).index(finding.severity) for finding in audited("user=a:b\n").findings]
    assert order == sorted(order)


def test_no_password_is_in_any_finding() -> None:
    leak = "Hunter2zebra"
    text = "".join(
        f"{line}{leak}\n"
        for line in ("user=alice:", "static-auth-secret=", "cli-password=", "redis-userdb=password=", "secrt=", "")
    )
    assert leak not in repr(audited(text))


def test_a_digest_of_a_password_is_not_weighed_and_that_is_said() -> None:
    audit = audited("lt-cred-mech\nuser=a:0xbc807ee29df3c9ffa736523fb2c4e8ee\n")
    assert "weak-password" not in {finding.code for finding in audit.findings}
    assert "hashed-password" in {missing.code for missing in audit.not_checked}


@pytest.mark.parametrize(
    ("password", "reason"),
    [
        ("", "empty"),
        ("alice", "same"),
        ("ALICE", "same"),
        ("youhavetoberealistic", "default"),
        ("x7#Kp2!q", "short"),
        ("password1234", "guessable"),
        ("aaaaaaaaaaaaaaaaaaaaaaaa", "guessable"),
        ("qwertyuiopasdf", "guessable"),
        (STRONG, None),
    ],
)
def test_a_password_is_weighed(password: str, reason: str | None) -> None:
    assert weakness(Secret(password), ("alice",)) == reason


def test_what_is_generated_is_strong_and_never_the_same() -> None:
    first, second = generate(), generate()
    assert first != second
    assert weakness(first) is None


def test_a_very_long_password_takes_no_longer_than_a_long_one() -> None:
    assert weakness(Secret("ab" * 50_000)) == "guessable"


@pytest.mark.parametrize("text", ["10.0.0.0/8", "10.0.0.9-10.0.0.1", "10.0.0.1-fd00::1", "host", "", "10.0.0.1-"])
def test_what_coturn_does_not_take_for_a_range_is_none(text: str) -> None:
    assert parse_range(text) is None


@pytest.mark.parametrize("network", FORBIDDEN, ids=lambda network: str(network.range))
def test_the_address_that_is_asked_about_lies_in_its_network(network: object) -> None:
    (found,) = (n for n in FORBIDDEN if n is network)
    assert int(found.range.first) <= int(ipaddress.ip_address(found.sample)) <= int(found.range.last)
    assert parse_range(str(found.range)) == found.range


_small = st.tuples(st.integers(0, 15), st.integers(0, 15)).map(
    lambda pair: Range(ipaddress.IPv4Address(min(pair)), ipaddress.IPv4Address(max(pair)))
)


@given(_small, st.lists(_small, max_size=4), st.lists(_small, max_size=3))
def test_what_clients_reach_is_what_one_finds_address_by_address(
    within: Range, denied: list[Range], allowed: list[Range]
) -> None:
    def holds(range_: Range, number: int) -> bool:
        return int(range_.first) <= number <= int(range_.last)

    expected = {
        number
        for number in range(16)
        if holds(within, number)
        and (not any(holds(other, number) for other in denied) or any(holds(other, number) for other in allowed))
    }
    left = reachable(within, denied, allowed)
    assert {number for number in range(16) if any(holds(part, number) for part in left)} == expected


_lines = st.tuples(
    st.sampled_from(sorted(KNOWN)),
    st.sampled_from(
        ["", "0", "1", "no", "yes", "10.0.0.1", "10.0.0.0/8", "::", "65000", "a:b", "x", "49152-", "north"]
    ),
)


@settings(max_examples=40)
@given(st.lists(_lines, max_size=14))
def test_a_hardened_file_leaves_only_what_needs_its_owner(lines: list[tuple[str, str]]) -> None:
    text = "".join(f"{name}={value}\n" for name, value in lines)
    hardened = harden(parse(text.encode()))
    findings = audit_file(parse(hardened)).findings
    assert {f.code for f in findings if f.severity is not Severity.INFO} <= LEFT_TO_THE_USER
    assert harden(parse(hardened)) == hardened


def test_hardening_keeps_ports_realm_comments_and_what_it_does_not_know() -> None:
    text = b"# our server\nlistening-port=3479\nrealm=example.org\nmin-port=50000\nno-auth\nmy-option=1\n"
    hardened = harden(parse(text), lambda: Secret(SECRET)).decode()
    kept = "# our server\nlistening-port=3479\nrealm=example.org\nmin-port=50000\n# no-auth\nmy-option=1\n"
    assert hardened.startswith(kept)
    assert f"static-auth-secret={SECRET}\n" in hardened


def test_hardening_leaves_no_old_password_in_the_file() -> None:
    hardened = harden(parse(b"user=alice:hunter2\nstatic-auth-secret=north\ncli-password=qwerty\n"))
    assert not re.search(rb"hunter2|north|qwerty", hardened)
    assert b"# user=alice:" in hardened


def test_hardening_keeps_a_strong_secret() -> None:
    assert harden(parse(SOUND.encode())) == SOUND.encode()


@pytest.mark.parametrize("language", ["en", "zh_CN"])
def test_every_finding_has_its_words(language: str) -> None:
    catalogue = tomllib.loads(resource("audit", f"{language}.toml").read_text(encoding="utf-8"))
    assert set(catalogue["finding"]) == set(WEIGHT)
    english = tomllib.loads(resource("audit", "en.toml").read_text(encoding="utf-8"))
    assert set(catalogue["not-checked"]) == set(english["not-checked"])
    assert set(catalogue["reason"]) == set(english["reason"])
    assert set(catalogue["phrase"]) == set(english["phrase"])
    for table in ("finding", "not-checked"):
        for code, entry in catalogue[table].items():
            gaps = {key: set(string.Template(text).get_identifiers()) for key, text in entry.items()}
            assert gaps == {
                key: set(string.Template(text).get_identifiers()) for key, text in english[table][code].items()
            }


@pytest.mark.parametrize("language", ["en", "zh_CN"])
def test_every_finding_and_omission_of_a_bad_file_can_be_said(language: str) -> None:
    audit = audited(
        "user=alice:0x" + "0" * 32 + "\nuser=bob:b\ncert=a\npkey=b\nuserdb=x\nexternal-ip=1\ncli-password=a\n"
    )
    for finding in audit.findings:
        assert "$" not in "".join([*_text(finding_words(finding, language))])
    for missing in audit.not_checked:
        assert "$" not in "".join(_text(not_checked_words(missing, language)))
    assert len(audit.findings) > 10


def _text(words: object) -> list[str]:
    return [words.title, words.detail]  # type: ignore[attr-defined]


def test_every_code_that_the_program_speaks_of_is_in_the_catalogue() -> None:
    """A code misspelt would fail only when its fault turns up."""
    catalogue = tomllib.loads(resource("audit", "en.toml").read_text(encoding="utf-8"))
    room = Path(resource("audit")).parent.parent / "wizard"
    files = [*(room / "probes").glob("audit*.py"), *(room / "audit").glob("*.py")]
    source = "".join(file.read_text(encoding="utf-8") for file in files)
    used = {a or b for a, b in re.findall(r'\.find\(\s*"([\w-]+)"|\bfound\(\s*conf, "([\w-]+)"', source)}
    assert len(used) > 40
    assert used <= set(WEIGHT)
    missing = {a or b for a, b in re.findall(r'\.miss\("([\w-]+)"|NotChecked\("([\w-]+)"', source)}
    assert missing <= set(catalogue["not-checked"])
    assert NotChecked("version") in audited("").not_checked
