"""The object of a result as a label layer of its own."""

import numpy as np
import pytest
from napari.components import ViewerModel

from napari_s3net.plugin.layers.mask_layer import ObjectLayers, add_mask
from napari_s3net.plugin.layers.placement import KEY
from napari_s3net.plugin.layers.result_layer import result_layer
from napari_s3net.settings import Settings


@pytest.fixture
def result(photograph):
    """A result, which is selected, in its viewer."""
    viewer = ViewerModel()
    image = viewer.add_image(photograph, name="mole", scale=(0.5, 0.5))
    layer = result_layer(np.where(np.indices((48, 64))[0] < 5, 1, 2).astype(np.int32), image, "mole – S³-Net")
    layer.metadata = {
        KEY: {"source": "mole", "settings": Settings().to_dict(), "foreground": [1], "names": {1: "Lesion", 2: ""}}
    }
    viewer.add_layer(layer)
    viewer.layers.selection.active = layer
    return viewer, layer


def test_the_mask_layer(result):
    viewer, layer = result
    mask = add_mask(viewer, layer)
    assert mask.name == "mole – object"
    np.testing.assert_array_equal(mask.data, layer.data == 1)
    np.testing.assert_array_equal(mask.scale, layer.scale)
    assert mask.metadata[KEY]["mask_of"] == layer.name
    assert viewer.layers.selection.active is layer


def test_the_object_s_layer_follows_its_result(result):
    viewer, layer = result
    masks = ObjectLayers(viewer)
    masks.update(layer)
    assert len(viewer.layers) == 2, "nobody has asked for it"
    masks.add(layer)
    mask = viewer.layers["mole – object"]
    layer.data[30] = 1
    masks.update_plane(layer, (slice(None), slice(None)))
    np.testing.assert_array_equal(mask.data, layer.data == 1)
    layer.metadata = {KEY: {**layer.metadata[KEY], "foreground": [2]}}
    masks.update_plane(layer, (slice(0, 1), slice(None)))
    np.testing.assert_array_equal(mask.data, layer.data == 2)
    layer.data[10:20] = 1
    masks.update_plane(layer, (slice(10, 15), slice(None)))
    assert not mask.data[10:15].any()
    assert mask.data[15:20].all(), "not in view"


def test_a_layer_that_no_longer_fits_its_result_is_left_alone(result):
    viewer, layer = result
    masks = ObjectLayers(viewer)
    masks.add(layer)
    before = viewer.layers["mole – object"].data.copy()
    layer.data = layer.data[:20].copy()
    masks.update(layer)
    masks.update_plane(layer, (slice(None), slice(None)))
    np.testing.assert_array_equal(viewer.layers["mole – object"].data, before)
