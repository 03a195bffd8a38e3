"""Every word of the interface is there in Chinese, and the compiled files are those of the sources."""

import shutil
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from wizard.model.resource import resource

ROOT = Path(__file__).parents[2]
TOOLS = Path(sys.executable).parent
SOURCES = sorted(str(path) for path in (ROOT / "wizard" / "gui").rglob("*.py"))


def messages(path):
    found = {}
    for context in ET.parse(path).getroot().iter("context"):
        for message in context.iter("message"):
            translation = message.find("translation")
            forms = [form.text for form in translation.iter("numerusform")] or [translation.text]
            key = (context.findtext("name"), message.findtext("source"))
            found[key] = (forms, translation.get("type"))
    return found


@pytest.mark.parametrize(("language", "options"), [("zh_CN", []), ("en", ["-pluralonly"])])
def test_the_translation_files_hold_every_text_of_the_source(tmp_path, language, options):
    fresh = tmp_path / f"hopwise_{language}.ts"
    shutil.copy(resource("translations", fresh.name), fresh)
    update = [str(TOOLS / "pyside6-lupdate"), "-no-obsolete", "-locations", "none", *options, *SOURCES]
    subprocess.run([*update, "-ts", str(fresh), "-target-language", language], check=True, capture_output=True)
    found = messages(fresh)
    assert found == messages(resource("translations", fresh.name))
    unfinished = [key for key, (forms, state) in found.items() if state or not all(forms)]
    assert unfinished == []


@pytest.mark.parametrize("language", ["zh_CN", "en"])
def test_the_compiled_translation_is_the_one_of_its_source(tmp_path, language):
    compiled = tmp_path / "fresh.qm"
    source = resource("translations", f"hopwise_{language}.ts")
    release = [str(TOOLS / "pyside6-lrelease"), "-silent", str(source), "-qm", str(compiled)]
    subprocess.run(release, check=True, capture_output=True)
    assert compiled.read_bytes() == source.with_suffix(".qm").read_bytes()


def test_gaps_are_the_same_in_chinese():
    for (context, source), (forms, _) in messages(resource("translations", "hopwise_zh_CN.ts")).items():
        for form in forms:
            gaps = sorted(part.split("}")[0] for part in source.split("{")[1:])
            assert gaps == sorted(part.split("}")[0] for part in form.split("{")[1:]), (context, source)
            assert ("%n" in source) == ("%n" in form), (context, source)
            assert ("&" in source) == ("&" in form), (context, source)
