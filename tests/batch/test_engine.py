import csv
import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from napari_s3net.batch import engine, isolated
from napari_s3net.batch.engine import batch, iter_batch
from napari_s3net.batch.executor import open_executor
from napari_s3net.batch.items import find_items
from napari_s3net.batch.report import BatchReport
from napari_s3net.errors import WriteError
from napari_s3net.runtime.generators import follow
from tests.batch import segmenters


@pytest.fixture
def go(executor):
    """Runs a batch with a stand-in; every row that is final, and the summary."""

    def go(plan, segmenter=segmenters.threshold, **more):
        rows = []
        summary = follow(iter_batch(plan, executor=executor, segmenter=segmenter, **more), rows.append)
        return [row for row in rows if row is not None and row.is_final], summary

    return go


def files(folder):
    return sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())


def states(rows):
    return {row.file: row.status for row in rows}


def test_a_folder_in_a_folder_out(plan, go, save):
    save(plan.source / "2024" / "a.jpg")
    plan = replace(plan, recursive=True, write=("labels", "masks", "overlays", "measurements"))
    rows, summary = go(plan)
    assert (summary.done, summary.failed, summary.skipped, summary.stopped) == (4, 0, 0, False)
    assert [row.file for row in rows] == ["a.png", "b.png", "c.jpg", "2024/a.jpg"]
    got = set(files(plan.output))
    for stem in ("a", "b", "c", "2024/a"):
        assert {f"labels/{stem}.png", f"masks/{stem}.png", f"overlays/{stem}.png"} <= got
    assert {"report.jsonl", "report.html", "measurements.csv"} <= got
    with (plan.output / "measurements.csv").open(newline="") as stream:
        table = list(csv.DictReader(stream))
    assert [(r["file"], r["label"]) for r in table[:3]] == [("2024/a.jpg", w) for w in ("object", "1", "2")]
    assert len(table) == 12


def test_a_format_that_does_not_suit_a_result_is_not_tried_again(plan, go):
    asked = replace(plan, write=("labels", "coco", "stl"))
    rows, _ = go(asked)
    assert all("No stl: A surface is drawn of a volume" in row.note for row in rows if row.status == "done")
    assert {row.status for row in go(asked)[0]} == {"skipped"}
    assert "done" in states(go(replace(plan, write=("labels", "seg.nrrd")))[0]).values(), "another format is"


def test_started_again_it_skips_what_is_done(plan, go):
    go(plan)
    before = {path: (plan.output / path).stat().st_mtime_ns for path in files(plan.output) if path.startswith("labels")}
    rows, summary = go(plan)
    assert summary.skipped == 3
    assert {row.status for row in rows} == {"skipped"}
    assert rows[0].confidence is not None
    assert all((plan.output / path).stat().st_mtime_ns == at for path, at in before.items())
    assert len(BatchReport(plan.output)) == 3


def test_it_redoes_what_changed_and_retries_what_failed(plan, go, save):
    (plan.source / "empty.png").touch()
    rows, _ = go(plan)
    assert states(rows) == {"a.png": "done", "b.png": "done", "c.jpg": "done", "empty.png": "failed"}
    save(plan.source / "a.png", seed=9)
    save(plan.source / "empty.png")
    (plan.output / "masks" / "b.png").write_bytes(b"")
    rows, _ = go(plan)
    assert states(rows) == {"a.png": "done", "b.png": "done", "c.jpg": "skipped", "empty.png": "done"}
    rows, _ = go(replace(plan, changes={"seed": 1}))
    assert set(states(rows).values()) == {"done"}
    rows, _ = go(replace(plan, changes={"seed": 1}, write=("labels", "overlays")))
    assert set(states(rows).values()) == {"done"}
    assert len(BatchReport(plan.output)) == 4


def test_restart_begins_anew(plan, go):
    go(plan)
    (plan.source / "a.png").unlink()
    rows, _ = go(plan, restart=True)
    assert states(rows) == {"b.png": "done", "c.jpg": "done"}
    assert "labels/a.png" not in files(plan.output)
    assert len(BatchReport(plan.output)) == 2


def test_results_that_belong_to_nothing_any_more_are_removed(plan, go, save):
    go(plan)
    (plan.source / "a.png").write_bytes(b"")
    save(plan.source / "b.jpg")
    rows, _ = go(plan)
    assert states(rows) == {"a.png": "failed", "b.jpg": "done", "b.png": "done", "c.jpg": "skipped"}
    labels = [path for path in files(plan.output) if path.startswith("labels/")]
    assert labels == ["labels/b_jpg.png", "labels/b_png.png", "labels/c.png"]


def test_every_trouble_is_a_row_and_the_run_goes_on(plan, go, save):
    source = plan.source
    for name in ("abort.png", "odd.png", "huge.png", "with space.png", "läsion.png", "line\nbreak.png", "..png.png"):
        save(source / name)
    (source / "empty.png").touch()
    (source / "text.png").write_text("not a picture", encoding="utf-8")
    (source / "cut.png").write_bytes((source / "a.png").read_bytes()[:200])
    (source / "gone.png").symlink_to(source / "nowhere.png")
    items = find_items(plan)
    save(source / "vanishing.png")
    items = find_items(plan)
    (source / "vanishing.png").unlink()
    rows, summary = go(replace(plan, device="auto"), segmenters.deadly, items=items)
    bad = {row.file: row.error for row in rows if row.status == "failed"}
    assert set(bad) == {"abort.png", "odd.png", "empty.png", "text.png", "cut.png", "gone.png", "vanishing.png"}
    assert all(bad.values())
    assert "not there any more" in bad["vanishing.png"]
    assert (summary.done, summary.failed) == (8, 7)
    assert "labels/line\nbreak.png" in files(plan.output)
    assert not [path for path in plan.output.parent.iterdir() if path.name not in ("in", "out")]


def test_a_header_that_overruns_its_reader_and_an_image_of_nan_are_rows(plan, go):
    import SimpleITK as sitk

    volume = np.arange(2 * 24 * 32, dtype=np.float32).reshape(2, 24, 32)
    sitk.WriteImage(sitk.GetImageFromArray(volume), str(plan.source / "good.mha"))
    sitk.WriteImage(sitk.GetImageFromArray(np.full_like(volume, np.nan)), str(plan.source / "nan.mha"))
    # A second NDims overruns a table inside SimpleITK, and kills the process that reads.
    raw = (plan.source / "good.mha").read_bytes()
    more = b"NDims : 20\nElementSpacing = " + b"1 " * 20 + b"\nTransformMatrix = " + b"1 " * 400 + b"\n"
    (plan.source / "bad.mha").write_bytes(raw.replace(b"ElementType", more + b"ElementType"))
    rows, summary = go(plan)
    bad = {row.file: row.error for row in rows if row.status == "failed"}
    assert set(bad) == {"bad.mha", "nan.mha"}
    assert all(bad.values())
    assert (summary.done, summary.failed) == (4, 2)


def test_without_room_for_a_file_it_is_a_row_and_no_half_file_stays(plan, go, save):
    save(plan.source / "full.png")
    rows, summary = go(plan, segmenters.cramped)
    assert (summary.done, summary.failed) == (3, 1)
    (failed,) = (row for row in rows if row.status == "failed")
    assert failed.file == "full.png"
    assert "Cannot write full.png" in failed.error
    odd = [name for name in files(plan.output) if "full" in name or Path(name).name.startswith(".")]
    assert odd == [".napari-s3net.lock"]
    isolated.close_idle()  # with its limit
    _, summary = go(plan)
    assert (summary.done, summary.skipped) == (1, 3)
    assert "labels/full.png" in files(plan.output)


def test_a_folder_in_the_output_that_cannot_be_written_is_a_row(plan, go):
    plan.output.mkdir()
    (plan.output / "report.jsonl").touch()
    (plan.output / "labels").write_text("in the way", encoding="utf-8")
    rows, summary = go(plan)
    assert summary.failed == 3
    assert "Cannot write a.png" in rows[0].error


def test_links_that_lead_out_are_not_followed(plan, go, tmp_path):
    plan.output.mkdir()
    (plan.output / "report.jsonl").touch()
    (tmp_path / "elsewhere").mkdir()
    (plan.output / "labels").symlink_to(tmp_path / "elsewhere")
    rows, summary = go(plan)
    assert summary.failed == 3
    assert "outside" in rows[0].error
    assert not files(tmp_path / "elsewhere")


def test_stopped_it_keeps_what_is_finished_and_goes_on_later(plan, go):
    steps = iter_batch(plan, segmenter=segmenters.threshold)
    row = next(steps)
    while row is None or row.status != "done":
        row = next(steps)
    with pytest.raises(StopIteration) as end:
        steps.send(True)
    assert end.value.value.stopped
    assert len(BatchReport(plan.output)) >= 1
    assert (plan.output / "measurements.csv").exists()
    _, summary = go(plan)
    assert summary.skipped >= 1
    assert summary.skipped + summary.done == 3


@pytest.mark.parametrize("jobs", [1, 2])
def test_stopping_does_not_wait_for_an_image(plan, jobs):
    with open_executor(jobs) as executor:
        steps = iter_batch(plan, executor=executor, segmenter=segmenters.vanishing)
        while (row := next(steps)) is not None:
            assert row.status == "running"
        ended = threading.Event()

        def stop():
            with pytest.raises(StopIteration):
                steps.send(True)
            ended.set()

        thread = threading.Thread(target=stop)
        thread.start()
        assert ended.wait(60), "each of the images takes ten minutes"
    assert len(BatchReport(plan.output)) == 0


def test_closed_it_lets_go_of_the_output(plan, go):
    steps = iter_batch(plan, segmenter=segmenters.vanishing)
    next(steps)
    with pytest.raises(WriteError, match="Another run"):
        next(iter_batch(plan, segmenter=segmenters.threshold))
    steps.close()
    assert go(plan)[1].done == 3


def test_a_read_only_output_is_told_at_once(plan, monkeypatch):
    def refuse(*_, **__):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("napari_s3net.batch.folder.FileLock.acquire", refuse)
    with pytest.raises(WriteError, match="Permission denied"):
        next(iter_batch(plan))


def test_waiting_for_the_end(plan, monkeypatch):
    monkeypatch.setattr(engine.iter_batch, "__kwdefaults__", {**engine.iter_batch.__kwdefaults__})
    monkeypatch.setitem(engine.iter_batch.__kwdefaults__, "segmenter", segmenters.threshold)
    assert batch(plan).done == 3
