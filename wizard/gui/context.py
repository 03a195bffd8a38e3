"""What every page is given."""

from __future__ import annotations

from dataclasses import dataclass

from wizard.gui.jobs import Jobs
from wizard.gui.speech import Speech
from wizard.gui.theme import Theme
from wizard.gui.view_models.configs import ConfigsModel
from wizard.gui.view_models.document import DocumentModel
from wizard.gui.view_models.passwords import PasswordModel
from wizard.gui.view_models.run import RunModel
from wizard.system.recent import KeptServers


@dataclass(frozen=True, slots=True)
class Context:
    """The look, the language, and the view models that pages share."""

    theme: Theme
    speech: Speech
    jobs: Jobs
    document: DocumentModel
    configs: ConfigsModel
    run: RunModel
    passwords: PasswordModel
    kept_servers: KeptServers

    @property
    def language(self) -> str:
        """The language of catalogues and of the diagram."""
        return self.speech.language
