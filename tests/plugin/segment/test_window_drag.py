"""Level and width by dragging."""

from types import SimpleNamespace

import numpy as np
import pytest

from napari_s3net.plugin.layers.placement import KEY
from napari_s3net.plugin.layers.proxy import plain
from napari_s3net.plugin.segment.window_drag import REACH, dragged

pytestmark = pytest.mark.viewer


def drag(viewer, right, down, *, modifiers=("Control",), button=1):
    """What napari calls for a drag in the view."""
    event = SimpleNamespace(type="mouse_press", button=button, modifiers=modifiers, pos=(100, 100))
    going = viewer.mouse_drag_callbacks[-1](viewer, event)
    next(going)
    for share in (0.5, 1):
        event.type, event.pos = "mouse_move", (100 + share * right, 100 + share * down)
        next(going)
    event.type = "mouse_release"
    assert next(going, "over") == "over"


@pytest.fixture
def scan(dock, viewer):
    array = np.random.default_rng(0).integers(-1000, 400, (40, 50)).astype(np.int16)
    layer = viewer.add_image(array, name="scan", contrast_limits=(-100, 300), metadata={KEY: {"kind": "ct"}})
    return plain(layer)


def test_sideways_changes_the_width_and_up_and_down_the_level(dock, viewer, scan):
    drag(viewer, REACH, 0)
    assert tuple(scan.contrast_limits) == (-300, 500)
    drag(viewer, -REACH, 0)
    assert tuple(scan.contrast_limits) == (-100, 300)
    drag(viewer, 0, REACH)
    assert tuple(scan.contrast_limits) == (-300, 100)
    assert dock.window_chooser.slider.value() == (-300, 100)


@pytest.mark.parametrize("how", [{"modifiers": ()}, {"button": 2}])
def test_other_drags_are_napari_s(viewer, scan, how):
    drag(viewer, 50, 50, **how)
    assert tuple(scan.contrast_limits) == (-100, 300)


def test_who_paints_paints(viewer, scan):
    labels = viewer.add_labels(np.zeros((40, 50), np.int32))
    labels.mode = "paint"
    drag(viewer, 50, 50)
    assert tuple(scan.contrast_limits) == (-100, 300)
    labels.mode = "pan_zoom"
    drag(viewer, 50, 50)
    assert tuple(scan.contrast_limits) != (-100, 300)


def test_a_closed_dock_hears_nothing_of_the_mouse(dock, viewer, scan):
    with_dock = len(viewer.mouse_drag_callbacks)
    dock.release()
    assert len(viewer.mouse_drag_callbacks) == with_dock - 1


def test_however_far_is_dragged_black_stays_below_white():
    low, high = dragged((0, 1), -5000, 3000)
    assert low < high
