"""The label layer of a result: found, written, coloured."""

import dask.array as da
import numpy as np
import pytest
from napari.components import ViewerModel
from napari.layers import Labels

from napari_s3net.plugin.layers.mask_layer import add_mask
from napari_s3net.plugin.layers.palette import CLEAR
from napari_s3net.plugin.layers.placement import KEY
from napari_s3net.plugin.layers.plane_key import PlaneKey
from napari_s3net.plugin.layers.proxy import plain
from napari_s3net.plugin.layers.result_layer import (
    find_result,
    fits_source,
    follow_name,
    metadata_of,
    recolour,
    result_layer,
    why_not_writable,
)
from napari_s3net.plugin.layers.shown import Shown, choose_shown
from napari_s3net.plugin.layers.source import source_of
from napari_s3net.plugin.layers.written_labels import write_planes_undoable, write_undoable
from napari_s3net.settings import Settings

pytestmark = pytest.mark.viewer


def add_result(viewer, image):
    labels = np.full((48, 64), 2, np.int32)
    labels[:5, :5] = 1
    layer = result_layer(labels, image, f"{image.name} – S³-Net")
    known = {"source": image.name, "settings": Settings().to_dict(), "foreground": [1], "names": {1: "Lesion", 2: ""}}
    layer.metadata = {KEY: known}
    recolour(layer)
    viewer.add_layer(layer)
    return layer


@pytest.fixture
def viewer(photograph):
    viewer = ViewerModel()
    viewer.add_image(photograph, name="mole", scale=(0.5, 0.5), units=("mm", "mm"), translate=(3, 4))
    return viewer


@pytest.fixture
def layer(viewer):
    return add_result(viewer, viewer.layers["mole"])


def find(viewer, image):
    return find_result(viewer.layers, image, source_of(image, viewer.dims.point, (0, 1)))


def test_a_result_is_found_by_its_image_and_its_shape(viewer, layer):
    image = viewer.layers["mole"]
    assert find(viewer, image) is layer
    add_mask(viewer, layer)
    viewer.add_labels(np.zeros((48, 64), int))
    assert find(viewer, image) is layer
    layer.data = np.zeros((10, 10), np.int32)
    assert find(viewer, image) is None


def test_a_result_belongs_to_one_image_whatever_the_images_are_called(viewer, layer, photograph):
    first = viewer.layers["mole"]
    first.name = "naevus"
    follow_name(viewer.layers, first)
    assert metadata_of(layer)["source"] == "naevus"
    second = plain(viewer.add_image(photograph, name="mole"))
    assert find(viewer, first) is layer
    assert find(viewer, second) is None
    viewer.layers.remove(first)
    third = plain(viewer.add_image(photograph[::-1], name="naevus"))
    assert find(viewer, third) is None, "another photograph of that name never shows the old result"


def test_a_duplicate_is_known_by_its_metadata(viewer, layer):
    data, attributes, _ = layer.as_layer_data_tuple()
    copy = Labels(data.copy(), **attributes)
    viewer.add_layer(copy)
    assert find(viewer, viewer.layers["mole"]) is copy


def read_only(labels):
    labels.flags.writeable = False
    return Labels(labels)


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (Labels, ""),
        (lambda labels: Labels(da.from_array(labels)), "dask"),
        (lambda labels: Labels([labels, labels[::2, ::2]], multiscale=True), "multiscale"),
        (read_only, "read-only"),
    ],
)
def test_labels_that_cannot_be_written_are_told(viewer, make, reason):
    labels = make(np.zeros((48, 64), np.int32))
    said = why_not_writable(labels)
    assert reason in said
    assert bool(said) == bool(reason)
    source = source_of(viewer.layers["mole"], viewer.dims.point, (0, 1))
    assert fits_source(labels, source) == (not reason)


@pytest.mark.parametrize("index", [(1, slice(None), slice(None)), (slice(None), 2, slice(None))])
def test_a_plane_is_written_as_one_step(index):
    stack = Labels(np.zeros((3, 4, 5), np.int32))
    write_undoable(stack, index, np.full(stack.data[index].shape, 7))
    assert (stack.data[index] == 7).all()
    assert stack.data.sum() == 7 * stack.data[index].size
    stack.undo()
    assert not stack.data.any()


def test_at_first_the_object_is_shown_alone(layer):
    layer.metadata = {KEY: {**layer.metadata[KEY], "names": {1: "Lesion", 2: "Skin", 5: ""}}}
    recolour(layer)
    assert layer.colormap.color_dict[5][3] > 0, "what was painted by hand is seen"
    assert 0 < layer.colormap.color_dict[1][3] < 0.6
    assert tuple(layer.colormap.color_dict[2]) == CLEAR
    choose_shown(layer, Shown.GROUPS)
    recolour(layer)
    assert layer.colormap.color_dict[1][3] == 1.0
    assert layer.colormap.color_dict[2][3] > 0


def test_where_there_is_no_object_the_clusters_are_shown(layer):
    layer.metadata = {KEY: {**layer.metadata[KEY], "foreground": []}}
    recolour(layer)
    assert layer.colormap.color_dict[1][3] > 0
    assert layer.colormap.color_dict[2][3] > 0


def test_many_planes_are_one_step_of_undo():
    layer = Labels(np.zeros((5, 4, 6), np.uint8))
    layer.data_setitem((np.array([3]), np.array([1]), np.array([1])), 2)
    before = layer.data.copy()
    keys = [PlaneKey((n, None, None)) for n in (1, 3)]
    packed = write_planes_undoable(layer, {key: np.full((4, 6), n, np.int32) for n, key in enumerate(keys, 4)})
    after = layer.data.copy()
    assert [int(plane.mean()) for plane in after] == [0, 4, 0, 5, 0]
    assert [plane.labels.dtype for plane in packed.values()] == [np.uint8] * 2
    layer.undo()
    assert np.array_equal(layer.data, before)
    layer.redo()
    assert np.array_equal(layer.data, after)
    layer.undo()
    layer.undo()
    assert not layer.data.any()


def test_a_label_of_a_large_number_has_the_colour_of_all_others(marked):
    _, layer = marked
    layer.data[0, 0] = 70000
    layer.metadata = {KEY: {**layer.metadata[KEY], "names": {**layer.metadata[KEY]["names"], 70000: ""}}}
    recolour(layer)
    assert layer.get_color(70000) is not None
