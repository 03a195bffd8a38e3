"""Pictures of every page: `python -m tests.gui.screens FOLDER`, light and dark, both languages, two sizes."""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtWidgets import QApplication

from tests.gui.driver import click, fill, flip, in_wizard, practice, turn, until, verdict
from wizard.gui.bench.running import Part
from wizard.gui.flow import Step
from wizard.gui.theme import Look
from wizard.gui.window import Window

SIZES = ((900, 640), (1440, 900))
LANGUAGES = ("en", "zh_CN")
LOOKS = (Look.LIGHT, Look.DARK)
_LISTED = b"""{"iceServers": [
  {"urls": ["stun:127.0.0.1:9", "stun:[::1]:9"]},
  {"urls": ["turn:127.0.0.1:9?transport=tcp", "stun:127.0.0.1:9"], "username": "alice", "credential": "not-a-secret"}
]}"""


def main(folder: Path) -> None:
    """Write them all."""
    app = QApplication(["screens"])
    folder.mkdir(parents=True, exist_ok=True)
    for language in LANGUAGES:
        for look in LOOKS:
            for width, height in SIZES:
                prefix = f"{look.value}-{language}-{width}x{height}"
                with tempfile.TemporaryDirectory() as state:
                    in_wizard(app, Path(state), _Tour(folder, prefix, width, height), language=language, look=look)


class _Tour:
    def __init__(self, folder: Path, prefix: str, width: int, height: int) -> None:
        self._folder = folder
        self._prefix = prefix
        self._size = (width, height)

    async def __call__(self, window: Window) -> None:
        window.resize(*self._size)
        await turn()
        await self._shoot(window, "1-service-empty")
        page = window.service_page
        page.presets.setCurrentRow(4)
        fill(page.new_address.line, "203.0.113.20")
        await self._shoot(window, "1-service")
        click(page.begin)
        await turn()
        await self._shoot(window, "2-path")
        click(window.primary)
        await turn()
        await self._shoot(window, "3-ports")
        click(window.ports_page.add)
        await turn()
        await self._shoot(window, "3-ports-faulty")
        window.menus.undo.trigger()
        click(window.primary)
        await turn()
        await self._shoot(window, "4-origin-empty")
        window.origin_page.add.menu().actions()[1].trigger()
        await turn()
        fill(window.origin_page.server.line, "turn:198.51.100.7:3478?transport=udp")
        fill(window.origin_page.username.line, "alice")
        await turn()
        await self._shoot(window, "4-origin")
        window.go(Step.TEST)
        await turn()
        await self._shoot(window, "5-test-before")
        window.go(Step.SERVICE)
        await turn()
        click(page.ways[1].button)
        await turn()
        await self._shoot(window, "8-bench-empty")
        await self._bench(window)
        click(window.back)
        window.context.document.undo()
        window.context.document.save(self._folder / f".{self._prefix}.toml")
        await turn()
        async with practice(window):
            await self._shoot(window, "5-practice")
            await flip(window, "router-hole")
            await verdict(window)
            await self._shoot(window, "5-test")
            click(window.primary)
            await turn()
            await self._shoot(window, "6-fix")
            click(window.fix_page.cards[0].router)
            await turn()
            await self._shoot(window, "6-router")
            window.router_page.guide.picked.emit("openwrt")
            await turn()
            bar = window.router_page.verticalScrollBar()
            bar.setValue(bar.maximum())
            await self._shoot(window, "6-router-down")
            click(window.back)
            await turn()
            click(window.primary)
            await turn()
            await self._shoot(window, "7-report")
        (self._folder / f".{self._prefix}.toml").unlink(missing_ok=True)

    async def _bench(self, window: Window) -> None:
        servers, bench, page = window.bench.servers, window.bench, window.bench_page
        servers.bring(_LISTED)
        servers.choose(1)
        for part in Part:
            click(page.parts[part])
            await turn()
            await self._shoot(window, f"8-bench-{part.value}-before")
        servers.choose(0)
        servers.remove()
        for part in Part:
            click(page.parts[part])
            await turn()
            click(window.primary)
            await until(bench.changed, lambda: not bench.busy)
            await turn()
            await self._shoot(window, f"8-bench-{part.value}")
            page.verticalScrollBar().setValue(page.verticalScrollBar().maximum())
            await self._shoot(window, f"8-bench-{part.value}-down")

    async def _shoot(self, window: Window, name: str) -> None:
        await turn()
        window.grab().save(str(self._folder / f"{self._prefix}-{name}.png"))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
