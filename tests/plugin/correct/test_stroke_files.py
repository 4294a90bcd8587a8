"""Strokes to a file and back."""

from dataclasses import replace

import numpy as np
import pytest
from napari.components import ViewerModel
from qtpy.QtWidgets import QWidget

from napari_s3net.correction.constraints import BACKGROUND, OBJECT
from napari_s3net.errors import InvalidConstraintsError, InvalidImageError
from napari_s3net.image import Geometry
from napari_s3net.io import write_labels
from napari_s3net.plugin.correct import stroke_files
from napari_s3net.plugin.correct.label_editor import LabelEditor
from napari_s3net.plugin.layers.placement import KEY
from napari_s3net.plugin.layers.proxy import plain

pytestmark = pytest.mark.viewer


@pytest.fixture
def editor(marked, monkeypatch):
    viewer, layer = marked
    monkeypatch.setattr(stroke_files, "show_info", lambda words: None)
    editor = LabelEditor(viewer)
    editor.choose(layer)
    return editor


@pytest.fixture
def chosen(tmp_path, monkeypatch):
    """The file that the user chooses, and what the dialog offered."""
    known = {"path": str(tmp_path / "strokes.png"), "offered": ""}

    def save(parent, title, name, formats):
        known["offered"], known["formats"] = name, formats
        return known["path"], ""

    monkeypatch.setattr(stroke_files.QFileDialog, "getSaveFileName", save)
    monkeypatch.setattr(stroke_files.QFileDialog, "getOpenFileName", lambda *args: (known["path"], ""))
    return known


@pytest.mark.parametrize("ending", ["png", "nii.gz", "tif"])
def test_every_format_brings_them_back(editor, chosen, qtbot, tmp_path, ending):
    parent = QWidget()
    qtbot.addWidget(parent)
    chosen["path"] = str(tmp_path / f"strokes.{ending}")
    strokes = editor.strokes.make()
    strokes.data[3:6, 4:9], strokes.data[20, 20:30], strokes.data[1, 1] = OBJECT, BACKGROUND, 3
    drawn = strokes.data.copy()
    stroke_files.save_strokes(parent, editor)
    editor.strokes.clear()
    stroke_files.load_strokes(parent, editor)
    np.testing.assert_array_equal(editor.strokes.layer.data, drawn)
    assert chosen["offered"] == "mole – S³-Net – strokes.png"
    assert chosen["formats"].startswith("PNG")


def test_nothing_to_save_is_said(editor, chosen):
    with pytest.raises(InvalidConstraintsError, match="no strokes to save"):
        stroke_files.save_strokes(None, editor)


def test_a_dialog_closed_without_a_file_changes_nothing(editor, chosen, tmp_path):
    chosen["path"] = ""
    editor.strokes.make().data[3, 4] = OBJECT
    stroke_files.save_strokes(None, editor)
    stroke_files.load_strokes(None, editor)
    assert editor.strokes.layer.data[3, 4] == OBJECT
    assert list(tmp_path.iterdir()) == []


def test_strokes_of_another_image_are_refused(editor, chosen, tmp_path):
    from PIL import Image

    Image.fromarray(np.ones((7, 9), np.uint8)).save(chosen["path"])
    with pytest.raises(InvalidImageError, match="9 × 7 pixels"):
        stroke_files.load_strokes(None, editor)


def test_strokes_of_a_volume_count_by_their_place_in_space(chosen, tmp_path, monkeypatch):
    """Those of another scan of the same size are refused; those of some of its slices are put where they lie."""
    monkeypatch.setattr(stroke_files, "show_info", lambda words: None)
    geometry = Geometry((3.0, 0.8, 0.7), (10.0, -5.0, 2.0), tuple(map(tuple, np.eye(3).tolist())))
    viewer = ViewerModel()
    placed = {"scale": geometry.spacing, "metadata": {KEY: {"geometry": geometry}}}
    viewer.add_image(np.zeros((5, 6, 7), np.float32), name="scan", **placed)
    layer = viewer.add_labels(np.ones((5, 6, 7), np.int32), name="mine", **placed)
    editor = LabelEditor(viewer)
    editor.choose(plain(layer))
    drawn = np.zeros((5, 6, 7), np.int32)
    drawn[2, 3, 1:4] = OBJECT
    chosen["path"] = str(tmp_path / "strokes.nii.gz")
    write_labels(chosen["path"], drawn[1:4], replace(geometry, origin=(13.0, -5.0, 2.0)))
    stroke_files.load_strokes(None, editor)
    np.testing.assert_array_equal(editor.strokes.layer.data, drawn)
    write_labels(chosen["path"], drawn, replace(geometry, origin=(20.0, -5.0, 2.0)))
    with pytest.raises(InvalidImageError, match=r"strokes\.nii\.gz does not fit .* by up to 10 mm"):
        stroke_files.load_strokes(None, editor)


def test_strokes_of_a_time_series_count_by_their_place_too(chosen, tmp_path):
    geometry = Geometry((3.0, 0.8, 0.7), (10.0, -5.0, 2.0), tuple(map(tuple, np.eye(3).tolist())))
    viewer = ViewerModel()
    placed = {"scale": (1.0, *geometry.spacing), "metadata": {KEY: {"geometry": geometry}}}
    viewer.add_image(np.zeros((2, 5, 6, 7), np.float32), name="heart", **placed)
    layer = viewer.add_labels(np.ones((2, 5, 6, 7), np.int32), name="mine", **placed)
    editor = LabelEditor(viewer)
    editor.choose(plain(layer))
    drawn = np.zeros((2, 5, 6, 7), np.int32)
    drawn[1, 2, 3, 1:4] = OBJECT
    chosen["path"] = str(tmp_path / "strokes.nii.gz")
    write_labels(chosen["path"], drawn[:, 1:4], replace(geometry, origin=(13.0, -5.0, 2.0)))
    stroke_files.load_strokes(None, editor)
    np.testing.assert_array_equal(editor.strokes.layer.data, drawn)
    write_labels(chosen["path"], drawn, replace(geometry, origin=(20.0, -5.0, 2.0)))
    with pytest.raises(InvalidImageError, match="by up to 10 mm"):
        stroke_files.load_strokes(None, editor)
