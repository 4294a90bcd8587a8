"""The clusters that training starts from."""

import numpy as np
import pytest

from napari_s3net.training.initial_clusters import depth_below_border, initial_clusters

Y, X = np.mgrid[:48, :64]


def test_clusters_are_the_colours_from_dark_to_light():
    bands = np.repeat(np.array([0.9, 0.1, 0.5, 0.3], np.float32), 12)[:, None, None] * np.ones((1, 40, 3), np.float32)
    clusters, depth = initial_clusters(bands, 4)
    assert [int(clusters[i, 20]) for i in (5, 17, 29, 41)] == [3, 0, 2, 1]
    assert depth.shape == clusters.shape
    assert depth.dtype == np.float32


@pytest.mark.parametrize("levels", [1, 2, 3])
def test_fewer_colours_than_clusters_is_no_error(levels):
    features = (np.arange(24 * 32) % levels / 3).reshape(24, 32, 1).astype(np.float32)
    clusters, _ = initial_clusters(features, 8)
    assert clusters.shape == (24, 32)
    assert clusters.min() >= 0
    assert clusters.max() < 8


@pytest.mark.parametrize("channels", [1, 3])
def test_a_basin_is_deep_and_a_dark_corner_is_not(channels):
    grey = np.full((48, 64), 0.8, np.float32)
    lesion, corner = (Y - 24) ** 2 + (X - 32) ** 2 < 10**2, Y + X < 20
    grey[lesion] = grey[corner] = 0.2
    depth = depth_below_border(np.repeat(grey[..., None], channels, axis=2))
    assert depth[lesion].min() > 2
    assert depth[corner].max() < 0


def test_without_a_basin_depth_is_not_blown_up():
    ramp = np.repeat(X[..., None] / 64, 3, axis=2).astype(np.float32)
    assert np.abs(depth_below_border(ramp + np.float32(1e-4) * (Y % 2)[..., None])).max() < 0.1


def test_lightness_is_that_of_pigment():
    """Where only red is lacking there is less depth than where only blue is."""
    colours = np.full((48, 96, 3), 0.8, np.float32)
    red, blue = np.zeros((48, 96), bool), np.zeros((48, 96), bool)
    red[20:28, 20:28], blue[20:28, 68:76] = True, True
    colours[red, 0], colours[blue, 2] = 0.3, 0.3
    depth = depth_below_border(colours)
    background = depth[0, 0]
    assert (depth[blue].mean() - background) / (depth[red].mean() - background) == pytest.approx(0.5 / 0.2, rel=1e-4)


def test_depth_has_no_mean_and_unit_variance_where_there_is_a_basin():
    grey = np.full((48, 64), 0.8, np.float32)
    grey[10:30, 20:40] = 0.2
    depth = depth_below_border(grey[..., None])
    assert depth.mean() == pytest.approx(0, abs=1e-5)
    assert depth.std() == pytest.approx(1, rel=1e-4)


def test_water_stands_as_high_as_the_lowest_rim():
    """A basin with a gap in its rim is only as deep as the gap is high."""
    grey = np.full((40, 40), 0.5, np.float32)
    grey[10:30, 10:30] = 0.9  # the rim
    grey[12:28, 12:28] = 0.1
    closed = depth_below_border(grey[..., None])
    grey[18:20, 26:31] = 0.3
    opened = depth_below_border(grey[..., None])
    levels = [np.unique(np.round(d, 3)) for d in (closed, opened)]
    assert len(levels[0]) == 2
    assert opened[20, 15] > opened[18, 29] > opened[0, 0] - 1e-6


def test_the_seed_free_start_gives_the_same_clusters_every_time():
    features = np.random.default_rng(0).random((40, 50, 3)).astype(np.float32)
    first, second = (initial_clusters(features, 6)[0] for _ in range(2))
    np.testing.assert_array_equal(first, second)
    assert first.dtype == np.int64
    assert len(np.unique(first)) == 6


def test_clusters_do_not_hang_on_brightness_and_contrast():
    features = np.random.default_rng(0).random((40, 50, 1)).astype(np.float32)
    plain, other = initial_clusters(features, 5), initial_clusters(0.5 * features + 0.25, 5)
    assert (plain[0] != other[0]).mean() < 0.01
    np.testing.assert_allclose(plain[1], other[1], atol=1e-4)
