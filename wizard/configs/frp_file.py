"""A file of frpc or frps in any of frp's syntaxes: TOML, YAML and JSON with one schema, and the INI of old versions.

Secrets are left where they are: only keys that are about ports and addresses are ever looked at.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from wizard.configs.frp_template import Filled, fill
from wizard.configs.json_tree import json_tree
from wizard.configs.reading import Source, UnreadableError
from wizard.configs.toml_tree import toml_tree
from wizard.configs.tree import Tree, check_size
from wizard.configs.yaml_tree import yaml_tree
from wizard.model.phrase import Phrase

COMMON = "common"
STATUS = re.compile(r"\"status\"\s*:\s*\"(?:online|offline)\"")
"""What only a running server tells of its proxies."""
_LEGACY: Mapping[str, str] = {
    "server_addr": "serverAddr",
    "server_port": "serverPort",
    "local_ip": "localIP",
    "local_port": "localPort",
    "remote_port": "remotePort",
    "bind_addr": "bindAddr",
    "bind_port": "bindPort",
    "kcp_bind_port": "kcpBindPort",
    "quic_bind_port": "quicBindPort",
    "proxy_bind_addr": "proxyBindAddr",
    "vhost_http_port": "vhostHTTPPort",
    "vhost_https_port": "vhostHTTPSPort",
    "tcpmux_httpconnect_port": "tcpmuxHTTPConnectPort",
    "dashboard_addr": "webServer.addr",
    "dashboard_port": "webServer.port",
    "allow_ports": "allowPorts",
    "max_ports_per_client": "maxPortsPerClient",
}
"""What the keys of old versions are called now; the rest has kept its name or is none of ours."""
_LEGACY_LOOK = re.compile(r"^[ \t]*(?:\[common\][ \t]*$|(?:local|remote)_port[ \t]*=)", re.MULTILINE)
_TOML_LOOK = re.compile(r"^[ \t]*(?:\[|[\w.\"'-]+[ \t]*=)", re.MULTILINE)
_SECTION = re.compile(r"\[(.*)\]\s*")


class Syntax(enum.StrEnum):
    """How a file is written."""

    TOML = "toml"
    INI = "ini"
    YAML = "yaml"
    JSON = "json"


@dataclass(frozen=True, slots=True)
class FrpFile:
    """`root` has the schema of TOML. In an INI file each section is a table of it, `common` among them."""

    root: Tree
    syntax: Syntax
    filled: Filled

    @property
    def legacy(self) -> bool:
        """Whether it is the INI of old versions."""
        return self.syntax is Syntax.INI

    @property
    def common(self) -> Tree:
        """What is not about one proxy."""
        return self.root.get(COMMON) or Tree({}, 1) if self.legacy else self.root

    def line(self, tree: Tree) -> int:
        """Where it stands in the file itself, before templates were filled in."""
        return self.filled.line(tree.line)

    def unset(self, *trees: Tree | None) -> tuple[str, int] | None:
        """A variable without a value on which one of these depends, and its line."""
        lines = [self.line(tree) for tree in trees if tree is not None]
        return next(((self.filled.unset[line], line) for line in lines if line in self.filled.unset), None)


def frp_file(source: Source) -> FrpFile:
    """The file, its templates filled in. Raises UnreadableError."""
    check_size(source.text)
    filled = fill(source.text, source.variables)
    syntax = _syntax(filled.text)
    try:
        root = _READERS[syntax](filled.text)
    except UnreadableError as fault:
        raise UnreadableError(fault.phrase, None if fault.line is None else filled.line(fault.line)) from None
    if not isinstance(root.value, dict):
        raise UnreadableError(Phrase("syntax", {"text": filled.text.strip().partition("\n")[0][:40]}), filled.line(1))
    return FrpFile(root, syntax, filled)


def _syntax(text: str) -> Syntax:
    if _LEGACY_LOOK.search(text):
        return Syntax.INI
    if text.lstrip().startswith("{"):
        return Syntax.JSON
    return Syntax.TOML if _TOML_LOOK.search(text) else Syntax.YAML


def _ini_tree(text: str) -> Tree:
    sections: dict[str, Tree] = {}
    current: dict[str, Tree] = {}
    for number, line in enumerate(text.split("\n"), 1):
        content = line.strip().lstrip("\ufeff")
        if not content or content[0] in "#;":
            continue
        section = _SECTION.fullmatch(content)
        if section is not None:
            name = section[1].strip()
            current = {}
            # A section that comes again goes on with the first.
            held = sections.setdefault(name, Tree(current, number)).value
            current = held if isinstance(held, dict) else current
            continue
        key, mark, value = _pair(content)
        if not mark:
            # A key alone is true.
            value = "true"
        current[_LEGACY.get(key, key)] = Tree(_unquoted(value), number)
    return Tree({name: _nested(tree) for name, tree in sections.items()}, 1)


def _pair(content: str) -> tuple[str, str, str]:
    mark = min("=:", key=lambda sign: content.find(sign) % (len(content) + 1))
    key, found, value = content.partition(mark)
    return key.rstrip(), found, value.lstrip()


def _unquoted(text: str) -> str:
    quoted = len(text) >= 2 and text[0] == text[-1] and text[0] in "\"'`"
    return text[1:-1] if quoted else text


def _nested(section: Tree) -> Tree:
    """With `webServer.port` as a table within a table."""
    table: dict[str, Tree] = {}
    for key, tree in section.items():
        outer, dot, inner = key.partition(".")
        if dot and outer == "webServer":
            held = table.setdefault(outer, Tree({}, tree.line)).value
            if isinstance(held, dict):
                held[inner] = tree
        else:
            table[key] = tree
    return Tree(table, section.line)


_READERS: Mapping[Syntax, Callable[[str], Tree]] = {
    Syntax.TOML: toml_tree,
    Syntax.INI: _ini_tree,
    Syntax.YAML: yaml_tree,
    Syntax.JSON: json_tree,
}
