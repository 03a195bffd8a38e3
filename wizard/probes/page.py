"""What a web server tells of itself: enough to tell two programs apart, and to know a router's own page."""

from __future__ import annotations

import html
import re

_HEADER = re.compile(rb"^([!#$%&'*+\-.^_`|~\w]+):[ \t]*(.*?)[ \t]*\r?$", re.MULTILINE)
_TITLE = re.compile(rb"<title[^>]*>(.*?)</title>", re.IGNORECASE | re.DOTALL)
_REALM = re.compile(r'realm="?([^",]*)', re.IGNORECASE)
_END = re.compile(rb"\r?\n\r?\n")
_LONGEST = 60
_ROUTERS = re.compile(
    r"fritz!box|tp-?link|netgear|asus ?wireless|\brt-a[cx]\d|\bluci\b|openwrt|routeros|mikrotik|d-link|zyxel|linksys|"
    r"vodafone station|speedport|technicolor|\barris\b|miwifi|tenda|edgeos|unifi os|router webserver|ubnt|draytek|"
    r"huawei (?:home )?gateway|hg\d{3,4}|livebox|freebox|home ?hub",
    re.IGNORECASE,
)
"""Names by which routers present the pages on which they are set up."""


def head_is_whole(heard: bytes) -> bool:
    """Whether all header lines are there (RFC 9112 section 2.1)."""
    return _END.search(heard) is not None


def page_is_told(heard: bytes) -> bool:
    """Whether nothing more is to be learnt: the title is there, or there is no page to come."""
    head, _, body = _parts(heard)
    return _TITLE.search(body) is not None or b"content-length: 0" in head.lower()


def self_description(heard: bytes) -> str:
    """Title and realm as the answer names them, on one line, or else its server; empty if it names none.

    A proxy before a service puts its own name into the header, and leaves the title.
    """
    title, realm, server = _names(heard)
    return "; ".join(words for words in (title, realm) if words) or server


def router_in(heard: bytes) -> str | None:
    """The name by which a router describes itself in its answer, None if it seems to be none."""
    found = _ROUTERS.search("; ".join(_names(heard)))
    return found[0] if found else None


def _names(heard: bytes) -> tuple[str, str, str]:
    _, headers, body = _parts(heard)
    realm = _REALM.search(_text(headers.get(b"www-authenticate", b"")))
    title = _TITLE.search(body)
    found = (html.unescape(_text(title[1])) if title else "", realm[1] if realm else "")
    shown = [" ".join(words.split())[:_LONGEST] for words in (*found, _text(headers.get(b"server", b"")))]
    return shown[0], shown[1], shown[2]


def _parts(heard: bytes) -> tuple[bytes, dict[bytes, bytes], bytes]:
    end = _END.search(heard)
    head, body = (heard[: end.start()], heard[end.end() :]) if end else (heard, b"")
    return head, {name.lower(): value for name, value in _HEADER.findall(head)}, body


def _text(data: bytes) -> str:
    return "".join(char for char in data.decode("utf-8", "replace") if char.isprintable() or char in " \t\r\n")
