"""The scripts that run on another host, put together from this package's own sources."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from importlib import resources

SOCKETS = (
    "probes/target.py",
    "probes/network_error.py",
    "probes/udp_socket.py",
    "probes/tcp_dial.py",
    "vantage/far_sockets.py",
)
"""The sources that make up the sockets on another host, in the order in which they build on one another."""
_WATCH = ("vantage/stdin_watch.py",)
SENT = (*SOCKETS, *_WATCH)
"""All sources that are sent over SSH."""


def carried(names: Iterable[str]) -> str:
    """Those modules as one text."""
    return "\n\n".join(_body(resources.files("wizard").joinpath(name).read_text("utf-8")) for name in names)


def sockets_script() -> str:
    """One Python script, standard library only and 3.8 or later: the sockets of a place to probe from over SSH."""
    return (
        "# Hopwise's sockets on another host. They obey orders on standard input, hold no secret, and end with it.\n\n"
        "from __future__ import annotations\n\n"
        f"{carried(SOCKETS)}\n\n"
        'if __name__ == "__main__":\n'
        "    serve_standard_input()\n"
    )


def ending_with_standard_input() -> str:
    """What is run before another script, so that it ends when standard input does."""
    return f"from __future__ import annotations\n\n{carried(_WATCH)}\n\nend_with_standard_input()\n"


def _body(source: str) -> str:
    """A module without its imports from this package and from the future; comments and lines stay as they are."""
    lines = source.splitlines()
    for node in ast.parse(source).body:
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in ("wizard", "__future__"):
            for number in range(node.lineno - 1, node.end_lineno or node.lineno):
                lines[number] = ""
    return "\n".join(lines)
