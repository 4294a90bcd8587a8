"""Which plane of a layer."""

import numpy as np

from napari_s3net.plugin.layers.plane_key import PlaneKey


def test_it_names_one_plane_of_an_array():
    array = np.arange(2 * 3 * 4 * 5).reshape(2, 3, 4, 5)
    key = PlaneKey((1, None, 2, None))
    np.testing.assert_array_equal(array[key.index], array[1, :, 2])
    assert (key.axes, key.other_axes, key.axis, key.position, key.time) == ((1, 3), (0, 2), 2, 2, 1)
    assert key.shape_in(array.shape) == (3, 5)


def test_a_single_plane_has_no_position():
    key = PlaneKey((None, None))
    assert (key.axis, key.position, key.time) == (None, None, None)
    assert key.beside((4, 5)) == []


def test_equal_keys_are_the_same_plane():
    one, other = PlaneKey((0, 3, None, None)), PlaneKey((1, 3, None, None))
    assert one == PlaneKey((0, 3, None, None))
    assert len({one, other, PlaneKey((0, None, 3, None)), PlaneKey((0, 3, None, None))}) == 3


def test_slices_beside_lie_in_the_same_stack():
    assert PlaneKey((1, 0, None, None)).beside((2, 3, 4, 5)) == [PlaneKey((1, 1, None, None))]
    around = [PlaneKey((1, None, 1, None)), PlaneKey((1, None, 3, None))]
    assert PlaneKey((1, None, 2, None)).beside((2, 3, 4, 5)) == around


def test_the_stack_of_a_plane_has_its_slices_first():
    array = np.arange(120).reshape(2, 3, 4, 5)
    assert np.array_equal(PlaneKey((1, 2, None, None)).stack_in(array), array[1])
    rolled = PlaneKey((1, None, 2, None)).stack_in(array)
    assert rolled.shape == (4, 3, 5)
    assert np.array_equal(rolled[2], array[1, :, 2])
    assert np.array_equal(PlaneKey((None, None)).stack_in(array[0, 0]), array[:1, 0])
