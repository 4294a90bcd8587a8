"""The outline of the cluster under the mouse, without a canvas."""

import numpy as np
import pytest
from napari.components import ViewerModel
from qtpy.QtCore import QObject

from napari_s3net.plugin.segment import hovered_cluster as module
from napari_s3net.plugin.segment.hovered_cluster import HoveredCluster

pytestmark = pytest.mark.viewer

LABELS = np.array([[1, 1, 2], [1, 2, 2]])


@pytest.fixture
def outlined(monkeypatch):
    """What is outlined, one entry a drawing: pixels, or None for nothing."""
    drawn = []
    monkeypatch.setattr(module.Outline, "draw", lambda self, layer, region: drawn.append(int(region.sum())))
    monkeypatch.setattr(module.Outline, "clear", lambda self: drawn.append(None))
    return drawn


@pytest.fixture
def hovered(outlined):
    viewer, owner = ViewerModel(), QObject()
    hovered = HoveredCluster(viewer, lambda label: ("layer", label == LABELS) if label < 5 else None, owner)
    hovered.owner, hovered.viewer = owner, viewer
    return hovered


def test_crossing_the_table_does_not_flicker(hovered, outlined, qtbot):
    for label in (1, 2, 1, 2, None):
        hovered.hover(label)
    qtbot.wait(3 * module.HOVER_MS)
    assert outlined == [None]


def test_where_the_mouse_rests_is_outlined_as_it_is_now(hovered, outlined, qtbot):
    hovered.hover(1)
    qtbot.waitUntil(lambda: outlined == [3], timeout=1000)
    hovered.draw()
    assert outlined == [3, 3]
    hovered.hover(9)
    qtbot.waitUntil(lambda: outlined[-1] is None, timeout=1000)


def test_whoever_leaves_is_outlined_no_more(hovered, outlined, qtbot):
    hovered.hover(1)
    hovered.leave()
    qtbot.wait(3 * module.HOVER_MS)
    assert outlined == [None]
