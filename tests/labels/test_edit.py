"""Tools on label arrays."""

import numpy as np
import pytest

from napari_s3net import labels as tools
from napari_s3net.errors import InvalidImageError
from napari_s3net.labels.edit import keep_locked


def disc(shape, row, column, radius):
    y, x = np.ogrid[: shape[0], : shape[1]]
    return (y - row) ** 2 + (x - column) ** 2 <= radius**2


@pytest.fixture
def scene():
    """Background in two halves, 3 and 4; a disc 1 with a spot 2 at its side, a hole in it, and a crumb of 1 outside."""
    labels = np.full((60, 80), 3, np.int32)
    labels[:, 40:] = 4
    labels[disc(labels.shape, 30, 40, 15)] = 1
    labels[disc(labels.shape, 30, 52, 4)] = 2
    labels[28:31, 34:37] = 3
    labels[5:7, 5:7] = 1
    return labels


def changed(before, after):
    assert after.shape == before.shape
    assert after.dtype == before.dtype
    return before != after


def test_nothing_is_changed_in_place(scene):
    copy = scene.copy()
    tools.merge(scene, (1, 2))
    tools.smooth(scene, (1,))
    tools.dilate(scene, (1,), 2)
    tools.swap(scene, 1, 3)
    tools.split_components(scene, 1)
    np.testing.assert_array_equal(scene, copy)


def test_merge(scene):
    new = tools.merge(scene, (1, 2))
    np.testing.assert_array_equal(new == 1, np.isin(scene, (1, 2)))
    assert 2 in tools.merge(scene, (1, 2), into=2)
    np.testing.assert_array_equal(changed(scene, new), scene == 2)


def test_swap(scene):
    new = tools.swap(scene, 1, 3)
    np.testing.assert_array_equal(new == 1, scene == 3)
    np.testing.assert_array_equal(new == 3, scene == 1)
    np.testing.assert_array_equal(tools.swap(new, 1, 3), scene)


def test_split_by_parts(scene):
    new, given = tools.split_components(scene, 1)
    assert given == [5]
    assert (new[5:7, 5:7] == 5).all()
    np.testing.assert_array_equal(changed(scene, new), (new == 5))
    assert tools.split_components(scene, 1, smallest=10)[1] == []
    assert tools.split_components(scene, 99)[1] == []


def test_split_by_two_clicks():
    labels = np.zeros((40, 80), np.int32)
    labels[disc(labels.shape, 20, 25, 15) | disc(labels.shape, 20, 53, 15)] = 7
    new, given = tools.split_between(labels, (20, 25), (20, 53))
    assert given == 8
    assert new[20, 20] == 7
    assert new[20, 60] == 8
    np.testing.assert_array_equal(new > 0, labels > 0)
    assert abs(int((new == 7).sum()) - int((new == 8).sum())) < 30


@pytest.mark.parametrize("second", [(30, 40), (5, 5), (0, 0)])
def test_two_clicks_that_split_nothing_are_explained(scene, second):
    with pytest.raises(InvalidImageError, match="one connected part"):
        tools.split_between(scene, (30, 40), second)


def test_assign_a_part(scene):
    new = tools.assign_component(scene, (5, 5), 3)
    np.testing.assert_array_equal(changed(scene, new), disc(scene.shape, 5.5, 5.5, 1))
    assert new[30, 40] == 1


def test_smooth_rounds_and_gives_crumbs_to_what_is_around(scene):
    scene[28:31, 20:26] = 1  # a spike
    new = tools.smooth(scene, (1,), 2)
    assert new[29, 21] == 3
    assert new[5, 5] == 3
    assert new[29, 35] == 1
    assert changed(scene, new).mean() < 0.03


def test_fill_holes_takes_the_nearest_label_of_the_region(scene):
    new = tools.fill_holes(scene, (1, 2))
    assert (new[28:31, 34:37] == 1).all()
    np.testing.assert_array_equal(np.argwhere(changed(scene, new)).min(axis=0), (28, 34))
    assert changed(scene, new).sum() == 9


def test_what_touches_the_edge_is_no_hole():
    labels = np.ones((20, 20), np.int32)
    labels[:5, 5:10] = 0
    np.testing.assert_array_equal(tools.fill_holes(labels, (1,)), labels)


def test_remove_small(scene):
    new = tools.remove_small(scene, (1,), 5)
    np.testing.assert_array_equal(changed(scene, new), disc(scene.shape, 5.5, 5.5, 1))
    assert (new[5:7, 5:7] == 3).all()
    np.testing.assert_array_equal(tools.remove_small(scene, (1,), 4), scene)


def test_keep_largest_and_nothing_to_keep(scene):
    assert (tools.keep_largest(scene, (1,))[5:7, 5:7] == 3).all()
    np.testing.assert_array_equal(tools.keep_largest(scene, (99,)), scene)


def test_a_large_part_takes_the_labels_around_it():
    labels = np.full((100, 100), 3, np.int32)
    labels[:, 50:] = 4
    labels[30:70, 30:72] = 1
    labels[5, 5] = 2
    new = tools.remove_small(labels, (1,), 10**6)
    assert set(np.unique(new)) == {2, 3, 4}
    assert new[50, 31] == 3
    assert new[50, 70] == 4


@pytest.mark.parametrize("pixels", [1, 2, 5])
def test_grow_and_shrink(scene, pixels):
    scene = tools.fill_holes(scene, (1, 2))
    grown = tools.dilate(scene, (1, 2), pixels)
    assert np.isin(grown[30, 25 - pixels : 57 + pixels], (1, 2)).all()
    assert not np.isin(grown[30, 25 - pixels - 1], (1, 2))
    assert (grown[30, 56 : 57 + pixels] == 2).all()
    shrunk = tools.dilate(scene, (1, 2), -pixels)
    assert np.isin(shrunk[30, 25 : 25 + pixels], (3,)).all()
    assert shrunk[30, 27 + pixels] == 1
    np.testing.assert_array_equal(tools.dilate(scene, (1,), 0), scene)


def test_the_image_s_edge_wears_nothing_away():
    labels = np.full((30, 30), 2, np.int32)
    labels[:, :10] = 1
    new = tools.dilate(labels, (1,), -2)
    assert (new[:, :8] == 1).all()
    assert (new[:, 8:] == 2).all()
    np.testing.assert_array_equal(tools.smooth(labels, (1,), 2), labels)


def test_stacks_are_worked_slice_by_slice():
    stack = np.zeros((3, 20, 20), np.int32)
    stack[:, 5:15, 5:15] = 1
    stack[1, 8:11, 8:11] = 0
    filled = tools.fill_holes(stack, (1,))
    assert (filled[1] == stack[0]).all()
    stack[2] = 0
    stack[2, 2, 2] = 1
    assert tools.remove_small(stack, (1,), 4)[2].sum() == 0


def test_locked_labels_are_kept(scene):
    new = keep_locked(scene, tools.dilate(scene, (1,), 4), (2, 4))
    np.testing.assert_array_equal(new == 2, scene == 2)
    np.testing.assert_array_equal(new == 4, scene == 4)
    assert changed(scene, new).any()


def test_merge_into_the_smallest_or_into_another(scene):
    assert (tools.merge(scene, (4, 2, 3))[scene == 4] == 2).all()
    into = tools.merge(scene, (1, 2), into=9)
    np.testing.assert_array_equal(into == 9, np.isin(scene, (1, 2)))


def test_components_are_numbered_by_size_and_the_small_ones_keep_the_label():
    labels = np.zeros((12, 30), np.int32)
    labels[1:3, 1:3], labels[1:6, 6:11], labels[1:5, 14:18], labels[9, 9] = 4, 4, 4, 4
    labels[10, 25] = 6
    new, given = tools.split_components(labels, 4, smallest=4)
    assert given == [7, 8]
    assert [new[y, x] for y, x in ((2, 7), (2, 15), (1, 1), (9, 9))] == [4, 7, 8, 4]
    assert new[10, 25] == 6


def test_diagonal_neighbours_are_one_component():
    labels = np.zeros((6, 6), np.int32)
    labels[1, 1] = labels[2, 2] = labels[3, 3] = 1
    assert tools.split_components(labels, 1)[1] == []
    assert tools.remove_small(labels, (1,), 3)[2, 2] == 1


def test_but_a_hole_is_not_open_over_a_corner():
    labels = np.zeros((9, 9), np.int32)
    labels[2:7, 2:7] = 1
    labels[3:6, 3:6] = 0
    labels[2, 2] = 0
    filled = tools.fill_holes(labels, (1,))
    assert (filled[3:6, 3:6] == 1).all()
    assert filled[2, 2] == 0


@pytest.mark.parametrize(
    ("tool", "value"),
    [
        (lambda a: tools.keep_largest(a, (1,)), 2),
        (lambda a: tools.remove_small(a, (1,), 4), 2),
        (lambda a: tools.split_components(a, 1)[0], 8),
    ],
)
def test_neighbouring_slices_are_not_connected(tool, value):
    stack = np.full((2, 12, 12), 2, np.int32)
    stack[0, 2:9, 2:9], stack[1, 3, 3] = 1, 1
    stack[0, 0, 0] = 7
    new = tool(stack)
    assert new[1, 3, 3] == value
    assert (new[0, 2:9, 2:9] == 1).all()


def test_in_two_unequal_halves_the_cut_is_at_the_neck():
    labels = np.zeros((30, 60), np.int32)
    labels[5:25, 5:25], labels[14:16, 25:35], labels[8:22, 35:50] = 3, 3, 3
    new, given = tools.split_between(labels, (15, 10), (15, 45))
    assert (new[5:25, 5:25] == 3).all()
    assert (new[8:22, 35:50] == given).all()


def test_the_other_component_of_the_label_is_not_cut():
    labels = np.zeros((12, 40), np.int32)
    labels[2:10, 2:20], labels[2:10, 25:38] = 3, 3
    new, given = tools.split_between(labels, (5, 3), (5, 18))
    assert (new[2:10, 25:38] == 3).all()
    assert given == 4


def test_smoothing_by_another_radius(scene):
    scene[26:33, 20:26] = 1  # a stub of seven rows
    assert tools.smooth(scene, (1,), 1)[29, 22] == 1
    assert tools.smooth(scene, (1,), 6)[29, 21] == 3


def test_locked_labels_neither_lose_nor_gain():
    before, after = np.array([[1, 1, 2, 3]]), np.array([[2, 1, 3, 1]])
    assert keep_locked(before, after, (2,)).tolist() == [[1, 1, 2, 1]]
    assert keep_locked(before, after, ()).tolist() == after.tolist()


def test_the_octagon_of_a_dilation():
    labels = np.zeros((21, 21), np.int32)
    labels[10, 10] = 5
    grown = tools.dilate(labels, (5,), 4) == 5
    assert grown[10].sum() == grown[:, 10].sum() == 9
    assert grown[8, 8]
    assert grown[7, 8]
    assert not grown[6, 7]
    assert not grown[6, 6]
    np.testing.assert_array_equal(grown, grown.T)


def test_a_stack_is_smoothed_slice_by_slice():
    stack = np.zeros((3, 30, 30), np.int32)
    stack[1, 10:20, 10:20] = 1
    smooth = tools.smooth(stack, (1,), 2)
    assert not smooth[[0, 2]].any()
    np.testing.assert_array_equal(smooth[1], tools.smooth(stack[1], (1,), 2))


def test_smoothing_does_not_hang_on_where_the_region_lies():
    """The box that is worked on is wide enough: far from the edges and near to them the result is the same."""
    shape = np.random.default_rng(0).random((12, 14)) < 0.6
    near, far = np.zeros((40, 40), np.int32), np.zeros((90, 90), np.int32)
    near[9:21, 9:23], far[40:52, 40:54] = shape, shape
    np.testing.assert_array_equal(tools.smooth(near, (1,), 2)[3:30, 3:30], tools.smooth(far, (1,), 2)[34:61, 34:61])


def test_the_cut_separates_the_two_points_and_no_other_two():
    """Three blobs in a row: the watershed starts at the points, not at every blob."""
    labels = np.zeros((20, 70), np.int32)
    labels[3:17, 2:20], labels[8:12, 20:25], labels[3:17, 25:43], labels[8:12, 43:48], labels[3:17, 48:66] = [3] * 5
    new, given = tools.split_between(labels, (10, 10), (10, 57))
    assert (new[3:17, 2:18] == 3).all()
    assert (new[3:17, 50:66] == given).all()
    assert set(np.unique(new)) == {0, 3, given}


def test_a_component_includes_its_diagonal_neighbours():
    labels = np.zeros((6, 6), np.int32)
    labels[1, 1] = labels[2, 2] = labels[5, 0] = 4
    assert np.argwhere(tools.assign_component(labels, (1, 1), 9) == 9).tolist() == [[1, 1], [2, 2]]


def test_ids_of_splits_come_after_the_largest_and_types_are_kept():
    labels = np.zeros((8, 8), np.uint8)
    labels[0, 0], labels[4, 4] = 1, 1
    new, given = tools.split_components(labels, 1)
    assert (given, new.dtype) == ([2], np.uint8)
    assert (new[0, 0], new[4, 4]) == (1, 2)


def body_with_a_cave():
    """A block in nine slices: with a cave, with a hole that leads out of its top, and with a speck beside it."""
    labels = np.full((9, 12, 14), 2)
    labels[1:8, 2:10, 2:10] = 1
    labels[3:6, 4:6, 4:6] = 3  # closed in all directions
    labels[1:3, 8, 8] = 3  # enclosed in its slices, open at the top
    labels[4:6, 5, 12] = 1  # a speck of two voxels
    return labels


def test_in_3d_a_hole_is_closed_above_and_below_too():
    labels = body_with_a_cave()
    each = tools.fill_holes(labels, [1])
    assert not (each[:, 2:10, 2:10] == 3).any()
    whole = tools.fill_holes(labels, [1], in_3d=True)
    assert (whole[3:6, 4:6, 4:6] == 1).all()
    assert (whole[1:3, 8, 8] == 3).all(), "it leads out of the body, though not within its slices"


@pytest.mark.parametrize("spacing", [(10.0, 1.0, 1.0), (1.0, 1.0, 1.0)])
def test_in_3d_parts_are_measured_in_mm3_whatever_the_shape_of_a_voxel(spacing):
    labels, voxel = body_with_a_cave(), float(np.prod(spacing))
    part = 2 * voxel  # mm³ of the speck
    gone = tools.remove_small(labels, [1], (part + 0.1) / voxel, in_3d=True)
    assert not (gone[:, :, 12] == 1).any()
    assert (gone[:, :, :11] == labels[:, :, :11]).all()
    assert (tools.remove_small(labels, [1], (part - 0.1) / voxel, in_3d=True) == labels).all()
    each = tools.remove_small(labels, [1], 2, in_3d=False)
    assert not (each[:, :, 12] == 1).any(), "in its slices it is of one pixel"


def test_in_3d_the_largest_part_goes_through_the_slices():
    labels = body_with_a_cave()
    kept = tools.keep_largest(labels, [1], in_3d=True)
    assert (kept[1:8, 2:10, 2:10] == labels[1:8, 2:10, 2:10]).all()
    assert not (kept[:, :, 12] == 1).any()
    assert (tools.keep_largest(labels, [1]) == 1).any(axis=(1, 2)).sum() == 1, "slice by slice it is in one slice"
