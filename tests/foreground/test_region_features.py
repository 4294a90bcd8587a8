"""Features by which a candidate is scored."""

import numpy as np
import pytest

from napari_s3net.foreground.lesion import LESION
from napari_s3net.foreground.region_features import measure

H, W = 96, 128
Y, X = np.mgrid[:H, :W]
INSIDE = np.ones((H, W), bool)
DISC = (Y - 48) ** 2 + (X - 64) ** 2 < 20**2


def colours(mask, gap=-2.0):
    return (gap * mask + np.random.default_rng(0).normal(0, 0.3, (H, W)))[..., None]


def log_score(mask, image=None):
    return measure(mask[None], colours(DISC) if image is None else image, INSIDE).log_scores(LESION)[0]


def test_the_true_disc_has_the_largest_score():
    others = [
        np.roll(DISC, 40, axis=1),
        X < 64,
        (Y - 48) ** 2 + (X - 64) ** 2 < 8**2,
        ~DISC,
        (Y // 8 + X // 8) % 2 == 0,
    ]
    assert all(log_score(DISC) > log_score(other) for other in others)


@pytest.mark.parametrize(
    ("name", "better", "worse"),
    [
        ("compactness", DISC, (abs(Y - 48) < 3) & (abs(X - 64) < 60)),
        ("centrality", DISC, np.roll(DISC, (25, 40), axis=(0, 1))),
        ("boundary", DISC, np.roll(DISC, 40, axis=1)),
        ("fisher_separation", DISC, np.roll(DISC, 40, axis=1)),
    ],
)
def test_features_point_the_right_way(name, better, worse):
    value = [getattr(measure(mask[None], colours(DISC), INSIDE), name)[0] for mask in (better, worse)]
    assert value[0] > 1.2 * value[1]


def test_border_contact_is_the_covered_share_of_the_frame():
    assert measure(DISC[None], colours(DISC), INSIDE).border_contact[0] == 0
    half = X < W // 2
    assert measure(half[None], colours(DISC), INSIDE).border_contact[0] == pytest.approx(0.5, abs=0.01)


def test_lightness_excess_is_for_the_light_and_not_for_the_dark():
    assert measure(DISC[None], colours(DISC, -2), INSIDE).lightness_excess[0] == 0
    assert measure(DISC[None], colours(DISC, 2), INSIDE).lightness_excess[0] == pytest.approx(2, abs=0.1)
