import numpy as np
import pytest
from scipy import ndimage

from napari_s3net.phantom import dermoscopy


@pytest.mark.parametrize("seed", range(4))
def test_photograph_shows_what_a_dermatologist_expects(seed):
    sample = dermoscopy(seed)
    array, mask = sample.image.array.astype(float), sample.mask
    assert sample.image.kind == "rgb"
    assert sample.image.array.dtype == np.uint8
    skin = array[:, 200:-200][~mask[:, 200:-200]].mean(axis=0)
    lesion = array[mask].mean(axis=0)
    assert skin[0] > skin[1] > skin[2], "skin is reddish"
    assert (lesion < skin - 30).all(), "the lesion is darker"
    assert array[mask].mean(axis=1).std() > 12, "two tones and a network"
    corners = [array[:12, :12], array[:12, -12:], array[-12:, :12], array[-12:, -12:]]
    assert max(corner.mean() for corner in corners) < 60, "dark corners"
    ruler = array[-40:-20, 250:500].min(axis=2)
    assert (ruler < 90).sum(axis=1).max() > 180, "a ruler along the lower rim"


@pytest.mark.parametrize("seed", range(4))
def test_lesion_is_one_piece_without_holes(seed):
    mask = dermoscopy(seed).mask
    assert ndimage.label(mask)[1] == 1
    assert np.array_equal(ndimage.binary_fill_holes(mask), mask)
