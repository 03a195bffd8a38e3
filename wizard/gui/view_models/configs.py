"""The configuration files of the hops: read, laid under the planned ports, and written."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from wizard.configs.assembling import assemble
from wizard.configs.coverage import coverage, wanted
from wizard.configs.placing import Given
from wizard.configs.product import Order, Product, Written
from wizard.configs.products import products
from wizard.configs.reading import Reading
from wizard.configs.words import say_of
from wizard.gui.edits import Table
from wizard.gui.jobs import Jobs
from wizard.gui.view_models.document import DocumentModel
from wizard.model.config_file import ConfigFile
from wizard.model.project import Project, with_configs
from wizard.model.table import to_table
from wizard.observation import Configured
from wizard.system.config_files import ConfigsRead, read_configs, read_file
from wizard.system.inspection import Look, Seen, here, inspect, keep

NOTHING_READ = ConfigsRead({}, ())


class ConfigsModel(QObject):
    """What the files of the open project say. Signals: `changed`, `inspected` (tuple of Seen)."""

    changed = Signal()
    inspected = Signal(object)

    def __init__(self, jobs: Jobs, document: DocumentModel, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._jobs = jobs
        self._document = document
        self._of: tuple[tuple[ConfigFile, ...], Path] | None = None
        self._laid: Project | None = None
        self._read = NOTHING_READ
        self._rows: tuple[Configured, ...] = ()
        self.busy = False
        document.changed.connect(self._follow)

    @property
    def folder(self) -> Path:
        """What the paths of files are relative to."""
        path = self._document.path
        return path.parent if path is not None else Path.cwd()

    @property
    def rows(self) -> tuple[Configured, ...]:
        """What each hop's configuration does with the planned ports."""
        return self._rows

    def files(self, hop: str) -> tuple[ConfigFile, ...]:
        """The files of a hop."""
        return tuple(config for config in self._document.sketch.configs if config.hop == hop)

    def said(self, hop: str, language: str) -> tuple[str, ...]:
        """What there is to know about a hop's files: why one cannot be read, lines that were not understood."""
        failed = (say_of(bad.file, bad.error, language) for bad in self._read.failed if bad.hop == hop)
        notes = (
            say_of(reading.file, note, language)
            for reading in self._read.readings.get(hop, ())
            for note in reading.notes
        )
        return (*failed, *notes)

    def reread(self) -> None:
        """Read the files again: they may have been edited meanwhile."""
        self._of = None
        self._follow()

    def add(self, hop: str, path: Path) -> None:
        """A file for a hop. Raises UnreadableError."""
        name = self._name(path)
        product = read_file(path, name).product
        self._attach([ConfigFile(hop, name, product)])

    def remove(self, config: ConfigFile) -> None:
        """Take a file off its hop; the file itself stays."""
        project = self._document.sketch
        self._edit([found for found in project.configs if found != config])

    def given(self, paths: Sequence[Path]) -> list[Given]:
        """Files to build a path from. Raises UnreadableError."""
        return [Given(read_file(path, self._name(path))) for path in paths]

    def assembled(self, files: Sequence[Given], name: str) -> Project:
        """The open project with what the files add, or a new one where none is open. Raises Unplaced."""
        return assemble(files, self._document.project if self._document.chosen else None, name)

    def take(self, project: Project) -> None:
        """Put what was assembled in the place of the open project, as an edit that can be undone."""
        self._document.edit(to_table(project))

    def writers(self, hop: str) -> tuple[Product, ...]:
        """The products that a hop's configuration can be written for, those that it has first."""
        project = self._document.sketch
        found = next((h for h in project.hops if h.id == hop), None)
        if found is None:
            return ()
        has = {config.product for config in self.files(hop)}
        fit = [known for known in products() if known.write is not None and found.kind in known.kinds]
        return tuple(sorted(fit, key=lambda known: (known.id not in has, known.kinds.index(found.kind), known.title)))

    def written(self, hop: str, product: Product, language: str) -> Written | None:
        """What the hop lacks, in the product's own words; None where it lacks nothing."""
        project = self._document.project
        if project is None or product.write is None:
            return None
        readings: Sequence[Reading] = self._read.readings.get(hop, ())
        ports = wanted(project, hop, self._rows if readings else None)
        existing = next((reading for reading in readings if reading.product == product.id), None)
        if not ports:
            return None
        return product.write(Order(project, project.hop(hop), ports, existing, language))

    def look(self, hop: str, looks: Sequence[Look]) -> None:
        """Run commands on this computer, which is the hop, and keep what they print beside the project."""
        self._jobs.start(self._look(hop, looks))

    async def _look(self, hop: str, looks: Sequence[Look]) -> None:
        path = self._document.path
        if path is None or self.busy:
            return
        self.busy = True
        self.changed.emit()
        try:
            seen: tuple[Seen, ...] = await inspect(looks, here)
            self._attach(keep(seen, hop, path.parent, path.stem))
        finally:
            self.busy = False
            self.changed.emit()
        self.inspected.emit(seen)

    def _attach(self, configs: Sequence[ConfigFile]) -> None:
        self._edit(with_configs(self._document.sketch, configs).configs)
        self.reread()

    def _edit(self, configs: Sequence[ConfigFile]) -> None:
        table: Table = dict(self._document.table)
        found = [
            {key: value for key, value in (("hop", c.hop), ("file", c.file), ("product", c.product)) if value}
            for c in configs
        ]
        if found:
            table["configs"] = found
        else:
            table.pop("configs", None)
        self._document.edit(table)

    def _name(self, path: Path) -> str:
        """How the project calls a file: from its own folder where it is in there, else by its whole path."""
        whole = path.resolve()
        folder = self.folder.resolve()
        inside = self._document.path is not None and whole.is_relative_to(folder)
        return str(whole.relative_to(folder)) if inside else str(whole)

    def _follow(self) -> None:
        """Read what is new, and lay the ports over it anew."""
        project = self._document.project
        files = (self._document.sketch.configs, self.folder)
        if files == self._of and project == self._laid:
            return
        if files != self._of:
            self._read = read_configs(self._document.sketch, self.folder) if files[0] else NOTHING_READ
            self._of = files
        self._laid = project
        self._rows = coverage(project, self._read.readings) if project is not None else ()
        self.changed.emit()
