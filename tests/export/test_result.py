import json

import numpy as np
import pytest

from napari_s3net.errors import WriteError
from napari_s3net.export.result import label_suffix, write_result
from napari_s3net.image import Geometry, Image, as_image
from napari_s3net.io import read_image
from napari_s3net.phantom import disc
from napari_s3net.provenance import Provenance
from napari_s3net.result import Segmentation
from napari_s3net.runtime import child_pool
from napari_s3net.segments import Meaning
from napari_s3net.settings import Settings

PHOTO = disc(kind="rgb")


@pytest.fixture(scope="module", autouse=True)
def close_children():
    yield
    child_pool.close_all()


def result_of(mask, geometry=None, **more):
    labels = np.where(mask, 1, 2).astype(np.int32)
    geometry = geometry or Geometry.identity(mask.ndim)
    made = Provenance(settings=Settings(seed=7), iterations=1, losses=({"cluster": 2.0},), **more)
    names, meanings = {1: "Spot", 2: "Rest"}, {1: Meaning("Spot"), 2: Meaning("Rest")}
    return Segmentation(labels, (1,), geometry, made, names, meanings)


def ct(shape):
    array = np.random.default_rng(0).integers(-1000, 500, shape).astype(np.int16)
    n = len(shape)
    geometry = Geometry((2.0, 0.5, 0.75)[-n:], (5.0, 6.0, 7.0)[-n:], Geometry.identity(n).direction)
    return Image(array, geometry, "ct", "scan")


def test_photograph_becomes_png_with_a_mask_of_0_and_255(tmp_path):
    paths = write_result(tmp_path, "a", PHOTO.image, result_of(PHOTO.mask), overlay=True)
    assert [p.name for p in paths] == ["a_labels.png", "a_mask.png", "a_overlay.png", "a.json"]
    assert np.array_equal(read_image(tmp_path / "a_mask.png").array, PHOTO.mask * np.uint8(255))
    assert set(np.unique(read_image(tmp_path / "a_labels.png").array)) == {1, 2}
    assert read_image(tmp_path / "a_overlay.png").array.shape == (96, 128, 3)


def test_the_json_tells_how_it_was_made(tmp_path):
    write_result(tmp_path, "a", PHOTO.image, result_of(PHOTO.mask, source="a.jpg", preset="skin"))
    note = json.loads((tmp_path / "a.json").read_text(encoding="utf-8"))
    assert Settings.from_dict(note["settings"]) == Settings(seed=7)
    assert note["foreground"] == [1]
    assert note["losses"] == [{"cluster": 2.0}]
    assert note["names"] == {"1": "Spot", "2": "Rest"}
    assert (note["source"], note["preset"]) == ("a.jpg", "skin")
    assert note["clusters"][0]["pixels"] == PHOTO.mask.sum()
    assert {"version", "device", "seconds", "stopped", "confidence", "image"} <= note.keys()


@pytest.mark.parametrize("shape", [(20, 30), (3, 20, 30)])
def test_ct_becomes_nifti_with_its_geometry(tmp_path, shape):
    image = ct(shape)
    mask = image.array > 0
    write_result(tmp_path, "scan", image, result_of(mask, image.geometry))
    again = read_image(tmp_path / "scan_mask.nii.gz")
    assert np.array_equal(again.array, mask.astype(np.uint8))
    assert again.geometry.spacing == pytest.approx(image.geometry.spacing)
    assert again.geometry.origin == pytest.approx(image.geometry.origin)


def test_what_lies_in_space_is_nifti_and_a_plain_photograph_png():
    grey = as_image(np.zeros((9, 9)), kind="grey")
    assert label_suffix(PHOTO.image) == label_suffix(grey) == ".png"
    assert label_suffix(ct((9, 9))) == label_suffix(as_image(np.zeros((2, 9, 9)), kind="grey")) == ".nii.gz"
    assert label_suffix(Image(grey.array, ct((9, 9)).geometry, "grey")) == ".nii.gz"


def test_an_earlier_result_is_replaced(tmp_path):
    write_result(tmp_path, "a", PHOTO.image, result_of(PHOTO.mask))
    write_result(tmp_path, "a", PHOTO.image, result_of(~PHOTO.mask))
    assert np.array_equal(read_image(tmp_path / "a_mask.png").array, ~PHOTO.mask * np.uint8(255))


@pytest.mark.parametrize("name", ["a_mask.png", "a_labels.png", "a.json"])
@pytest.mark.parametrize("text", ["drawn by hand", '{"program": "another"}', "[]"])
def test_what_others_made_is_never_replaced(tmp_path, name, text):
    (tmp_path / name).write_text(text, encoding="utf-8")
    with pytest.raises(WriteError, match="no earlier result"):
        write_result(tmp_path, "a", PHOTO.image, result_of(PHOTO.mask))
    assert [(p.name, p.read_text(encoding="utf-8")) for p in tmp_path.iterdir()] == [(name, text)]


def test_a_json_stands_only_beside_a_whole_result(tmp_path, monkeypatch):
    write_result(tmp_path, "a", PHOTO.image, result_of(PHOTO.mask))
    monkeypatch.setattr("napari_s3net.io.write_labels", lambda *a, **k: (_ for _ in ()).throw(WriteError("disk full")))
    with pytest.raises(WriteError, match="disk full"):
        write_result(tmp_path, "a", PHOTO.image, result_of(PHOTO.mask))
    assert not (tmp_path / "a.json").exists()


def test_what_could_not_be_finished_is_not_in_the_way_of_the_next_run(tmp_path, monkeypatch):
    """Labels without their JSON would be taken for somebody else's."""
    monkeypatch.setattr("napari_s3net.io.write_json", lambda *a, **k: (_ for _ in ()).throw(WriteError("disk full")))
    with pytest.raises(WriteError, match="disk full"):
        write_result(tmp_path, "a", PHOTO.image, result_of(PHOTO.mask))
    monkeypatch.undo()
    assert not any(tmp_path.iterdir())
    assert write_result(tmp_path, "a", PHOTO.image, result_of(PHOTO.mask))
