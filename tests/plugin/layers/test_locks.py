"""What must not change of a label layer."""

import gc
import weakref

import numpy as np
import pytest
from napari.layers import Labels

from napari_s3net.plugin.layers.locks import locks_of
from napari_s3net.plugin.layers.plane_key import PlaneKey

pytestmark = pytest.mark.viewer
PLANE = PlaneKey((None, None))


@pytest.fixture
def layer():
    return Labels(np.zeros((4, 6), np.int32))


def part(rows, columns):
    mask = np.zeros((4, 6), bool)
    mask[rows, columns] = True
    return mask


def test_labels_are_locked_together_and_opened_together(layer):
    locks = locks_of(layer)
    locks.toggle_labels([1, 2])
    locks.toggle_labels([2, 3])
    assert locks.labels == {1, 2, 3}
    locks.toggle_labels([1, 3])
    assert locks.labels == {2}


def test_a_part_is_locked_and_opened(layer):
    locks = locks_of(layer)
    assert locks.in_plane(PLANE) is None
    assert locks.toggle_part(layer.data.shape, PLANE, part(slice(2), slice(3)))
    assert locks.toggle_part(layer.data.shape, PLANE, part(3, slice(None)))
    assert locks.in_plane(PLANE).sum() == 12
    assert not locks.toggle_part(layer.data.shape, PLANE, part(slice(2), slice(3)))
    np.testing.assert_array_equal(locks.in_plane(PLANE), part(3, slice(None)))


def test_a_part_of_one_slice_holds_no_other_along_either_axis():
    stack = Labels(np.zeros((3, 4, 6), np.int32))
    locks = locks_of(stack)
    locks.toggle_part(stack.data.shape, PlaneKey((1, None, None)), part(2, slice(None)))
    assert locks.in_plane(PlaneKey((0, None, None))) is None
    assert locks.in_plane(PlaneKey((1, None, None))).sum() == 6
    assert locks.in_plane(PlaneKey((None, 2, None))).sum() == 6


def test_a_part_of_one_moment_of_a_series_holds_no_other():
    series = Labels(np.zeros((2, 3, 4, 6), np.int32))
    locks = locks_of(series)
    locks.toggle_part(series.data.shape, PlaneKey((1, 2, None, None)), part(2, slice(None)))
    assert locks.in_plane(PlaneKey((1, 1, None, None))) is None
    assert locks.in_plane(PlaneKey((0, 2, None, None))) is None
    assert locks.in_plane(PlaneKey((1, 2, None, None))).sum() == 6


def test_data_of_another_shape_are_held_nowhere(layer):
    locks = locks_of(layer)
    locks.toggle_part((4, 6), PLANE, part(0, slice(None)))
    assert locks.guarded(PLANE, np.zeros((5, 5)), np.ones((5, 5))).all()
    assert locks.in_plane(PlaneKey((0, None, None))) is None
    assert locks.toggle_part((5, 5), PLANE, np.eye(5, dtype=bool))
    assert locks.held.sum() == 5


def test_tools_change_nothing_that_is_locked(layer):
    locks = locks_of(layer)
    after = np.ones((4, 6), np.int32)
    np.testing.assert_array_equal(locks.guarded(PLANE, layer.data, after), after)
    locks.toggle_part(layer.data.shape, PLANE, part(0, slice(None)))
    assert locks.guarded(PLANE, layer.data, after).sum() == 18


def test_locks_go_with_their_layer(layer):
    locks = weakref.ref(locks_of(layer))
    assert locks_of(layer) is locks()
    gone = weakref.ref(layer)
    del layer
    gc.collect()
    if gone() is None:
        assert locks() is None
