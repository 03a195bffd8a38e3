"""The bench: servers are listed, tested with real packets, and reported, through the widgets."""

import json
from datetime import UTC, datetime

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel, QLineEdit, QPushButton

from tests.gui.driver import click, fill, flip, give_file, in_wizard, practice, turn, until, verdict
from tests.probes.coturn import PASSWORD, USER, coturn
from wizard.gui.bench.running import Part
from wizard.gui.bench.shown import GridTable
from wizard.gui.view_models.report import ReportKind
from wizard.model.secret import Secret
from wizard.model.server_list import CredentialKind
from wizard.probes.candidate import CandidateType
from wizard.probes.server_verdict import Verdict

pytestmark = pytest.mark.qt_log_ignore("propagateSizeHints", extend=True)
SNIPPET = """
const pc = new RTCPeerConnection({
  iceServers: [
    { urls: "stun:127.0.0.1:9" },
    { urls: ["turn:127.0.0.1:9?transport=tcp"], username: "alice", credential: "wonderland" },
  ],
  iceTransportPolicy: "relay",
});
"""


async def open_bench(window):
    click(window.service_page.ways[2].button)
    await turn()
    assert window.page is window.bench_page
    return window.bench_page


async def run(window, part):
    page = window.bench_page
    click(page.parts[part])
    await turn()
    click(window.primary)
    assert window.bench.busy
    await until(window.bench.changed, lambda: not window.bench.busy)
    await turn()


def words(page):
    return " ".join(label.text() for label in page.findChildren(QLabel) if label.isVisible())


def table(page, head):
    found = [t for t in page.findChildren(GridTable) if t.isVisible() and t.horizontalHeaderItem(0).text() == head]
    rows = range(found[0].rowCount())
    return [[found[0].item(row, column).text() for column in range(found[0].columnCount())] for row in rows]


def test_an_address_that_is_none_is_named_as_it_is_typed(qapp, tmp_path):
    async def walk(window):
        page = await open_bench(window)
        assert not window.primary.isEnabled()
        QTest.keyClicks(page.list_card.urls_edit, "stn:127.0.0.1")
        assert "does not start with stun:" in page.list_card.urls.problem

    in_wizard(qapp, tmp_path, walk)


def test_a_server_that_does_not_answer_is_explained(qapp, tmp_path):
    async def walk(window):
        page = await open_bench(window)
        QTest.keyClicks(page.list_card.urls_edit, "stun:127.0.0.1:9")
        window.resize(900, 640)
        await run(window, Part.GATHER)
        assert page.shown.visibleRegion().boundingRect().height() > 60, "the verdict is scrolled into view"
        verdicts = table(page, "Verdict")
        assert [row[:2] for row in verdicts] == [["refused", "stun:127.0.0.1:9"]]
        assert "stun:127.0.0.1:9 (127.0.0.1) 701" in words(page)
        assert "nothing listens on this port" in words(page)
        click(window.back)
        await turn()
        assert window.page is window.service_page

    in_wizard(qapp, tmp_path, walk)


def test_a_pasted_script_becomes_the_list_and_its_password_shows_nowhere(qapp, tmp_path):
    async def walk(window):
        page = await open_bench(window)
        QGuiApplication.clipboard().setText(SNIPPET)
        page.list_card.urls_edit.setFocus()
        page.list_card.urls_edit.paste()
        await turn()
        entries = window.bench.servers.servers
        assert [entry.urls for entry in entries] == [("stun:127.0.0.1:9",), ("turn:127.0.0.1:9?transport=tcp",)]
        assert window.bench.relay_only
        window.bench.servers.choose(1)
        await turn()
        assert page.list_card.username.text == "alice"
        assert page.list_card.secret.text == "wonderland"
        assert page.list_card.secret.line.echoMode() is QLineEdit.EchoMode.Password
        assert "wonderland" not in words(page)
        page.list_card._copy_json.trigger()
        copied = QGuiApplication.clipboard().text()
        assert json.loads(copied)["iceServers"][1] == {"urls": ["turn:127.0.0.1:9?transport=tcp"], "username": "alice"}
        page.list_card._copy_script.trigger()
        assert "wonderland" not in QGuiApplication.clipboard().text()

    in_wizard(qapp, tmp_path, walk)


def test_what_is_no_list_is_named_with_its_fault(qapp, tmp_path):
    async def walk(window):
        page = await open_bench(window)
        QGuiApplication.clipboard().setText("hello")
        click(page.list_card.buttons["paste"])
        assert "no list of servers" in page.list_card.problem.text()
        QGuiApplication.clipboard().setText("stun:127.0.0.1:9\nturn:127.0.0.1:9\n")
        click(page.list_card.buttons["paste"])
        assert not page.list_card.problem.isVisible()
        assert window.bench.servers.entry.urls == ("stun:127.0.0.1:9", "turn:127.0.0.1:9")

    in_wizard(qapp, tmp_path, walk)


def test_servers_are_reordered_copied_and_left_out(qapp, tmp_path):
    async def walk(window):
        page, servers = await open_bench(window), window.bench.servers
        servers.bring(SNIPPET.encode())
        servers.choose(0)
        click(page.list_card.buttons["remove"])
        click(page.list_card.buttons["down"])
        first = [entry.urls[0] for entry in servers.servers]
        assert first == ["turn:127.0.0.1:9?transport=tcp", "stun:127.0.0.1:9"]
        servers.choose(0)
        click(page.list_card.buttons["duplicate"])
        assert [entry.urls[0] for entry in servers.servers] == [first[0], first[0], first[1]]
        assert servers.typed(servers.servers[1]) == Secret("wonderland")
        page.list_card.list.item(2).setCheckState(Qt.CheckState.Unchecked)
        assert [entry.urls[0] for entry in servers.enabled] == [first[0], first[0]]

    in_wizard(qapp, tmp_path, walk)


def test_a_missing_password_holds_up_no_other_server(qapp, tmp_path):
    async def walk(window):
        page = await open_bench(window)
        page.list_card.urls_edit.insertPlainText("turn:127.0.0.1:9\nstun:127.0.0.1:9")
        fill(page.list_card.username.line, "alice")
        await run(window, Part.GATHER)
        assert "no password for alice" in page.problem.text()
        assert [row[1] for row in table(page, "Verdict")] == ["stun:127.0.0.1:9"]

    in_wizard(qapp, tmp_path, walk)


@pytest.mark.requires("coturn")
def test_a_relay_is_gathered_carries_a_call_and_is_audited_and_reported(qapp, tmp_path):
    async def walk(window):
        async with coturn(tmp_path) as server:
            page = await open_bench(window)
            url = server.uri("udp")
            QTest.keyClicks(page.list_card.urls_edit, url)
            fill(page.list_card.username.line, USER)
            fill(page.list_card.secret.line, PASSWORD)
            await run(window, Part.GATHER)
            assert [row[:2] for row in table(page, "Verdict")] == [["ok", url]]
            relays = [c for c in window.bench.ice.candidates if c.type is CandidateType.RELAY]
            assert [c.port in server.relay_ports for c in relays] == [True]
            rows = [row for row in table(page, "Time (s)") if row[1] == "relay"]
            assert rows[0][5:] == [str(relays[0].port), "0 | 65534 | 255", url, "udp"]
            await run(window, Part.CALL)
            assert len(window.bench.turn.measured.calls) == 2
            assert page.plot.isVisible()
            assert any(row[0] == "Round trip" for row in table(page, "Figure"))
            await run(window, Part.AUDIT)
            assert any(finding.code == "loopback-peers" for finding in window.bench.audit.findings)
            for kind in ReportKind:
                path = tmp_path / f"report.{kind.value}"
                page._save_actions[kind].trigger()
                await give_file(path)
                await until(window.bench.changed, lambda path=path: str(path) in page.reporting.status)
                assert PASSWORD.encode() not in path.read_bytes()
            report = json.loads((tmp_path / "report.json").read_text())
            assert [report[part] is not None for part in ("ice", "turn", "nat", "audit")] == [True, True, False, True]

    in_wizard(qapp, tmp_path, walk)


@pytest.mark.requires("coturn")
def test_credentials_from_a_shared_secret_work_and_say_when_they_end(qapp, tmp_path):
    async def walk(window):
        async with coturn(tmp_path, ["use-auth-secret", "static-auth-secret=not-to-be-seen"]) as server:
            page = await open_bench(window)
            QTest.keyClicks(page.list_card.urls_edit, server.uri("tcp"))
            page.list_card.kind.picked.emit(CredentialKind.SHARED_SECRET)
            fill(page.list_card.secret.line, "not-to-be-seen")
            await run(window, Part.GATHER)
            assert [tried.verdict for tried in window.bench.ice.servers] == [Verdict.OK]
            ends = window.bench.servers.ends(window.bench.servers.entry)
            assert ends > datetime.now(UTC)
            assert f"{ends.astimezone():%Y-%m-%d %H:%M}" in page.list_card.ends.text()
            assert "not-to-be-seen" not in words(page)

    in_wizard(qapp, tmp_path, walk)


@pytest.mark.requires("coturn")
def test_a_call_that_is_stopped_leaves_the_servers_relays_free(qapp, tmp_path):
    async def walk(window):
        async with coturn(tmp_path) as server:
            page = await open_bench(window)
            QTest.keyClicks(page.list_card.urls_edit, server.uri("udp"))
            fill(page.list_card.username.line, USER)
            fill(page.list_card.secret.line, PASSWORD)
            click(page.parts[Part.CALL])
            click(window.primary)
            await until(window.bench.moment, lambda: len(window.bench.moments) > 1)
            click(page.stop)
            await until(window.bench.changed, lambda: not window.bench.busy)
            await turn()
            assert window.bench.turn is None
            assert "Stopped before the end" in page.note.text()
            await server.says("refreshed, realm=<example.org>, username=<alice>, lifetime=0")

    in_wizard(qapp, tmp_path, walk)


def test_a_configuration_is_audited_with_lines_to_copy(qapp, tmp_path):
    async def walk(window):
        conf = tmp_path / "turnserver.conf"
        conf.write_text("listening-port=3478\nno-auth\n")
        page = await open_bench(window)
        click(page.parts[Part.AUDIT])
        await turn()
        click(page.file)
        await give_file(conf)
        await until(window.bench.changed, lambda: window.bench.audit is not None and not window.bench.busy)
        await turn()
        assert window.bench.audit.findings[0].code == "open-relay"
        assert [b for b in page.shown.findChildren(QPushButton) if b.text() == "Copy"]
        assert "5 min" in words(page)

    in_wizard(qapp, tmp_path, walk)


def test_what_a_nat_does_stays_grey_where_no_server_answers(qapp, tmp_path):
    async def walk(window):
        page = await open_bench(window)
        QTest.keyClicks(page.list_card.urls_edit, "stun:127.0.0.1:9")
        await run(window, Part.NAT)
        assert "connection refused" in words(page)
        assert "unknown" in window.bench.nat.verdict.need.value

    in_wizard(qapp, tmp_path, walk)


def test_the_window_of_the_bench_knows_what_the_page_knows(qapp, tmp_path):
    async def walk(window):
        page = await open_bench(window)
        QTest.keyClicks(page.list_card.urls_edit, "stun:127.0.0.1:9")
        window.menus.bench.trigger()
        await turn()
        own = window.bench_window
        assert own.isVisible()
        click(own.primary)
        await until(window.bench.changed, lambda: not window.bench.busy)
        await turn()
        assert table(own.page, "Verdict") == table(page, "Verdict")
        window.menus.languages.actions()[1].trigger()
        await turn()
        assert own.primary.text().startswith("收集")

    in_wizard(qapp, tmp_path, walk)


def test_a_narrow_window_of_the_bench_cuts_nothing_off(qapp, tmp_path):
    async def walk(window):
        window.resize(900, 640)
        page = await open_bench(window)
        window.bench.servers.bring(SNIPPET.encode())
        for language in (0, 1):
            window.menus.languages.actions()[language].trigger()
            for part in Part:
                click(page.parts[part])
                await turn()
                assert page.widget().width() <= page.viewport().width(), part
                for button in page.widget().findChildren(QPushButton):
                    if button.isVisible() and button.text():
                        assert button.width() >= button.minimumSizeHint().width(), (part, button.text())

    in_wizard(qapp, tmp_path, walk)


def test_the_test_page_says_what_to_mend_first_and_shows_where(qapp, tmp_path):
    async def walk(window):
        async with practice(window):
            await flip(window, "router-hole")
            await verdict(window)
            page, finding = window.test_page, window.context.run.diagnosis.findings[0]
            assert page.finding.finding == finding
            click(page.finding.shows[0])
            await turn()
            assert window.page is page
            await flip(window, "router-hole")
            click(page.again)
            await until(window.context.run.ended, lambda: not window.context.run.busy)
            await turn()
            assert page.finding is None

    in_wizard(qapp, tmp_path, walk)


@pytest.mark.requires("coturn")
def test_the_window_does_not_lengthen_the_round_trips_that_it_shows(qapp, tmp_path):
    async def walk(window):
        async with coturn(tmp_path) as server:
            page = await open_bench(window)
            urls = [server.uri("udp"), server.uri("tcp"), server.uri("udp", host="[::1]")]
            page.list_card.urls_edit.insertPlainText("\n".join(urls))
            fill(page.list_card.username.line, USER)
            fill(page.list_card.secret.line, PASSWORD)
            await run(window, Part.GATHER)
            # Laid out at every event, the page took 30 ms and more of each.
            assert min(tried.rtt_ms for tried in window.bench.ice.servers) < 20

    in_wizard(qapp, tmp_path, walk)
