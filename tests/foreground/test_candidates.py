"""Guesses at the object."""

import numpy as np

from napari_s3net.foreground import candidates
from napari_s3net.foreground.illumination import flatten_illumination
from napari_s3net.foreground.lesion import LESION

H, W = 96, 128
Y, X = np.mgrid[:H, :W]
INSIDE = np.ones((H, W), bool)
DISC = (Y - 48) ** 2 + (X - 64) ** 2 < 20**2


def test_flattening_takes_a_gradient_out_and_leaves_the_object():
    gradient = 0.02 * X + 0.0002 * (Y - 48) ** 2
    rest = flatten_illumination((gradient + 1.0 * DISC)[None], INSIDE)[0]
    assert np.abs(rest[~DISC]).max() < 0.05
    assert np.abs(rest[DISC] - 1).max() < 0.05


def test_the_central_component_has_no_holes_and_an_empty_mask_stays_empty():
    ring = DISC & ((Y - 48) ** 2 + (X - 64) ** 2 > 8**2) | ((Y < 10) & (X < 10))
    assert np.array_equal(candidates.central_component(ring), DISC)
    assert not candidates.central_component(np.zeros((H, W), bool)).any()


def test_cluster_unions_grow_from_the_most_likely_cluster():
    clusters = DISC.astype(int) + ((Y - 48) ** 2 + (X - 64) ** 2 < 10**2)
    unions = candidates.cluster_unions(clusters, clusters.astype(float), INSIDE, LESION)
    assert [int(u.sum()) for u in unions] == sorted(int(u.sum()) for u in unions)
    assert abs(int(unions[-1].sum()) - int(DISC.sum())) < 30
