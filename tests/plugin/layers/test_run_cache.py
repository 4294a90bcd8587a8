"""What is kept of the last run on a plane of a layer."""

import gc
import weakref

import numpy as np
import pytest
from napari.layers import Labels

from napari_s3net.plugin.layers.plane_key import PlaneKey
from napari_s3net.plugin.layers.run_cache import cache_run, cached_run, first_labels, remember_as_found
from napari_s3net.plugin.layers.slice_states import SliceState, states_of

pytestmark = pytest.mark.viewer


def test_each_plane_has_its_own_along_every_axis():
    layer = Labels(np.zeros((2, 3, 4, 5), np.int16))
    keys = [
        PlaneKey(steps) for steps in ((0, 1, None, None), (1, 1, None, None), (None, 1, 1, None), (1, None, 1, None))
    ]
    assert cached_run(layer, keys[0]) is None
    for n, key in enumerate(keys, 1):
        layer.data[...] = 0
        layer.data[key.index] = n
        cache_run(layer, key, {f"weights {n}": np.ones(2)})
    for n, key in enumerate(keys, 1):
        run = cached_run(layer, key)
        assert run.labels.shape == key.shape_in(layer.data.shape)
        assert (run.labels == n).all()
        assert run.labels.dtype == np.int16
        assert list(run.state) == [f"weights {n}"]
    assert cached_run(layer, PlaneKey((0, 2, None, None))) is None


def test_data_of_another_shape_have_no_run():
    layer, key = Labels(np.zeros((3, 4), np.int32)), PlaneKey((None, None))
    cache_run(layer, key, {})
    layer.data = np.zeros((4, 3), np.int32)
    assert cached_run(layer, key) is None


def test_it_is_not_in_the_metadata_and_goes_with_the_layer():
    class Weights(dict):
        """Something a weak reference can hold."""

    layer, state = Labels(np.zeros((3, 4), np.int32)), Weights()
    cache_run(layer, PlaneKey((None, None)), state)
    assert layer.metadata == {}
    gone, alive = weakref.ref(state), weakref.ref(layer)
    del layer, state
    gc.collect()
    assert alive() is None
    assert gone() is None


def test_a_rerun_keeps_what_was_there_before_anything_was_corrected():
    layer, key = Labels(np.zeros((2, 3, 4), np.int32)), PlaneKey((1, None, None))
    cache_run(layer, key, {})
    states_of(layer).seen.add(key)
    layer.data[1] = 5
    cache_run(layer, key, {}, corrects=True)
    run = cached_run(layer, key)
    assert (run.labels == 5).all()
    assert (run.first.labels == 0).all()
    assert states_of(layer).of(key) is SliceState.SEEN
    layer.data[1] = 6
    cache_run(layer, key, {})
    assert (cached_run(layer, key).first.labels == 6).all()
    assert states_of(layer).of(key) is SliceState.UNSEEN


def test_labels_that_were_found_are_kept_once_and_what_is_known_of_them_stays():
    layer, key = Labels(np.zeros((3, 4, 5), np.int32)), PlaneKey((1, None, None))
    states_of(layer).seen.add(key)
    remember_as_found(layer, key)
    layer.data[1] = 7
    remember_as_found(layer, key)
    assert not cached_run(layer, key).labels.any()
    assert states_of(layer).of(key) is SliceState.SEEN
    assert list(first_labels(layer)) == [key]
