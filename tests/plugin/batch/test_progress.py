"""How far a batch is, without a window."""

import pytest

from napari_s3net.batch import FileRow
from napari_s3net.plugin.batch.progress import BatchProgress


@pytest.fixture
def watch():
    """A clock that a test sets."""
    return {"now": 0.0}


@pytest.fixture
def progress(watch):
    return BatchProgress(lambda: watch["now"])


def text(progress, **how):
    return progress.text(**{"total": 10, "paused": False, **how}).replace("\u00a0", " ")


def test_files_are_counted_by_what_became_of_them(progress):
    for file, status in (("a", "done"), ("b", "failed"), ("c", "skipped"), ("d", "done")):
        progress.take(FileRow(file=file, status="running"))
        progress.take(FileRow(file=file, status=status))
    assert progress.counts == {"done": 2, "failed": 1, "skipped": 1}
    assert text(progress) == "4 of 10 · 1 failed"


def test_a_volume_under_way_counts_by_its_slices_until_it_is_over(progress):
    progress.take(FileRow(file="b", status="running", slice=11, slices=40))
    assert progress.files == pytest.approx(0.25)
    assert text(progress) == "0 of 10 · slice 11 of 40"
    progress.take(FileRow(file="b", status="done"))
    assert progress.files == 1
    assert text(progress) == "1 of 10"


def test_what_was_done_before_took_no_time(progress, watch):
    text(progress)
    for n in range(4):
        progress.take(FileRow(file=f"s{n}", status="skipped"))
    watch["now"] = 10.0
    for n in range(2):
        progress.take(FileRow(file=f"d{n}", status="done"))
    assert text(progress) == "6 of 10 · about 20 s left"


def test_a_pause_is_no_part_of_the_pace(progress, watch):
    text(progress)
    watch["now"] = 10.0
    for n in range(2):
        progress.take(FileRow(file=f"d{n}", status="done"))
    assert text(progress, paused=True) == "2 of 10 · paused"
    progress.forget_pace()
    watch["now"] = 1000.0
    assert text(progress) == "2 of 10"
    watch["now"] = 1010.0
    for n in range(2):
        progress.take(FileRow(file=f"e{n}", status="done"))
    assert text(progress) == "4 of 10 · about 30 s left"
