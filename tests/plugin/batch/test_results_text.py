"""What is said of the results of a folder."""

import pytest

from napari_s3net.batch.file_row import FileRow
from napari_s3net.plugin.batch.results_text import earlier_text, page_links, review_text
from napari_s3net.plugin.jobs.batch_job import FolderContents


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (FolderContents(), ""),
        (FolderContents(current=1), "1 image done before with these settings"),
        (FolderContents(otherwise=3), "Start replaces 3 earlier results"),
        (
            FolderContents(current=2, otherwise=1),
            "Start replaces 1 earlier result · 2 images done before with these settings",
        ),
        (FolderContents(rows={"a.png": None}), "1 result of an earlier run"),
    ],
)
def test_results_of_before(found, words):
    assert earlier_text(found) == words


def row(file, certainty=""):
    return FileRow(file=file, status="done", metadata={"certainty": certainty})


def test_what_there_is_to_review():
    results = [row("a.png", "sure"), row("b.png", "look"), row("c.png", "no clear object")]
    assert review_text(results[:1], 0) == "Review 1 result ▸"
    assert review_text(results, 0) == review_text(results, 3) == "Review 3 results, 2 to look at ▸"
    assert review_text(results, 2) == "Go on with the review, 2 of 3 done ▸"


def test_links_lead_to_what_is_there(tmp_path):
    assert page_links(tmp_path, "#fff") == ""
    (tmp_path / "report.html").touch()
    assert (tmp_path / "report.html").as_uri() in page_links(tmp_path, "#fff")
