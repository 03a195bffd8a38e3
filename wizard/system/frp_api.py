"""What frpc's admin API and frps's dashboard tell of themselves. Both only read."""

from __future__ import annotations

import json
import re

import requests

from wizard.model.secret import Secret

TIMEOUT_S = 5.0
_LARGEST = 4 * 1024 * 1024
_PROTOCOLS = ("tcp", "udp")
CLIENT, SERVER = "/api/config", "/api/proxy"
"""Where the two tell it."""
_SECRET = re.compile(
    r"""(\b[\w.]*(?:token|password|passwd|pwd|secret|secretKey|sk|key)["']?[ \t]*[:=][ \t]*)"""
    r"""("(?:[^"\\\n]|\\.)*"|'[^'\n]*'|[^\s,{}\[\]#"']+)""",
    re.IGNORECASE,
)


class FrpError(Exception):
    """It does not answer as it should; the message says what was asked, and why."""


def client_configuration(url: str, username: str = "", password: Secret | None = None) -> str:
    """The configuration file that frpc runs with, by its admin API at `url`, without its secrets. Raises FrpError."""
    return _SECRET.sub(r'\1"left out"', _asked(url, CLIENT, username, password))


def server_proxies(url: str, username: str = "", password: Secret | None = None) -> str:
    """The proxies that frps has, online and offline, by its dashboard at `url`. Raises FrpError."""
    answers = []
    for protocol in _PROTOCOLS:
        where = f"{SERVER}/{protocol}"
        try:
            answer = json.loads(_asked(url, where, username, password))
            for proxy in answer["proxies"]:
                # Which it is stands in the question; older servers leave it out of the answer.
                (proxy.get("conf") or {}).setdefault("type", protocol)
        except (ValueError, KeyError, TypeError, AttributeError):
            raise FrpError(f"{url}{where} does not answer as frps does") from None
        answers.append(answer)
    return json.dumps(answers, indent=2)


def _asked(url: str, where: str, username: str, password: Secret | None) -> str:
    login = (username, password.reveal() if password is not None else "") if username else None
    address = url.rstrip("/") + where
    try:
        with requests.get(address, auth=login, timeout=TIMEOUT_S, stream=True, allow_redirects=False) as answer:
            body = answer.raw.read(_LARGEST + 1, decode_content=True)
            if answer.status_code == requests.codes.unauthorized:
                raise FrpError(f"{address}: the user name or password is not accepted")
            if answer.status_code != requests.codes.ok or len(body) > _LARGEST:
                raise FrpError(f"{address} answers with {answer.status_code} {answer.reason}")
    except requests.RequestException as error:
        # Not its own words, which may repeat the login.
        raise FrpError(f"{address} cannot be asked ({type(error).__name__})") from None
    return bytes(body).decode("utf-8", "replace")
