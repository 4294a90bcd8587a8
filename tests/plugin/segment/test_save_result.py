"""A result to a file: label images, and the further formats."""

import json
from dataclasses import replace

import numpy as np
import pytest
from napari.components import ViewerModel

from napari_s3net.errors import WriteError
from napari_s3net.export.formats import FORMATS
from napari_s3net.image import Geometry
from napari_s3net.io import read_image, read_labels
from napari_s3net.plugin.layers.placement import KEY
from napari_s3net.plugin.layers.source import source_of
from napari_s3net.plugin.layers.stack import Stack
from napari_s3net.plugin.layers.volume_target import VolumeTarget
from napari_s3net.plugin.segment import save_result as module
from napari_s3net.plugin.segment.save_result import (
    FURTHER_FILTERS,
    LABEL_FILTERS,
    ask_and_save,
    filters,
    save_beside,
    save_ending,
    save_result,
)
from napari_s3net.provenance import Provenance
from napari_s3net.result import Segmentation
from napari_s3net.settings import presets

pytestmark = pytest.mark.viewer
MM = Geometry((2.0, 0.5, 0.5), (0.0,) * 3, Geometry.identity(3).direction)


def result_on(viewer, image, labels):
    source = source_of(image, viewer.dims.point, (labels.ndim - 2, labels.ndim - 1))
    made = Provenance(settings=presets["ct-lung"].settings)
    made = replace(made, slices=(replace(made, slice=0),))
    stack = Stack.whole(source)
    part = labels if labels.ndim == 3 else labels[source.key.steps[0]]
    result = Segmentation(part, (1,), MM, made, {1: "Lung", 2: "Soft tissue"}, object_name="Lung")
    layer = VolumeTarget(viewer, image, stack, new_layer=False).finish(result, "ct-lung")
    return layer, source


@pytest.fixture
def scan():
    """A result with a ball of lung."""
    viewer = ViewerModel()
    z, y, x = np.ogrid[:8, :24, :30]
    labels = np.where((2 * (z - 4)) ** 2 + (y - 12) ** 2 / 4 + (x - 15) ** 2 / 4 < 20, 1, 2).astype(np.int32)
    image = viewer.add_image(labels.astype(np.int16), name="scan", scale=MM.spacing, units=("mm",) * 3)
    return (*result_on(viewer, image, labels), labels)


@pytest.mark.parametrize("name", ["seg.nrrd", "coco", "stl", "ply"])
def test_further_formats_by_their_ending(scan, tmp_path, name):
    layer, source, labels = scan
    path = tmp_path / f"mine{FORMATS[name]}"
    assert save_result(path, "labels", layer, source) == path
    assert path.stat().st_size > 0
    if name == "seg.nrrd":
        assert np.array_equal(read_labels(path).array, labels)
    if name == "coco":
        assert {one["name"] for one in json.loads(path.read_text())["categories"]} == {"Lung", "Soft tissue"}


def test_all_slices_are_called_by_their_numbers_also_where_one_was_segmented_last(scan, tmp_path):
    layer, source, labels = scan
    layer.metadata[KEY] = {**layer.metadata[KEY], "axis": 0, "slice": 5}
    made = json.loads(save_result(tmp_path / "a.coco.json", "labels", layer, source).read_text("utf-8"))
    assert [one["file_name"] for one in made["images"]] == [f"scan, slice {n}" for n in range(len(labels))]


def test_a_result_never_takes_the_place_of_its_image(scan, tmp_path):
    layer, source, _ = scan
    image = tmp_path / "scan.nii.gz"
    image.write_bytes(b"the image")
    (tmp_path / "link.nii.gz").symlink_to(image)
    for path in (image, tmp_path / "link.nii.gz"):
        with pytest.raises(WriteError, match="is the image itself, which is not replaced"):
            save_result(path, "mask", layer, replace(source, path=str(image)))
    assert image.read_bytes() == b"the image"


@pytest.mark.parametrize("ending", [".png", ".nii.gz", ".coco.json", ".seg.nrrd"])
def test_a_folder_that_is_gone_is_not_made_anew(scan, tmp_path, ending):
    layer, source, _ = scan
    with pytest.raises(WriteError, match="there is no folder"):
        save_result(tmp_path / "gone" / f"mine{ending}", "labels", layer, source)
    assert list(tmp_path.iterdir()) == []


def test_a_dicom_segmentation_says_that_it_needs_its_series(scan, tmp_path):
    layer, source, _ = scan
    with pytest.raises(WriteError, match="refers to the DICOM series"):
        save_result(tmp_path / "mine.seg.dcm", "labels", layer, source)


@pytest.mark.parametrize("name", ["seg.nrrd", "coco"])
def test_the_object_alone_in_a_further_format_is_one_segment_of_its_name(scan, tmp_path, name):
    layer, source, labels = scan
    path = save_result(tmp_path / f"mine{FORMATS[name]}", "mask", layer, source)
    if name == "seg.nrrd":
        back = read_labels(path)
        assert np.array_equal(back.array, labels == 1)
        assert [(one.label, one.name) for one in back.segments] == [(1, "Lung")]
    else:
        assert [one["name"] for one in json.loads(path.read_text())["categories"]] == ["Lung"]
    with pytest.raises(WriteError, match="refers to the DICOM series"):
        save_result(tmp_path / "mine.seg.dcm", "mask", layer, source)


@pytest.mark.parametrize(("what", "values"), [("labels", {1, 2}), ("mask", {0, 1})])
def test_label_images_with_the_geometry(scan, tmp_path, what, values):
    layer, source, _ = scan
    save_result(tmp_path / "a.nii.gz", what, layer, source)
    saved = read_image(tmp_path / "a.nii.gz")
    assert set(np.unique(saved.array)) == values
    assert saved.geometry.spacing == pytest.approx(MM.spacing)


def test_a_stack_as_png_is_a_folder_with_a_file_for_each_slice(scan, tmp_path):
    layer, source, labels = scan
    for what, expected in (("labels", labels), ("mask", np.where(labels == 1, 255, 0))):
        save_result(tmp_path / f"{what}.png", what, layer, source)
        files = sorted((tmp_path / what).iterdir())
        assert [file.name for file in files] == [f"00{n}.png" for n in range(8)]
        assert np.array_equal([read_labels(file).array for file in files], expected)
    assert read_labels(files[0]).geometry.spacing == MM.spacing[1:]


def test_of_a_series_the_volume_in_view_is_written(tmp_path):
    viewer = ViewerModel()
    labels = np.full((3, 4, 20, 20), 2, np.int32)
    labels[2, :, 5:9, 5:9] = 1
    image = viewer.add_image(labels.astype(np.int16), name="heart", scale=(1, *MM.spacing), units=("s", *("mm",) * 3))
    viewer.dims.set_current_step(0, 2)
    layer, source = result_on(viewer, image, labels)
    save_result(tmp_path / "a.seg.nrrd", "labels", layer, source)
    assert np.array_equal(read_labels(tmp_path / "a.seg.nrrd").array, labels[2])


def test_which_formats_are_offered():
    assert filters("ct", is_stack=True) == (*LABEL_FILTERS, *FURTHER_FILTERS.values())
    assert filters("rgb", is_stack=False) == (*LABEL_FILTERS, FURTHER_FILTERS["coco"])
    assert set(FURTHER_FILTERS) == set(FORMATS) - {"png"}, "which is a label image"


@pytest.fixture
def told(monkeypatch):
    """What the user is told: saved, and what went wrong."""
    saved, failed = [], []
    monkeypatch.setattr(module, "show_info", saved.append)
    monkeypatch.setattr(module, "show_error", failed.append)
    return saved, failed


def test_the_dialog_offers_a_name_and_the_usual_format_first(scan, tmp_path, monkeypatch, told, qapp):
    layer, source, _ = scan
    offered = []
    path = str(tmp_path / "x.nii.gz")
    monkeypatch.setattr(module.QFileDialog, "getSaveFileName", lambda *args: offered.append(args[2:]) or (path, ""))
    ask_and_save(None, "labels", layer, source)
    assert told == ([f"Saved x.nii.gz in {tmp_path.name}"], [])
    assert offered[0][0] == "scan_labels.tif"
    assert offered[0][2] == "TIFF (*.tif *.tiff)"
    ask_and_save(None, "labels", layer, source)
    assert offered[1][0] == str(tmp_path / "scan_labels.nii.gz")
    assert offered[1][2] == "NIfTI (*.nii.gz *.nii)", "the format is remembered"
    ask_and_save(None, "mask", layer, source)
    assert offered[2][2] == "TIFF (*.tif *.tiff)"


@pytest.mark.parametrize(
    ("chosen", "ending"),
    [
        *zip(LABEL_FILTERS, (".nii.gz", ".png", ".tif", ".nrrd", ".mha"), strict=True),
        (FURTHER_FILTERS["stl"], ".stl"),
        ("", None),
    ],
)
def test_a_path_without_an_ending_gets_that_of_the_chosen_format(
    scan, tmp_path, monkeypatch, told, qapp, chosen, ending
):
    layer, source, _ = scan
    monkeypatch.setattr(module.QFileDialog, "getSaveFileName", lambda *_: (str(tmp_path / "mine"), chosen))
    ask_and_save(None, "mask", layer, source)
    if ending is None:
        assert "give it such a suffix" in told[1][0]
    else:
        written = tmp_path / ("mine" if ending == ".png" else f"mine{ending}")  # of a stack as PNG the folder
        assert list(tmp_path.iterdir()) == [written]


def test_a_place_that_cannot_be_written_is_told(scan, tmp_path, monkeypatch, told, qapp):
    layer, source, _ = scan
    monkeypatch.setattr(module.QFileDialog, "getSaveFileName", lambda *_: (str(tmp_path / "x.unknown"), ""))
    ask_and_save(None, "labels", layer, source)
    assert told[0] == []
    assert len(told[1]) == 1


@pytest.mark.parametrize(
    ("typed", "chosen", "there"),
    [("mine", LABEL_FILTERS[0], "mine.nii.gz"), ("mine", FURTHER_FILTERS["stl"], "mine.stl"), ("mine.png", "", "mine")],
    ids=["an ending is added", "that of a further format", "a folder of slices"],
)
def test_what_is_replaced_is_asked_about_where_the_dialog_has_not(
    scan, tmp_path, monkeypatch, told, qapp, typed, chosen, there
):
    layer, source, _ = scan
    monkeypatch.setattr(module.QFileDialog, "getSaveFileName", lambda *_: (str(tmp_path / typed), chosen))
    asked, answers = [], [module.QMessageBox.StandardButton.No, module.QMessageBox.StandardButton.Yes]
    monkeypatch.setattr(module.QMessageBox, "question", lambda *args: asked.append(args[2]) or answers.pop(0))
    ask_and_save(None, "mask", layer, source)
    assert (asked, told[0]) == ([], [f"Saved {there} in {tmp_path.name}"])
    for _ in range(2):
        ask_and_save(None, "mask", layer, source)
    assert asked == [f"{there} is there already. Replace it?"] * 2
    assert len(told[0]) == 2, "not the one that was answered by No"


def test_a_dialog_that_is_closed_saves_nothing(scan, tmp_path, monkeypatch, told, qapp):
    layer, source, _ = scan
    monkeypatch.setattr(module.QFileDialog, "getSaveFileName", lambda *_: ("", ""))
    ask_and_save(None, "labels", layer, source)
    assert list(tmp_path.iterdir()) == []


def test_save_writes_beside_the_image_and_asks_before_it_replaces_a_file(scan, tmp_path, monkeypatch, told, qapp):
    layer, source, labels = scan
    asked = []
    monkeypatch.setattr(module.QFileDialog, "getSaveFileName", lambda *args: asked.append(args[2]) or ("", ""))
    save_beside(None, layer, source)
    assert asked == ["scan_mask.tif"], "from no file: where to?"
    (tmp_path / "scan.nii.gz").write_bytes(b"the image")
    source = replace(source, path=str(tmp_path / "scan.nii.gz"))
    for _ in range(2):
        save_beside(None, layer, source)
    assert np.array_equal(read_image(tmp_path / "scan_mask.tif").array > 0, labels == 1)
    assert len(told[0]) == 2
    viewer = ViewerModel()
    image = viewer.add_image(labels.astype(np.int16), name="scan", scale=MM.spacing, units=("mm",) * 3)
    save_beside(None, result_on(viewer, image, labels)[0], source)
    assert asked[1:] == [str(tmp_path / "scan_mask.tif")], "of another day"
    assert len(told[0]) == 2


def test_save_beside_an_image_in_a_folder_that_cannot_be_written_to_asks(scan, tmp_path, monkeypatch, told, qapp):
    layer, source, _ = scan
    (tmp_path / "scan.nii.gz").write_bytes(b"the image")
    monkeypatch.setattr(module.os, "access", lambda path, _: path != tmp_path)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.setattr(module.QFileDialog, "getSaveFileName", lambda *_: (str(elsewhere / "mine.tif"), ""))
    save_beside(None, layer, replace(source, path=str(tmp_path / "scan.nii.gz")))
    assert told == (
        [f"The folder {tmp_path} cannot be written to. Choose another one.", "Saved mine.tif in elsewhere"],
        [],
    )


@pytest.mark.parametrize(("kind", "ending"), [("rgb", ".png"), ("ct", ".nii.gz"), ("grey", ".tif"), (None, ".tif")])
def test_the_usual_format_of_each_kind_of_image(kind, ending):
    assert save_ending(kind) == ending
