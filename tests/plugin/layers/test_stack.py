import numpy as np
import pytest

from napari_s3net.image import Geometry
from napari_s3net.plugin.layers.plane_key import PlaneKey
from napari_s3net.plugin.layers.source import Source
from napari_s3net.plugin.layers.stack import Stack

DATA = np.arange(2 * 5 * 6 * 7, dtype=np.int16).reshape(2, 5, 6, 7)
MM = Geometry((3.0, 1.0, 2.0), (10.0, 0.0, 0.0), Geometry.identity(3).direction)


def source(steps, data=DATA, geometry=MM):
    key = PlaneKey(steps)
    return Source("ct", data, data.shape, key, False, "ct", Geometry.identity(2), stack_geometry=geometry)


def test_slices_of_one_moment_of_a_series():
    stack = Stack(source((1, 2, None, None)), 1, 3)
    image = stack.read()
    assert len(stack) == 3
    assert np.array_equal(image.array, DATA[1, 1:4])
    assert image.geometry.spacing == (3.0, 1.0, 2.0)
    assert image.geometry.origin[0] == pytest.approx(13.0)
    assert stack.key(0) == PlaneKey((1, 1, None, None))


@pytest.mark.parametrize(("axis", "steps"), [(1, (None, 2, None)), (2, (None, None, 3))])
def test_slices_lie_along_the_axis_of_the_slider(axis, steps):
    data = DATA[0]
    stack = Stack.whole(source(steps, data, Geometry.identity(3)))
    image = stack.read()
    assert np.array_equal(image.array, np.moveaxis(data, axis, 0))
    for index in range(len(stack)):
        assert np.array_equal(image.array[index], data[stack.key(index).index])


def test_colours_lose_their_opacity():
    data = np.zeros((3, 4, 5, 4), np.uint8)
    key = PlaneKey((0, None, None))
    rgb = Source("photos", data, (3, 4, 5), key, True, "rgb", Geometry.identity(2))
    assert Stack.whole(rgb).read().array.shape == (3, 4, 5, 3)


def test_a_memory_mapped_array_is_not_copied(tmp_path):
    np.save(tmp_path / "ct.npy", DATA[0])
    mapped = np.load(tmp_path / "ct.npy", mmap_mode="r")
    image = Stack.whole(source((0, None, None), mapped)).read()
    assert np.shares_memory(image.array, mapped)
