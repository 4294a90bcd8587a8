import json
from dataclasses import replace

import numpy as np
import PIL.Image
import pytest

from napari_s3net.batch import work
from napari_s3net.batch.file_row import FileRow
from napari_s3net.batch.items import find_items, stem_of
from napari_s3net.batch.plan import KINDS, FileJob
from napari_s3net.batch.work import do, reason, segment_image
from napari_s3net.errors import ReadError
from napari_s3net.image import Geometry, Image
from napari_s3net.io import read_image
from napari_s3net.result import Segmentation
from napari_s3net.settings import presets
from tests.batch import segmenters


@pytest.fixture
def job(plan):
    (item, *_) = find_items(plan)
    plan.output.mkdir()
    return FileJob(
        run="r",
        file=item.file,
        path=str(item.path),
        series=None,
        stem=item.stem,
        output=str(plan.output),
        preset="auto",
        changes={"working_size": 96},
        write=KINDS,
        device="cpu",
        digest="d",
        segmenter="tests.batch.segmenters:threshold",
    )


def test_everything_is_written_and_told(job, plan):
    row, out_of_memory = do(job)
    assert (row.status, out_of_memory, row.error) == ("done", False, "")
    assert set(row.outputs) == {"labels", "masks", "overlays", "thumbnails"}
    for kind, path in row.outputs.items():
        assert path.startswith(f"{kind}/a.")
        assert (plan.output / path).stat().st_size == row.sizes[kind]
    mask = np.array(PIL.Image.open(plan.output / row.outputs["masks"]))
    assert row.share == pytest.approx((mask == 255).mean(), abs=1e-5)
    assert row.regions[0]["area_px"] == (mask == 255).sum()
    assert row.preset == "skin"
    used = json.loads((plan.output / "settings" / f"{row.used}.json").read_text(encoding="utf-8"))
    assert used == presets["skin"].settings.replace(working_size=96).to_dict()


def test_further_formats_have_folders_of_their_own_and_what_does_not_suit_one_is_said(job, plan):
    row, _ = do(replace(job, write=("labels", "coco", "dicom-seg")))
    assert set(row.outputs) == {"labels", "coco", "thumbnails"}
    assert row.outputs["coco"] == "coco/a.coco.json"
    assert {stem_of(path) for path in row.outputs.values()} == {"a"}
    assert {one["name"] for one in json.loads((plan.output / "coco/a.coco.json").read_text())["categories"]}
    assert row.status == "done"
    assert "No dicom-seg: " in row.note


def test_a_row_and_the_settings_beside_it_tell_how_the_result_was_made(job, plan):
    row, _ = do(job)
    line = FileRow.from_line(row.to_line())
    assert line == row
    settings = json.loads((plan.output / "settings" / f"{line.used}.json").read_text(encoding="utf-8"))
    labels = np.zeros((2, 2), np.int32)
    result = Segmentation.from_metadata(labels, Geometry.identity(2), {**line.metadata, "settings": settings})
    made = result.provenance
    assert made.settings == presets["skin"].settings.replace(working_size=96)
    assert (made.preset, made.device, made.source, made.input_digest) == ("skin", "cpu", "a.png", row.input)
    assert made.confidence == pytest.approx(row.confidence, abs=1e-4)
    assert (result.foreground, result.names, result.object_name) == ((1,), {1: "Lesion", 2: "Skin"}, "Lesion")


def test_only_what_was_asked_for_is_written(job, plan):
    row, _ = do(replace(job, write=("masks",)))
    assert set(row.outputs) == {"masks", "thumbnails"}
    assert not row.regions
    assert sorted(p.name for p in plan.output.iterdir()) == ["masks", "settings", "thumbnails"]


def test_a_smaller_working_size_after_memory_ran_out(job, plan):
    row, _ = do(replace(job, shrink=2))
    assert json.loads((plan.output / "settings" / f"{row.used}.json").read_text(encoding="utf-8"))["working_size"] == 48
    row, _ = do(replace(job, shrink=4))
    assert json.loads((plan.output / "settings" / f"{row.used}.json").read_text(encoding="utf-8"))["working_size"] == 32


@pytest.mark.parametrize(
    ("error", "memory", "words"),
    [
        (MemoryError(), True, "Out of memory"),
        (RuntimeError("CUDA out of memory."), True, "out of memory"),
        (RuntimeError("odd\nthing"), False, "Unexpected RuntimeError: odd thing"),
        (FileNotFoundError(2, "x"), False, "not there any more"),
    ],
)
def test_whatever_goes_wrong_is_a_row(job, monkeypatch, error, memory, words):
    import torch  # noqa: F401 - as where the network ran

    def fail(*_):
        raise error

    monkeypatch.setattr(segmenters, "threshold", fail)
    row, out_of_memory = do(job)
    assert (row.status, out_of_memory) == ("failed", memory)
    assert words in row.error


def test_reasons_do_not_repeat_the_file():
    assert reason(ReadError("Cannot read a.png: the file is empty."), "x/a.png") == "the file is empty."


def test_a_plane_of_nan_and_a_stack(job, tmp_path):
    import SimpleITK as sitk
    import tifffile

    array = np.random.default_rng(0).normal(size=(3, 20, 24)).astype(np.float32)
    sitk.WriteImage(sitk.GetImageFromArray(array), str(tmp_path / "stack.nii.gz"))
    row, _ = do(replace(job, path=str(tmp_path / "stack.nii.gz"), stem="stack"))
    assert row.outputs["labels"] == "labels/stack.nii.gz"
    assert read_image(tmp_path / "out" / "labels" / "stack.nii.gz").shape == (3, 20, 24)
    array[0, 0, 0] = np.nan  # which SimpleITK does not write
    tifffile.imwrite(tmp_path / "nan.tif", array[0])
    row, _ = do(replace(job, path=str(tmp_path / "nan.tif"), stem="nan"))
    assert (row.status, row.error) == ("failed", "NaN.")


def test_what_the_run_has_to_say_of_an_image_stands_in_its_row(job, tmp_path):
    import tifffile

    array = np.random.default_rng(0).normal(size=(32, 36)).astype(np.float32)
    array[:5] = np.finfo(np.float32).max
    tifffile.imwrite(tmp_path / "a.tif", array)
    changes = {"working_size": 32, "max_iter": 1}
    row, _ = do(
        replace(job, path=str(tmp_path / "a.tif"), changes=changes, segmenter="napari_s3net.batch.work:segment_image")
    )
    assert row.status == "done"
    assert row.note.startswith("180 of 1152 pixels hold a fill value or no number")


@pytest.mark.parametrize(("mode", "fits"), [("volume", 1), ("slices", 3)])
def test_a_volume_is_fitted_once_and_slices_each(mode, fits):
    array = np.zeros((3, 32, 32), np.float32)
    array[:, 8:24, 8:24] = 1
    image = Image(array + np.random.default_rng(0).normal(0, 0.1, array.shape), Geometry.identity(3), "grey")
    settings = presets["generic"].settings.replace(max_iter=2, working_size=32, clusters=3)
    steps = list(segment_image(image, settings, "cpu", mode=mode))
    assert sum(bool(step.losses) for step in steps) == 2 * fits


def test_the_mode_reaches_the_file(job, tmp_path, monkeypatch):
    import SimpleITK as sitk

    seen = []

    def remember(image, settings, device, mode="volume"):
        seen.append(mode)
        return segmenters.threshold(image, settings, device)

    monkeypatch.setattr(work, "segment_image", remember)
    monkeypatch.setattr(remember, "__name__", "segment_image")
    array = np.random.default_rng(0).normal(size=(3, 20, 24)).astype(np.float32)
    sitk.WriteImage(sitk.GetImageFromArray(array), str(tmp_path / "stack.nii.gz"))
    asked = replace(job, path=str(tmp_path / "stack.nii.gz"), segmenter="napari_s3net.batch.work:segment_image")
    for mode in ("volume", "slices"):
        row, _ = do(replace(asked, mode=mode))
        assert row.status == "done"
    assert seen == ["volume", "slices"]
