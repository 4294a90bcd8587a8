"""What somebody has reviewed is not replaced without a word."""

from __future__ import annotations

from dataclasses import replace

import pytest

from napari_s3net.batch.engine import iter_batch
from napari_s3net.batch.report import BatchReport, light_rows
from napari_s3net.batch.review import Review
from napari_s3net.batch.reviewed import reviewed_files
from napari_s3net.errors import WriteError
from napari_s3net.runtime.generators import drain
from tests.batch import segmenters


@pytest.fixture
def go(executor):
    def go(plan, **more):
        return drain(iter_batch(plan, executor=executor, segmenter=segmenters.threshold, **more))

    return go


def contents(folder):
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file() and path.name != ".lock"}


def reviewed(plan, decisions):
    """The plan's results, some of them reviewed; each file of the output folder."""
    review, report = Review(plan.output), BatchReport(plan.output)
    for file, decision in decisions.items():
        review.decide(report.row(file), decision)
    return contents(plan.output)


@pytest.mark.parametrize("decision", ["accepted", "rejected"])
@pytest.mark.parametrize("more", [{"restart": True}, {"changes": {"seed": 7}}, {"fit": "folder"}])
def test_reviewed_results_are_not_replaced(plan, go, decision, more):
    go(plan)
    before = reviewed(plan, {"b.png": decision})
    changes = {key: value for key, value in more.items() if key != "restart"}
    with pytest.raises(
        WriteError, match=r"Will not replace results that were reviewed: b\.png in .*--replace-reviewed"
    ):
        go(replace(plan, **changes), restart="restart" in more)
    assert contents(plan.output) == before


def test_they_are_replaced_where_that_is_asked_for(plan, go):
    go(plan)
    reviewed(plan, {"a.png": "accepted", "b.png": "rejected"})
    assert go(replace(plan, changes={"seed": 7}), replace_reviewed=True).done == 3
    assert Review(plan.output).decision(light_rows(plan.output)["a.png"]) is None


def test_what_keeps_them_is_not_refused(plan, go, save):
    go(plan)
    reviewed(plan, {"a.png": "accepted"})
    save(plan.source / "d.png", 4)
    assert go(plan).done == 1, "more images with the same settings"
    others = replace(plan, pattern="b*", changes={"seed": 7})
    assert go(others).done == 1, "other settings for images that nobody has reviewed"
    with pytest.raises(WriteError, match=r"a\.png"):
        go(others, restart=True)


def test_many_are_named_by_the_first(plan, go, save):
    for n in range(3):
        save(plan.source / f"d{n}.png", n)
    go(plan)
    reviewed(plan, dict.fromkeys(("a.png", "b.png", "d0.png", "d1.png", "d2.png"), "accepted"))
    with pytest.raises(WriteError, match=r"reviewed: a\.png, b\.png, d0\.png and 2 more in"):
        go(plan, restart=True)


def test_corrections_lie_apart_and_stay(plan, go):
    go(plan)
    review, row = Review(plan.output), BatchReport(plan.output).row("a.png")
    path = review.corrected_path(row)
    path.parent.mkdir(parents=True)
    path.write_bytes(review.labels_path(row).read_bytes())
    review.decide(row, "corrected", foreground=(1,), names={1: ""}, share=0.2)
    kept = path.read_bytes()
    assert reviewed_files(plan.output, [row]) == []
    go(plan, restart=True)
    assert path.read_bytes() == kept
    assert Review(plan.output).decision(light_rows(plan.output)["a.png"]) == "corrected"
