"""What holds of both samples, the photograph and the chest."""

import numpy as np
import pytest

from napari_s3net.phantom import chest_ct, dermoscopy

BOTH = pytest.mark.parametrize("make", [dermoscopy, chest_ct])


@BOTH
def test_same_seed_same_image_other_seed_other_patient(make):
    first, again, other = make(seed=3), make(seed=3), make(seed=4)
    assert np.array_equal(first.image.array, again.image.array)
    assert np.array_equal(first.mask, again.mask)
    overlap = 2 * (first.mask & other.mask).sum() / (first.mask.sum() + other.mask.sum())
    assert overlap < 0.97
    assert np.abs(first.image.array.astype(float) - other.image.array).mean() > 10


@BOTH
@pytest.mark.parametrize("shape", [(576, 768), (200, 150), (333, 257)])
def test_any_shape(make, shape):
    sample = make(seed=1, shape=shape)
    assert sample.image.shape == sample.mask.shape == shape
    assert sample.mask.dtype == bool
    assert 0.03 < sample.mask.mean() < 0.4
