"""Tools on label arrays."""

import time

import numpy as np
import pytest

from napari_s3net import labels as tools
from napari_s3net.errors import InvalidImageError
from napari_s3net.labels.edit import guard


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
    tools.grow(scene, (1,), 2)
    tools.swap(scene, 1, 3)
    tools.split_parts(scene, 1)
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
    new, given = tools.split_parts(scene, 1)
    assert given == [5]
    assert (new[5:7, 5:7] == 5).all()
    np.testing.assert_array_equal(changed(scene, new), (new == 5))
    assert tools.split_parts(scene, 1, smallest=10)[1] == []
    assert tools.split_parts(scene, 99)[1] == []


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
    new = tools.assign_part(scene, (5, 5), 3)
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
    grown = tools.grow(scene, (1, 2), pixels)
    assert np.isin(grown[30, 25 - pixels : 57 + pixels], (1, 2)).all()
    assert not np.isin(grown[30, 25 - pixels - 1], (1, 2))
    assert (grown[30, 56 : 57 + pixels] == 2).all()
    shrunk = tools.grow(scene, (1, 2), -pixels)
    assert np.isin(shrunk[30, 25 : 25 + pixels], (3,)).all()
    assert shrunk[30, 27 + pixels] == 1
    np.testing.assert_array_equal(tools.grow(scene, (1,), 0), scene)


def test_the_image_s_edge_wears_nothing_away():
    labels = np.full((30, 30), 2, np.int32)
    labels[:, :10] = 1
    new = tools.grow(labels, (1,), -2)
    assert (new[:, :8] == 1).all()
    assert (new[:, 8:] == 2).all()
    np.testing.assert_array_equal(tools.smooth(labels, (1,), 2), labels)


def test_the_whole_image_has_nowhere_to_lose_to():
    labels = np.ones((20, 20), np.int32)
    np.testing.assert_array_equal(tools.remove_small(labels, (1,), 10**6), labels)


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
    new = guard(scene, tools.grow(scene, (1,), 4), (2, 4))
    np.testing.assert_array_equal(new == 2, scene == 2)
    np.testing.assert_array_equal(new == 4, scene == 4)
    assert changed(scene, new).any()


@pytest.mark.parametrize(
    "tool",
    [
        lambda a: tools.smooth(a, (1,), 2),
        lambda a: tools.fill_holes(a, (1,)),
        lambda a: tools.remove_small(a, (1,), 50),
        lambda a: tools.keep_largest(a, (1,)),
        lambda a: tools.grow(a, (1,), 3),
        lambda a: tools.split_parts(a, 1),
        lambda a: tools.merge(a, (1, 2)),
        lambda a: tools.swap(a, 1, 2),
    ],
)
def test_it_is_instant_on_four_million_pixels(tool):
    shape = (2000, 2000)
    labels = np.full(shape, 2, np.int32)
    labels[:, 1000:] = 3
    labels[disc(shape, 1000, 1000, 600)] = 1
    labels[np.random.default_rng(0).random(shape) < 0.001] = 1
    times = []
    for _ in range(2):
        started = time.process_time()
        tool(labels)
        times.append(time.process_time() - started)
    assert min(times) < 1.5
