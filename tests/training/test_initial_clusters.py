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
