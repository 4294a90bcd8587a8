"""What must not change of a label layer."""

import gc
import weakref

import numpy as np
import pytest
from napari.layers import Labels

from napari_s3net.plugin.layers.locks import locks_of

pytestmark = pytest.mark.viewer
PLANE = (slice(None), slice(None))


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
    locks.toggle_part(stack.data.shape, (1, *PLANE), part(2, slice(None)))
    assert locks.in_plane((0, *PLANE)) is None
    assert locks.in_plane((1, *PLANE)).sum() == 6
    assert locks.in_plane((slice(None), 2, slice(None))).sum() == 6


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
