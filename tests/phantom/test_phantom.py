import time

import numpy as np
import pytest

from napari_s3net.phantom import chest_ct, dermoscopy, disc, quadrants

MAKERS = [dermoscopy, chest_ct]


@pytest.mark.parametrize("make", MAKERS)
def test_same_seed_same_image_other_seed_other_patient(make):
    first, again, other = make(seed=3), make(seed=3), make(seed=4)
    assert np.array_equal(first.image.array, again.image.array)
    assert np.array_equal(first.mask, again.mask)
    overlap = 2 * (first.mask & other.mask).sum() / (first.mask.sum() + other.mask.sum())
    assert overlap < 0.97
    assert np.abs(first.image.array.astype(float) - other.image.array).mean() > 10


@pytest.mark.parametrize("make", MAKERS)
@pytest.mark.parametrize("shape", [(576, 768), (200, 150), (333, 257)])
def test_any_shape(make, shape):
    sample = make(seed=1, shape=shape)
    assert sample.image.shape == sample.mask.shape == shape
    assert sample.mask.dtype == bool
    assert 0.03 < sample.mask.mean() < 0.4


@pytest.mark.parametrize("make", MAKERS)
def test_quick(make):
    started = time.process_time()
    make(seed=5)
    assert time.process_time() - started < 3  # a busy machine counts too; alone it is below one


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
    from scipy import ndimage

    mask = dermoscopy(seed).mask
    assert ndimage.label(mask)[1] == 1
    assert np.array_equal(ndimage.binary_fill_holes(mask), mask)


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
    from scipy import ndimage

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


@pytest.mark.parametrize("kind", ["grey", "rgb"])
def test_quadrants_and_disc(kind):
    four, one = quadrants(kind=kind), disc(kind=kind)
    for sample in (four, one):
        assert sample.image.kind == kind
        assert sample.image.shape == sample.mask.shape
    tones = four.image.array.reshape(*four.image.shape, -1).mean(axis=2)
    assert tones[four.mask].mean() > tones[~four.mask].mean() + 50
    assert four.mask[48:, 64:].all()
    assert four.mask.sum() == 48 * 64
    assert one.mask.mean() == pytest.approx(np.pi * 24**2 / (96 * 128), rel=0.02)
    assert one.image.array[one.mask].mean() < one.image.array[~one.mask].mean() - 50


def test_without_noise_the_quadrants_are_flat():
    assert len(np.unique(quadrants(noise=0).image.array)) == 4
