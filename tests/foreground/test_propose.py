"""The object is proposed without a label: on scenes whose answer is known."""

import numpy as np
import pytest

from napari_s3net.foreground.propose import propose
from napari_s3net.image import Geometry, Image, as_image
from napari_s3net.labels.metrics import dice
from napari_s3net.preprocessing.artefacts import lens_shadow, marker
from napari_s3net.preprocessing.prepare import PreparedPlane
from napari_s3net.preprocessing.window import Window
from napari_s3net.settings import Settings, preset_settings

H, W = 96, 128
Y, X = np.mgrid[:H, :W]
SKIN, LESION = np.array([0.85, 0.65, 0.55]), np.array([0.45, 0.28, 0.2])


def disc(y, x, r):
    return (Y - y) ** 2 + (X - x) ** 2 < r**2


def photograph(mask, seed=0):
    rgb = np.where(mask[..., None], LESION, SKIN) + np.random.default_rng(seed).normal(0, 0.02, (H, W, 3))
    return np.clip(rgb, 0, 1).astype(np.float32)


def clusters_of(mask):
    return mask.astype(np.int64)


def found(features, mask, target="lesion"):
    plane = PreparedPlane(as_image(features.squeeze()), Window(0, 1), features)
    proposal = propose(clusters_of(mask), plane, Settings(target=target))
    assert proposal.object_probability.shape == mask.shape
    assert 0 <= proposal.confidence <= 1
    return proposal.object_probability > 0.5


@pytest.mark.parametrize("where", [(48, 64, 25), (40, 80, 10), (48, 64, 38)])
def test_a_lesion_of_any_size_is_found(where):
    mask = disc(*where)
    assert dice(found(photograph(mask), mask), mask) > 0.93


def test_dark_corners_and_a_blue_sticker_are_kept_out():
    mask = disc(48, 64, 18)
    rgb = photograph(mask)
    corners = ~disc(48, 64, 68)
    rgb[corners] = 0.03
    sticker = disc(48, 5, 14)
    rgb[sticker] = (0.1, 0.5, 0.9)
    object_ = found(rgb, mask)
    assert lens_shadow(rgb)[corners].all()
    assert marker(rgb)[sticker].all()
    assert dice(object_, mask) > 0.9


def test_a_photograph_that_is_all_dark_is_no_error():
    mask = disc(48, 64, 20)
    rgb = np.full((H, W, 3), 0.05, np.float32)
    rgb[mask] = 0.02
    assert lens_shadow(rgb).all()
    assert dice(found(rgb, mask), mask) > 0.9


def test_light_from_one_side_does_not_hide_a_lesion():
    mask = disc(50, 50, 16)
    light = np.linspace(1.1, 0.6, W)[None, :, None]
    assert dice(found((photograph(mask) * light).clip(0, 1).astype(np.float32), mask), mask) > 0.85


@pytest.mark.parametrize("sign", [1, -1])
def test_a_grey_object_is_found_whether_light_or_dark(sign):
    mask = disc(48, 64, 20)
    grey = (0.5 + sign * 0.3 * mask + np.random.default_rng(1).normal(0, 0.03, (H, W)))[..., None].astype(np.float32)
    assert dice(found(grey, mask, "central"), mask) > 0.93


def test_lungs_are_air_inside_the_body_but_neither_room_nor_bowel_gas():
    settings = preset_settings("ct-lung")
    body, lungs, gas = disc(48, 64, 45), disc(48, 45, 14) | disc(48, 83, 14), disc(75, 64, 6)
    hu = np.full((H, W), -1000.0)
    hu[body], hu[lungs], hu[gas] = 40, -800, -1000
    features = (((hu - settings.window_low) / (settings.window_high - settings.window_low)).clip(0, 1))[..., None]
    image = Image(hu.astype(np.int16), Geometry.identity(2), "ct")
    proposal = propose(clusters_of(lungs), PreparedPlane(image, Window(-1000, 200), features), settings)
    object_ = proposal.object_probability > 0.5
    assert dice(object_, lungs) > 0.97
    assert not object_[gas].any()
    assert not object_[~body].any()


def chest_with_bowel(*, bone_at=()):
    """A chest with one large lung beside a rib, a small part as light as lung, and bones at further places (y, x)."""
    y, x = np.mgrid[:256, :256]
    hu = np.where((y - 128) ** 2 + (x - 128) ** 2 < 120**2, 40.0, -1000.0)
    large, small = (y - 110) ** 2 + (x - 90) ** 2 < 50**2, (y - 200) ** 2 + (x - 150) ** 2 < 8**2
    hu[large], hu[small] = -850, -600
    for at in bone_at:
        hu[(y - at[0]) ** 2 + (x - at[1]) ** 2 < 4**2] = 700
    return hu.astype(np.float32), large, small


BY_LARGE, BY_SMALL = (110, 36), (200, 161)


@pytest.mark.parametrize(
    ("bone_at", "kept"), [([BY_LARGE], False), ([BY_LARGE, BY_SMALL], True), ([], True)], ids=["far", "beside", "none"]
)
def test_a_small_part_far_from_every_bone_is_bowel(bone_at, kept):
    hu, large, small = chest_with_bowel(bone_at=bone_at)
    settings = preset_settings("ct-lung")
    image = Image(hu, Geometry.identity(2), "ct")
    features = (hu[..., None] - settings.window_low) / (settings.window_high - settings.window_low)
    lung = (
        propose(clusters_of(large), PreparedPlane(image, Window(-1000, 200), features), settings).object_probability
        > 0.5
    )
    assert lung[large].mean() > 0.95
    assert lung[small].any() == kept


def test_nothing_to_propose_is_an_empty_object_without_confidence():
    flat = np.full((H, W, 1), 0.5, np.float32)
    proposal = propose(
        np.zeros((H, W), np.int64),
        PreparedPlane(as_image(flat.squeeze()), Window(0, 1), flat),
        Settings(target="central"),
    )
    assert not (proposal.object_probability > 0.5).any()
    assert proposal.confidence == 0


def test_a_body_is_its_largest_part_with_holes_filled():
    body = disc(48, 64, 40)
    hu = np.where(body & ~disc(48, 64, 8), 40.0, -1000.0)[..., None].astype(np.float32)
    assert dice(found(hu, body, "body"), body) > 0.98
