"""What strokes spread over."""

import numpy as np
import pytest

from napari_s3net.correction.refiner import SPREAD, colour_features
from napari_s3net.image import as_image
from napari_s3net.settings import preset_settings

QUICK = preset_settings("skin")


@pytest.mark.parametrize(("shape", "small"), [((600, 800), (192, 256)), ((50, 40), (50, 40))])
def test_strokes_spread_at_a_small_size(shape, small):
    assert colour_features(as_image(np.random.default_rng(0).random(shape)), QUICK).colours.shape == (*small, 1)
    assert max(small) <= SPREAD.size


def test_colours_are_lab_and_grey_is_from_0_to_100():
    array = np.zeros((20, 20, 3), np.uint8)
    array[:, 10:] = 255
    colours = colour_features(as_image(array), QUICK).colours
    assert colours[10, 1] == pytest.approx([0, 0, 0], abs=0.5)
    assert colours[10, -2] == pytest.approx([100, 0, 0], abs=0.5)
    grey = colour_features(as_image(array[..., 0]), QUICK).colours
    assert (grey[10, 1, 0], grey[10, -2, 0]) == pytest.approx((0, 100), abs=0.5)
