"""Small regions take the label beside them."""

import numpy as np
import pytest

from napari_s3net.postprocessing.small_regions import absorb_small, drop_small_components

Y, X = np.mgrid[:100, :100]


def test_small_components_are_dropped_and_holes_filled():
    mask = (Y - 50) ** 2 + (X - 50) ** 2 < 20**2
    whole = mask.copy()
    mask[50, 50] = False
    mask[5:8, 5:8] = True
    assert np.array_equal(drop_small_components(mask, 10), whole)
    assert drop_small_components(mask, 9)[6, 6]


def test_components_touch_at_sides_only():
    mask = np.zeros((20, 20), bool)
    mask[2:6, 2:6] = mask[6:8, 6:8] = True
    assert not drop_small_components(mask, 5)[6, 6]


def test_the_largest_component_stays_however_small():
    mask = np.zeros((60, 80), bool)
    mask[30:33, 40:43] = mask[10, 10] = True
    kept = drop_small_components(mask, 1000)
    assert kept[31, 41]
    assert kept.sum() == 9


@pytest.mark.parametrize("smallest", [0, 10])
def test_of_nothing_nothing_stays(smallest):
    assert not drop_small_components(np.zeros((20, 30), bool), smallest).any()
    assert drop_small_components(np.ones((20, 30), bool), smallest).all()


def test_absorbing_keeps_sides_apart():
    pairs = np.full((100, 100), 3, np.uint8)
    pairs[:40, :40] = 2
    pairs[0, 0], pairs[99, 99] = 4, 5
    joined = absorb_small(pairs)
    assert joined[0, 0] == 2
    assert joined[99, 99] == 3
    assert set(np.unique(joined)) == {2, 3}
    assert pairs[0, 0] == 4, "the input is not written to"


def test_the_nearest_label_of_its_side_is_taken():
    pairs = np.where(X < 50, 1, 3).astype(np.uint8)
    pairs[10, 40], pairs[10, 60] = 5, 5
    joined = absorb_small(pairs)
    assert (joined[10, 40], joined[10, 60]) == (1, 3)


@pytest.mark.parametrize(("pixels", "stays"), [(39, False), (40, True)])
def test_less_than_four_thousandths_of_the_image_is_small(pixels, stays):
    pairs = np.full((100, 100), 1, np.uint8)
    pairs.ravel()[:pixels] = 3
    assert (absorb_small(pairs) == 3).any() == stays


@pytest.mark.parametrize(("rows", "stays"), [(5, False), (12, True)])
def test_a_mere_rim_of_its_cluster_is_absorbed(rows, stays):
    """Cluster 0 lies outside the object but for some rows; cluster 1 is the object."""
    pairs = np.full((100, 100), 1, np.uint8)
    pairs[:50] = 2
    pairs[50 - rows : 50, :70] = 0
    assert (absorb_small(pairs) == 0).any() == stays


def test_of_each_side_the_largest_stays_however_small():
    pairs = np.full((100, 100), 1, np.uint8)
    pairs[0, :20], pairs[1, :10] = 2, 4
    joined = absorb_small(pairs)
    assert (joined == 2).sum() == 30
    assert not (joined == 4).any()


def test_a_large_image_is_absorbed_from_a_sample_of_it():
    pairs = np.full((1200, 40), 1, np.uint8)
    pairs[600:] = 3
    pairs[100:103, :3], pairs[1000:1003, :3] = 5, 5
    joined = absorb_small(pairs)
    assert (joined[:600] == 1).all()
    assert (joined[600:] == 3).all()
