"""Files of services, damaged anywhere: each is read or refused in words, and nothing else happens."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.configs.asking import FILES, TCP, UDP, ask
from wizard.configs.product import Product
from wizard.configs.products import product, read
from wizard.configs.reading import Reading, UnreadableError
from wizard.configs.words import say, say_of

SERVICES = (
    *("frpc", "frps", "docker-compose", "docker", "ess-env", "ess-helm", "livekit", "coturn", "rtc-configuration"),
)
ODD = st.sampled_from(
    [
        *(b"\0", b"{{", b"}}", b"- ", b"*a", b"&a ", b"<<: ", b"[", b"{", b'"'),
        *(b"'", b"\n", b"\t", b"$", b"${", b"\xff", b":"),
    ]
)


@pytest.mark.parametrize("path", sorted(FILES.iterdir()), ids=lambda path: path.name)
@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_a_damaged_file_is_read_or_refused_in_words(path: Path, data: st.DataObject) -> None:
    text = path.read_bytes()
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(text)))
        gone = data.draw(st.integers(0, 12))
        text = text[:at] + data.draw(ODD | st.binary(max_size=4)) + text[at + gone :]
    chosen = product(data.draw(st.sampled_from(SERVICES))) if data.draw(st.booleans()) else None
    found = read_or_refused(text, path.name, chosen)
    if isinstance(found, UnreadableError):
        assert all(say_of(path.name, found, language) for language in ("en", "zh_CN"))
        return
    for protocol in (TCP, UDP):
        for number in (443, 8172, 10050):
            answer = ask(found, protocol, number)
            assert all(0 < line <= text.count(b"\n") + text.count(b"\r") + 1 for line in answer.lines)
    assert all(say(note.phrase, language) for note in found.notes for language in ("en", "zh_CN"))
    assert all(note.line is None or note.line > 0 for note in found.notes)


def read_or_refused(data: bytes, name: str, chosen: Product | None) -> Reading | UnreadableError:
    try:
        return read(data, name, chosen)
    except UnreadableError as refusal:
        return refusal
