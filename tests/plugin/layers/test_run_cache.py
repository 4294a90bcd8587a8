"""What is kept of the last run beside a layer."""

import gc
import weakref

import numpy as np
import pytest
from napari.layers import Labels

from napari_s3net.plugin.layers.run_cache import cache_run, cached_run

pytestmark = pytest.mark.viewer


def test_each_plane_has_its_own():
    layer = Labels(np.zeros((2, 3, 4), np.int32))
    assert cached_run(layer, 0) is None
    plane = np.arange(12, dtype=np.int16).reshape(3, 4)
    cache_run(layer, 0, plane, {"w": np.ones(2)})
    cache_run(layer, 1, plane[:, ::-1], {})
    plane[:] = 0
    np.testing.assert_array_equal(cached_run(layer, 0).labels, np.arange(12).reshape(3, 4))
    assert cached_run(layer, 0).labels.dtype == np.int16
    np.testing.assert_array_equal(cached_run(layer, 1).labels[:, 0], [3, 7, 11])
    assert list(cached_run(layer, 0).state) == ["w"]


def test_it_is_not_in_the_metadata_and_goes_with_the_layer():
    class Weights(dict):
        """Something a weak reference can hold."""

    layer, state = Labels(np.zeros((3, 4), np.int32)), Weights()
    cache_run(layer, None, layer.data, state)
    assert layer.metadata == {}
    gone, alive = weakref.ref(state), weakref.ref(layer)
    del layer, state
    gc.collect()
    assert alive() is None
    assert gone() is None
