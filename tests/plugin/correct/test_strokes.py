"""What is drawn on labels, without a widget."""

import numpy as np
import pytest

from napari_s3net.correction.constraints import BACKGROUND, OBJECT
from napari_s3net.errors import InvalidImageError

pytestmark = pytest.mark.viewer


def test_strokes_are_counted_by_what_they_say(editor):
    assert editor.strokes.constraints() is None
    assert editor.strokes.count() == (0, 0, 0)
    strokes = editor.strokes.make()
    assert editor.strokes.make() is strokes
    strokes.data[2:4, 2:4], strokes.data[2:4, 20:24], strokes.data[30, 30:40] = OBJECT, OBJECT, BACKGROUND
    strokes.data[40, 5], strokes.data[41, 6], strokes.data[40, 20] = 2, 2, 3
    assert editor.strokes.count() == (2, 1, 2)
    assert editor.strokes.constraints().dtype == np.int32
    editor.strokes.clear()
    assert editor.strokes.constraints() is None
    strokes.undo()
    assert editor.strokes.count() == (2, 1, 2)


def test_strokes_from_elsewhere_have_to_fit(editor):
    drawn = np.zeros((48, 64), np.uint16)
    drawn[4, 5] = OBJECT
    editor.strokes.put(drawn)
    assert editor.strokes.constraints()[4, 5] == OBJECT
    with pytest.raises(InvalidImageError, match=r"\(3, 3\)"):
        editor.strokes.put(np.zeros((3, 3), int))


def test_the_brush_fits_a_place_until_other_labels_are_chosen(editor, marked):
    layer, strokes = editor.layer, editor.strokes.make()
    usual = strokes.brush_size
    editor.strokes.fit_brush(1)
    assert strokes.brush_size == 3, "no smaller than can be seen"
    editor.strokes.fit_brush(40)
    assert strokes.brush_size == 20
    marked[0].layers.remove(strokes)
    assert editor.strokes.make().brush_size == 20
    marked[0].layers.remove(editor.strokes.layer)
    editor.choose(None)
    editor.choose(layer)
    assert editor.strokes.make().brush_size == usual
