"""The configuration files that a project names, read from this computer's disk."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from wizard.configs.decoding import LARGEST, decoded
from wizard.configs.env_text import variables
from wizard.configs.products import product, read
from wizard.configs.reading import Reading, UnreadableError
from wizard.model.phrase import Phrase
from wizard.model.project import Project


@dataclass(frozen=True, slots=True)
class NotRead:
    """A file that cannot be used, and why."""

    hop: str
    file: str
    error: UnreadableError


@dataclass(frozen=True, slots=True)
class ConfigsRead:
    """The files that were read, by the hop that they configure, and those that were not."""

    readings: Mapping[str, tuple[Reading, ...]]
    failed: tuple[NotRead, ...]


def read_configs(project: Project, folder: Path) -> ConfigsRead:
    """Read every file that `project`, whose own file is in `folder`, names. One that cannot be read stops no other."""
    readings: dict[str, tuple[Reading, ...]] = {}
    failed: list[NotRead] = []
    for config in project.configs:
        try:
            found = read_file(folder / config.file, config.file, config.product)
        except UnreadableError as error:
            failed.append(NotRead(config.hop, config.file, error))
        else:
            readings[config.hop] = (*readings.get(config.hop, ()), found)
    return ConfigsRead(readings, tuple(failed))


def read_file(path: Path, name: str, product_id: str | None = None) -> Reading:
    """The configuration in a file; `name` is what it is called. Raises UnreadableError."""
    chosen = None
    if product_id is not None:
        try:
            chosen = product(product_id)
        except KeyError:
            raise UnreadableError(Phrase("no-such-product", {"product": product_id})) from None
    try:
        data = _data(path)
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise UnreadableError(Phrase("cannot-open", {"why": why})) from None
    return read(data, name, chosen, _beside(path))


def _data(path: Path) -> bytes:
    with path.open("rb") as file:
        # One byte more than allowed tells a file that is too large without reading all of it.
        return file.read(LARGEST + 1)


def _beside(path: Path) -> Mapping[str, str]:
    """What the `.env` beside a file sets, as Docker Compose would read it; nothing where there is none to read."""
    try:
        return variables(decoded(_data(path.with_name(".env"))))
    except (OSError, ValueError, UnreadableError):
        return {}
