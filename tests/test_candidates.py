"""Properties by which a candidate is weighed."""

import numpy as np
import pytest

from napari_s3net import candidates

H, W = 96, 128
Y, X = np.mgrid[:H, :W]
INSIDE = np.ones((H, W), bool)
DISC = (Y - 48) ** 2 + (X - 64) ** 2 < 20**2


def colours(mask, gap=-2.0):
    return (gap * mask + np.random.default_rng(0).normal(0, 0.3, (H, W)))[..., None]


def log_vote(mask, image=None):
    return candidates.measure(mask[None], colours(DISC) if image is None else image, INSIDE)[0].log_vote()


def test_the_true_disc_has_the_largest_vote():
    others = [
        np.roll(DISC, 40, axis=1),
        X < 64,
        (Y - 48) ** 2 + (X - 64) ** 2 < 8**2,
        ~DISC,
        (Y // 8 + X // 8) % 2 == 0,
    ]
    assert all(log_vote(DISC) > log_vote(other) for other in others)


@pytest.mark.parametrize(
    ("name", "better", "worse"),
    [
        ("compact", DISC, (abs(Y - 48) < 3) & (abs(X - 64) < 60)),
        ("central", DISC, np.roll(DISC, (25, 40), axis=(0, 1))),
        ("boundary", DISC, np.roll(DISC, 40, axis=1)),
        ("separate", DISC, np.roll(DISC, 40, axis=1)),
    ],
)
def test_properties_point_the_right_way(name, better, worse):
    value = [getattr(candidates.measure(mask[None], colours(DISC), INSIDE)[0], name) for mask in (better, worse)]
    assert value[0] > 1.2 * value[1]


def test_touch_is_the_covered_share_of_the_frame():
    assert candidates.measure(DISC[None], colours(DISC), INSIDE)[0].touch == 0
    half = X < W // 2
    assert candidates.measure(half[None], colours(DISC), INSIDE)[0].touch == pytest.approx(0.5, abs=0.01)


def test_pale_is_for_the_light_and_not_for_the_dark():
    assert candidates.measure(DISC[None], colours(DISC, -2), INSIDE)[0].pale == 0
    assert candidates.measure(DISC[None], colours(DISC, 2), INSIDE)[0].pale == pytest.approx(2, abs=0.1)


def test_without_light_takes_a_gradient_out_and_leaves_the_object():
    gradient = 0.02 * X + 0.0002 * (Y - 48) ** 2
    rest = candidates.without_light(gradient + 1.0 * DISC, INSIDE)
    assert np.abs(rest[~DISC]).max() < 0.05
    assert np.abs(rest[DISC] - 1).max() < 0.05


def test_central_part_has_no_holes_and_an_empty_mask_stays_empty():
    ring = DISC & ((Y - 48) ** 2 + (X - 64) ** 2 > 8**2) | ((Y < 10) & (X < 10))
    assert np.array_equal(candidates.central_part(ring), DISC)
    assert not candidates.central_part(np.zeros((H, W), bool)).any()


def test_cluster_unions_grow_from_the_most_likely_cluster():
    clusters = DISC.astype(int) + ((Y - 48) ** 2 + (X - 64) ** 2 < 10**2)
    unions = candidates.cluster_unions(clusters, clusters.astype(float), INSIDE)
    assert [int(u.sum()) for u in unions] == sorted(int(u.sum()) for u in unions)
    assert abs(int(unions[-1].sum()) - int(DISC.sum())) < 30
