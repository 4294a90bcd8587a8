"""Tools that ask for clicks."""

from types import SimpleNamespace

import numpy as np
import pytest

from napari_s3net.plugin.widgets.clicks import Clicks, point_in

pytestmark = pytest.mark.viewer
PLANE = (slice(None), slice(None))


def click(layer, *position):
    for callback in list(layer.mouse_drag_callbacks):
        callback(layer, SimpleNamespace(position=position))


def test_a_click_is_told_in_pixels(marked):
    _, layer = marked
    assert point_in(layer, (3.4, 10.6), PLANE) == (3, 11)
    layer.scale = (0.5, 2.0)
    assert point_in(layer, (3.0, 10.0), PLANE) == (6, 5)
    assert point_in(layer, (-3.0, 10.0), PLANE) is None
    assert point_in(layer, (3.0, 1000.0), PLANE) is None


def test_as_many_clicks_as_were_asked_for(marked):
    viewer, layer = marked
    clicks, heard = Clicks(viewer), []
    layer.mode = "paint"
    clicks.ask(layer, PLANE, 2, heard.append)
    assert viewer.layers.selection.active is layer
    assert str(layer.mode) == "pan_zoom"
    click(layer, 1, 2)
    click(layer, -9, 2)
    assert heard == []
    click(layer, 3, 4)
    assert heard == [[(1, 2), (3, 4)]]
    click(layer, 5, 6)
    assert len(heard) == 1


def test_a_new_question_drops_the_old_one(marked):
    viewer, layer = marked
    clicks, first, second = Clicks(viewer), [], []
    before = list(layer.mouse_drag_callbacks)
    clicks.ask(layer, PLANE, 1, first.append)
    clicks.ask(layer, PLANE, 1, second.append)
    click(layer, 1, 2)
    assert (first, second) == ([], [[(1, 2)]])
    clicks.ask(layer, PLANE, 1, first.append)
    clicks.drop()
    clicks.drop()
    assert layer.mouse_drag_callbacks == before
    np.testing.assert_equal(first, [])
