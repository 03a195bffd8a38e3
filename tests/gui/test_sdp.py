"""The window that checks a pasted session description."""

import pytest
from PySide6.QtWidgets import QLabel

from tests.gui.driver import in_wizard, turn
from tests.gui.test_configs import PROJECT
from wizard.gui.controls.copied import Copied

OFFER = """v=0
o=- 1 2 IN IP4 0.0.0.0
s=-
t=0 0
m=audio 43210 UDP/TLS/RTP/SAVPF 96
c=IN IP4 192.168.77.10
a=rtcp-mux
a=candidate:1 1 udp 2130706431 192.168.77.10 43210 typ host
a=ice-ufrag:abcd
a=ice-pwd:0123456789012345678901
"""


@pytest.mark.parametrize("language", ["en", "zh_CN"])
def test_a_pasted_offer_is_held_against_the_open_project_and_shown_as_it_should_read(qapp, tmp_path, language):
    project = tmp_path / "chat.toml"
    project.write_text(PROJECT)

    async def check(window):
        window.menus.sdp.trigger()
        await turn()
        checking = window.sdp_window
        assert checking.isVisible()
        checking.edit.setPlainText("hello")
        assert checking.told is None
        checking.edit.setPlainText(OFFER)
        await turn()
        assert checking.told.status == 1
        texts = [label.text() for label in checking.findChildren(QLabel) if label.isVisible()]
        assert any("192.168.77.10" in text and "203.0.113.20" in text for text in texts)
        rewritten = checking.findChildren(Copied)[0].text
        assert "a=candidate:1 1 UDP 2130706431 203.0.113.20 10000 typ host" in rewritten
        checking.edit.setPlainText(rewritten)
        await turn()
        assert checking.told.status == 0
        spoken = checking.title.text()
        window.context.speech.speak("zh_CN" if language == "en" else "en")
        await turn()
        assert checking.title.text() != spoken
        assert checking.told.status == 0
        checking.close()

    in_wizard(qapp, tmp_path, check, project=project, language=language)
