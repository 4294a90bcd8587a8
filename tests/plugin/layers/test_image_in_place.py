"""Another image in an image layer that is there."""

from pathlib import Path

import numpy as np
import pytest
from napari.components import ViewerModel
from napari.layers import Labels

from napari_s3net.image import Geometry, Image
from napari_s3net.plugin.contributions.reader import layer_data
from napari_s3net.plugin.layers.image_in_place import another_image, can_take, lies_at
from napari_s3net.plugin.layers.mask_layer import add_mask
from napari_s3net.plugin.layers.placement import KEY
from napari_s3net.plugin.layers.proxy import plain
from napari_s3net.plugin.layers.result_layer import result_layer
from napari_s3net.plugin.layers.stroke_layer import add_strokes
from napari_s3net.settings import Settings


def an_image(shape=(6, 8), kind="mri", spacing=(0.5, 0.5), unit="mm", dtype=np.int16):
    array = np.zeros((*shape, 3) if kind == "rgb" else shape, dtype)
    array.flat[0] = 100
    return Image(array, Geometry(spacing, (0.0,) * len(spacing), np.eye(len(spacing)).tolist(), unit), kind, "one")


@pytest.fixture
def viewer():
    viewer = ViewerModel()
    array, attributes, _ = layer_data(an_image())
    viewer.add_image(array, **attributes)
    return viewer


@pytest.fixture
def image(viewer):
    return plain(viewer.layers[0])


@pytest.fixture
def labels(viewer, image):
    labels = result_layer(np.ones((6, 8), np.int32), image, "one – S³-Net")
    about = {"source": "one", "settings": Settings().to_dict(), "foreground": [1], "names": {1: "Heart"}}
    labels.metadata = {KEY: about}
    viewer.add_layer(labels)
    return labels


@pytest.mark.parametrize(
    ("other", "can"),
    [
        (an_image(shape=(9, 4)), True),
        (an_image(kind="ct"), False),
        (an_image(dtype=np.int32), False),
        (an_image(spacing=(0.5, 0.6)), False),
        (an_image(unit="pixel"), False),
        (an_image(kind="rgb", dtype=np.uint8), False),
        (an_image(shape=(3, 6, 8), spacing=(2.0, 0.5, 0.5)), False),
    ],
)
def test_planes_of_one_kind_type_and_pixel_size_alone(image, other, can):
    assert can_take(image, layer_data(other)) == can


def test_labels_are_no_image(image):
    assert not can_take(image, (image.data, {"metadata": {}}, "labels"))


def test_layers_of_napari_itself_or_moved_ones_take_none(viewer, image):
    other = layer_data(an_image())
    assert not can_take(plain(viewer.add_image(np.zeros((6, 8), np.int16))), other)
    image.translate = (0, 3)
    assert not can_take(image, other)
    assert not lies_at(image, (0.5, 0.5))


def test_image_labels_and_strokes_stay_and_nothing_else(viewer, image, labels):
    strokes = plain(add_strokes(viewer, labels))
    strokes.data[:2] = 1
    strokes.visible = False
    add_mask(viewer, labels)
    viewer.add_points([[1, 1]], name="mine")
    renamed = []
    viewer.layers.events.renamed.connect(renamed.append)
    array, attributes, _ = layer_data(an_image(shape=(9, 4)))
    with another_image(viewer, image, labels, (array, {**attributes, "name": "two"}, "image"), Path("two.png")):
        labels.data = np.full((9, 4), 2, np.int32)
        labels.name = "two – S³-Net"
    assert [layer.name for layer in viewer.layers] == ["two", "two – S³-Net", "two – S³-Net – strokes", "mine"]
    assert image.data is array
    assert image.source.path == "two.png"
    assert image.contrast_limits == list(attributes["contrast_limits"])
    assert (strokes.data.shape, strokes.data.any(), strokes.visible) == ((9, 4), False, True)
    assert len(renamed) == 1


def test_strokes_that_were_moved_go(viewer, image, labels):
    add_strokes(viewer, labels).translate = (2, 0)
    with another_image(viewer, image, labels, layer_data(an_image()), None):
        labels.data = np.zeros((6, 8), np.int32)
    assert [type(layer) for layer in map(plain, viewer.layers)] == [type(image), Labels]
