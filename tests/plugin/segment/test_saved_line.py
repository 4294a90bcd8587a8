"""Whether a result has changed since it was saved."""

import numpy as np
import pytest
from napari.layers import Labels
from qtpy.QtCore import QObject

from napari_s3net.plugin.layers.placement import KEY
from napari_s3net.plugin.layers.renewal import beginning_anew
from napari_s3net.plugin.layers.target import previewed
from napari_s3net.plugin.segment.saved_line import CHANGED, SavedLine, files_of, note_saved
from napari_s3net.plugin.widgets.parts import one_line

pytestmark = pytest.mark.viewer


@pytest.fixture
def layer():
    about = {"foreground": [1], "names": {1: "Lesion", 2: "Skin", 3: "Hair"}}
    return Labels(np.array([[1, 1, 2], [2, 2, 3]]), metadata={KEY: about})


class Shown:
    """A line, and what it says of the layer now."""

    def __init__(self, qtbot):
        self.label, self.owner, self.qtbot = one_line(), QObject(), qtbot
        qtbot.addWidget(self.label)
        self.line = SavedLine(self.label, self.owner)

    def says(self, layer, plane=None):
        self.line.look(layer, plane)
        return self.now()

    def now(self):
        self.qtbot.waitUntil(lambda: self.line._running is None, timeout=5000)
        assert self.label.isHidden() is (not self.label.text())
        return self.label.text()


@pytest.fixture
def shown(qtbot):
    return Shown(qtbot)


def change(layer, **about):
    layer.metadata = {**layer.metadata, KEY: {**layer.metadata[KEY], **about}}


def test_before_it_is_saved_nothing_is_said(shown, layer):
    assert shown.says(layer) == ""
    assert files_of(layer) == frozenset()
    assert shown.says(None) == ""


def test_a_change_is_said_until_it_is_saved_or_undone(shown, layer, tmp_path):
    assert shown.says(layer) == ""
    note_saved(layer, tmp_path / "mole_mask.png", "mask")
    assert shown.now() == "Saved as mole_mask.png."
    before = layer.data.copy()
    layer.data[0, 2] = 1
    assert shown.says(layer) == CHANGED == "Changed since it was saved."
    assert "mole_mask.png" in shown.label.toolTip()
    layer.data = before
    assert shown.says(layer) == "Saved as mole_mask.png."
    layer.data[0, 2] = 1
    assert shown.says(layer) == CHANGED
    note_saved(layer, tmp_path / "mole_labels.png", "labels")
    assert shown.now() == "Saved as mole_labels.png."
    assert files_of(layer) == {tmp_path / "mole_mask.png", tmp_path / "mole_labels.png"}


@pytest.mark.parametrize(
    ("changed", "mask", "labels"),
    [
        (lambda layer: change(layer, foreground=[1, 3]), CHANGED, CHANGED),
        (lambda layer: change(layer, names={1: "Lesion", 2: "Skin", 3: "Ruler"}), "Saved as a.png.", CHANGED),
        (lambda layer: change(layer, colours={2: "#010203"}), "Saved as a.png.", CHANGED),
        (lambda layer: layer.data.__setitem__((1, 2), 2), "Saved as a.png.", CHANGED),
        (lambda layer: layer.data.__setitem__((0, 0), 2), CHANGED, CHANGED),
        (lambda layer: change(layer, note="another"), "Saved as a.png.", "Saved as a.png."),
    ],
    ids=["another object", "a name", "a colour", "the background's clusters", "the object", "what no file holds"],
)
def test_what_counts_is_what_the_file_holds(shown, layer, tmp_path, changed, mask, labels):
    for what, expected in (("mask", mask), ("labels", labels)):
        one = Labels(layer.data.copy(), metadata=layer.metadata)
        note_saved(one, tmp_path / "a.png", what)
        changed(one)
        assert shown.says(one) == expected


def test_another_layer_and_another_image_have_nothing_saved(shown, layer, tmp_path):
    from napari.components import ViewerModel

    note_saved(layer, tmp_path / "a.png", "mask")
    assert shown.says(layer) == "Saved as a.png."
    other = Labels(np.ones((2, 2), int), metadata=layer.metadata)
    assert shown.says(other) == ""
    note_saved(layer, tmp_path / "b.png", "mask")
    assert shown.now() == "", "it is not shown here"
    assert shown.says(layer) == "Saved as b.png."
    viewer = ViewerModel()
    viewer.add_layer(layer)
    with beginning_anew(viewer, layer):
        layer.data = np.full((2, 3), 2)
    assert shown.says(layer) == ""


def test_a_preview_and_a_step_to_another_plane_are_no_change(shown, layer, tmp_path):
    note_saved(layer, tmp_path / "a.png", "mask")
    assert shown.says(layer, plane=1) == "Saved as a.png."
    layer.data[0, 2] = 1
    assert shown.says(layer, plane=2) == "Saved as a.png.", "nothing is compared"
    previewed.add(layer)
    assert shown.says(layer, plane=2) == "Saved as a.png."
    previewed.discard(layer)
    assert shown.says(layer, plane=2) == CHANGED


def test_what_is_asked_during_a_comparison_is_compared_after_it(shown, layer, tmp_path):
    note_saved(layer, tmp_path / "a.png", "mask")
    shown.line.look(layer)
    layer.data[0, 2] = 1
    assert shown.says(layer) == CHANGED
