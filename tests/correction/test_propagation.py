"""How strokes spread to the pixels that were not painted."""

import numpy as np
import pytest

from napari_s3net.correction.propagation import (
    CONSTANTS,
    PixelFeatures,
    colour_spread,
    observation_points,
    propagate,
)

SHAPE = (120, 160)


def disc(row, column, radius):
    y, x = np.ogrid[: SHAPE[0], : SHAPE[1]]
    return (y - row) ** 2 + (x - column) ** 2 <= radius**2


def spread(labels, strokes, features, n=2):
    return propagate(labels.astype(int), strokes, features, n).argmax(axis=0)


@pytest.fixture
def flat():
    return PixelFeatures(np.zeros((*SHAPE, 3), np.float32))


@pytest.fixture
def spot():
    """A dark disc of radius 40 on a light ground, and what the first result found of it: radius 30."""
    true = disc(60, 80, 40)
    return true, disc(60, 80, 30), PixelFeatures(np.where(true, 30, 80)[..., None].astype(np.float32))


def painted(*marks):
    strokes = np.full(SHAPE, -1)
    for mask, label in marks:
        strokes[mask] = label
    return strokes


def test_without_strokes_nothing_changes(flat):
    labels = disc(60, 80, 20)
    np.testing.assert_array_equal(spread(labels, painted(), flat), labels)


def test_painted_pixels_have_their_label(spot):
    _, found, features = spot
    strokes = painted((disc(60, 115, 3), 1), (disc(30, 30, 2), 0), (disc(60, 80, 2), 0))
    new = spread(found, strokes, features)
    np.testing.assert_array_equal(new[strokes >= 0], strokes[strokes >= 0])


def test_the_border_moves_to_the_other_side_of_the_stroke(spot):
    true, found, features = spot
    new = spread(found, painted((disc(60, 115, 2.4), 1)), features)
    assert new[60, 118] == 1
    assert new[60, 124] == 0
    assert (new != true).sum() < 0.8 * (found != true).sum()


def test_what_looks_alike_follows_and_what_does_not_stays(spot):
    """The missing rim is as dark all around; a stroke on the light ground moves no part of the dark one."""
    true, found, features = spot
    new = spread(found, painted((disc(60, 115, 2.4), 1)), features)
    gained = (new == 1) & ~found
    assert (gained & true).sum() > 5 * (gained & ~true).sum()
    opposite = gained[:, :60]
    assert opposite.any()


def test_far_away_nothing_moves_without_likeness(spot):
    _, found, features = spot
    colours = features.colours.copy()
    colours[:, :60] += 300
    new = spread(found, painted((disc(60, 115, 2.4), 1)), PixelFeatures(colours))
    np.testing.assert_array_equal(new[:, :58], found[:, :58])


def test_the_network_can_tell_apart_what_colours_cannot(flat):
    """Two halves of the same colour: only the network knows of the border between them."""
    found = disc(60, 80, 20)
    answers = np.ones((*SHAPE, 1), np.float32)
    answers[:, :80] = -1
    strokes = painted((disc(60, 104, 2), 1))
    blind, seeing = (
        spread(found, strokes, features) for features in (flat, PixelFeatures(flat.colours, answers[::2, ::2]))
    )
    gained = [((new == 1) & ~found)[:, :78].sum() for new in (blind, seeing)]
    assert gained[0] > 0
    assert gained[1] == 0


def test_a_stroke_far_from_its_region_makes_a_spot_of_its_own(flat):
    new = spread(disc(40, 40, 15), painted((disc(100, 140, 3), 1)), flat)
    island = new[80:, 120:] == 1
    assert 20 < island.sum() < 1500
    assert new[40, 40] == 1


def test_nothing_appears_by_itself(spot):
    """A part without a stroke and without a pixel of its old region goes back."""
    _, found, features = spot
    strokes = painted((disc(60, 115, 2.4), 1), (disc(20, 20, 2), 0), (disc(60, 80, 3), 0))
    new = spread(found, strokes, features)
    from scipy import ndimage

    parts, n = ndimage.label(new == 1)
    for part in range(1, n + 1):
        assert ((parts == part) & (found | (strokes == 1))).any()


def test_several_labels_at_once(flat):
    labels = np.zeros(SHAPE, int)
    labels[:, 50:100], labels[:, 100:] = 1, 2
    new = spread(labels, painted((disc(60, 106, 2.4), 1)), flat, 3)
    assert new[60, 108] == 1
    assert set(np.unique(new[:, :50])) == {0}
    assert new[5, 108] == 2


def test_a_disc_is_seen_at_its_middle_and_a_line_along_it():
    (place,) = observation_points(painted((disc(60, 80, 2.4), 1)))
    assert np.unravel_index(place, SHAPE) == (60, 80)
    line = np.zeros(SHAPE, bool)
    line[60, 20:140] = True
    places = observation_points(painted((line, 1)))
    assert 20 < len(places) < 75


def test_there_are_never_too_many_places():
    rng = np.random.default_rng(0)
    places = observation_points(np.where(rng.random(SHAPE) < 0.5, 1, 0))
    assert len(places) <= CONSTANTS.most_points
    assert len(observation_points(painted())) == 0


def test_unpainted_scraps_are_all_seen():
    marks = [(disc(r, c, 1), (r + c) % 2) for r in range(10, 120, 20) for c in range(10, 160, 20)]
    assert len(observation_points(painted(*marks))) == len(marks)


@pytest.fixture
def lungs():
    """Two dark discs in a light body, of which the first result found the left one only."""
    left, right = disc(60, 40, 22), disc(60, 115, 25)
    values = np.where(left | right, 20, 70) + np.random.default_rng(0).normal(0, 2, SHAPE)
    return left, right, PixelFeatures(values[..., None].astype(np.float32))


def test_a_component_that_was_missed_follows_its_stroke_as_a_whole(lungs):
    left, right, features = lungs
    new = spread(left, painted((disc(60, 110, 2.4), 1)), features) == 1
    assert (new & right).sum() > 0.97 * right.sum()
    assert (new & ~left & ~right).sum() < 0.03 * right.sum()
    assert (new & left).sum() > 0.99 * left.sum()


def test_a_component_that_is_too_much_goes_as_a_whole(lungs):
    left, right, features = lungs
    new = spread(left | right, painted((disc(60, 38, 2.4), 0)), features) == 1
    assert not (new & left).any()
    assert (new & right).sum() > 0.99 * right.sum()


def test_without_an_edge_there_is_no_such_component(lungs):
    left, right, _ = lungs
    flat = np.linspace(0, 100, SHAPE[1], dtype=np.float32)[None, :, None] * np.ones((SHAPE[0], 1, 1), np.float32)
    strokes = painted((disc(60, 110, 2.4), 1))
    assert (spread(left, strokes, PixelFeatures(flat)) & right).sum() < 0.5 * right.sum()


def test_influence_does_not_hang_on_the_scale_of_the_colours(spot):
    _, found, features = spot
    strokes = painted((disc(60, 115, 2.4), 1))
    noisy = features.colours + np.random.default_rng(0).normal(0, 1, features.colours.shape).astype(np.float32)
    strong, weak = (spread(found, strokes, PixelFeatures(noisy * factor)) for factor in (1, 0.5))
    np.testing.assert_array_equal(strong, weak)


def test_the_posterior_mean_by_hand():
    """One stroke in a flat image: change(q) = k(q, s) / (1 + σ²) · (y − m), at pixels on the grid of the kernel."""
    c, side = CONSTANTS, 200
    labels = np.zeros((side, side), int)
    labels[:, :100] = 1
    strokes = np.full((side, side), -1)
    strokes[100, 112] = 1
    features = PixelFeatures(np.zeros((side, side, 1), np.float32))
    change = propagate(labels, strokes, features, 2)[1, 60:140:4, 104] - (99.5 - 104)
    wanted = 12.5 + 12.5  # from 12.5 outside to 12.5 inside; both limits lie beyond
    assert c.least_observed * side < 12.5 < c.most_observed * side * 1.5
    wanted = min(12.5, c.most_observed * side) + 12.5
    distance = np.hypot(np.arange(60, 140, 4) - 100, 104 - 112) / side
    depth = (112 - 104) / side  # difference of the distances to either region
    near = np.exp(-0.5 * (distance / c.reach) ** 2)
    far = np.exp(-0.5 * (distance / c.far_reach) ** 2 - 0.5 * (depth / c.far_distance) ** 2)
    expected = ((1 - c.far_share) * near + c.far_share * far) / (1 + c.noise) * wanted
    inside = np.abs(change - 4.5 - 0.5) > 1e-3  # where no rule on components had the last word
    np.testing.assert_allclose(change[inside], expected[inside], rtol=0.02, atol=0.05)
    assert inside.sum() > 10


def test_where_the_region_is_deep_already_nothing_is_observed():
    labels = disc(60, 80, 40).astype(int)
    strokes = painted((disc(60, 80, 3), 1))
    features = PixelFeatures(np.zeros((*SHAPE, 1), np.float32))
    np.testing.assert_array_equal(spread(labels, strokes, features), labels)


def test_a_stroke_at_the_very_border_moves_it_by_the_radius_of_a_stroke():
    labels = np.zeros(SHAPE, int)
    labels[:, :80] = 1
    strokes = np.full(SHAPE, -1)
    strokes[60, 79] = 1
    new = spread(labels, strokes, PixelFeatures(np.zeros((*SHAPE, 1), np.float32)))
    moved = int((new[60] == 1).sum()) - 80
    assert 1 <= moved <= CONSTANTS.least_observed * 160


def test_distances_agree_with_what_was_decided(spot):
    _, found, features = spot
    strokes = painted((disc(60, 115, 2.4), 1), (disc(20, 20, 2), 0))
    distances = propagate(found.astype(int), strokes, features, 2)
    assert distances.shape == (2, *SHAPE)
    assert distances.dtype == np.float32
    assert (distances.max(axis=0) > distances.min(axis=0)).all()
    assert (distances[1][strokes == 1] > 0).all()
    assert (distances[0][strokes == 0] > 0).all()


def test_the_spread_of_colours():
    colours = np.zeros((2, 2, 2), np.float32)
    colours[0] = 8, 6
    assert colour_spread(colours) == pytest.approx(5)
    assert colour_spread(np.zeros((4, 4, 3), np.float32)) == CONSTANTS.least_spread


def test_points_lie_no_farther_apart_than_the_spacing():
    line = np.zeros(SHAPE, bool)
    line[60, 20:140] = True
    columns = np.sort(observation_points(painted((line, 1))) % SHAPE[1])
    spacing = CONSTANTS.point_spacing * CONSTANTS.least_observed * 160
    assert np.diff(columns).max() <= 2 * spacing
    assert np.diff(columns).min() > 0.4 * spacing
    assert columns[0] - 20 <= spacing
    assert 139 - columns[-1] <= spacing


def test_strokes_of_two_labels_that_touch_are_seen_one_by_one():
    marks = painted(
        (disc(60, 80, 4) & (np.arange(SHAPE[1]) < 80), 0), (disc(60, 80, 4) & (np.arange(SHAPE[1]) >= 80), 1)
    )
    points = observation_points(marks)
    assert set(marks.ravel()[points]) == {0, 1}


def test_odd_sizes_and_small_images():
    labels = np.zeros((17, 23), int)
    labels[4:12, 5:15] = 1
    strokes = np.full((17, 23), -1)
    strokes[8, 18] = 1
    features = PixelFeatures(np.zeros((17, 23, 1), np.float32))
    assert features.coarse_shape == (9, 12)
    assert propagate(labels, strokes, features, 2).argmax(axis=0)[8, 18] == 1


def test_influence_falls_with_colour_as_the_kernel_says():
    """A stripe of another colour is moved less, by the factors of the near and of the far part."""
    c, side = CONSTANTS, 200
    labels = np.zeros((side, side), int)
    labels[:, :100] = 1
    strokes = np.full((side, side), -1)
    strokes[100, 112] = 1
    colours = np.zeros((side, side, 1), np.float32)
    colours[:, 180:] = 40
    colours[60:140, 104] = 6
    difference = 6 / colour_spread(colours)
    plain = propagate(labels, strokes, PixelFeatures(np.where(colours == 6, 0, colours)), 2)[1, 100, 104]
    other = propagate(labels, strokes, PixelFeatures(colours), 2)[1, 100, 104]
    near = (1 - c.far_share) * np.exp(-0.5 * (8 / side / c.reach) ** 2)
    far = c.far_share * np.exp(-0.5 * (8 / side / c.far_reach) ** 2 - 0.5 * (8 / side / c.far_distance) ** 2)
    by_colour = [np.exp(-0.5 * (difference / one) ** 2) for one in (c.colour, c.far_colour)]
    expected = (near * by_colour[0] + far * by_colour[1]) / (near + far)
    assert expected < 0.9
    assert (other + 4.5) / (plain + 4.5) == pytest.approx(expected, rel=0.02)
