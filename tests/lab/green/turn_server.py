"""coturn on the path, with a user's own file, and its relay as it is seen from outside."""

from __future__ import annotations

import base64
import hmac
import json
import time

from .paths import PUBLIC
from .whole import Whole

TURN_ROUTER = """\
Service name,External port,Internal port,Protocol,Internal IP
turn,3478,3478,TCP,192.168.77.10
turn,3478,3478,UDP,192.168.77.10
"""


def start_coturn(whole: Whole, hop: str, file: str) -> None:
    """Start coturn with a file as it is; its log comes to the lab."""
    whole.stop("coturn")
    machine = whole.machine(hop)
    place = [f"--{kind}={whole.files / f'turn.{kind}'}" for kind in ("userdb", "pidfile")]
    argv = ["turnserver", "-c", str(whole.files / file), "--log-file=stdout", "--simple-log", "--verbose", *place]
    whole.start("coturn", machine, argv, f"UDP listener opened on: {machine.address}:3478")


def minted(secret: str) -> tuple[str, str]:
    """User and password that end in an hour, as a web service with the secret grants them."""
    user = f"{int(time.time()) + 3600}:alice"
    return user, base64.b64encode(hmac.digest(secret.encode(), user.encode(), "sha1")).decode()


def relayed(whole: Whole, secret: str) -> tuple[int, set[tuple[str, str]], set[str]]:
    """What `hopwise ice` finds from outside: its status, each server's verdict, the relay's addresses."""
    user, password = minted(secret)
    servers = [f"turn:{PUBLIC}:3478?transport={transport}" for transport in ("udp", "tcp")]
    argv = ["ice", *(word for server in servers for word in ("--server", server)), "--username", user]
    done = whole.hopwise(*argv, "--password-stdin", "--json", at=whole.topology.vantages["outside"], typed=password)
    told = json.loads(done.stdout)
    verdicts = {(server["transport"], server["verdict"]) for server in told["servers"]}
    return done.returncode, verdicts, {c["address"] for c in told["candidates"] if c["type"] == "relay"}
