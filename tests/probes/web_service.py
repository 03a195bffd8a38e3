"""A real web service on loopback that grants TURN credentials, or does something else."""

from __future__ import annotations

import base64
import hmac
import json
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

Answer = Callable[[BaseHTTPRequestHandler], None]


@contextmanager
def service(answer: Answer, tls: ssl.SSLContext | None = None) -> Iterator[str]:
    """Its address."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            answer(self)

        def log_message(self, *_: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        def handle_error(self, *_: object) -> None:
            """A client that goes away is what some tests are about."""

    server = Server(("127.0.0.1", 0), Handler)
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield f"{'https' if tls else 'http'}://127.0.0.1:{server.server_port}/turn?a=b"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def saying(document: object, status: int = 200, **headers: str) -> Answer:
    """Answer that, whoever asks."""
    body = document if isinstance(document, bytes) else json.dumps(document).encode()

    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name, value)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    return answer


def granting(secret: str, token: str, heard: list[tuple[str, str | None]] | None = None, **more: Any) -> Answer:
    """Grant what a coturn with that static-auth-secret accepts, for an hour, to whoever has the token.

    `heard` is told each path and Authorization header.
    """

    def answer(handler: BaseHTTPRequestHandler) -> None:
        given = handler.headers.get("Authorization")
        if heard is not None:
            heard.append((handler.path, given))
        if given != f"Bearer {token}":
            return saying({"error": "who are you"}, 401)(handler)
        user = parse_qs(urlsplit(handler.path).query).get("username", [""])[0]
        name = f"{int(time.time()) + 3600}" + (f":{user}" if user else "")
        password = base64.b64encode(hmac.digest(secret.encode(), name.encode(), "sha1")).decode()
        return saying({"username": name, "password": password, "ttl": 3600} | more)(handler)

    return answer
