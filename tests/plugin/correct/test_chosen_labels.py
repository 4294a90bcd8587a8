"""Which labels are corrected, on which image, without a widget."""

import dask.array as da
import numpy as np
import pytest
from napari.components import ViewerModel

from napari_s3net.errors import InvalidImageError
from napari_s3net.plugin.correct.label_editor import LabelEditor
from napari_s3net.plugin.correct.tools import Plane
from napari_s3net.plugin.layers.proxy import plain

pytestmark = pytest.mark.viewer


def test_only_labels_on_an_image_of_their_size_are_offered(marked):
    viewer, layer = marked
    viewer.add_labels(np.zeros((5, 5), int), name="elsewhere")
    editor = LabelEditor(viewer)
    editor.choose(layer)
    editor.strokes.make()
    assert editor.candidates() == [layer]
    viewer.layers.remove("mole")
    assert editor.candidates() == []
    assert not editor.is_there
    with pytest.raises(InvalidImageError, match="no labels on an image"):
        editor.strokes.constraints()


def test_areas_are_in_mm_where_the_image_is(editor, marked):
    assert editor.pixel_size() == (1.0, "px")
    image = marked[0].layers["mole"]
    image.units, image.scale = ("mm", "mm"), (0.5, 0.2)
    assert editor.pixel_size() == (pytest.approx(0.1), "mm²")


@pytest.mark.parametrize(("make", "reason"), [(da.from_array, "dask"), (np.asarray, "read-only")])
def test_labels_that_cannot_be_written_say_why_when_they_are_chosen(photograph, make, reason):
    viewer = ViewerModel()
    viewer.add_image(photograph, name="mole")
    labels = make(np.ones((48, 64), np.uint8))
    if reason == "read-only":
        labels.flags.writeable = False
    layer = plain(viewer.add_labels(labels, name="mine"))
    editor = LabelEditor(viewer)
    assert editor.candidates() == [layer]
    editor.choose(layer)
    assert not editor.is_there
    assert editor.problem.startswith("mine cannot be corrected")
    assert reason in editor.problem
    with pytest.raises(InvalidImageError, match=reason):
        editor.write(Plane(np.ones((48, 64), np.uint8), (1,), {}))
