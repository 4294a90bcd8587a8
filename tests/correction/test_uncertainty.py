"""Where to look next."""

import numpy as np
import pytest

from napari_s3net import segment
from napari_s3net.correction.uncertainty import UNCERTAINTY, QuerySite, query_sites, uncertainty
from napari_s3net.errors import InvalidImageError
from napari_s3net.image import Geometry, as_image
from napari_s3net.provenance import Provenance
from napari_s3net.result import Segmentation
from napari_s3net.settings import preset_settings

SHAPE = (90, 120)
QUICK = preset_settings("skin").replace(max_iter=3, working_size=64, channels=8, clusters=4, remove_hair=False)
MADE = Provenance(settings=QUICK)


def disc(row, column, radius):
    y, x = np.ogrid[: SHAPE[0], : SHAPE[1]]
    return (y - row) ** 2 + (x - column) ** 2 <= radius**2


@pytest.fixture(scope="module")
def image():
    array = np.full((*SHAPE, 3), (220, 175, 155), np.float32)
    array[disc(45, 60, 22)] = (95, 60, 50)
    array[disc(45, 88, 10)] = (160, 120, 105)  # neither lesion nor skin
    array += np.random.default_rng(0).normal(0, 4, array.shape)
    return as_image(np.clip(array, 0, 255).astype(np.uint8))


def result(mask, **known):
    return Segmentation(np.where(mask, 1, 2).astype(np.int32), (1,), Geometry.identity(2), MADE, **known)


def test_what_lies_between_both_is_unsure_and_the_rest_is_not(image):
    entropy = uncertainty(image, result(disc(45, 60, 22)))
    assert entropy.shape == SHAPE
    assert entropy.dtype == np.float32
    assert (entropy.min(), entropy.max()) >= (0, 0)
    assert entropy.max() <= 1
    assert entropy[disc(45, 84, 3)].mean() > 5 * entropy[disc(45, 60, 10)].mean()
    assert entropy[:, :20].mean() < 0.05


@pytest.mark.parametrize("over", ["probabilities", "transformations"])
def test_with_the_kept_network(image, over):
    kept = segment(image, settings=QUICK, device="cpu")
    entropy = uncertainty(image, result(disc(45, 60, 22), state=kept.state), over=over, n=2, device="cpu")
    rim = disc(45, 60, 25) & ~disc(45, 60, 19)
    assert entropy[rim].mean() > 3 * entropy[:, :20].mean()
    other = uncertainty(image, result(disc(45, 60, 22)), device="cpu")
    assert np.abs(entropy - other).max() > 0.05


def test_over_seeds(image):
    mask = disc(45, 60, 40)
    entropy = uncertainty(image, result(mask), over="seeds", n=1, device="cpu")
    assert entropy[45, 25] == pytest.approx(1, abs=0.01)
    assert entropy[45, 60] == pytest.approx(0, abs=0.01)


def test_labels_without_an_object(image):
    labels = np.where(disc(45, 60, 22), 4, 0).astype(np.int32)
    entropy = uncertainty(image, Segmentation(labels, (), Geometry.identity(2), MADE))
    assert entropy[45, 82] > entropy[45, 10]
    nothing = uncertainty(image, Segmentation(np.zeros(SHAPE, np.int32), (), Geometry.identity(2), MADE))
    assert nothing.max() < 1e-3


def test_sites_are_listed_by_what_they_are_worth():
    entropy = np.zeros(SHAPE, np.float32)
    entropy[16:24, 16:24] = 0.9
    entropy[57:69, 85:95] = 0.95
    entropy[80, 110] = 1
    first, second = query_sites(entropy)
    assert 57 <= first.row < 69
    assert 85 <= first.column < 95
    assert first.extent <= 14
    assert first.expected > second.expected > 0.001
    constraints = np.zeros(SHAPE, int)
    constraints[round(first.row), round(first.column)] = 1
    assert query_sites(entropy, constraints) == [second]
    assert query_sites(np.zeros(SHAPE, np.float32)) == []
    assert len(query_sites(np.ones(SHAPE, np.float32))) > 20


def test_a_rim_is_gone_along_piece_by_piece():
    entropy = np.where(disc(45, 60, 30) & ~disc(45, 60, 24), 1, 0).astype(np.float32)
    found = query_sites(entropy)
    assert len(found) > 5
    constraints = np.zeros(SHAPE, int)
    constraints[disc(found[0].row, found[0].column, 1)] = 1
    assert len(query_sites(entropy, constraints)) < len(found)
    assert query_sites(entropy, constraints)


def test_transformations_average_the_networks_answers(image):
    kept = segment(image, settings=QUICK, device="cpu")
    before = result(disc(45, 60, 22), state=kept.state)
    plain = uncertainty(image, before, device="cpu")
    few, again, many = (uncertainty(image, before, over="transformations", n=n, device="cpu") for n in (1, 1, 3))
    np.testing.assert_array_equal(few, again)
    assert np.abs(few - plain).max() > 1e-3
    assert np.abs(many - few).max() > 1e-3


def test_labels_of_another_shape_are_refused(image):
    with pytest.raises(InvalidImageError, match="same shape"):
        uncertainty(image, Segmentation(np.zeros((5, 5), np.int32), (), Geometry.identity(2), result(0).provenance))


def test_a_site_by_hand():
    entropy = np.zeros((100, 100), np.float32)
    entropy[2:6, 2:10] = 0.8
    (site,) = query_sites(entropy)
    assert site == QuerySite(3.0, 5.0, 8, pytest.approx(32 * 0.8**2 / 2 / 10000))
    entropy[2:6, 2:10] = 0.6
    assert query_sites(entropy) == []


def test_what_crosses_a_square_is_two_sites():
    entropy = np.zeros((100, 100), np.float32)
    side = round(UNCERTAINTY.piece * 100)
    entropy[2:10, side - 4 : side + 4] = 1
    assert sorted((site.column, site.extent) for site in query_sites(entropy)) == [(side - 3, 8), (side + 1, 8)]


def test_where_colours_tell_nothing_the_border_is_unsure_and_what_lies_far_from_it_is_not():
    noise = np.random.default_rng(0).normal(128, 10, (*SHAPE, 3))
    entropy = uncertainty(as_image(noise.astype(np.uint8)), result(disc(45, 60, 22)))
    assert entropy[disc(45, 60, 23) & ~disc(45, 60, 21)].mean() > 0.8
    assert entropy[disc(45, 60, 15)].mean() < 0.2
    assert entropy[:, :20].mean() < 0.2
