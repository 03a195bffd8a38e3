"""The bench with one's own servers, through the widgets: authority, configuration, web service, capacity."""

import asyncio
import stat

import pytest
from PySide6.QtTest import QTest

from tests.gui.driver import click, fill, give_file, in_wizard, turn, until
from tests.gui.test_bench import open_bench, run, table, words
from tests.lab.certificates import Authority
from tests.probes.coturn import PASSWORD, USER, coturn
from tests.probes.web_service import granting, service
from wizard.audit.rules import audit_file
from wizard.configs import turnserver
from wizard.gui.bench.running import Part
from wizard.model.server_list import CredentialKind
from wizard.probes.relay_capacity import Limit
from wizard.probes.server_verdict import Verdict

pytestmark = pytest.mark.qt_log_ignore("propagateSizeHints", extend=True)
SECRET, TOKEN = "shared-between-both-0815", "token-of-the-web-4711"


@pytest.mark.requires("coturn")
def test_an_own_authority_is_believed_by_each_part_until_it_is_dropped(qapp, tmp_path):
    authority = Authority(tmp_path, "home-ca")
    certificate = authority.issue("localhost", "127.0.0.1")
    broken = tmp_path / "broken.pem"
    broken.write_text("no certificate")

    async def walk(window):
        async with coturn(tmp_path, certificate=certificate) as server:
            page = await open_bench(window)
            row = page.list_card.authority
            assert not row.isVisible(), "nobody is asked about certificates before there is one"
            url = server.uri(scheme="turns")
            QTest.keyClicks(page.list_card.urls_edit, url)
            fill(page.list_card.username.line, USER)
            fill(page.list_card.secret.line, PASSWORD)
            await turn()
            await run(window, Part.GATHER)
            assert [row[0] for row in table(page, "Verdict")] == ["TLS failed"]
            assert "Nobody that this computer trusts has signed" in words(page)
            click(row.choose)
            await give_file(broken)
            async with asyncio.timeout(10):
                while not row.problem.isVisible():
                    await turn()
            assert "broken.pem: holds no certificate that can be read" in row.problem.text()
            assert window.bench.servers.ca_file is None
            click(row.choose)
            await give_file(authority.file)
            await until(window.bench.servers.changed, lambda: window.bench.servers.ca_file == authority.file)
            await turn()
            assert not row.problem.isVisible()
            assert "only the authorities in home-ca.pem" in row.state.text()
            await run(window, Part.GATHER)
            assert [row[0] for row in table(page, "Verdict")] == ["ok"]
            await run(window, Part.CALL)
            assert window.bench.turn.measured.quality.delay is not None
            await run(window, Part.AUDIT)
            codes = {finding.code for finding in window.bench.audit.findings}
            assert not {"cert-unknown-issuer", "no-tls"} & codes
            assert "tls" not in {missing.code for missing in window.bench.audit.not_checked}
            click(row.drop)
            await turn()
            await run(window, Part.AUDIT)
            assert "cert-unknown-issuer" in {finding.code for finding in window.bench.audit.findings}

    in_wizard(qapp, tmp_path, walk)


def test_a_configuration_is_saved_with_its_holes_closed_for_its_owner_alone(qapp, tmp_path):
    conf, safer = tmp_path / "turnserver.conf", tmp_path / "safer.conf"
    conf.write_text("listening-port=3478\nrealm=example.org\nlt-cred-mech\nuser=alice:secret\nallow-loopback-peers\n")
    before = conf.read_bytes()

    async def walk(window):
        page = await open_bench(window)
        click(page.parts[Part.AUDIT])
        await turn()
        button = page.hardening.button
        assert not button.isVisible(), "there is nothing to harden yet"
        click(page.file)
        await give_file(conf)
        await until(window.bench.changed, lambda: window.bench.conf is not None and not window.bench.busy)
        await turn()
        assert "loopback-peers" in [finding.code for finding in window.bench.audit.findings]
        click(button)
        await give_file(safer)
        await until(window.bench.changed, lambda: bool(page.hardening.said))
        await turn()
        assert str(safer) in page.note.text()
        assert "Still to do by hand" in page.note.text()
        left = {finding.code for finding in audit_file(turnserver.parse(safer.read_bytes())).findings}
        assert "loopback-peers" not in left
        assert stat.S_IMODE(safer.stat().st_mode) == 0o600
        assert conf.read_bytes() == before
        click(button)
        await give_file(tmp_path / "no-such-folder" / "a.conf")
        await until(window.bench.changed, lambda: page.hardening.said.startswith("✖"))
        # A run against a server has no configuration to harden.
        page.list_card.urls_edit.insertPlainText("turn:127.0.0.1:9")
        await run(window, Part.AUDIT)
        assert not button.isVisible()
        assert "safer.conf" not in page.note.text()

    in_wizard(qapp, tmp_path, walk)


@pytest.mark.requires("coturn")
def test_credentials_from_a_web_service_log_in_and_its_token_shows_nowhere(qapp, tmp_path):
    heard = []

    async def walk(window):
        options = ["use-auth-secret", f"static-auth-secret={SECRET}"]
        with service(granting(SECRET, TOKEN, heard)) as address:
            async with coturn(tmp_path, options) as server:
                page = await open_bench(window)
                card = page.list_card
                card.urls_edit.insertPlainText(f"{server.uri()}\n{server.uri('tcp')}")
                card.kind.picked.emit(CredentialKind.REST_ENDPOINT)
                await turn()
                assert "web service" in card.urls.problem, "what is missing is said"
                fill(card.endpoint.line, address)
                fill(card.secret.line, "not-the-token-1")
                await run(window, Part.GATHER)
                assert "HTTP 401: the token was not accepted" in page.problem.text()
                assert window.bench.ice is None
                fill(card.secret.line, TOKEN)
                await run(window, Part.GATHER)
                assert [tried.verdict for tried in window.bench.ice.servers] == [Verdict.OK] * 2
                assert "The credentials in use end at" in card.ends.text()
                await run(window, Part.CALL)
                assert window.bench.turn.measured.quality.delay is not None
                assert len(heard) == 2, "credentials that last are used again"
                assert TOKEN not in words(page) + page.list_card.list.item(0).text()

    in_wizard(qapp, tmp_path, walk)


@pytest.mark.requires("coturn")
def test_how_many_sessions_a_server_carries_is_tried_only_once_it_is_said_to_be_ones_own(qapp, tmp_path):
    async def walk(window):
        async with coturn(tmp_path, ["user-quota=6"]) as server:
            page = await open_bench(window)
            QTest.keyClicks(page.list_card.urls_edit, server.uri())
            fill(page.list_card.username.line, USER)
            fill(page.list_card.secret.line, PASSWORD)
            click(page.parts[Part.CALL])
            await turn()
            page.sessions.box.setCurrentIndex(page.sessions.box.findData(10))
            page.sessions.box.activated.emit(page.sessions.box.currentIndex())
            await turn()
            assert "MB through the server" in page.cost.text()
            assert "only if you say that the server is yours" in page.cost.text()
            await run(window, Part.CALL)
            assert window.bench.turn.measured.capacity is None
            click(page.own)
            await turn()
            assert "only if you say" not in page.cost.text()
            seen = []
            window.bench.moment.connect(lambda: seen.append(page.cost.text()) if window.bench.ramping else None)
            await run(window, Part.CALL)
            capacity = window.bench.turn.measured.capacity
            assert capacity.limit is Limit.REFUSED
            assert 0 < capacity.carried < 10
            assert any("of 10 sessions" in text for text in seen), "what goes on is told"
            assert "486" in words(page)

    in_wizard(qapp, tmp_path, walk)
