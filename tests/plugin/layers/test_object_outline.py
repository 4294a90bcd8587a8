"""The object's outline follows what happens to its result."""

import numpy as np
import pytest
from napari.components import ViewerModel

from napari_s3net.plugin.layers import object_outline as module
from napari_s3net.plugin.layers.object_outline import outline_object
from napari_s3net.plugin.layers.placement import KEY
from napari_s3net.settings import Settings

pytestmark = pytest.mark.viewer


@pytest.fixture
def drawn(monkeypatch):
    """Pixels of each outline that was drawn."""
    sizes = []
    monkeypatch.setattr(module.Outline, "draw", lambda self, layer, region: sizes.append(int(region.sum())))
    return sizes


@pytest.fixture
def viewer():
    """Layers and sliders that say they have a window."""

    class WithWindow(ViewerModel):
        window: object = True

    return WithWindow()


def add(viewer, labels, foreground):
    about = {"settings": Settings().to_dict(), "foreground": foreground, "names": {1: "A", 2: "B"}, "source": "a"}
    return viewer.add_labels(labels, metadata={KEY: about})


def test_it_follows_brush_undo_ticks_and_slices(viewer, drawn, qtbot):
    labels = np.zeros((3, 20, 30), int)
    labels[0, :4, :5], labels[1, :2, :2] = 1, 2
    layer = add(viewer, labels, [1])
    outline_object(viewer, layer)
    outline_object(viewer, layer)
    viewer.dims.set_current_step(0, 0)
    qtbot.waitUntil(lambda: drawn[-1:] == [20], timeout=2000)
    layer.data_setitem((np.array([0]), np.array([10]), np.array([10])), 1)
    qtbot.waitUntil(lambda: drawn[-1] == 21, timeout=2000)
    layer.undo()
    qtbot.waitUntil(lambda: drawn[-1] == 20, timeout=2000)
    viewer.dims.set_current_step(0, 1)
    qtbot.waitUntil(lambda: drawn[-1] == 0, timeout=2000)
    layer.metadata = {KEY: {**layer.metadata[KEY], "foreground": [1, 2]}}
    layer.events.colormap()
    qtbot.waitUntil(lambda: drawn[-1] == 4, timeout=2000)


@pytest.mark.parametrize("turn", [{"ndisplay": 3}, {"order": (1, 0, 2)}])
def test_in_another_view_nothing_stays_of_it_until_it_is_drawn_anew(viewer, drawn, qtbot, monkeypatch, turn):
    layer = add(viewer, np.ones((3, 20, 30), int), [1])
    outline_object(viewer, layer)
    qtbot.waitUntil(lambda: drawn == [600], timeout=2000)
    cleared = []
    monkeypatch.setattr(module.Outline, "clear", lambda self: cleared.append(len(drawn)))
    for name, value in turn.items():
        setattr(viewer.dims, name, value)
    assert cleared[0] == 1, "at once"
    qtbot.waitUntil(lambda: len(drawn) > 1, timeout=2000)


def test_a_removed_result_is_outlined_no_more(viewer, drawn, qtbot):
    layer = add(viewer, np.ones((20, 30), int), [1])
    outline_object(viewer, layer)
    qtbot.waitUntil(lambda: drawn == [600], timeout=2000)
    viewer.layers.remove(layer)
    viewer.add_image(np.zeros((4, 20, 30)))
    viewer.dims.set_current_step(0, 2)
    qtbot.wait(3 * module.DRAW_MS)
    assert drawn == [600]


def test_a_viewer_without_a_window_has_none(drawn, qtbot):
    viewer = ViewerModel()
    outline_object(viewer, add(viewer, np.ones((20, 30), int), [1]))
    qtbot.wait(3 * module.DRAW_MS)
    assert drawn == []
