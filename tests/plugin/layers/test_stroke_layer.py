"""The layer that strokes are painted in."""

import numpy as np
import pytest

from napari_s3net.correction.constraints import BACKGROUND
from napari_s3net.correction.constraints import OBJECT as OBJECT_STROKE
from napari_s3net.plugin.layers.palette import OBJECT, OTHER, hex_colour
from napari_s3net.plugin.layers.proxy import plain
from napari_s3net.plugin.layers.stroke_layer import (
    add_strokes,
    find_strokes,
    is_strokes,
    recolour_strokes,
)

pytestmark = pytest.mark.viewer


def rgb(layer, value):
    return "#" + "".join(f"{round(255 * float(c)):02x}" for c in layer.colormap.map(np.array([value]))[0][:3])


def test_it_lies_on_its_labels_and_is_found_again(marked):
    viewer, labels = marked
    labels.scale, labels.translate = (0.5, 0.5), (3, 4)
    strokes = plain(add_strokes(viewer, labels))
    assert is_strokes(strokes)
    assert not is_strokes(labels)
    assert strokes.data.shape == labels.data.shape
    assert not strokes.data.any()
    np.testing.assert_array_equal(strokes.scale, labels.scale)
    np.testing.assert_array_equal(strokes.translate, labels.translate)
    assert find_strokes(viewer.layers, labels) is strokes


def test_strokes_of_others_or_of_another_shape_are_not_taken(marked):
    viewer, labels = marked
    other = plain(viewer.add_labels(np.zeros((48, 64), np.int32), name="other"))
    add_strokes(viewer, other)
    assert find_strokes(viewer.layers, labels) is None
    plain(add_strokes(viewer, labels)).data = np.zeros((4, 4), np.int32)
    assert find_strokes(viewer.layers, labels) is None


def test_colours_are_those_of_the_labels_and_of_the_sides(marked):
    viewer, labels = marked
    strokes = plain(add_strokes(viewer, labels))
    recolour_strokes(strokes, labels, [1, 2, 3])
    assert rgb(strokes, OBJECT_STROKE) == OBJECT[0]
    assert rgb(strokes, BACKGROUND) == OTHER[0]
    assert rgb(strokes, 1) == hex_colour(1, is_object=True)
    assert rgb(strokes, 2) == hex_colour(2, is_object=False)
    seen = []
    strokes.events.colormap.connect(seen.append)
    recolour_strokes(strokes, labels, [1, 2, 3])
    assert seen == []


def test_they_belong_to_their_labels_whatever_these_are_called(marked):
    viewer, labels = marked
    strokes = plain(add_strokes(viewer, labels))
    name, labels.name = labels.name, "naevus"
    assert find_strokes(viewer.layers, labels) is strokes
    other = plain(viewer.add_labels(np.zeros((48, 64), np.int32), name=name))
    assert find_strokes(viewer.layers, other) is None


def test_labels_of_large_numbers_can_be_drawn_on(marked):
    """Napari refuses a colour of its own for each of them; such strokes are seen all the same."""
    viewer, labels = marked
    labels.data = np.where(labels.data == 1, 70000, labels.data)
    strokes = plain(add_strokes(viewer, labels, [2, 70000]))
    strokes.data[0, 0] = 70000
    strokes.refresh()
    assert strokes.colormap.map(np.array([70000]))[0][3] > 0
