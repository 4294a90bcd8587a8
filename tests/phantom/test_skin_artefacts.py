"""What lies on a photograph besides skin; nothing hides the lesion."""

from dataclasses import replace

import numpy as np
import pytest

from napari_s3net.phantom.plane import PaintedPlane
from napari_s3net.phantom.skin_artefacts import MOST_HIDDEN, paint_artefacts, paint_frame, paint_hairs
from napari_s3net.phantom.skin_record import draw_skin_record

CLEAN = replace(
    draw_skin_record(0),
    **dict.fromkeys(("hairs", "marks", "ink", "stickers", "rulers", "bubbles", "glare"), 0),
    gel=0.0,
    frame="none",
)
GREY = np.full((64, 64, 3), 0.5, np.float32)


def plane(seed=0):
    return PaintedPlane(np.random.default_rng(seed), 64)


def lesion():
    y, x = np.mgrid[:64, :64]
    return ((y - 32) ** 2 + (x - 32) ** 2 < 12**2).astype(np.float32)


def test_a_clean_photograph_stays_as_it_is():
    for painted, cover in (
        paint_hairs(plane(), CLEAN, GREY),
        paint_artefacts(plane(), CLEAN, GREY, lesion()),
        paint_frame(plane(), CLEAN, GREY, lesion()),
    ):
        np.testing.assert_array_equal(painted, GREY)
        assert not cover.any()


def test_dark_hairs_darken_where_they_lie():
    painted, cover = paint_hairs(plane(), replace(CLEAN, hairs=40, hair_width=1.5, hair_lightness=0.1), GREY)
    assert 0.02 < (cover > 0.5).mean() < 0.9
    assert painted[cover > 0.9].mean() < 0.35
    np.testing.assert_array_equal(painted[cover == 0], GREY[cover == 0])


@pytest.mark.parametrize("name", ["marks", "ink", "stickers", "rulers", "bubbles"])
def test_artefacts_are_seen_but_hide_no_lesion(name):
    met = 0
    for seed in range(12):
        painted, covered = paint_artefacts(plane(seed), replace(CLEAN, **{name: 1}), GREY, lesion())
        assert (covered * lesion()).sum() <= MOST_HIDDEN * lesion().sum() + 1e-3
        met += not np.array_equal(painted, GREY)
    assert met > 4


@pytest.mark.parametrize("frame", ["small lens", "lens", "soft lens", "bars", "one side"])
def test_a_frame_darkens_the_rim_and_leaves_the_lesion(frame):
    met = 0
    for seed in range(12):
        painted, hidden = paint_frame(plane(seed), replace(CLEAN, frame=frame), GREY, lesion())
        assert painted.shape == GREY.shape
        assert (hidden * lesion()).sum() <= MOST_HIDDEN * lesion().sum() + 1e-3
        rim = np.ones((64, 64), bool)
        rim[3:-3, 3:-3] = False
        met += hidden[rim].mean() > hidden[28:36, 28:36].mean()
    assert met > 6
