"""What a network that is learning says is shown in the plane in view, and takes the selection from nobody."""

import numpy as np
import pytest

from napari_s3net.plugin.correct.chosen_labels import ChosenLabels
from napari_s3net.plugin.layers.placement import KEY
from napari_s3net.plugin.layers.proxy import plain
from napari_s3net.plugin.layers.stroke_layer import HELPER
from napari_s3net.plugin.learn.preview import NAME, Preview

pytestmark = pytest.mark.viewer


def test_it_lies_in_the_slice_in_view_and_what_is_selected_stays_so(make_napari_viewer_proxy):
    viewer = make_napari_viewer_proxy()
    stack = np.random.default_rng(0).normal(size=(4, 20, 24)).astype(np.float32)
    layer = viewer.add_image(stack, scale=(5, 1, 1), translate=(-10, 0, 0))
    viewer.dims.set_point(0, -10 + 2 * 5)
    preview = Preview(viewer)
    plane = preview.choose("", {1: "red"})
    np.testing.assert_array_equal(plane.array, stack[2])
    for corner in (5, 10):
        labels = np.zeros((20, 24), np.int32)
        labels[:corner] = 1
        preview.show(labels)
        shown = viewer.layers[NAME]
        np.testing.assert_array_equal(shown.data[2], labels)
        assert not shown.data[[0, 1, 3]].any()
        np.testing.assert_array_equal(shown.scale, layer.scale)
        np.testing.assert_array_equal(shown.translate, layer.translate)
        assert plain(viewer.layers.selection.active) is plain(layer)
    preview.drop()
    assert [plain(one) for one in viewer.layers] == [plain(layer)]
    assert plain(viewer.layers.selection.active) is plain(layer)


def test_without_an_image_there_is_none(make_napari_viewer_proxy):
    viewer = make_napari_viewer_proxy()
    preview = Preview(viewer)
    assert preview.choose("", {}) is None
    preview.show(np.zeros((20, 24), np.int32))
    assert not viewer.layers


@pytest.mark.parametrize("removed", [NAME, "photo"])
def test_once_it_or_its_image_was_removed_it_does_not_come_back(make_napari_viewer_proxy, removed):
    viewer = make_napari_viewer_proxy()
    viewer.add_image(np.random.default_rng(0).normal(size=(20, 24)), name="photo")
    preview = Preview(viewer)
    preview.choose("", {1: "red"})
    for _ in range(3):
        preview.show(np.ones((20, 24), np.int32))
        assert NAME in viewer.layers or removed not in viewer.layers
        if removed in viewer.layers:
            viewer.layers.remove(removed)
    assert NAME not in viewer.layers


def test_it_is_nothing_to_correct_and_a_map_of_what_is_uncertain_no_image(make_napari_viewer_proxy):
    viewer = make_napari_viewer_proxy()
    photo = plain(viewer.add_image(np.random.default_rng(0).normal(size=(20, 24)), name="photo"))
    painted = plain(viewer.add_labels(np.ones((20, 24), int)))
    preview = Preview(viewer)
    preview.choose("", {1: "red"})
    preview.show(np.ones((20, 24), np.int32))
    assert NAME in viewer.layers
    assert ChosenLabels(viewer).candidates() == [painted]
    viewer.layers.selection.active = viewer.add_image(np.ones((20, 24)), metadata={KEY: {HELPER: "uncertainty"}})
    assert preview.images() == [photo]
    assert preview.image_in_view() is photo
