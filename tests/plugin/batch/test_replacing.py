"""Which results a batch would replace, and what is asked before."""

import pytest

from napari_s3net.batch import FileRow
from napari_s3net.batch.reviewed import replaced_files
from napari_s3net.plugin.batch.replacing import question

ROWS = [FileRow(file=name, status="done", settings=name) for name in "ab"]


@pytest.mark.parametrize(
    ("digest", "restart", "files"),
    [("a", False, ["b"]), ("a", True, ["a", "b"]), ("", False, ["a", "b"]), ("c", False, ["a", "b"])],
)
def test_results_of_other_settings_are_replaced(digest, restart, files):
    assert replaced_files(ROWS, digest, restart=restart) == files


def test_what_failed_has_no_result_to_replace():
    rows = [*ROWS, FileRow(file="c", status="failed", settings="c")]
    assert replaced_files(rows, "a", restart=True) == ["a", "b"]


@pytest.mark.parametrize(
    ("replaced", "reviewed", "words"),
    [
        (1, 1, "Start replaces 1 earlier result; it was reviewed and"),
        (3, 1, "Start replaces 3 earlier results; 1 of them was reviewed and"),
        (3, 3, "Start replaces 3 earlier results; all of them were reviewed and"),
    ],
)
def test_it_says_what_would_be_lost_and_what_stays(replaced, reviewed, words):
    asked = question(replaced, reviewed)
    assert asked.startswith(words)
    assert "Corrected labels stay" in asked
