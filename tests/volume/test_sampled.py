import numpy as np
import pytest

from napari_s3net.errors import InvalidImageError
from napari_s3net.image import Geometry, Image
from napari_s3net.settings import preset_settings
from napari_s3net.volume.sampled import SAMPLED_SLICES, choose_sample, read_slice, take_sample
from tests.volume.conftest import as_ct, make_chest


def test_the_sample_lies_evenly_among_the_slices_with_the_object():
    volume = as_ct(make_chest(depth=30)[0])
    weights = np.zeros(30, int)
    weights[10:22] = 1
    assert choose_sample(volume, weights) == [11, 13, 15, 17, 19, 21]
    assert len(choose_sample(volume, np.ones(30, int))) == SAMPLED_SLICES


def test_empty_slices_are_not_sampled():
    array = make_chest(depth=6)[0]
    array[:5] = 7
    assert choose_sample(as_ct(array), np.zeros(6, int)) == [5]
    array[5] = 7
    with pytest.raises(InvalidImageError, match="All 6 slices are empty"):
        choose_sample(as_ct(array), np.ones(6, int))


def test_one_window_for_all_slices():
    rng = np.random.default_rng(0)
    array = rng.random((4, 32, 32)).astype(np.float32) * np.array([1, 2, 3, 4])[:, None, None]
    sample = take_sample(Image(array, Geometry.identity(3), "mr"), [0, 3], preset_settings("mri"))
    assert sample.window.high > 3
    assert sample.features[0].max() < 0.4 < sample.features[1].max()


def test_a_slice_of_complex_numbers_is_no_empty_slice():
    with pytest.raises(InvalidImageError, match="real numbers"):
        read_slice(Image(np.zeros((2, 20, 20), complex), Geometry.identity(3), "grey"), 0)
