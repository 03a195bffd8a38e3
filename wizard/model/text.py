"""The text of a new project file."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from wizard.model.project import Project
from wizard.model.table import KEYS, to_table

_HEAD = """\
# A Hopwise project: the path from the internet to a service, and the ports that must get through.
# Passwords are never in this file.

"""
_COMMENTS: Mapping[str, str] = {
    "hops": "# The path, outermost hop first; the last hop is the service itself.\n\n",
    "ports": "# The ports that clients use, and the numbers on which they arrive further in.\n\n",
    "vantages": "# Where probes are sent from.\n\n",
    "ice_servers": "# STUN and TURN servers to test.\n\n",
    "configs": "# The configuration files of the hops.\n\n",
}
LISTS = tuple(_COMMENTS)


def dumps(project: Project) -> str:
    """The text of a new file for `project`. It is not validated."""
    table = to_table(project)
    parts = [_HEAD + table_text({key: value for key, value in table.items() if key not in LISTS})]
    for kind in LISTS:
        if table[kind]:
            parts.append(_COMMENTS[kind] + "\n".join(element_text(kind, item) for item in table[kind]))
    return "\n".join(parts)


def element_text(kind: str, table: Mapping[str, Any]) -> str:
    """A `[[kind]]` table of known keys."""
    return f"[[{kind}]]\n{table_text({key: table[key] for key in KEYS[kind] if key in table})}"


def table_text(table: Mapping[str, Any]) -> str:
    """A `key = value` line for each entry."""
    return "".join(f"{key} = {value_text(value)}\n" for key, value in table.items())


def value_text(value: object) -> str:
    """A value of a project file in TOML."""
    if isinstance(value, str):
        # JSON's escapes are TOML's, but for DEL, which TOML does not allow as it is.
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{key_text(key)} = {value_text(inner)}" for key, inner in value.items()) + " }"
    if isinstance(value, Iterable):
        return "[" + ", ".join(value_text(inner) for inner in value) + "]"
    return str(value)


def key_text(key: str) -> str:
    """A key in TOML, quoted if it must be."""
    bare = key.isascii() and key.replace("-", "").replace("_", "").isalnum()
    return key if bare else value_text(key)
