import numpy as np
import pytest
from scipy import ndimage

from napari_s3net.phantom import chest_ct


@pytest.mark.parametrize("seed", range(4))
def test_ct_has_tissue_where_it_belongs(seed):
    sample = chest_ct(seed)
    array, mask = sample.image.array, sample.mask
    assert sample.image.kind == "ct"
    assert array.dtype == np.int16
    assert sample.image.geometry.unit == "mm"
    assert array.min() == -1024
    assert array.max() > 500, "bone"
    assert -880 < np.median(array[mask]) < -780, "aerated lung"
    assert 0.03 < (array[mask] > -500).mean() < 0.2, "vessels belong to the lungs"
    body = array > -300
    assert ((array > -130) & (array < -70))[body].mean() > 0.08, "fat"
    assert ((array > 20) & (array < 110))[body].mean() > 0.15, "muscle"
    assert ((array > 130) & (array < 230))[body].mean() > 0.05, "contrast medium in heart and aorta"


def test_lungs_are_two_and_lie_left_and_right():
    mask = chest_ct(0).mask
    parts, _ = ndimage.label(mask)
    sizes = np.bincount(parts.ravel())[1:]
    large = np.flatnonzero(sizes > 0.2 * sizes.max()) + 1
    centres = np.array(ndimage.center_of_mass(mask, parts, large))
    assert len(large) == 2
    assert centres[:, 1].min() < 256 < centres[:, 1].max()


def test_noise_of_the_scanner_is_correlated():
    array = chest_ct(0).image.array.astype(float)
    heart = array[180:215, 230:265] - array[180:215, 230:265].mean()
    neighbours = (heart[:, 1:] * heart[:, :-1]).mean() / heart.var()
    assert neighbours > 0.2
