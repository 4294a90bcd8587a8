"""Smaller copies lie where the image is, and keep its intensities."""

import numpy as np
import pytest
from skimage.transform import resize

from napari_s3net.preprocessing.resize import block_means, shrink, shrink_to

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("shape", [(64, 48), (100, 130), (321, 402)])
def test_means_of_blocks_are_plain_means(shape):
    array = RNG.integers(0, 255, (321, 402, 3), dtype=np.uint8)
    means = block_means(array, shape)
    assert means.shape == (*shape, 3)
    assert means.dtype == np.float32
    lines = [np.round(np.linspace(0, n, m + 1)).astype(int) for n, m in zip(array.shape, shape, strict=False)]
    for i, j in [(0, 0), (shape[0] - 1, shape[1] - 1), (7, 31)]:
        block = array[lines[0][i] : lines[0][i + 1], lines[1][j] : lines[1][j + 1]]
        np.testing.assert_allclose(means[i, j], block.mean(axis=(0, 1)), rtol=1e-5)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("shape", [(32, 45), (20, 30), (64, 90)])
def test_shrinking_is_that_of_scikit_image(channels, shape):
    unit = RNG.random((64, 90, channels), np.float32)
    small = shrink(unit, shape)
    assert small.dtype == np.float32
    np.testing.assert_allclose(small, resize(unit, (*shape, channels), order=1, anti_aliasing=True), atol=1e-6)


@pytest.mark.parametrize(
    ("shape", "expected"),
    [((64, 128), (64, 128)), ((200, 100), (128, 64)), ((300, 7), (128, 8)), ((129, 129), (128, 128))],
)
def test_the_longer_side_is_at_most_the_size_and_none_below_eight(shape, expected):
    assert shrink_to(RNG.random((*shape, 3), np.float32), 128).shape == (*expected, 3)


def test_a_small_image_is_passed_through_and_a_large_one_keeps_its_place():
    y, x = np.mgrid[:256, :200].astype(np.float32)
    ramp = (y + 2 * x)[..., None] / 1000
    assert shrink_to(ramp, 256) is ramp
    small = shrink_to(ramp, 128)
    assert small.dtype == np.float32
    assert small[10:-10, 10:-10] == pytest.approx(
        ramp.reshape(128, 2, 100, 2, 1).mean(axis=(1, 3))[10:-10, 10:-10], abs=1e-3
    )
