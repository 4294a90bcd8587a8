"""Lens rims and stickers are told from skin."""

import numpy as np
import pytest

from napari_s3net.preprocessing.artefacts import ARTEFACT, lens_shadow, marker

H, W = 96, 128
Y, X = np.mgrid[:H, :W]


def disc(y, x, r):
    return (Y - y) ** 2 + (X - x) ** 2 < r**2


def skin():
    return np.broadcast_to(np.array([0.85, 0.65, 0.55], np.float32), (H, W, 3)).copy()


def test_dark_corners_are_lens_and_a_dark_lesion_is_not():
    rgb, corners, lesion = skin(), ~disc(48, 64, 68), disc(48, 64, 15)
    rgb[corners] = 0.03
    rgb[lesion] = 0.1
    shadow = lens_shadow(rgb)
    assert shadow[corners].all()
    assert not shadow[lesion].any()
    assert not shadow[disc(48, 64, 60)].any()
    assert (shadow & ~corners).sum() > 50, "the half-shadow belongs to it"


@pytest.mark.parametrize(
    ("at", "found"), [((0, 0), True), ((0, -1), True), ((-1, 0), True), ((-1, -1), True), ((0, 64), False)]
)
def test_every_corner_counts_and_a_side_does_not(at, found):
    rgb = skin()
    y, x = at[0] % H, at[1] % W
    rgb[disc(y, x, 12)] = 0.0
    assert lens_shadow(rgb)[y, x] == found


@pytest.mark.parametrize("channel", [0, 1, 2])
def test_a_corner_that_is_light_in_one_channel_is_no_shadow(channel):
    rgb = skin()
    rgb[disc(0, 0, 30)] = 0.0
    assert lens_shadow(rgb)[0, 0]
    rgb[disc(0, 0, 30), channel] = 0.4
    assert not lens_shadow(rgb).any()


def test_a_sticker_is_far_bluer_than_the_rest():
    rgb, sticker = skin(), disc(48, 5, 14)
    rgb[sticker] = (0.1, 0.5, 0.9)
    assert marker(rgb)[sticker].all()
    assert not marker(rgb)[disc(48, 64, 30)].any()
    assert marker(rgb).sum() > sticker.sum(), "its blurred rim belongs to it"
    rgb[sticker] = skin()[sticker] + (0, 0, 0.2)
    assert not marker(rgb).any()


def test_lengths_are_those_of_a_small_copy():
    rgb = skin()
    rgb[~disc(48, 64, 68)] = 0.03
    large = rgb.repeat(4, axis=0).repeat(4, axis=1)
    assert lens_shadow(large).shape == marker(large).shape == (96, ARTEFACT.size)
    assert np.mean(lens_shadow(large) != lens_shadow(rgb)) < 0.02
