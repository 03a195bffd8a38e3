"""The PDF report, read back with the tools that its readers have."""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
import unicodedata
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pikepdf
import pytest
from hypothesis import HealthCheck, given, settings
from PySide6.QtGui import QFont, QGuiApplication

from tests.unit import results
from tests.unit.strategies import projects
from tests.unit.test_report_redact import Secretive, leaked, secretives
from wizard.diagnosis.history import History
from wizard.gui.pdf import pdf_bytes, write_pdf
from wizard.model.hop import Hop
from wizard.observation import Outcome

pytestmark = [pytest.mark.requires("poppler"), pytest.mark.usefixtures("qapp")]

# One glyph stands for each of these and for a Kangxi or CJK radical.
IDEOGRAPHS = "手车长门龙见网食金非马鱼鸟麦龟齐齿黄黑鼠鼻竹米羊老耳肉行衣西角言谷豆走足身里"

Extract = Callable[[bytes], str]


@pytest.fixture
def text_of(tmp_path: Path) -> Extract:
    """What a reader who searches or copies gets, line by line."""

    def extract(document: bytes) -> str:
        path = tmp_path / "extracted.pdf"
        path.write_bytes(document)
        return subprocess.run(["pdftotext", "-layout", path, "-"], check=True, capture_output=True).stdout.decode()

    return extract


def long_result() -> results.Result:
    """So many different outcomes that tables and findings take several pages."""
    project = results.chat()
    media = project.ports[0]
    outcomes = (Outcome.SILENT, Outcome.REFUSED, Outcome.ANSWERED, Outcome.ALIEN)
    return results.result(
        project,
        [
            results.observation(
                project, "relay", "router", media, n, outcomes[n % 4], f"banner {n}" if n % 4 == 3 else None
            )
            for n in media.outside
        ],
    )


def test_the_verdict_the_finding_and_its_remedy_are_in_the_text(text_of: Extract) -> None:
    text = text_of(pdf_bytes(results.hole()))
    assert "51 of 102 ports are blocked, at Home router." in text
    assert "1. error: Home router does not forward udp 10050–10100." in text
    assert "udp 10050-10100 -> 192.168.77.10 : 10050-10100" in text
    assert re.search(r"Home router +udp 10050-10100 +10050-10100 +blocked +stops these ports", text)
    assert re.search(r"relay +Home router +203\.0\.113\.20 +udp 10050-10100 +silent", text)
    assert "Page 1 of 2" in text
    assert "Page 2 of 2" in text


def test_figures_are_extracted_on_a_desktop_whose_own_face_is_chinese(text_of: Extract) -> None:
    before = QGuiApplication.font()
    QGuiApplication.setFont(QFont("Noto Sans CJK SC"))
    try:
        text = text_of(pdf_bytes(results.hole()))
    finally:
        QGuiApplication.setFont(before)
    assert "51 of 102 ports are blocked, at Home router." in text
    assert "203.0.113.20" in text


def test_chinese_is_extracted_as_it_was_written(text_of: Extract) -> None:
    run = results.hole(results.chat(f"群晖上的视频通话 {IDEOGRAPHS}", "家用路由器的防火墙"))
    text = text_of(pdf_bytes(run, "zh_CN"))
    assert f"群晖上的视频通话 {IDEOGRAPHS}" in text
    assert "102 个端口中有 51 个被拦，位于家用路由器的防火墙。" in text
    assert "解决办法" in text
    radicals = {c for c in text if "\u2e80" <= c <= "\u2fdf"}
    assert radicals == set()


def test_a_radical_that_somebody_wrote_stays_a_radical(text_of: Extract) -> None:
    text = text_of(pdf_bytes(results.hole(results.chat("部首 \u2f3f\u2f55"))))
    assert "部首 \u2f3f\u2f55" in text


def test_dashes_spaces_and_fi_are_extracted_as_they_were_written(text_of: Extract) -> None:
    text = text_of(pdf_bytes(results.hole(results.chat("fi ffl – — - ‑ a"))))
    assert "fi ffl – — - ‑ a" in text
    assert not set(text) & set("ﬁﬂﬀﬃ‒\t")


def test_an_emoji_and_a_rare_ideograph_do_not_shift_the_text_after_them(text_of: Extract) -> None:
    label = "🏠🏠🏠🏠 router 𠀋 with a long name that has to be broken into several lines of its narrow cell"
    text = " ".join(text_of(pdf_bytes(results.hole(results.chat(label=label)))).split())
    assert "with a long" in text
    assert "several lines" in text


def test_every_glyph_comes_from_a_font_in_the_file(tmp_path: Path) -> None:
    path = tmp_path / "report.pdf"
    write_pdf(results.hole(), path, "zh_CN")
    listed = subprocess.run(["pdffonts", path], check=True, capture_output=True, text=True).stdout.splitlines()[2:]
    assert listed
    assert all(re.search(r" yes +(yes|no) +yes +\d+ +\d+$", line) for line in listed)


def test_the_picture_is_made_of_vectors(tmp_path: Path) -> None:
    path = tmp_path / "report.pdf"
    write_pdf(results.hole(), path)
    listed = subprocess.run(["pdfimages", "-list", path], check=True, capture_output=True, text=True).stdout
    assert len(listed.splitlines()) == 2


@pytest.mark.parametrize("make", [long_result, results.eventful, results.undecided])
@pytest.mark.parametrize("language", ["en", "zh_CN"])
def test_nothing_is_clipped_and_nothing_overlaps(make: results.Make, language: str, tmp_path: Path) -> None:
    path = tmp_path / "report.pdf"
    write_pdf(make(), path, language)
    boxes = subprocess.run(["pdftotext", "-bbox", path, "-"], check=True, capture_output=True, text=True).stdout
    pages = boxes.split("<page ")[1:]
    for page in pages:
        words = [tuple(map(float, w)) for w in re.findall(r'xMin="(.*?)" yMin="(.*?)" xMax="(.*?)" yMax="(.*?)"', page)]
        assert words
        assert min(w[0] for w in words) >= 30
        assert max(w[2] for w in words) <= 595 - 30
        assert min(w[1] for w in words) >= 30
        assert max(w[3] for w in words) <= 842 - 30
        # Boxes are as high as the font's tallest glyph: lines may touch, their middles may not.
        for one in words:
            for other in words:
                if one < other and one[0] < other[2] - 0.5 and other[0] < one[2] - 0.5:
                    assert abs((one[1] + one[3]) - (other[1] + other[3])) / 2 > 4


def test_a_long_report_loses_no_row_and_repeats_the_head_of_a_table_on_each_page(text_of: Extract) -> None:
    text = text_of(pdf_bytes(long_result()))
    pages = text.split("\f")[:-1]
    assert len(pages) > 5
    assert f"Page {len(pages)} of {len(pages)}" in pages[-1]
    assert {int(n) for n in re.findall(r"banner (\d+)", text)} == set(range(10003, 10101, 4))
    table = [page for page in pages if "banner" in page and re.search(r"relay +Home router", page)]
    assert len(table) > 1
    assert all(re.search(r"From +Enters at +Address", page) for page in table)


def test_a_text_longer_than_a_page_is_broken_over_pages_and_not_lost(text_of: Extract) -> None:
    project = results.chat()
    error = " ".join(f"word{n}" for n in range(1500))
    seen = results.observation(project, "relay", "router", project.ports[1], 8172, Outcome.FAILED, error)
    text = text_of(pdf_bytes(results.result(project, [seen])))
    assert {int(n) for n in re.findall(r"word(\d+)", text)} == set(range(1500))


def test_a_path_of_many_hops_fits_on_its_page(tmp_path: Path) -> None:
    project = results.chat()
    firewalls = tuple(Hop(f"firewall-{n}", project.hops[1].kind) for n in range(70))
    path = tmp_path / "report.pdf"
    write_pdf(results.result(replace(project, hops=(project.hops[0], *firewalls, *project.hops[2:]))), path)
    boxes = subprocess.run(["pdftotext", "-bbox", path, "-"], check=True, capture_output=True, text=True).stdout
    assert max(float(y) for y in re.findall(r'yMax="(.*?)"', boxes)) <= 842 - 30


def test_the_outline_leads_to_each_chapter_and_finding() -> None:
    with pikepdf.open(_io(pdf_bytes(results.hole()))) as pdf, pdf.open_outline() as outline:
        titles = [item.title for item in outline.root]
        assert titles == ["Video chat on the NAS", "The path", "Ports at each hop", "Findings", "What was observed"]
        found = [finding.title for finding in outline.root[3].children]
        assert found[0] == "1. Home router does not forward udp 10050–10100."
        assert len(found) == len(results.hole().diagnosis.findings)


def test_metadata_says_title_language_and_when_it_was_tested() -> None:
    with pikepdf.open(_io(pdf_bytes(results.hole(results.chat("视频通话")), "zh_CN"))) as pdf:
        assert str(pdf.docinfo["/Title"]) == "视频通话 – 路径报告"
        assert str(pdf.docinfo["/Creator"]) == str(pdf.docinfo["/Author"]) == "Hopwise"
        assert str(pdf.docinfo["/CreationDate"]).startswith("D:20260102120000")
        assert str(pdf.Root.Lang) == "zh-CN"
        with pdf.open_metadata() as metadata:
            assert metadata["dc:title"] == "视频通话 – 路径报告"


def test_the_same_result_gives_the_same_bytes() -> None:
    assert pdf_bytes(results.hole()) == pdf_bytes(results.hole())


@given(secretives())
@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_redacted_report_has_no_address_and_no_name_in_text_outline_or_metadata(
    text_of: Extract, secretive: Secretive
) -> None:
    document = pdf_bytes(secretive.result, redact=True)
    text = text_of(document)
    # A name may be broken over two lines of a cell.
    assert leaked(text, secretive.secrets) == leaked("".join(text.split()), secretive.secrets) == []
    held = held_strings(document)
    assert "Path report" in held
    assert leaked(held, secretive.secrets) == []


@given(projects())
@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_project_can_be_reported(text_of: Extract, project: results.Project) -> None:
    assert "Ports at each hop" in text_of(pdf_bytes(results.result(project)))


def test_a_report_that_cannot_be_written_leaves_what_was_there(tmp_path: Path) -> None:
    target = tmp_path / "taken"
    target.mkdir()
    with pytest.raises(OSError, match="taken"):
        write_pdf(results.proven(), target)
    assert list(tmp_path.iterdir()) == [target]
    with pytest.raises(FileNotFoundError):
        write_pdf(results.proven(), tmp_path / "missing" / "report.pdf")


def test_a_report_takes_the_place_of_an_earlier_one_and_others_may_read_it(tmp_path: Path) -> None:
    target = tmp_path / "report.pdf"
    target.write_bytes(b"old")
    write_pdf(results.proven(), target)
    assert target.read_bytes().startswith(b"%PDF-")
    assert target.stat().st_mode & 0o777 == 0o666 & ~_umask()
    assert list(tmp_path.iterdir()) == [target]


def test_a_report_written_in_a_thread_beside_the_window_is_the_same(tmp_path: Path) -> None:
    path = tmp_path / "report.pdf"
    with ThreadPoolExecutor(1) as pool:
        pool.submit(write_pdf, results.hole(), path, "zh_CN").result(timeout=60)
    assert path.read_bytes() == pdf_bytes(results.hole(), "zh_CN")


def test_a_report_is_written_without_a_display_and_without_a_window_open(tmp_path: Path) -> None:
    script = (
        "import sys; from pathlib import Path; from tests.unit import results; from wizard.gui.pdf import write_pdf\n"
        "for name in sys.argv[1:]: write_pdf(results.hole(), Path(name), 'zh_CN')"
    )
    hidden = ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")
    environ = {key: value for key, value in os.environ.items() if key not in hidden}
    paths = [tmp_path / "one.pdf", tmp_path / "two.pdf"]
    root = Path(__file__).parents[2]
    subprocess.run([sys.executable, "-W", "error", "-c", script, *paths], check=True, env=environ, cwd=root)
    assert paths[0].read_bytes() == paths[1].read_bytes()


def _io(document: bytes) -> io.BytesIO:
    return io.BytesIO(document)


def held_strings(document: bytes) -> str:
    """Every string in a PDF but those that are painted, and its metadata."""
    with pikepdf.open(_io(document)) as pdf:
        held = " ".join(_strings(obj) for obj in pdf.objects)
        with pdf.open_metadata() as metadata:
            return held + str(metadata)


def _strings(obj: object) -> str:
    """Every string in a PDF object, and the readable part of a stream that is no picture and no font."""
    if isinstance(obj, pikepdf.Stream):
        return _strings(obj.stream_dict)
    if isinstance(obj, pikepdf.Dictionary):
        return " ".join(_strings(value) for value in dict(obj.items()).values() if not _refers(value))
    if isinstance(obj, pikepdf.Array):
        return " ".join(_strings(value) for value in obj if not _refers(value))
    return unicodedata.normalize("NFC", str(obj)) if isinstance(obj, pikepdf.String) else ""


def _refers(value: object) -> bool:
    """Whether it is an object of its own, which is looked at in its own turn."""
    return isinstance(value, pikepdf.Object) and value.is_indirect


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


@pytest.mark.parametrize("language", ["en", "zh_CN"])
def test_what_changed_while_watching_is_in_the_report(text_of: Extract, language: str) -> None:
    history = History()
    history.note(results.proven().diagnosis, results.STARTED)
    history.note(results.hole().diagnosis, results.STARTED + timedelta(seconds=90))
    text = text_of(pdf_bytes(replace(results.hole(), past=history.past), language))
    assert "udp 10050-10100" in text
    assert "2026-01-02 12:01:30 UTC" in text
    assert {"en": "What changed while watching", "zh_CN": "监视期间的变化"}[language] in text
    assert re.search(r"udp 10050-10100\s+0\s+1\s+0:01:30\s+0:00:00", text)
