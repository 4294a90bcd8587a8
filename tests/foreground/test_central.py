"""Whatever is central is found, light or dark, from intensities alone."""

import numpy as np
import pytest

from napari_s3net.foreground.central import CENTRAL, grey_channels, score_central
from napari_s3net.labels.metrics import dice

H, W = 96, 128
Y, X = np.mgrid[:H, :W]
NOTHING_KNOWN = np.zeros((H, W), np.int64)


def disc(y, x, r):
    return (Y - y) ** 2 + (X - x) ** 2 < r**2


def grey_scene(sign, mask):
    noise = np.random.default_rng(1).normal(0, 0.03, (H, W))
    return (0.5 + sign * 0.3 * mask + noise)[..., None].astype(np.float32)


def proposed(features, clusters=NOTHING_KNOWN):
    return score_central(clusters, features).elect(features.shape)


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("where", [(48, 64, 20), (40, 75, 10), (48, 64, 36)])
def test_an_object_is_found_whether_light_or_dark(sign, where):
    mask = disc(*where)
    proposal = proposed(grey_scene(sign, mask))
    assert dice(proposal.object_probability > 0.5, mask) > 0.93
    assert proposal.confidence > 0.5


@pytest.mark.parametrize("sign", [1, -1])
def test_of_two_the_central_one_is_taken(sign):
    central, aside = disc(48, 60, 14), disc(20, 110, 14)
    assert dice(proposed(grey_scene(sign, central | aside)).object_probability > 0.5, central) > 0.9


def test_of_colours_the_mean_counts():
    grey = grey_scene(1, disc(48, 64, 20))
    rgb = grey + np.array([-0.1, 0, 0.1], np.float32)
    a, b = score_central(NOTHING_KNOWN, grey), score_central(NOTHING_KNOWN, rgb)
    assert np.mean(a.log_scores) == pytest.approx(np.mean(b.log_scores), abs=1e-2)


def test_nothing_to_propose_is_an_empty_object_without_confidence():
    proposal = proposed(np.full((H, W, 1), 0.5, np.float32))
    assert not (proposal.object_probability > 0.5).any()
    assert proposal.confidence == 0


def test_no_candidate_is_too_light():
    for sign in (1, -1):
        scored = score_central(NOTHING_KNOWN, grey_scene(sign, disc(48, 64, 20)))
        assert (scored.features.lightness_excess == 0).all()


def test_both_channels_and_their_size():
    large = grey_scene(-1, disc(48, 64, 20)).repeat(2, axis=0).repeat(2, axis=1)
    scored = score_central(NOTHING_KNOWN, large)
    assert scored.masks.shape[1:] == (96, CENTRAL.size)
    assert scored.inside.all()
    grey = large[::2, ::2, 0]
    bright, dark = grey_channels(grey, np.ones((H, W), bool))
    assert np.array_equal(bright, -dark)
    assert bright[48, 64] > bright[0, 0], "the middle is bright in the first, though it is dark in the image"
    assert bright.mean() == pytest.approx(0, abs=1e-6)


def test_noise_is_blurred_before_intensities_are_compared():
    """A blur of one pixel divides the noise, 10 levels of 100, by 2√π; the object is 60 levels lighter."""
    noise = np.random.default_rng(2).normal(0, 0.1, (H, W))
    grey = (0.3 + 0.6 * disc(48, 64, 20) + noise)[..., None].astype(np.float32)
    features = score_central(NOTHING_KNOWN, grey).features
    contrast = features.inner.mean[:, 1] - features.outer.mean[:, 1]
    assert (features.inner.spread[:, 1] / contrast).min() < 0.1
