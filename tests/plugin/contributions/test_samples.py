import numpy as np
import pytest
from napari.layers import Layer

from napari_s3net import phantom
from napari_s3net.image import Geometry
from napari_s3net.plugin.contributions import samples


@pytest.mark.parametrize("name", ["dermoscopy", "chest_ct"])
def test_sample_is_a_layer_with_geometry_and_kind(name):
    (data,) = getattr(samples, name)()
    layer = Layer.create(*data)
    sample = getattr(phantom, name)()
    note = layer.metadata["napari_s3net"]
    assert np.array_equal(layer.data, sample.image.array)
    assert layer.name == name
    assert isinstance(note["geometry"], Geometry)
    assert note["kind"] == sample.image.kind
    assert layer.rgb == (note["kind"] == "rgb")
    assert tuple(layer.scale) == pytest.approx(note["geometry"].spacing)


def test_ct_opens_in_a_lung_window_in_millimetres():
    (data,) = samples.chest_ct()
    layer = Layer.create(*data)
    assert layer.contrast_limits[0] <= -950
    assert layer.contrast_limits[1] < 600
    assert str(layer.units[0]) == "millimeter"


def test_each_call_gives_a_new_array():
    assert samples.dermoscopy()[0][0] is not samples.dermoscopy()[0][0]
