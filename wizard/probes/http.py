"""HTTP and WebSocket as proof of a service: one request, and what its answer means."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import os
import re
from contextlib import suppress
from dataclasses import dataclass
from urllib.parse import quote

from wizard.observation import Outcome
from wizard.probes.answer import Judgement, shown
from wizard.probes.page import head_is_whole, page_is_told, router_in, self_description
from wizard.probes.stream import Stream, collect
from wizard.probes.stream import more as receive

_STATUS_LINE = re.compile(rb"HTTP/1\.[01] ([1-9]\d\d)(?:[ \r\n])")  # RFC 9112 section 4
_IN_TARGET = "/?:@!$&'()*+,;=%-._~"  # RFC 3986 section 3.3 and 3.4
_HEADER = re.compile(rb"^([!#$%&'*+\-.^_`|~\w]+):[ \t]*(.*?)[ \t]*\r?$", re.MULTILINE)
_NO_BACK_END = frozenset({502, 503, 504, *range(520, 528), 530})
"""RFC 9110 section 15.6, and what content networks add to say that the origin does not answer."""
_ON_THE_WAY = frozenset({407, 511})
"""What only a proxy or a network's sign-in page says (RFC 9110 section 15.5.8, RFC 6585 section 6)."""
_PAGE, _PAGE_S = 8192, 0.5
"""Bytes and seconds that a page is given to tell its title."""
_ACCEPT_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455 section 1.3


@dataclass(frozen=True, slots=True)
class HttpQuestion:
    """A GET of `path`, with `host` as clients would name it. `websocket`: asks to upgrade (RFC 6455 section 4.1)."""

    host: str
    path: str
    websocket: bool = False

    async def ask(self, stream: Stream) -> Judgement:
        """Ask over a connected stream. Never follows a redirect: any status but a proxy's own is the service's."""
        key = base64.b64encode(os.urandom(16))
        sent_at = stream.now()
        await stream.send(self._request(key))
        heard = await collect(stream, self._enough)
        if not heard:
            return Judgement(Outcome.CLOSED)
        rtt_ms = (stream.now() - sent_at) * 1000
        heard += await self._rest(stream, heard)
        found = _STATUS_LINE.match(heard)
        if found is None:
            return Judgement(Outcome.ALIEN, error=f"{shown(heard)} came back, which is no HTTP")
        status = int(found[1])
        if status in _NO_BACK_END:
            return Judgement(Outcome.ALIEN, error=f"a proxy answered {status}, its back end did not")
        if status in _ON_THE_WAY:
            return Judgement(Outcome.ALIEN, error=f"the network on the way answered {status}, not the service")
        if self.websocket and (status != 101 or not _accepted(heard, key)):
            what = f"HTTP {status}" if status != 101 else "HTTP 101 with a wrong Sec-WebSocket-Accept"
            return Judgement(Outcome.ALIEN, error=f"{what} came back in place of a WebSocket handshake")
        router = None if self.websocket else router_in(heard)
        if router is not None:
            return Judgement(Outcome.ALIEN, error=f"the page of a router ({router}) came back, hardly your service")
        return Judgement(Outcome.ANSWERED, rtt_ms=rtt_ms, service=self_description(heard) or None)

    async def _rest(self, stream: Stream, heard: bytes) -> bytes:
        """What comes of the head and the page within a short time: a description, not needed for a proof."""
        if self.websocket or not heard.startswith(b"HTTP/"):
            return b""
        more = b""

        def told(rest: bytes) -> bool:
            return head_is_whole(heard + rest) and (page_is_told(heard + rest) or len(rest) > _PAGE)

        if told(b""):
            return b""
        with suppress(TimeoutError, ConnectionError):
            async with asyncio.timeout(_PAGE_S):
                while not told(more) and (data := await receive(stream)):
                    more += data
        return more

    def _request(self, key: bytes) -> bytes:
        path = quote(self.path, safe=_IN_TARGET)
        lines = [f"GET {path} HTTP/1.1", f"Host: {self.host}", "User-Agent: Hopwise", "Accept: */*"]
        if self.websocket:
            lines += ["Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13"]
            lines.append(f"Sec-WebSocket-Key: {key.decode()}")
        else:
            lines.append("Connection: close")
        return "\r\n".join((*lines, "", "")).encode()

    def _enough(self, heard: bytes) -> bool:
        if not (heard.startswith(b"HTTP/") or b"HTTP/".startswith(heard)):
            return True
        return b"\n" in heard and (not self.websocket or b"\n\r\n" in heard or b"\n\n" in heard)


def _accepted(heard: bytes, key: bytes) -> bool:
    # RFC 6455 section 4.2.2
    wanted = base64.b64encode(hashlib.sha1(key + _ACCEPT_GUID).digest())
    head = re.split(rb"\r?\n\r?\n", heard, maxsplit=1)[0]
    return any(name.lower() == b"sec-websocket-accept" and value == wanted for name, value in _HEADER.findall(head))
