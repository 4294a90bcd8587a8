from types import SimpleNamespace
from unittest.mock import Mock

import numpy as np
import pytest
from napari.components import ViewerModel

from napari_s3net.plugin.layers import outline as module
from napari_s3net.plugin.layers.outline import Outline, edges


def test_a_pixel_has_four_edges_around_its_middle():
    region = np.zeros((4, 5), bool)
    region[1, 3] = True
    segments = edges(region).reshape(-1, 2, 2)
    ends = {tuple(map(tuple, segment.tolist())) for segment in segments}
    assert ends == {
        ((2.5, 0.5), (3.5, 0.5)),
        ((2.5, 1.5), (3.5, 1.5)),
        ((2.5, 0.5), (2.5, 1.5)),
        ((3.5, 0.5), (3.5, 1.5)),
    }


def test_the_image_s_own_edge_is_outlined_too_and_nothing_within():
    assert len(edges(np.ones((3, 4), bool))) == 2 * 14
    assert edges(np.zeros((3, 4), bool)).shape == (0, 2)


def test_a_viewer_without_a_canvas_has_no_outline_and_says_nothing(caplog):
    viewer = ViewerModel()
    layer = viewer.add_labels(np.ones((4, 5), int))
    outline = Outline(viewer)
    outline.draw(layer, layer.data == 1)
    outline.clear()
    assert [record.levelname for record in caplog.records] == []
    assert list(viewer.layers) == [layer]


def test_a_napari_with_another_canvas_has_no_outline_and_says_so_once(monkeypatch, caplog):
    monkeypatch.setattr(module, "_told", [])
    viewer = ViewerModel()
    layer = viewer.add_labels(np.ones((4, 5), int))
    other = Mock(window=SimpleNamespace(), dims=viewer.dims, spec=["window", "dims"])
    for _ in range(2):
        Outline(other).draw(layer, layer.data == 1)
    assert [record.levelname for record in caplog.records] == ["WARNING"]


@pytest.mark.viewer
def test_it_lies_on_the_border_in_the_window(make_napari_viewer_proxy):
    viewer = make_napari_viewer_proxy(show=True)
    labels = np.zeros((40, 60), int)
    labels[10:30, 15:45] = 1
    layer = viewer.add_labels(labels, scale=(0.5, 0.5), opacity=0.0).__wrapped__
    viewer.reset_view()
    plain = viewer.screenshot(flash=False)
    outline = Outline(viewer)
    boxes = []
    for region in (layer.data == 1, layer.data >= 0):
        outline.draw(layer, region)
        drawn = viewer.screenshot(flash=False)
        assert (drawn == 255).all(axis=2).any()
        place = np.argwhere((drawn != plain).any(axis=2)) - (np.array(plain.shape[:2]) - 1) / 2
        boxes.append((place.min(axis=0), place.max(axis=0)))
    part, whole = np.array(boxes)
    # The region is the middle half of the layer, both ways; the lines are four pixels wide.
    np.testing.assert_allclose(part, whole / 2, atol=3)
    np.testing.assert_allclose(part[0], -part[1], atol=3)
    assert part[1][0] > 60
    outline.clear()
    np.testing.assert_array_equal(viewer.screenshot(flash=False), plain)
