"""What strokes mean for whole connected components."""

import numpy as np
import pytest

from napari_s3net.correction.region_repair import (
    absorb_fragments,
    reassign_whole_components,
    revert_detached_changes,
)

SHAPE = (120, 160)
NAMED = {"similar": (0.6, 1.0), "most_growth": 1.3, "most_of_region": 0.5}


def disc(row, column, radius):
    y, x = np.ogrid[: SHAPE[0], : SHAPE[1]]
    return (y - row) ** 2 + (x - column) ** 2 <= radius**2


def painted(*marks):
    strokes = np.full(SHAPE, -1)
    for mask, label in marks:
        strokes[mask] = label
    return strokes


def reassigned(labels, colours, place=(60, 110), label=1, **changes):
    strokes = painted()
    strokes[place] = label
    points = np.array([np.ravel_multi_index(place, SHAPE)])
    return reassign_whole_components(labels.astype(int), strokes, points, colours[..., None], **{**NAMED, **changes})


@pytest.fixture
def lungs():
    """Two dark discs in a light body, of which the labels have the left one."""
    left, right = disc(60, 40, 22), disc(60, 115, 25)
    return left, right, np.where(left | right, 0.0, 2.0).astype(np.float32)


def test_a_component_that_was_missed_comes_as_a_whole(lungs):
    left, right, colours = lungs
    before = left.astype(int)
    np.testing.assert_array_equal(reassigned(before, colours) == 1, left | right)
    np.testing.assert_array_equal(before == 1, left)


def test_a_component_that_is_too_much_goes_as_a_whole(lungs):
    left, right, colours = lungs
    np.testing.assert_array_equal(reassigned(left | right, colours, (60, 40), 0, most_of_region=1.0) == 1, right)


def test_beside_the_painted_label_and_its_own_it_does_not_stand_apart(lungs):
    left, right, colours = lungs
    half = left | (right & (np.arange(SHAPE[1]) > 115))
    np.testing.assert_array_equal(reassigned(half, colours) == 1, half)


def test_what_is_left_of_its_region_all_around_is_filled(lungs):
    """Surrounded by the painted label only: it touches nothing more of its old one."""
    _, right, colours = lungs
    assert (reassigned(~right, colours, most_of_region=1.0) == 1).all()


def test_without_a_sharp_edge_nothing_follows(lungs):
    left, right, colours = lungs
    blurred = colours + np.where(disc(60, 115, 35) & ~right, -1.2, 0).astype(np.float32)  # 0.8 from the stroke
    np.testing.assert_array_equal(reassigned(left, blurred) == 1, left)
    assert (reassigned(left, blurred, most_growth=2.0) == 1)[disc(60, 115, 35)].all()


def test_more_than_so_much_of_its_region_does_not_follow(lungs):
    left, right, colours = lungs
    share = right.sum() / (~left).sum()
    np.testing.assert_array_equal(reassigned(left, colours, most_of_region=0.99 * share) == 1, left)
    assert (reassigned(left, colours, most_of_region=1.01 * share) == 1)[right].all()


def test_a_stroke_on_its_own_label_changes_nothing(lungs):
    left, _, colours = lungs
    np.testing.assert_array_equal(reassigned(left, colours, (60, 40), 1) == 1, left)


def test_what_touches_the_stroke_by_a_corner_only_is_another_component():
    colours = np.full(SHAPE, 2.0, np.float32)
    colours[10:20, 10:20] = colours[20:30, 20:30] = 0
    new = reassigned(np.zeros(SHAPE, int), colours, (15, 15))
    assert (new[10:20, 10:20] == 1).all()
    assert (new[20:30, 20:30] == 0).all()


def test_changes_that_appear_by_themselves_are_undone():
    old, new = disc(60, 80, 20).astype(int), disc(60, 80, 25).astype(int)
    new[disc(20, 20, 5)] = new[disc(100, 140, 5)] = 1
    kept = revert_detached_changes(new, old, painted((disc(100, 140, 2), 1)))
    assert not kept[disc(20, 20, 5)].any()
    assert kept[disc(100, 140, 5)].all()
    assert kept[disc(60, 80, 25)].all()
    assert new[20, 20] == 1  # what was given is left as it was


def test_each_goes_back_to_what_it_was():
    old = np.zeros(SHAPE, int)
    old[:, 80:] = 2
    new = old.copy()
    new[disc(60, 80, 6)] = 1
    np.testing.assert_array_equal(revert_detached_changes(new, old, painted()), old)


@pytest.mark.parametrize("painted_on_it", [False, True])
def test_nothing_small_is_left_over_behind_a_border_that_moved(painted_on_it):
    old, new, speck = disc(60, 80, 20).astype(int), disc(60, 80, 30).astype(int), disc(60, 105, 1.5)
    new[speck] = 0
    far = disc(20, 20, 1.5)
    old[far] = new[far] = 1
    strokes = painted((disc(60, 103, 2.4), 1), (speck & painted_on_it, 0))
    left = absorb_fragments(new, old, strokes, 18.0)
    assert (left[speck] == (0 if painted_on_it else 1)).all()
    assert (left[far] == 1).all()
    assert (left[~speck] == new[~speck]).all()


@pytest.mark.parametrize(("smallest", "absorbed"), [(9, False), (10, True)])
def test_a_fragment_is_what_is_smaller(smallest, absorbed):
    old, new = np.zeros(SHAPE, int), np.ones(SHAPE, int)
    new[50:53, 50:53] = 0
    assert (absorb_fragments(new, old, painted(), smallest)[51, 51] == 1) == absorbed


def test_a_fragment_goes_to_what_most_of_its_neighbours_are():
    old = np.zeros(SHAPE, int)
    new = np.full(SHAPE, 1)
    new[:, 100:] = 2
    new[60, 99:101] = 0
    new[59:62, 101] = 1
    assert (absorb_fragments(new, old, painted(), 5)[60, 99:101] == 1).all()
