"""The PDF on STUN and TURN servers, read back with the tools that its readers have."""

from __future__ import annotations

import io
import re
import subprocess
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pikepdf
import pytest

from tests.gui.test_pdf import held_strings
from tests.unit import benches
from tests.unit.test_report_redact import leaked
from wizard.audit.rules import audit_file
from wizard.configs import turnserver
from wizard.gui.bench_pdf import bench_pdf_bytes, write_bench_pdf
from wizard.gui.bench_plot import plot_words
from wizard.probes.relay_quality import Progress
from wizard.probes.server_verdict import Sentence, Verdict
from wizard.report.bench import BenchResult, bench_of
from wizard.report.wording import wording
from wizard.wire.media import Delay

pytestmark = [pytest.mark.requires("poppler"), pytest.mark.usefixtures("qapp")]
LANGUAGES = ("en", "zh_CN")

Extract = Callable[[bytes], str]


@pytest.fixture
def text_of(tmp_path: Path) -> Extract:
    """What a reader who searches or copies gets, line by line."""

    def extract(document: bytes) -> str:
        path = tmp_path / "extracted.pdf"
        path.write_bytes(document)
        return subprocess.run(["pdftotext", "-layout", path, "-"], check=True, capture_output=True).stdout.decode()

    return extract


def test_servers_candidates_relay_nat_and_audit_are_in_the_text(text_of: Extract) -> None:
    text = text_of(bench_pdf_bytes(benches.full()))
    assert "1 of 5 tests found a working server" in text
    assert re.search(rf"ok +{re.escape(benches.NAMED)} +udp +IPv4 +8\.7 ms +0\.02 s", text)
    assert f"4. error: {benches.WRONG} (198.51.100.8) 401: Unauthorized at" in text
    assert "The server does not accept this user name and password." in text
    assert re.search(r"0\.022 +relay +5510fe +udp +198\.51\.100\.7 +50002 +0 \| 65534 \| 255", text)
    assert "host, then prflx, then srflx, then relay" in " ".join(text.split())
    assert "Carries a call, but not as it should." in text
    assert re.search(
        r"first relay to second +voice \(160 bytes\) +250 +6 \(2\.40 %\) +3, 1 +20\.1 / 24\.3 / 35\.8", text
    )
    assert "good relays stay below" not in text, "the scale ends far below"
    assert "TURN is needed." in text
    assert re.search(r"Mapping +by address +Your router gives each destination its own port", text)
    assert "error: external-ip=10.20.30.40 cannot be right" in text
    assert "- external-ip=10.20.30.40" in text
    assert "/home/ztrkwx/turnserver.conf:2; 5 min" in text


def test_chinese_is_extracted_as_it_was_written(text_of: Extract) -> None:
    text = text_of(bench_pdf_bytes(benches.full(), "zh_CN"))
    for said in (
        "5 项测试中有 1 项找到可用的服务器；其余原因见下文。",
        "没有应答，无妨",
        "错误：turn:198.51.100.8:3478?transport=tcp (198.51.100.8) 401",
        "解决办法",
        "可以承载通话，但质量不够好。",
        "各时刻的中位数",
        "需要 TURN。",
        "安全审计",
    ):
        assert said in text
    assert {character for character in text if "\u2e80" <= character <= "\u2fdf"} == set()


def test_the_outline_leads_to_each_part_and_what_was_found() -> None:
    with pikepdf.open(io.BytesIO(bench_pdf_bytes(benches.full()))) as pdf, pdf.open_outline() as outline:
        titles = [item.title for item in outline.root]
        servers = [item.title for item in outline.root[1].children]
        assert str(pdf.docinfo["/Title"]) == "STUN and TURN servers – Server report"
        assert str(pdf.docinfo["/CreationDate"]).startswith("D:20260102120000")
    assert titles == [
        "STUN and TURN servers",
        "Servers",
        "Candidates",
        "Does the relay carry a call?",
        "Do I need STUN or TURN?",
        "Security audit",
    ]
    assert servers[:2] == ["Errors and notes", f"1. {benches.NAMED} (2001:db8::7) 701: no answer"]


def test_pictures_are_vectors_and_every_glyph_comes_from_a_font_in_the_file(tmp_path: Path) -> None:
    path = tmp_path / "report.pdf"
    write_bench_pdf(benches.full(), path, "zh_CN")
    pictures = subprocess.run(["pdfimages", "-list", path], check=True, capture_output=True, text=True).stdout
    assert len(pictures.splitlines()) == 2
    fonts = subprocess.run(["pdffonts", path], check=True, capture_output=True, text=True).stdout.splitlines()[2:]
    assert fonts
    assert all(re.search(r" yes +(yes|no) +yes +\d+ +\d+$", line) for line in fonts)


def crowded() -> BenchResult:
    """Names, words and addresses as long as they may get."""
    result = benches.ice()
    url = "turns:" + "a-very-long-label." * 10 + "example.net:5349?transport=tcp"
    long = "2001:db8:1111:2222:3333:4444:5555:6666"
    result.candidates += [replace(one, address=long, url=url, foundation="f" * 32) for one in result.candidates * 15]
    said = Sentence(Verdict.PROTOCOL_ERROR, 799, "word " * 300 + "x" * 400, "code-other")
    result.errors.append(replace(result.errors[-1], url=url, sentence=said))
    return replace(benches.full(), ice=result)


@pytest.mark.parametrize("make", [*benches.ALL, crowded])
@pytest.mark.parametrize("language", LANGUAGES)
def test_nothing_is_clipped_and_nothing_overlaps(make: benches.Make, language: str, tmp_path: Path) -> None:
    path = tmp_path / "report.pdf"
    write_bench_pdf(make(), path, language)
    boxes = subprocess.run(["pdftotext", "-bbox", path, "-"], check=True, capture_output=True, text=True).stdout
    for page in boxes.split("<page ")[1:]:
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


def test_a_long_list_loses_no_candidate(text_of: Extract) -> None:
    result = benches.ice()
    relay = result.candidates[-1]
    result.candidates += [replace(relay, port=40000 + number) for number in range(150)]
    text = text_of(bench_pdf_bytes(bench_of(benches.STARTED, 1.0, [result])))
    assert {int(port) for port in re.findall(r"\b40\d{3}\b", text)} == set(range(40000, 40150))


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_redacted_report_has_no_address_and_no_name_in_text_outline_or_metadata(
    text_of: Extract, language: str
) -> None:
    secrets = list(benches.SECRETS)
    document = bench_pdf_bytes(benches.full(), language, redact=True)
    text = text_of(document)
    # A name may be broken over two lines of a cell.
    assert leaked(text, secrets) == leaked("".join(text.split()), secrets) == []
    held = held_strings(document)
    assert "STUN" in held
    assert leaked(held, secrets) == []
    assert "alice" in text_of(bench_pdf_bytes(benches.full(), language))


def test_the_same_result_gives_the_same_bytes() -> None:
    assert bench_pdf_bytes(benches.full()) == bench_pdf_bytes(benches.full())


def test_a_report_that_cannot_be_written_leaves_what_was_there(tmp_path: Path) -> None:
    target = tmp_path / "taken"
    target.mkdir()
    with pytest.raises(OSError, match="taken"):
        write_bench_pdf(benches.good(), target)
    assert list(tmp_path.iterdir()) == [target]


def slow(*p95: float) -> tuple[Progress, ...]:
    """Moments in which 95 of 100 packets took so many ms."""
    return tuple(Progress(at_s, 1.0, Delay(ms / 3, ms / 2, ms), 0.0, 1.0) for at_s, ms in enumerate(p95, start=1))


@pytest.mark.parametrize("highest", [0.0, 0.03, 0.5, 3.9, 8.0, 79.9, 80.0, 81.0, 140.0, 3999.0])
def test_the_scale_of_the_plot_holds_its_highest_value_and_no_more_than_five_times_it(highest: float) -> None:
    scale = plot_words(slow(highest / 2, highest), "en").scale
    assert scale[0] == (0, "0 ms")
    assert scale[-1][0] >= highest
    assert scale[-1][0] <= max(5 * highest, 0.2)
    assert len({text for _, text in scale}) == len(scale)


def test_the_plot_shows_the_promise_where_the_scale_reaches_it(text_of: Extract) -> None:
    bench = benches.full()
    assert bench.turn is not None
    far = replace(bench, turn=replace(bench.turn, moments=slow(90, 140, 120)))
    assert "good relays stay below 100 ms" in text_of(bench_pdf_bytes(far))


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_few_lines_to_copy_stand_on_one_page_with_their_heading(text_of: Extract, language: str) -> None:
    holes = ["no-auth", "allow-loopback-peers", "user=a:b", "server-relay", "dh566", "cli-password=x", "no-tls"]
    heading = wording("remedy", language)
    broken = 0
    for left_out in range(len(holes)):
        # Each file has its lines to copy at other heights of the page.
        conf = turnserver.parse("\n".join(["listening-port=3478", *holes[left_out:], "realm=example.org"]).encode())
        said = text_of(bench_pdf_bytes(bench_of(benches.STARTED, 1.0, [audit_file(conf)]), language))
        pages = [[line.strip() for line in page.splitlines() if line.strip()] for page in said.split("\f")]
        for page, following in pairwise(page for page in pages if page):
            # The last line is the page's number.
            assert page[-2] != heading
            assert not (following[0].startswith(("+ ", "- ")) and page[-2].startswith(("+ ", "- ")))
            broken += 1
    assert broken > 7
