"""Lesions are found from their colours alone: the network's clusters say nothing here."""

import numpy as np
import pytest
from skimage.color import rgb2lab

from napari_s3net.foreground.central import score_central
from napari_s3net.foreground.lesion import LESION, lesion_channels, score_lesions
from napari_s3net.labels.metrics import dice
from napari_s3net.preprocessing.artefacts import lens_shadow, marker

H, W = 96, 128
Y, X = np.mgrid[:H, :W]
SKIN, LESION_COLOUR = np.array([0.85, 0.65, 0.55]), np.array([0.45, 0.28, 0.2])
NOTHING_KNOWN = np.zeros((H, W), np.int64)


def disc(y, x, r):
    return (Y - y) ** 2 + (X - x) ** 2 < r**2


def photograph(mask, seed=0):
    rgb = np.where(mask[..., None], LESION_COLOUR, SKIN) + np.random.default_rng(seed).normal(0, 0.02, (H, W, 3))
    return np.clip(rgb, 0, 1).astype(np.float32)


def found(features, clusters=NOTHING_KNOWN):
    proposal = score_lesions(clusters, features).elect(features.shape)
    assert proposal.object_probability.shape == features.shape[:2]
    assert 0 <= proposal.confidence <= 1
    return proposal.object_probability > 0.5


@pytest.mark.parametrize("where", [(48, 64, 25), (40, 80, 10), (48, 64, 38)])
def test_a_lesion_of_any_size_is_found(where):
    mask = disc(*where)
    assert dice(found(photograph(mask)), mask) > 0.93


def test_dark_corners_and_a_blue_sticker_are_kept_out():
    mask, corners, sticker = disc(48, 64, 18), ~disc(48, 64, 68), disc(48, 5, 14)
    rgb = photograph(mask)
    rgb[corners] = 0.03
    rgb[sticker] = (0.1, 0.5, 0.9)
    scored = score_lesions(NOTHING_KNOWN, rgb)
    assert not scored.inside[corners | sticker].any()
    assert not (scored.masks & (lens_shadow(rgb) | marker(rgb))).any()
    assert dice(found(rgb), mask) > 0.9


def test_where_nothing_but_lens_is_seen_all_of_it_counts():
    mask = disc(48, 64, 20)
    rgb = np.full((H, W, 3), 0.05, np.float32)
    rgb[mask] = 0.02
    assert lens_shadow(rgb).mean() > 1 - LESION.smallest_view
    assert score_lesions(NOTHING_KNOWN, rgb).inside.all()
    assert dice(found(rgb), mask) > 0.9


def test_light_from_one_side_does_not_hide_a_lesion():
    mask = disc(50, 50, 16)
    light = np.linspace(1.1, 0.6, W)[None, :, None]
    assert dice(found((photograph(mask) * light).clip(0, 1).astype(np.float32)), mask) > 0.85


def test_a_light_spot_is_no_lesion_where_there_is_a_dark_one():
    dark, light = disc(48, 40, 14), disc(48, 88, 14)
    rgb = photograph(dark)
    rgb[light] = (0.97, 0.93, 0.9)
    assert dice(found(rgb), dark) > 0.9


def test_clusters_stand_for_election_too():
    """Nothing of the colours says so, but the network found a disc."""
    mask = disc(48, 64, 20)
    flat = np.broadcast_to(SKIN.astype(np.float32), (H, W, 3)).copy()
    flat[mask] -= 0.002
    alone, helped = (score_lesions(c, flat) for c in (NOTHING_KNOWN, mask.astype(np.int64)))
    assert len(helped.masks) == len(alone.masks) + 1
    assert dice(helped.masks[-1], mask) > 0.98
    constants, features = LESION, helped.features
    assert helped.log_scores[-1] == pytest.approx(features.log_scores(constants)[-1] - constants.union_handicap)
    assert helped.log_scores[:-1] == pytest.approx(features.log_scores(constants)[:-1])


def test_a_large_image_is_scored_at_the_candidates_size():
    rgb = photograph(disc(48, 64, 20)).repeat(2, axis=0).repeat(2, axis=1)
    scored = score_lesions(np.zeros((192, 256), np.int64), rgb)
    assert scored.masks.shape[1:] == scored.inside.shape == (96, LESION.size)
    assert dice(found(rgb, np.zeros((192, 256), np.int64)), disc(48, 64, 20).repeat(2, 0).repeat(2, 1)) > 0.93


def test_a_grey_photograph_says_nothing_about_colour():
    grey = photograph(disc(48, 64, 20)).mean(axis=2, keepdims=True)
    scored, central = score_lesions(NOTHING_KNOWN, grey), score_central(NOTHING_KNOWN, grey)
    assert np.array_equal(scored.masks, central.masks)
    assert scored.names == central.names


def test_a_lesion_is_bright_in_every_channel():
    mask, inside = disc(48, 64, 20), np.ones((H, W), bool)
    rgb = photograph(mask)
    channels = lesion_channels(rgb, inside)
    assert channels.shape == (5, H, W)
    core = disc(48, 64, 14)
    for channel in channels:
        assert channel[core].min() > channel[~disc(48, 64, 28)].max()
    lightness = rgb2lab(np.array([[LESION_COLOUR]]))[0, 0, 0]
    blue, light, saturation, share_of_blue, along = (channel[core].mean() for channel in channels)
    assert blue == pytest.approx(-LESION_COLOUR[2], abs=0.01)
    assert light == pytest.approx(-lightness, abs=1)
    assert saturation == pytest.approx(1 - LESION_COLOUR[2] / LESION_COLOUR[0], abs=0.02)
    assert share_of_blue == pytest.approx(-LESION_COLOUR[2] / LESION_COLOUR.sum(), abs=0.01)
    gap = rgb2lab(np.array([[LESION_COLOUR, SKIN]]))[0]
    assert along - channels[4][~disc(48, 64, 28)].mean() == pytest.approx(np.linalg.norm(gap[0] - gap[1]), abs=1)


def test_the_main_axis_is_that_of_what_is_inside():
    mask = disc(48, 64, 20)
    rgb = photograph(mask)
    outside = X > 100
    rgb[outside] = (0.1, 0.9, 0.1)
    along = lesion_channels(rgb, ~outside)[4]
    assert along[disc(48, 64, 14)].min() > along[~disc(48, 64, 28) & (X < 90)].max()
