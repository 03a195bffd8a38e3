"""Pictures: `python -m tests.gui.screens FOLDER [wizard|bench|states]`, light and dark, both languages, two sizes."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtWidgets import QApplication, QWidget

from tests.gui.driver import click, dialog, fill, flip, in_wizard, practice, turn, until, verdict
from tests.gui.test_configs import ROUTER
from tests.gui.test_sdp import OFFER
from tests.lab.certificates import Authority
from tests.probes.coturn import CREDENTIALS, USER, coturn
from wizard.diagnosis.verdict import State
from wizard.gui.bench.running import Part
from wizard.gui.flow import Step
from wizard.gui.pages.paste import PasteDialog
from wizard.gui.theme import Look
from wizard.gui.view_models.report import ReportKind
from wizard.gui.window import Window
from wizard.model.port import Protocol
from wizard.model.server_list import ServerEntry
from wizard.observation import Observation, Outcome

SIZES = ((900, 640), (1440, 900))
LANGUAGES = ("en", "zh_CN")
LOOKS = (Look.LIGHT, Look.DARK)
_LISTED = b"""{"iceServers": [
  {"urls": ["stun:127.0.0.1:9", "stun:[::1]:9"]},
  {"urls": ["turn:127.0.0.1:9?transport=tcp", "stun:127.0.0.1:9"], "username": "alice", "credential": "not-a-secret"}
]}"""

LONG = """\
format = 1
name = "Video chat for the whole family on the old network storage in the cellar"
public_address = "2001:db8:1234:5678:9abc:def0:1234:5678"

[[hops]]
id = "router"
kind = "router"
name = "The router in the hall that the provider sent us"
address = "2001:db8:1234:5678:9abc:def0:1234:5678"

[[hops]]
id = "nas"
kind = "firewall"
address = "fd00:1234:5678:9abc:def0:1234:5678:9abc"

[[hops]]
id = "docker"
kind = "container"
name = "客厅里的 Docker 主机，旧的那一台"

[[hops]]
id = "chat"
kind = "service"

[[ports]]
name = "media"
protocol = "udp"
outside = "10000-10100"
inside = { chat = "20000-20100" }

[[ports]]
name = "web"
protocol = "tcp"
outside = "443"
speaks = "https"
"""

SUSPECTS = """\
format = 1
name = "Nobody answers"
public_address = "127.77.9.1"

[[hops]]
id = "router"
kind = "router"
name = "The router in the hall that the provider sent us"
address = "127.77.9.1"

[[hops]]
id = "tunnel"
kind = "tunnel-server"
name = "frps & friends"

[[hops]]
id = "client"
kind = "tunnel-client"

[[hops]]
id = "docker"
kind = "container"
name = "客厅里的 Docker 主机，旧的那一台"

[[hops]]
id = "chat"
kind = "service"

[[ports]]
name = "media"
protocol = "udp"
outside = "47110-47113"

[[vantages]]
id = "laptop"
kind = "local"
"""


def main(folder: Path, *tours: str) -> None:
    """Write those of the wizard, of the bench and of rarer states, or of one of these tours."""
    app = QApplication(["screens"])
    folder.mkdir(parents=True, exist_ok=True)
    for language in LANGUAGES:
        for look in LOOKS:
            for width, height in SIZES:
                prefix = f"{look.value}-{language}-{width}x{height}"
                for name in tours or _TOURS:
                    tour = _TOURS[name](folder, prefix, width, height)
                    with tempfile.TemporaryDirectory() as state:
                        in_wizard(app, Path(state), tour, language=language, look=look)


class _Tour:
    def __init__(self, folder: Path, prefix: str, width: int, height: int) -> None:
        self._folder = folder
        self._prefix = prefix
        self._size = (width, height)

    async def __call__(self, window: Window) -> None:
        raise NotImplementedError

    async def _shoot(self, window: QWidget, name: str) -> None:
        await turn()
        window.grab().save(str(self._folder / f"{self._prefix}-{name}.png"))


class _WizardTour(_Tour):
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
            window.go(Step.TEST)
            await turn()
            await self._watch(window)
        (self._folder / f".{self._prefix}.toml").unlink(missing_ok=True)

    async def _watch(self, window: Window) -> None:
        run, page = window.context.run, window.test_page
        click(page.watch)
        await until(run.watched, lambda: run.watching)
        await flip(window, "router-hole")
        await until(run.watched, lambda: run.diagnosis is not None and run.diagnosis.state is State.OPEN)
        await flip(window, "firewall-drops")
        await until(
            run.watched,
            lambda: (
                run.diagnosis is not None
                and "firewall" in {h.id for h in run.diagnosis.hops if h.state is State.BLOCKED}
            ),
        )
        page.refresh()
        await self._shoot(window, "5-watch")
        page.verticalScrollBar().setValue(page.verticalScrollBar().maximum())
        await self._shoot(window, "5-watch-down")
        click(page.watch)
        await until(run.ended, lambda: not run.goes_on)


class _BenchTour(_Tour):
    async def __call__(self, window: Window) -> None:
        window.resize(*self._size)
        await turn()
        click(window.service_page.ways[2].button)
        await turn()
        await self._shoot(window, "8-bench-empty")
        servers, page = window.bench.servers, window.bench_page
        servers.bring(_LISTED)
        servers.choose(1)
        for part in Part:
            click(page.parts[part])
            await turn()
            await self._shoot(window, f"8-bench-{part.value}-before")
        servers.choose(0)
        servers.remove()
        await self._bench_parts(window, "dead")
        while servers.servers:
            servers.remove()
        if shutil.which("turnserver") is None:
            return
        with tempfile.TemporaryDirectory() as folder:
            async with coturn(Path(folder), certificate=Authority(Path(folder)).issue("turn.example.org")) as server:
                urls = (server.uri(), server.uri("tcp"), server.uri(scheme="turns"), server.uri(host="[::1]"))
                servers.add(ServerEntry(urls, USER))
                servers.set_secret(CREDENTIALS.password)
                servers.add(ServerEntry((server.uri(scheme="stun").partition("?")[0],)))
                servers.choose(0)
                await self._bench_parts(window, "live")
                conf = Path(folder) / "turnserver.conf"
                click(page.parts[Part.AUDIT])
                window.bench.audit_file(conf)
                await until(window.bench.changed, lambda: not window.bench.busy)
                await self._shoot(window, "8-bench-audit-file")
                report = self._folder / f"{self._prefix}-8-bench.pdf"
                await page.reporting.write(ReportKind.PDF, window.bench.report, report)

    async def _bench_parts(self, window: Window, kind: str) -> None:
        bench, page = window.bench, window.bench_page
        for part in Part:
            click(page.parts[part])
            await turn()
            click(window.primary)
            if part is Part.CALL and kind == "live":
                await until(bench.moment, lambda: len(bench.moments) > 12)
                await self._shoot(window, "8-bench-call-amid")
            await until(bench.changed, lambda: not bench.busy)
            await turn()
            await self._shoot(window, f"8-bench-{part.value}-{kind}")
            bar = page.verticalScrollBar()
            for place in range(1, 4):
                if bar.value() == bar.maximum():
                    break
                bar.setValue(bar.value() + page.viewport().height() - 40)
                await self._shoot(window, f"8-bench-{part.value}-{kind}-down{place}")


class _StatesTour(_Tour):
    """What is met less often: configurations, pasted texts, a host over SSH, results brought in, long names, IPv6."""

    async def __call__(self, window: Window) -> None:
        window.resize(*self._size)
        document = window.context.document
        with tempfile.TemporaryDirectory() as folder:
            router, project = Path(folder) / "router.csv", Path(folder) / "chat.toml"
            router.write_text(ROUTER)
            project.write_text(LONG)
            window.files.open(project)
            await until(document.opened, lambda: document.chosen)
            await turn()
            page = window.path_page
            await self._shoot(window, "9-path-long")
            window.configs.add("router", [router])
            await until(window.context.configs.changed, lambda: window.context.configs.rows)
            page.diagram.chosen.emit("router")
            box = page.configs.writer.box
            await turn()
            box.setCurrentIndex(box.findData("router-table"))
            box.activated.emit(box.currentIndex())
            await self._down(window, "9-config")
            click(page.configs.paste)
            pasting = await dialog(PasteDialog)
            pasting.edit.setPlainText(ROUTER)
            await self._shoot(pasting, "9-paste")
            pasting.reject()
            await turn()
            click(page.router)
            await self._shoot(window, "9-router-planned")
            window.menus.sdp.trigger()
            await turn()
            window.sdp_window.edit.setPlainText(OFFER)
            await self._shoot(window.sdp_window, "9-sdp")
            window.sdp_window.close()
            window.go(Step.ORIGIN)
            await turn()
            window.origin_page.add.menu().actions()[2].trigger()
            await turn()
            fill(window.origin_page.server.line, "alice@host.example.org:2222")
            await turn()
            await self._shoot(window, "9-origin-ssh")
            window.go(Step.PORTS)
            await turn()
            await self._shoot(window, "9-ports-long")
            window.go(Step.TEST)
            await turn()
            answerers = window.test_page.answerers
            at = datetime(2026, 1, 1, tzinfo=UTC)
            seen = Observation("laptop", "nas", "192.168.77.10", 10000, Protocol.UDP, Outcome.ANSWERED, at)
            answerers.bring((seen,), ())
            answerers.answer_there.click()
            await self._down(window, "9-test-long")
            document.save()
            stopped = Path(folder) / "stopped.toml"
            stopped.write_text(SUSPECTS)
            window.files.open(stopped)
            await until(document.opened, lambda: document.path == stopped)
            await turn()
            window.go(Step.TEST)
            await turn()
            await verdict(window)
            await self._down(window, "9-test-suspects")
            click(window.primary)
            await self._down(window, "9-fix-suspects")

    async def _down(self, window: Window, name: str) -> None:
        await turn()
        bar = window.page.verticalScrollBar()
        for place in range(5):
            await self._shoot(window, f"{name}-{place}")
            if bar.value() == bar.maximum():
                break
            bar.setValue(bar.value() + window.page.viewport().height() - 40)


_TOURS: dict[str, type[_Tour]] = {"wizard": _WizardTour, "bench": _BenchTour, "states": _StatesTour}

if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:])
