"""Services that Hopwise knows: one file each in `resources/presets`."""

from __future__ import annotations

import ipaddress
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

from wizard.model.hop import Hop
from wizard.model.port import PortPlan
from wizard.model.problem import ProjectError
from wizard.model.project import FORMAT, Project
from wizard.model.resource import resource
from wizard.model.validate import read
from wizard.model.vantage import IceServer

PUBLIC_ADDRESS = "{public_address}"
"""Stands in a preset for the address that the user gives; in a URI an IPv6 address gets brackets."""

# Only there so that a preset is checked as a project; no packet is ever sent to it.
_PLACEHOLDER = "public-address.invalid"


@dataclass(frozen=True, slots=True)
class Wording:
    """A text in the languages of the wizard."""

    en: str
    zh: str

    def say(self, language: str) -> str:
        """The text for a language code such as `en` or `zh_CN`; English for languages that it has not."""
        return self.zh if language.startswith("zh") else self.en


@dataclass(frozen=True, slots=True)
class Preset:
    """A service: the ports that it needs, and a sensible path to it.

    `source` is the URL where the ports are documented. Addresses may be the placeholder PUBLIC_ADDRESS. The hops are
    labelled in English; `labels` has those that are called otherwise in another language, by the hop's id.
    """

    id: str
    title: Wording
    summary: Wording
    notes: Wording
    source: str
    ports: tuple[PortPlan, ...]
    hops: tuple[Hop, ...]
    ice_servers: tuple[IceServer, ...] = ()
    labels: Mapping[str, Wording] = field(default_factory=dict)


@cache
def presets() -> tuple[Preset, ...]:
    """Every preset that comes with Hopwise, in the order to show them."""
    return read_folder(resource("presets"))


def read_folder(folder: Path) -> tuple[Preset, ...]:
    """The presets in a folder, one `.toml` file each, in the order that they ask for.

    Raises ProjectError for one that makes no valid project, KeyError for one that lacks a key.
    """
    loaded = [_load(path.stem, path.read_text("utf-8")) for path in folder.glob("*.toml")]
    return tuple(preset for _, _, preset in sorted(loaded, key=lambda entry: entry[:2]))


def preset(preset_id: str) -> Preset:
    """The preset of that id. Raises KeyError for an unknown one."""
    for candidate in presets():
        if candidate.id == preset_id:
            return candidate
    raise KeyError(preset_id)


def new_project(preset: Preset, public_address: str, language: str = "en") -> Project:
    """A project for the service at an address, named in that language; it is valid if the address is."""
    return Project(
        name=preset.title.say(language),
        public_address=public_address,
        hops=tuple(
            replace(
                hop,
                label=preset.labels[hop.id].say(language) if hop.id in preset.labels else hop.label,
                address=public_address if hop.address == PUBLIC_ADDRESS else hop.address,
            )
            for hop in preset.hops
        ),
        ports=preset.ports,
        ice_servers=tuple(
            replace(server, urls=tuple(url.replace(PUBLIC_ADDRESS, _in_uri(public_address)) for url in server.urls))
            for server in preset.ice_servers
        ),
    )


def _in_uri(address: str) -> str:
    try:
        return f"[{address}]" if ipaddress.ip_address(address).version == 6 else address
    except ValueError:
        return address


def _load(preset_id: str, text: str) -> tuple[int, str, Preset]:
    table = tomllib.loads(text)
    title = _wording(table["title"])
    labels = {hop["id"]: _wording(hop["name"]) for hop in table["hops"] if isinstance(hop.get("name"), dict)}
    project = _project(table, title.en, labels)
    return (
        table["order"],
        preset_id,
        Preset(
            id=preset_id,
            title=title,
            summary=_wording(table["summary"]),
            notes=_wording(table["notes"]),
            source=table["source"],
            ports=project.ports,
            hops=tuple(
                replace(hop, address=PUBLIC_ADDRESS) if hop.address == _PLACEHOLDER else hop for hop in project.hops
            ),
            ice_servers=tuple(
                replace(server, urls=tuple(url.replace(_PLACEHOLDER, PUBLIC_ADDRESS) for url in server.urls))
                for server in project.ice_servers
            ),
            labels=labels,
        ),
    )


def _project(table: Mapping[str, Any], name: str, labels: Mapping[str, Wording]) -> Project:
    """The preset read as the project file that it will become, so that it cannot hold what no project may."""
    hops = [hop | {"name": labels[hop["id"]].en} if hop["id"] in labels else hop for hop in table["hops"]]
    hops = [hop | {"address": _PLACEHOLDER} if hop.get("address") == PUBLIC_ADDRESS else hop for hop in hops]
    servers = [
        server | {"urls": [url.replace(PUBLIC_ADDRESS, _PLACEHOLDER) for url in server["urls"]]}
        for server in table.get("ice_servers", [])
    ]
    project, problems = read(
        {
            "format": FORMAT,
            "name": name,
            "public_address": _PLACEHOLDER,
            "hops": hops,
            "ports": table["ports"],
            "ice_servers": servers,
        }
    )
    if problems or project is None:
        raise ProjectError(problems)
    return project


def _wording(table: Mapping[str, str]) -> Wording:
    return Wording(table["en"], table["zh"])
