"""The object of a result as a label layer of its own."""

import numpy as np
from napari.components import ViewerModel

from napari_s3net.plugin.layers.mask_layer import add_mask
from napari_s3net.plugin.layers.placement import KEY
from napari_s3net.plugin.layers.result_layer import result_layer
from napari_s3net.settings import Settings


def test_the_mask_layer(photograph):
    viewer = ViewerModel()
    image = viewer.add_image(photograph, name="mole", scale=(0.5, 0.5))
    layer = result_layer(np.where(np.indices((48, 64))[0] < 5, 1, 2).astype(np.int32), image, "mole – S³-Net")
    layer.metadata = {
        KEY: {"source": "mole", "settings": Settings().to_dict(), "foreground": [1], "names": {1: "Lesion", 2: ""}}
    }
    viewer.add_layer(layer)
    viewer.layers.selection.active = layer
    mask = add_mask(viewer, layer)
    assert mask.name == "mole – object"
    np.testing.assert_array_equal(mask.data, layer.data == 1)
    np.testing.assert_array_equal(mask.scale, layer.scale)
    assert mask.metadata[KEY]["mask_of"] == layer.name
    assert viewer.layers.selection.active is layer
