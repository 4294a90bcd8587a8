"""A small set from files to rows, stopped and taken up again."""

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from napari_s3net.benchmark import protocol
from napari_s3net.benchmark.cases import Pair, find_pairs, mask_path, read_mask, true_mask
from napari_s3net.benchmark.methods import NetworkRuns
from napari_s3net.benchmark.protocol import iter_rows, plan
from napari_s3net.benchmark.results import COLUMNS, key, read_rows
from napari_s3net.errors import (
    DeviceError,
    DivergedError,
    InvalidImageError,
    InvalidSettingsError,
    S3NetError,
)
from napari_s3net.image import as_image
from napari_s3net.io import write_png
from tests.benchmark.discs import skin

SCORER = Path(__file__).parents[2].parent / "shared" / "tools" / "score.py"
ASKED = NetworkRuns(changes={"max_iter": 9})


def run(folder, output, methods, *, runs=ASKED, seeds=1, jobs=1):
    cases, kept = plan(find_pairs(folder), methods, runs, output, seeds=seeds)
    return list(iter_rows(cases, jobs=jobs)), kept


def test_rows_hold_what_was_measured(small_set, tmp_path):
    rows, kept = run(small_set, tmp_path / "out", ["otsu"])
    assert kept == []
    assert [key(row)[:2] for row in rows] == [(f"d{i}", m) for m in ("one-label", "otsu") for i in range(4)]
    assert read_rows(tmp_path / "out" / "results.csv") == [dict(row) for row in rows]
    for row in rows:
        assert set(row) == set(COLUMNS)
        assert row["best_clusters_dice"] >= row["label_free_dice"]
        for view in ("label_free", "best_clusters", "clipped"):
            assert row[f"{view}_hammoude"] <= row[f"{view}_xor"]
        if row["method"] == "otsu":
            assert row["label_free_dice"] > 0.95
            assert row["label_free_boundary"] < 1
            assert row["seconds"] > 0
        else:
            assert row["label_free_dice"] < 0.55
            assert row["clipped_dice"] > row["label_free_dice"]


def test_agrees_with_the_independent_scorer_on_the_masks_it_writes(small_set, tmp_path):
    if not SCORER.is_file():
        pytest.skip(f"{SCORER} is not there: nothing independent to compare with")
    rows, _ = run(small_set, tmp_path / "out", ["chan-vese"])
    mine = [row for row in rows if row["method"] == "chan-vese"]
    written = mask_path(tmp_path / "out", "d0", "chan-vese", 0).parent
    (small_set / "masks" / "d2_mask.png").rename(small_set / "masks" / "d2.png")
    command = [sys.executable, str(SCORER), str(written), str(small_set / "masks")]
    said = subprocess.run(command, capture_output=True, encoding="utf-8", check=True).stdout
    theirs = {name: float(value) for name, value in re.findall(r"(\w+)=([\d.]+)", said)}
    assert theirs["missing"] == 0
    for name, column in (("dice_mean", "dice"), ("hammoude", "hammoude"), ("xor", "xor")):
        assert theirs[name] == pytest.approx(np.mean([row[f"label_free_{column}"] for row in mine]), abs=1e-3)


def test_only_what_is_missing_is_done(small_set, tmp_path):
    output = tmp_path / "out"
    cases, _ = plan(find_pairs(small_set), ["otsu"], ASKED, output)
    rows = iter_rows(cases)
    for _ in range(3):
        next(rows)
    rows.close()
    again, kept = plan(find_pairs(small_set), ["otsu"], ASKED, output)
    assert (len(kept), len(again)) == (3, 5)
    assert {case.key for case in again} | {key(row) for row in kept} == {case.key for case in cases}
    list(iter_rows(again))
    assert plan(find_pairs(small_set), ["otsu"], ASKED, output)[0] == []


def test_other_settings_or_another_version_are_done_again_and_other_methods_stay(
    small_set, tmp_path, monkeypatch, quick_networks
):
    output = tmp_path / "out"
    monkeypatch.setattr(protocol, "version", lambda method: "1")
    run(small_set, output, ["otsu", "s3net"])
    same, _ = plan(find_pairs(small_set), ["s3net"], ASKED, output)
    assert same == []
    more, kept = plan(find_pairs(small_set), ["s3net"], ASKED, output, seeds=2)
    assert (len(more), len(kept)) == (4, 12)
    other, kept = plan(find_pairs(small_set), ["s3net"], NetworkRuns("generic", ASKED.changes), output)
    assert len(other) == 4
    assert {row["method"] for row in kept} == {"one-label", "otsu"}
    monkeypatch.setattr(protocol, "version", lambda method: "2")
    newer, kept = plan(find_pairs(small_set), [], ASKED, output)
    assert [case.method for case in newer] == ["one-label"] * 4
    assert {row["method"] for row in kept} == {"otsu"}


def test_a_failure_is_a_row_that_scores_nothing_and_is_tried_again(small_set, tmp_path, monkeypatch):
    def fail(*_):
        raise DivergedError("The loss is not finite at iteration 3.")

    monkeypatch.setattr(protocol, "run_method", fail)
    rows, _ = run(small_set, tmp_path / "out", ["otsu"])
    assert {row["error"] for row in rows} == {"The loss is not finite at iteration 3."}
    assert all(row[f"{view}_dice"] == 0 for row in rows for view in ("label_free", "best_clusters", "clipped"))
    assert not read_mask(mask_path(tmp_path / "out", "d0", "otsu", 0)).any()
    monkeypatch.undo()
    again, kept = run(small_set, tmp_path / "out", ["otsu"])
    assert kept == []
    assert not any(row["error"] for row in again)


def test_a_device_that_is_not_there_ends_the_run(small_set, tmp_path):
    with pytest.raises(DeviceError):
        run(small_set, tmp_path / "out", ["s3net"], runs=NetworkRuns(device="cuda:99"))


def test_a_mask_of_another_size_is_named(small_set, tmp_path):
    write_png(small_set / "masks" / "d0.png", np.zeros((5, 5), np.uint8))
    with pytest.raises(InvalidImageError, match=r"d0: .* got \(60, 80\) and \(5, 5\)"):
        run(small_set, tmp_path / "out", ["otsu"])


def test_wrong_requests_are_refused_before_anything_runs(small_set, tmp_path):
    for methods, runs in (
        (["nothing"], ASKED),
        (["s3net"], NetworkRuns("nothing")),
        (["s3net"], NetworkRuns("skin", {"x": 1})),
    ):
        with pytest.raises(InvalidSettingsError):
            plan(find_pairs(small_set), methods, runs, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_mask_in_colours_is_read_by_its_first(tmp_path):
    image, mask = skin()
    write_png(tmp_path / "m.png", np.repeat(mask[..., None], 3, axis=2).astype(np.uint8) * 255)
    assert np.array_equal(true_mask(Pair("m", tmp_path / "m.png", tmp_path / "m.png"), as_image(image)), mask)


def test_processes_find_the_same(small_set, tmp_path):
    alone, _ = run(small_set, tmp_path / "one", ["otsu"])
    together, _ = run(small_set, tmp_path / "two", ["otsu"], jobs=2)
    costs = {"seconds": 0, "peak_mib": 0}
    assert sorted((row | costs for row in together), key=key) == sorted((row | costs for row in alone), key=key)


def test_a_process_that_dies_is_an_error_in_words(small_set, tmp_path, monkeypatch):
    from concurrent.futures.process import BrokenProcessPool

    class Broken:
        def result(self):
            raise BrokenProcessPool

    monkeypatch.setattr(protocol, "as_completed", lambda futures: [Broken()])
    cases, _ = plan(find_pairs(small_set, limit=1), [], ASKED, tmp_path / "out")
    with pytest.raises(S3NetError, match="fewer --jobs"):
        list(iter_rows(cases, jobs=2))
