"""What of a folder is corrected."""

import shutil

import numpy as np
import pytest

from napari_s3net.errors import S3NetError
from napari_s3net.io import write_png
from napari_s3net.learning.label_scan import scan_labels
from tests.io.test_on_image import save_noted
from tests.learning.conftest import scene, write_partly_labelled


@pytest.fixture
def folder(tmp_path):
    return write_partly_labelled(tmp_path, 3)


def test_what_is_labelled_is_counted(folder):
    found = scan_labels(folder / "images", folder / "labels")
    assert (len(found.pairs), found.whole, found.partly) == (3, 1, 1)
    assert [path.stem for path in found.corrected] == ["a0", "a1"]
    (folder / "none").mkdir()
    assert scan_labels(folder / "images", folder / "none").corrected == ()
    with pytest.raises(S3NetError):
        scan_labels(folder / "nowhere", None)


def test_labels_that_cannot_be_read_are_told_with_what_to_do(folder):
    damaged = folder / "labels" / "a1.png"
    damaged.write_bytes(damaged.read_bytes()[:40])
    with pytest.raises(S3NetError, match=r"a1\.png.* Mend a1\.png, or move it out of .*labels, and Train can begin\."):
        scan_labels(folder / "images", folder / "labels")
    damaged.rename(folder / "a1.png")
    assert scan_labels(folder / "images", folder / "labels").whole == 1


def test_labels_that_are_called_like_no_image_are_told(folder):
    (folder / "none").mkdir()
    assert scan_labels(folder / "images", folder / "none").note == ""
    (folder / "none" / "model.safetensors").write_bytes(b"x")
    assert scan_labels(folder / "images", folder / "none").note == ""
    shutil.copy(folder / "labels" / "a0.png", folder / "none" / "another.png")
    found = scan_labels(folder / "images", folder / "none")
    assert found.corrected == ()
    assert "expected files that are called like the images" in found.note
    assert scan_labels(folder / "images", folder / "labels").note == ""
    assert "There is no folder" in scan_labels(folder / "images", folder / "yet").note


def test_what_is_not_certain_of_labels_is_told_before_they_are_learned_from(folder):
    labels = scene(0)[1].astype(np.uint8)
    save_noted(folder / "images" / "a0.png", labels, 3)
    assert not scan_labels(folder / "images", folder / "labels").remarks, "they were written here"
    save_noted(folder / "labels" / "a0.png", labels, 1)
    (remark,) = scan_labels(folder / "images", folder / "labels").remarks
    assert remark.startswith("a0.png: their image's file has a note to be turned by 180°")
    (folder / "images" / "a0.png").write_bytes(b"x")  # learning tells what is amiss with an image
    assert not scan_labels(folder / "images", folder / "labels").remarks


def test_labels_that_are_written_anew_are_looked_at_again(folder):
    assert scan_labels(folder / "images", folder / "labels").values == (1, 2)
    save_noted(folder / "labels" / "a0.png", np.full((40, 48), 5, np.uint8), 1)
    assert scan_labels(folder / "images", folder / "labels").values == (1, 2, 5)


def test_a_model_that_cannot_be_used_is_told(folder):
    model = folder / "labels" / "model.safetensors"
    found = scan_labels(folder / "images", folder / "labels", model)
    assert (found.is_learned, found.model_fault) == (False, "")
    model.write_bytes(b"x")
    found = scan_labels(folder / "images", folder / "labels", model)
    assert not found.is_learned
    assert str(model) in found.model_fault
    assert found.whole == 1


def test_a_mask_with_soft_edges_is_told_before_anything_is_learned(tmp_path):
    image = np.random.default_rng(0).integers(0, 255, (40, 48), np.uint8)
    write_png(tmp_path / "images" / "a.png", image)
    soft = np.zeros((40, 48), np.uint8)
    soft[10:20, 10:20], soft[20, 10:20] = 255, 140
    write_png(tmp_path / "labels" / "a.png", soft)
    with pytest.raises(S3NetError, match=r"^a\.png: .*soft edges.*Mend a\.png"):
        scan_labels(tmp_path / "images", tmp_path / "labels")
    soft[20] = 0
    write_png(tmp_path / "labels" / "a.png", soft)
    found = scan_labels(tmp_path / "images", tmp_path / "labels")
    assert (found.whole, found.values) == (1, (1,))
    write_png(tmp_path / "labels" / "a.png", np.full_like(soft, 255))
    found = scan_labels(tmp_path / "images", tmp_path / "labels")
    assert (found.whole, found.partly, found.values) == (1, 0, (1,)), "all of it is object"
