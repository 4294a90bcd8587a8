import numpy as np
import pytest
import torch

from napari_s3net.errors import InvalidImageError
from napari_s3net.image import as_image
from napari_s3net.learning.planes import (
    InputNormalisation,
    choose_normalisation,
    from_square,
    labels_to_square,
    to_square,
)


def test_photographs_keep_their_range_and_grey_gets_its_own():
    rgb = as_image(np.full((8, 8, 3), 255, np.uint8))
    assert choose_normalisation([rgb]) == InputNormalisation(3, 0.0, 255.0)
    grey = as_image(np.random.default_rng(0).normal(size=(32, 32)).astype(np.float32))
    normalisation = choose_normalisation([grey])
    assert normalisation.low is None
    brighter = as_image(5 * grey.array + 100)
    np.testing.assert_allclose(normalisation(grey), normalisation(brighter), atol=1e-4)


def test_ct_has_one_window_for_all():
    ct = as_image(np.linspace(-1000, 1000, 64 * 64, dtype=np.float32).reshape(64, 64), kind="ct")
    normalisation = choose_normalisation([ct])
    assert -1000 < normalisation.low < -900
    assert 800 < normalisation.high < 1000


def test_grey_and_colour_do_not_mix():
    grey = as_image(np.eye(8, dtype=np.uint8), name="g")
    colour = as_image(np.zeros((8, 8, 3), np.uint8), name="c")
    with pytest.raises(InvalidImageError, match="g is grey, c has colours"):
        choose_normalisation([grey, colour])
    with pytest.raises(InvalidImageError, match="expected colours"):
        InputNormalisation(3, 0.0, 255.0)(grey)


def test_a_plane_fills_its_square_and_comes_back():
    labels = np.zeros((50, 100), np.int64)
    labels[10:40, 20:80] = 1
    plane = to_square(np.stack([labels] * 3, axis=2).astype(np.float32), 32)
    square = labels_to_square(labels, 32)
    assert plane.shape == (3, 32, 32)
    assert ((plane[0] > 0.5) == (square == 1)).mean() > 0.95  # pixels lie under their labels
    assert (square == 1).mean() == pytest.approx((labels == 1).mean(), abs=0.04)  # nothing but the plane is in it
    back = from_square(torch.from_numpy(square).float()[None, None], (50, 100))[0, 0].numpy() > 0.5
    assert (back == (labels == 1)).mean() > 0.93
