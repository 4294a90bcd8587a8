"""What each tool does to labels, object and names of a plane."""

import numpy as np
import pytest

from napari_s3net.errors import InvalidImageError
from napari_s3net.plugin.correct import tools
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
    assert plane.regions("object") == [(1,)]
    assert plane.regions([3, 2]) == [(3,), (2,)]
    assert plane.regions(3) == [(3,)]
    assert plane.regions("all") == [(1,), (2,), (3,)]
    assert Plane(plane.labels, (), {}).regions("object") == []


def test_an_object_of_several_labels_is_one_region(plane):
    asked = []

    def change(labels, ids):
        asked.append(tuple(ids))
        return labels

    tools.reshape(Plane(plane.labels, (1, 3), {}), "object", (), change)
    assert asked == [(1, 3)]


def test_regions_are_changed_one_after_the_other_and_locked_labels_stay(plane):
    def take_all(labels, ids):
        return np.where(np.isin(labels, ids), 9, labels)

    new = tools.reshape(plane, "all", (3,), take_all)
    assert set(np.unique(new.labels)) == {9, 3}
    np.testing.assert_array_equal(new.labels == 3, plane.labels == 3)
    assert (new.foreground, new.names) == (plane.foreground, plane.names)
    assert set(np.unique(plane.labels)) == {1, 2, 3}, "the plane itself is not changed"


def test_nothing_to_act_on_is_refused(plane):
    with pytest.raises(InvalidImageError, match="select a label in the list"):
        tools.reshape(plane, [], (), lambda labels, ids: labels)


def test_merging_leaves_locked_labels_alone(plane):
    assert (tools.merge(plane, [1, 3], (3,)).labels == plane.labels).all()


def test_merging_takes_the_lowest_number(plane):
    new = tools.merge(plane, [3, 2], ())
    assert set(np.unique(new.labels)) == {1, 2}
    assert new.foreground == (1,)
    with pytest.raises(InvalidImageError, match="two or more"):
        tools.merge(plane, [3], ())


def test_parts_keep_their_side_and_say_what_they_were(plane):
    new = tools.split_parts(plane, [1], ())
    assert new.labels[15, 3] == 4
    assert new.labels[3, 3] == 1
    assert new.foreground == (1, 4)
    assert new.names[4] == "Lesion 2"
    np.testing.assert_array_equal(tools.split_parts(plane, [1], (1,)).labels, plane.labels)
    with pytest.raises(InvalidImageError, match="Select a label"):
        tools.split_parts(plane, [], ())


def test_a_cut_between_two_clicks(plane):
    new = tools.split_between(plane, (3, 3), (8, 8), ())
    assert new.labels[3, 3] == 1
    assert new.labels[8, 8] == 4
    assert new.foreground == (1, 4)
    with pytest.raises(InvalidImageError, match="locked"):
        tools.split_between(plane, (3, 3), (8, 8), (1,))


def test_a_part_is_given_away(plane):
    new = tools.assign(plane, (15, 3), 2, ())
    assert (new.labels[14:17, 2:5] == 2).all()
    assert new.labels[3, 3] == 1
    for locked in ((1,), (2,)):
        with pytest.raises(InvalidImageError, match="locked"):
            tools.assign(plane, (15, 3), 2, locked)


def test_swapping_sides_twice_gives_the_same_object(plane):
    once = tools.swap_sides(plane, ())
    assert once.foreground == (2, 3)
    np.testing.assert_array_equal(once.labels, plane.labels)
    assert tools.swap_sides(once, ()).foreground == (1,)
    with pytest.raises(InvalidImageError, match="Unlock"):
        tools.swap_sides(plane, (2,))


def test_labels_that_lie_in_other_slices_swap_sides_as_well(plane):
    elsewhere = Plane(plane.labels, (1, 5), {**plane.names, 4: "Bone", 5: "Lesion 2"})
    assert tools.swap_sides(elsewhere, ()).foreground == (2, 3, 4)


def test_new_parts_get_numbers_that_no_other_slice_and_no_name_has(plane):
    known = Plane(plane.labels, (1,), {**plane.names, 7: "Bone"})
    assert set(tools.split_parts(known, [1], ()).names) == {1, 2, 3, 7, 8}
    assert set(tools.split_between(known, (3, 3), (8, 8), ()).names) == {1, 2, 3, 7, 8}
    far = Plane(plane.labels, (1,), plane.names, highest=30)
    assert set(tools.split_parts(far, [1], ()).names) == {1, 2, 3, 31}
    assert set(tools.split_between(far, (3, 3), (8, 8), ()).names) == {1, 2, 3, 31}


def test_swapping_the_sides_of_a_mask():
    mask = np.zeros((5, 5), np.uint8)
    mask[1:3, 1:3] = 6
    new = tools.swap_sides(Plane(mask, (6,), {}), ())
    np.testing.assert_array_equal(new.labels, np.where(mask, 0, 6))
    assert new.labels.dtype == np.uint8
