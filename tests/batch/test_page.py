"""The page, as a browser shows it."""

import shutil
import subprocess
from datetime import datetime
from html import unescape

import PIL.Image
import pytest

from napari_s3net.batch import page
from napari_s3net.batch.file_row import FileRow
from napari_s3net.batch.page import write_page
from napari_s3net.batch.report import BatchReport
from napari_s3net.batch.review import Review

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
EVIL = '<img src=x onerror="document.title=1">.png'


@pytest.fixture
def report(tmp_path):
    (tmp_path / "report.jsonl").touch()
    (tmp_path / "thumbnails").mkdir()
    report = BatchReport(tmp_path)
    for n in range(3):
        PIL.Image.new("RGB", (96, 64), (200, 60 * n, 60)).save(tmp_path / "thumbnails" / f"{n}.jpg")
        outputs = {"thumbnails": f"thumbnails/{n}.jpg"}
        row = FileRow(file=f"läsion {n}.png", status="done", confidence=0.9 - 0.3 * n, share=0.2, outputs=outputs)
        report.append(row)
    report.append(FileRow(file=EVIL, status="failed", error="the file is empty (0 bytes)."))
    return report


def dump(path):
    """The page after its script has run."""
    if CHROMIUM is None:
        pytest.skip("no Chromium on this machine")
    command = [CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--virtual-time-budget=2000", "--dump-dom"]
    done = subprocess.run([*command, path.as_uri()], capture_output=True, encoding="utf-8", timeout=120, check=True)
    return done.stdout


def test_it_needs_nothing_else_and_failures_come_first(report, tmp_path):
    write_page(tmp_path, report)
    text = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "http" not in text.replace("http-equiv", "")
    assert text.count("data:image/jpeg;base64,") == 3
    assert text.index("the file is empty") < text.index("läsion 2") < text.index("läsion 1") < text.index("läsion 0")
    assert EVIL not in text


def test_what_is_to_be_looked_at_is_counted_by_the_words_of_the_dock(report, tmp_path):
    for n, word in enumerate(("sure", "look", "no clear object")):
        row = FileRow(file=f"{n}.png", status="done", confidence=0.6, share=0.1, metadata={"certainty": word})
        report.append(row)
    write_page(tmp_path, report)
    text = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "<b>1</b>sure" in text
    assert "<b>2</b>to look at" in text, "one of the report's has a confidence of 0.3"
    assert "<b>1</b>no clear object" in text
    assert text.count('data-kind="look"') == 3


def test_it_says_what_was_decided_by_whom_and_what_the_words_mean(report, tmp_path):
    write_page(tmp_path, report)
    assert "rejected" not in (tmp_path / "report.html").read_text(encoding="utf-8"), "nobody has looked yet"
    review = Review(tmp_path)
    review.reviewer = "<B> Lange"
    review.decide(report.row("läsion 0.png"), "accepted")
    review.decide(report.row("läsion 1.png"), "corrected", (1,), share=0.345)
    write_page(tmp_path, report)
    text = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert f"accepted by &lt;B&gt; Lange, {datetime.now().astimezone():%Y-%m-%d}" in text
    assert "reviewed by &lt;B&gt; Lange" in text
    for total in ("<b>1</b>accepted", "<b>1</b>corrected", "<b>1</b>not looked at"):
        assert total in text
    assert "rejected: a person found it of no use" in text
    assert text.count('<td class="number">34.5 %</td>') == 1  # as it was corrected
    assert text.count('<td class="number">20.0 %</td>') == 2


def test_names_and_reasons_are_text_whatever_is_in_them(report, tmp_path):
    odd = "{{ 7 * 7 }}{% raw %}</td><script>alert(1)</script>&amp;'\".png"
    report.append(FileRow(file=odd, status="failed", error=odd))
    report.append(FileRow(file="noted", status="done", note=odd, metadata={"preset": odd, "device": odd}))
    write_page(tmp_path, report)
    text = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert text.count("<script>") == 1
    assert unescape(text).count(odd) == 5
    assert 'data-kind="failed"' in text


def test_who_prints_the_page_on_a_terminal_keeps_the_cursor(report, tmp_path):
    report.append(FileRow(file="red\x1b[31m\u202egnp.png", status="failed", error="in \x1b[2J.png"))
    write_page(tmp_path, report)
    text = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert r"red\x1b[31m\u202egnp.png" in text


def test_beyond_a_number_rows_have_no_picture(report, tmp_path, monkeypatch):
    monkeypatch.setattr(page, "MOST_PICTURES", 2)
    write_page(tmp_path, report)
    assert (tmp_path / "report.html").read_text(encoding="utf-8").count("data:image/jpeg;base64,") == 1


def test_a_browser_shows_it(report, tmp_path):
    write_page(tmp_path, report)
    dom = dump(tmp_path / "report.html")
    assert "4 of 4 files" in dom
    assert "<title>Batch report</title>" in dom
    assert "<b>1</b>failed" in dom
    assert 'style="--share: 30%"' in dom
