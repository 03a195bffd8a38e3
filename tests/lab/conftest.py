"""The crew that runs a module's cases beside each other."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from .crew import Crew


@pytest.fixture(scope="module")
def crew(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Crew]:
    hands = Crew(tmp_path_factory.mktemp("labs"))
    yield hands
    hands.close()
