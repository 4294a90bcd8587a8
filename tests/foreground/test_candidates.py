"""Guesses at the object."""

from dataclasses import replace

import numpy as np
import pytest
from skimage.filters import threshold_otsu

from napari_s3net.foreground import candidates
from napari_s3net.foreground.lesion import LESION
from napari_s3net.labels.metrics import dice

H, W = 96, 128
Y, X = np.mgrid[:H, :W]
INSIDE = np.ones((H, W), bool)
R2 = (Y - 48) ** 2 + (X - 64) ** 2
DISC = R2 < 20**2
RNG = np.random.default_rng(0)


def hill(noise=0.02):
    """Bright in the middle, with a pale rim."""
    return np.clip(2 - np.sqrt(R2) / 15, 0, 1) + RNG.normal(0, noise, (H, W))


def test_each_threshold_of_each_channel_gives_a_candidate():
    found = candidates.make_candidates(hill()[None], INSIDE, LESION)
    assert found.dtype == bool
    assert found.shape[1:] == (H, W)
    assert len(found) > len(LESION.otsu_shifts)
    areas = found.sum(axis=(1, 2))
    assert areas.max() > 1.2 * areas.min()
    assert all(mask[48, 64] for mask in found)


def test_no_two_candidates_are_the_same_and_none_is_lost():
    channel = hill()
    once, twice = (candidates.make_candidates(np.stack([channel] * n), INSIDE, LESION) for n in (1, 2))
    assert len({mask.tobytes() for mask in twice}) == len(twice) == len(once)
    assert {mask.tobytes() for mask in once} == {mask.tobytes() for mask in twice}


def test_a_disc_is_among_the_candidates_even_in_uneven_light():
    channel = DISC + 0.03 * X + RNG.normal(0, 0.05, (H, W))
    assert max(dice(mask, DISC) for mask in candidates.make_candidates(channel[None], INSIDE, LESION)) > 0.97


def test_thresholds_are_shifted_from_otsus_by_shares_of_the_gap():
    values = np.r_[RNG.normal(0, 0.1, 900), RNG.normal(10, 0.1, 100)]
    otsu, low, high, *_ = candidates._thresholds(values, replace(LESION, otsu_shifts=(0.0, -0.25, 0.1)))
    assert otsu == pytest.approx(threshold_otsu(values), abs=0.1)
    assert low == pytest.approx(otsu - 2.5, abs=0.1)
    assert high == pytest.approx(otsu + 1.0, abs=0.1)


@pytest.mark.parametrize(("n", "thresholds"), [(50, 1), (51, 2)])
def test_within_the_upper_class_there_is_one_more(n, thresholds):
    values = np.r_[np.zeros(1000), np.full(n - 10, 10.0), np.full(10, 13.0)]
    found = candidates._thresholds(values, replace(LESION, otsu_shifts=(0.0,)))
    assert len(found) == thresholds
    assert thresholds == 1 or 10 < found[1] < 13


def test_of_a_constant_there_is_no_threshold():
    assert candidates._thresholds(np.full(100, 3.0), LESION) == []
    assert not len(candidates.make_candidates(np.zeros((1, H, W)), INSIDE, LESION))


def test_what_is_outside_is_no_candidate():
    inside = X < 70
    found = candidates.make_candidates(hill()[None], inside, LESION)
    assert len(found)
    assert not found[:, ~inside].any()


def test_too_small_and_too_large_ones_are_left_out():
    channel = hill()
    everything = candidates.make_candidates(channel[None], INSIDE, LESION)
    areas = sorted(everything.mean(axis=(1, 2)))
    middle = areas[len(areas) // 2]
    for limits, n in (
        ((middle, 0.9), sum(a >= middle for a in areas)),
        ((0.0025, middle), sum(a <= middle for a in areas)),
    ):
        constants = replace(LESION, smallest=limits[0], largest=limits[1])
        assert len(candidates.make_candidates(channel[None], INSIDE, constants)) == n < len(everything)


def test_thin_connections_are_cut():
    scene = 1.0 * (DISC | ((Y == 48) & (X > 60)) | ((Y - 48) ** 2 + (X - 110) ** 2 < 10**2))
    for mask in candidates.make_candidates(scene[None], INSIDE, LESION):
        assert not mask[48, 110]


def test_the_central_component_has_no_holes_and_an_empty_mask_stays_empty():
    ring = DISC & (R2 > 8**2) | ((Y < 10) & (X < 10))
    assert np.array_equal(candidates.central_component(ring), DISC)
    assert not candidates.central_component(np.zeros((H, W), bool)).any()


def test_the_middle_comes_out_bright():
    bright = DISC - 0.5
    assert np.array_equal(candidates.brighter_in_the_middle(bright, INSIDE), -bright)  # mostly dark, even so
    centred = DISC - DISC.mean()
    assert np.array_equal(candidates.brighter_in_the_middle(centred, INSIDE), centred)
    assert np.array_equal(candidates.brighter_in_the_middle(-centred, INSIDE), centred)
    assert np.array_equal(candidates.brighter_in_the_middle(centred, INSIDE & ~DISC), -centred)


def nested():
    """Clusters 3, 1 and 4 from the middle outwards, the rest is 0; 2 does not occur."""
    clusters = np.zeros((H, W), np.int64)
    for number, radius in ((4, 30), (1, 20), (3, 10)):
        clusters[radius**2 > R2] = number
    return clusters


def test_cluster_unions_grow_from_the_brightest_cluster():
    unions = candidates.cluster_unions(nested(), np.exp(-R2 / 1000), INSIDE, LESION)
    assert len(unions) == 3
    for union, radius in zip(unions, (10, 20, 30), strict=True):
        assert dice(union, radius**2 > R2) > 0.97


def test_all_clusters_together_are_no_union_and_one_alone_gives_none():
    assert not len(candidates.cluster_unions(np.zeros((H, W), np.int64), np.exp(-R2 / 1000), INSIDE, LESION))
    assert len(candidates.cluster_unions(DISC.astype(np.int64), np.exp(-R2 / 1000), INSIDE, LESION)) == 1


def test_clusters_are_ordered_by_what_is_inside():
    channel = np.where(DISC, 1.0, 0.0)
    channel[X > 100] = 50.0
    unions = candidates.cluster_unions(DISC.astype(np.int64), channel, X <= 100, LESION)
    assert dice(unions[0], DISC) > 0.97
    assert not unions[:, :, 101:].any()
