"""The words about configuration files: complete in both languages, with the same gaps."""

from __future__ import annotations

import ast
import string
import tomllib
from dataclasses import replace
from pathlib import Path

import pytest

from tests.unit.configs.asking import TCP, UDP, numbers, order
from wizard.configs.product import Wanted
from wizard.configs.products import product
from wizard.configs.words import say
from wizard.model.hop import HopKind
from wizard.model.resource import resource

CONFIGS = Path(__file__).parents[3] / "wizard" / "configs"
ENGLISH, CHINESE = (
    tomllib.loads(resource("configs", f"{language}.toml").read_text("utf-8"))["phrase"] for language in ("en", "zh_CN")
)


def test_both_catalogues_say_the_same_things_with_the_same_gaps() -> None:
    assert ENGLISH.keys() == CHINESE.keys()
    gaps = {
        key: [set(string.Template(words[key]).get_identifiers()) for words in (ENGLISH, CHINESE)] for key in ENGLISH
    }
    assert [key for key, (english, chinese) in gaps.items() if english != chinese] == []


def test_every_phrase_of_a_configuration_is_in_the_catalogue_and_its_gaps_are_filled() -> None:
    filled = 0
    for path in CONFIGS.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Phrase"):
                continue
            key, *values = node.args
            if not isinstance(key, ast.Constant) or not isinstance(key.value, str):
                continue
            gaps = set(string.Template(ENGLISH[key.value]).get_identifiers())
            if not values:
                assert not gaps, (path.name, key.value)
            elif isinstance(values[0], ast.Dict):
                names = {name.value for name in values[0].keys if isinstance(name, ast.Constant)}
                assert names >= gaps, (path.name, key.value)
                filled += 1
    assert filled > 30


@pytest.mark.parametrize(
    ("owner", "kind"),
    [
        ("frpc", HopKind.TUNNEL_CLIENT),
        ("frps", HopKind.TUNNEL_SERVER),
        ("docker-compose", HopKind.CONTAINER),
        ("docker", HopKind.CONTAINER),
        ("ess-env", HopKind.SERVICE),
        ("ess-helm", HopKind.SERVICE),
        ("livekit", HopKind.SERVICE),
        ("coturn", HopKind.SERVICE),
    ],
)
def test_what_is_written_differs_in_comments_and_nothing_else_between_languages(owner: str, kind: HopKind) -> None:
    wanted = [
        Wanted("media", UDP, numbers("10000-10100"), numbers("10000-10100"), None),
        Wanted("media-tcp", TCP, numbers("3478"), numbers("3478"), None),
    ]
    asked = order(kind, wanted)
    write = product(owner).write
    assert write is not None
    english, chinese = (write(replace(asked, language=language)) for language in ("en", "zh_CN"))
    assert english.text != chinese.text
    plain, other = (
        [line for line in text.split("\n") if not line.startswith(("#", "static-auth-secret"))]
        for text in (english.text, chinese.text)
    )
    assert plain == other
    assert all(say(caution, "zh_CN") for caution in english.cautions)
