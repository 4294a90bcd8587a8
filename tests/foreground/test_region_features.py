"""Features by which a candidate is scored."""

from dataclasses import replace

import numpy as np
import pytest

from napari_s3net.foreground.central import CENTRAL
from napari_s3net.foreground.lesion import LESION
from napari_s3net.foreground.morphology import centre_weight, perimeters
from napari_s3net.foreground.region_features import LINEAR, RATIOS, measure_candidates

H, W = 96, 128
Y, X = np.mgrid[:H, :W]
INSIDE = np.ones((H, W), bool)
FRAME = 2 * (H + W) - 4
DISC = (Y - 48) ** 2 + (X - 64) ** 2 < 20**2
NOISE = np.random.default_rng(0).normal(0, 0.3, (H, W))


def colours(mask, gap=-2.0):
    return (gap * mask + NOISE)[..., None]


def of(mask, image=None, inside=INSIDE):
    return measure_candidates(mask[None], colours(DISC) if image is None else image, inside, LESION)


def log_score(mask, constants=LESION):
    return of(mask).log_scores(constants)[0]


@pytest.mark.parametrize("constants", [LESION, CENTRAL])
def test_the_true_disc_has_the_largest_score(constants):
    others = [
        np.roll(DISC, 40, axis=1),
        X < 64,
        (Y - 48) ** 2 + (X - 64) ** 2 < 8**2,
        ~DISC,
        (Y // 8 + X // 8) % 2 == 0,
    ]
    assert all(log_score(DISC, constants) > log_score(other, constants) for other in others)


def test_a_score_is_a_product_of_powers():
    features = of(DISC | (X < 30), colours(DISC, 1.0))
    features = replace(features, lightness_excess=np.array([0.4]))
    expected = -4.5 * features.border_contact - 1.0 * features.lightness_excess
    exponents = (1.0, 2.0, 2.0, 0.5, 1.5, 0.5)
    for name, exponent in zip(RATIOS, exponents, strict=True):
        value = getattr(features, name) + (0 if name == "area" else 0.05)
        expected = expected + exponent * np.log(value)
    assert features.log_scores(LESION) == pytest.approx(expected)


def test_names_are_data():
    assert tuple(LESION.exponents) == tuple(CENTRAL.exponents) == RATIOS
    for name in (*RATIOS, *LINEAR):
        assert getattr(of(DISC), name).shape == (1,)


def test_compactness_is_that_of_the_perimeter():
    line = (abs(Y - 48) < 3) & (abs(X - 64) < 60)
    masks = np.stack([DISC, line])
    features = measure_candidates(masks, colours(DISC), INSIDE, LESION)
    assert features.compactness[0] > 2 * features.compactness[1]
    assert features.compactness[1] == pytest.approx(4 * np.pi * line.sum() / perimeters(masks)[1] ** 2)
    assert (features.compactness <= 1).all()


def test_centrality_is_the_mean_weight():
    assert of(DISC).centrality[0] == pytest.approx(centre_weight((H, W))[DISC].mean(), rel=1e-5)


def test_boundary_is_the_gap_between_both_rims():
    exact = of(DISC, colours(DISC, -2.0)).boundary[0]
    assert exact == pytest.approx(2, abs=0.1)
    assert of(np.roll(DISC, 40, axis=1)).boundary[0] < 0.3
    far = (Y - 48) ** 2 + (X - 64) ** 2 < 24**2  # four pixels outside: its rims see nothing of the disc
    assert of(far).boundary[0] < 0.3
    near = (Y - 48) ** 2 + (X - 64) ** 2 < 22**2
    assert 0.3 < of(near).boundary[0] < 1.5


def test_a_boundary_in_colour_is_a_distance():
    image = np.stack([3.0 * DISC, 4.0 * DISC], axis=-1)
    assert of(DISC, image).boundary[0] == pytest.approx(5, abs=1e-4)


@pytest.mark.parametrize(("pixels", "told"), [(4, False), (5, True)])
def test_rims_of_few_pixels_tell_nothing(pixels, told):
    mask = (Y == 48) & (X >= 60) & (60 + pixels > X)
    assert (of(mask, colours(mask, 5.0)).boundary[0] > 1) == told
    inside = INSIDE.copy()
    inside[DISC] = False
    inside[46 : 46 + pixels, 82] = True  # what is seen of the disc
    assert (of(DISC, colours(DISC, 5.0), inside).boundary[0] > 1) == told


def test_fisher_separation_is_gap_over_spreads():
    features = of(DISC)
    inner, outer = features.inner, features.outer
    expected = abs(inner.mean - outer.mean)[0, 0] / (inner.spread + outer.spread + 0.1)[0, 0]
    assert features.fisher_separation[0] == pytest.approx(expected)
    assert features.background_uniformity[0] == pytest.approx(1 / (outer.spread[0, 0] + 0.05))


def test_both_sides_are_measured():
    features = of(DISC)
    image = colours(DISC)[..., 0] - colours(DISC).mean()
    for side, where in ((features.inner, DISC), (features.outer, ~DISC)):
        assert side.pixels[0] == where.sum()
        assert side.mean[0, 0] == pytest.approx(image[where].mean(), abs=1e-4)
        assert side.spread[0, 0] == pytest.approx(image[where].std(), abs=1e-4)
    assert features.area[0] == pytest.approx(DISC.mean())


def test_outside_is_only_what_is_image():
    inside = X < 100
    image = colours(DISC)
    image[~inside] = 100
    features = of(DISC, image, inside)
    assert features.outer.pixels[0] == (~DISC & inside).sum()
    assert features.outer.spread[0, 0] < 0.4


def test_what_covers_everything_has_no_surroundings():
    features = of(INSIDE)
    assert features.outer.pixels[0] == 0
    assert features.fisher_separation[0] == features.lightness_excess[0] == features.boundary[0] == 0
    assert features.background_uniformity[0] == pytest.approx(1 / 1.05)
    assert features.border_contact[0] == pytest.approx(1, abs=1e-4)


@pytest.mark.parametrize(
    ("mask", "share"),
    [
        (DISC, 0),
        (X < W // 2, 0.5),
        (Y == 0, W / FRAME),
        (Y == H - 1, W / FRAME),
        (X == 0, H / FRAME),
        (X == W - 1, H / FRAME),
        (X == W - 2, 2 / FRAME),
    ],
)
def test_border_contact_is_the_covered_share_of_the_frame(mask, share):
    assert of(mask).border_contact[0] == pytest.approx(share, abs=0.001)


def test_the_frame_runs_along_what_is_no_image():
    inside = X < 100
    assert of(X == 99, inside=inside).border_contact[0] > of(X == 90, inside=inside).border_contact[0] * 5


def test_lightness_excess_is_for_the_light_and_not_for_the_dark():
    assert of(DISC, colours(DISC, -2)).lightness_excess[0] == 0
    assert of(DISC, colours(DISC, 2)).lightness_excess[0] == pytest.approx(2, abs=0.1)
    second = np.concatenate([np.zeros((H, W, 1)), colours(DISC, 2)], axis=2)
    assert of(DISC, second).lightness_excess[0] == 0, "only the first axis is lightness"


def test_distance_is_in_half_heights_and_half_widths():
    for y, x in ((48, 64), (48, 84), (30, 64), (66, 44)):
        mask = (Y - y) ** 2 + (X - x) ** 2 < 10**2
        expected = np.hypot((y - 47.5) / 47.5, (x - 63.5) / 63.5)
        assert of(mask).distance[0] == pytest.approx(expected, abs=1e-3)


def test_no_candidates():
    none = measure_candidates(np.zeros((0, H, W), bool), colours(DISC), INSIDE, LESION)
    assert none.log_scores(LESION).shape == (0,)


def test_many_candidates_are_measured_as_one_by_one():
    masks = np.stack([DISC, X < 30, np.roll(DISC, 15, axis=1), INSIDE])
    together = measure_candidates(masks, colours(DISC), INSIDE, LESION)
    for name in (*RATIOS, *LINEAR, "distance"):
        alone = [getattr(of(mask), name)[0] for mask in masks]
        assert getattr(together, name) == pytest.approx(alone, rel=1e-4, abs=1e-5)
