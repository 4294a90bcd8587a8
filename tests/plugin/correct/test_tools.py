"""What each tool does to labels, object and names of a plane."""

import numpy as np
import pytest

from napari_s3net.errors import InvalidImageError
from napari_s3net.plugin.correct import tools as editing
from napari_s3net.plugin.correct.tools import Plane


@pytest.fixture
def plane():
    """Two squares of 1, one with a hole, on 2, and a strip of 3."""
    labels = np.full((20, 30), 2, np.int32)
    labels[2:10, 2:10] = 1
    labels[5, 5] = 2
    labels[14:17, 2:5] = 1
    labels[:, 25:] = 3
    return Plane(labels, (1,), {1: "Lesion", 2: "Skin", 3: "Ruler"})


def test_what_a_scope_means(plane):
    assert plane.regions("object", [3]) == [(1,)]
    assert plane.regions("selected", [3, 2]) == [(3,), (2,)]
    assert plane.regions("all", []) == [(1,), (2,), (3,)]
    assert Plane(plane.labels, (), {}).regions("object", []) == []


@pytest.mark.parametrize(
    ("tool", "amount", "pixels"),
    [("fill", 0, 64 + 9), ("largest", 0, 63), ("small", 10, 63), ("grow", 1, None), ("grow", -1, None)],
)
def test_shapes(plane, tool, amount, pixels):
    new = editing.shape_tool(plane, tool, [(1,)], amount, ())
    count = (new.labels == 1).sum()
    if pixels is None:
        assert (count > 72) == (amount > 0)
    else:
        assert count == pixels
    assert (new.labels[:, 25:] == 3).all()
    assert (plane.labels == 1).sum() == 72


def test_smoothing_rounds_corners_off(plane):
    new = editing.shape_tool(plane, "smooth", [(1,)], 0, ())
    assert new.labels[2, 2] == 2
    assert new.labels[6, 6] == 1


def test_locked_labels_stay(plane):
    grown = editing.shape_tool(plane, "grow", [(3,)], 4, (2,))
    np.testing.assert_array_equal(grown.labels == 2, plane.labels == 2)
    assert (editing.merge(plane, [1, 3], (3,)).labels == plane.labels).all()


def test_merging_takes_the_lowest_number(plane):
    new = editing.merge(plane, [3, 2], ())
    assert set(np.unique(new.labels)) == {1, 2}
    assert new.foreground == (1,)
    with pytest.raises(InvalidImageError, match="two or more"):
        editing.merge(plane, [3], ())


def test_parts_keep_their_side_and_say_what_they_were(plane):
    new = editing.split_parts(plane, [1], ())
    assert new.labels[15, 3] == 4
    assert new.labels[3, 3] == 1
    assert new.foreground == (1, 4)
    assert new.names[4] == "Lesion 2"
    np.testing.assert_array_equal(editing.split_parts(plane, [1], (1,)).labels, plane.labels)
    with pytest.raises(InvalidImageError, match="Select a label"):
        editing.split_parts(plane, [], ())


def test_a_cut_between_two_clicks(plane):
    new = editing.split_between(plane, (3, 3), (8, 8), ())
    assert new.labels[3, 3] == 1
    assert new.labels[8, 8] == 4
    assert new.foreground == (1, 4)
    with pytest.raises(InvalidImageError, match="locked"):
        editing.split_between(plane, (3, 3), (8, 8), (1,))


def test_a_part_is_given_away(plane):
    new = editing.assign(plane, (15, 3), 2, ())
    assert (new.labels[14:17, 2:5] == 2).all()
    assert new.labels[3, 3] == 1
    for locked in ((1,), (2,)):
        with pytest.raises(InvalidImageError, match="locked"):
            editing.assign(plane, (15, 3), 2, locked)


def test_swapping_sides_twice_gives_the_same_object(plane):
    once = editing.swap_sides(plane, ())
    mask = np.isin(plane.labels, plane.foreground)
    np.testing.assert_array_equal(np.isin(once.labels, once.foreground), ~mask)
    assert once.names[int(once.labels[3, 3])] == "Lesion"
    twice = editing.swap_sides(once, ())
    np.testing.assert_array_equal(np.isin(twice.labels, twice.foreground), mask)
    with pytest.raises(InvalidImageError, match="Unlock"):
        editing.swap_sides(plane, (2,))


def test_swapping_the_sides_of_a_mask():
    mask = np.zeros((5, 5), np.uint8)
    mask[1:3, 1:3] = 6
    new = editing.swap_sides(Plane(mask, (6,), {}), ())
    np.testing.assert_array_equal(new.labels, np.where(mask, 0, 6))
    assert new.labels.dtype == np.uint8
