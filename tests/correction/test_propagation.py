"""How strokes reach the pixels that were not painted."""

import numpy as np
import pytest

from napari_s3net.correction.propagation import (
    DEEPEST,
    MOST_POINTS,
    Look,
    _without_scraps,
    depths,
    propagate,
    support,
    with_parts,
)

SHAPE = (120, 160)


def disc(row, column, radius):
    y, x = np.ogrid[: SHAPE[0], : SHAPE[1]]
    return (y - row) ** 2 + (x - column) ** 2 <= radius**2


def spread(labels, strokes, look, n=2):
    return propagate(labels.astype(int), strokes, look, n).argmax(axis=0)


@pytest.fixture
def flat():
    return Look(np.zeros((*SHAPE, 3), np.float32))


@pytest.fixture
def spot():
    """A dark disc of radius 40 on a light ground, and what the first result found of it: radius 30."""
    true = disc(60, 80, 40)
    return true, disc(60, 80, 30), Look(np.where(true, 30, 80)[..., None].astype(np.float32))


def painted(*marks):
    strokes = np.full(SHAPE, -1)
    for mask, label in marks:
        strokes[mask] = label
    return strokes


def test_depths_are_signed_and_limited():
    depth = depths(disc(60, 80, 20).astype(int), 2)
    assert depth.shape == (2, *SHAPE)
    assert depth[1, 60, 80] == pytest.approx(DEEPEST * 160)
    assert depth[1, 60, 105] == pytest.approx(-4.5)
    np.testing.assert_allclose(depth[0], -depth[1])


def test_a_label_without_pixels_and_one_with_all():
    depth = depths(np.zeros(SHAPE, int), 2)
    assert (depth[0] > 0).all()
    assert (depth[1] < 0).all()


def test_without_strokes_nothing_changes(flat):
    labels = disc(60, 80, 20)
    np.testing.assert_array_equal(spread(labels, painted(), flat), labels)


def test_painted_pixels_have_their_label(spot):
    _, found, look = spot
    strokes = painted((disc(60, 115, 3), 1), (disc(30, 30, 2), 0), (disc(60, 80, 2), 0))
    new = spread(found, strokes, look)
    np.testing.assert_array_equal(new[strokes >= 0], strokes[strokes >= 0])


def test_the_border_moves_to_the_other_side_of_the_stroke(spot):
    true, found, look = spot
    new = spread(found, painted((disc(60, 115, 2.4), 1)), look)
    assert new[60, 118] == 1
    assert new[60, 124] == 0
    assert (new != true).sum() < 0.8 * (found != true).sum()


def test_what_looks_alike_follows_and_what_does_not_stays(spot):
    """The missing rim is as dark all around; a stroke on the light ground moves no part of the dark one."""
    true, found, look = spot
    new = spread(found, painted((disc(60, 115, 2.4), 1)), look)
    gained = (new == 1) & ~found
    assert (gained & true).sum() > 5 * (gained & ~true).sum()
    opposite = gained[:, :60]
    assert opposite.any()


def test_far_away_nothing_moves_without_likeness(spot):
    _, found, look = spot
    colours = look.colours.copy()
    colours[:, :60] += 300
    new = spread(found, painted((disc(60, 115, 2.4), 1)), Look(colours))
    np.testing.assert_array_equal(new[:, :58], found[:, :58])


def test_the_network_can_tell_apart_what_colours_cannot(flat):
    """Two halves of the same colour: only the network knows of the border between them."""
    found = disc(60, 80, 20)
    said = np.zeros((*SHAPE, 2), np.float32)
    said[:, 80:, 1] = 1
    said[:, :80, 0] = 1
    strokes = painted((disc(60, 104, 2), 1))
    blind, seeing = (spread(found, strokes, look) for look in (flat, Look(flat.colours, said[::2, ::2])))
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
    _, found, look = spot
    strokes = painted((disc(60, 115, 2.4), 1), (disc(20, 20, 2), 0), (disc(60, 80, 3), 0))
    new = spread(found, strokes, look)
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
    (place,) = support(painted((disc(60, 80, 2.4), 1)))
    assert np.unravel_index(place, SHAPE) == (60, 80)
    line = np.zeros(SHAPE, bool)
    line[60, 20:140] = True
    places = support(painted((line, 1)))
    assert 20 < len(places) < 75


def test_there_are_never_too_many_places():
    rng = np.random.default_rng(0)
    places = support(np.where(rng.random(SHAPE) < 0.5, 1, 0))
    assert len(places) <= MOST_POINTS
    assert len(support(painted())) == 0


def test_unpainted_scraps_are_all_seen():
    marks = [(disc(r, c, 1), (r + c) % 2) for r in range(10, 120, 20) for c in range(10, 160, 20)]
    assert len(support(painted(*marks))) == len(marks)


@pytest.fixture
def lungs():
    """Two dark discs in a light body, of which the first result found the left one only."""
    left, right = disc(60, 40, 22), disc(60, 115, 25)
    values = np.where(left | right, 20, 70) + np.random.default_rng(0).normal(0, 2, SHAPE)
    return left, right, Look(values[..., None].astype(np.float32))


def test_a_part_that_was_missed_follows_its_stroke_as_a_whole(lungs):
    left, right, look = lungs
    new = spread(left, painted((disc(60, 110, 2.4), 1)), look) == 1
    assert (new & right).sum() > 0.97 * right.sum()
    assert (new & ~left & ~right).sum() < 0.03 * right.sum()
    assert (new & left).sum() > 0.99 * left.sum()


def test_a_part_that_is_too_much_goes_as_a_whole(lungs):
    left, right, look = lungs
    new = spread(left | right, painted((disc(60, 38, 2.4), 0)), look) == 1
    assert not (new & left).any()
    assert (new & right).sum() > 0.99 * right.sum()


def test_without_an_edge_or_beside_its_region_there_is_no_such_part(lungs):
    left, right, _ = lungs
    flat = np.linspace(0, 100, SHAPE[1], dtype=np.float32)[None, :, None] * np.ones((SHAPE[0], 1, 1), np.float32)
    strokes = painted((disc(60, 110, 2.4), 1))
    assert (spread(left, strokes, Look(flat)) & right).sum() < 0.5 * right.sum()
    half = left | (right & (np.arange(SHAPE[1]) > 115))
    np.testing.assert_array_equal(
        with_parts(half.astype(int), strokes, support(strokes), np.where(right, 0, 2)[..., None]), half
    )


def test_influence_does_not_hang_on_the_scale_of_the_colours(spot):
    _, found, look = spot
    strokes = painted((disc(60, 115, 2.4), 1))
    noisy = look.colours + np.random.default_rng(0).normal(0, 1, look.colours.shape).astype(np.float32)
    strong, weak = (spread(found, strokes, Look(noisy * factor)) for factor in (1, 0.5))
    np.testing.assert_array_equal(strong, weak)


@pytest.mark.parametrize("painted_on_it", [False, True])
def test_nothing_small_is_left_over_behind_a_border_that_moved(painted_on_it):
    old, new, speck = disc(60, 80, 20).astype(int), disc(60, 80, 30).astype(int), disc(60, 105, 1.5)
    new[speck] = 0
    far = disc(20, 20, 1.5)
    old[far] = new[far] = 1
    strokes = painted((disc(60, 103, 2.4), 1), (speck & painted_on_it, 0))
    left = _without_scraps(new, old, strokes)
    assert (left[speck] == (0 if painted_on_it else 1)).all()
    assert (left[far] == 1).all()
    assert (left[~speck] == new[~speck]).all()
