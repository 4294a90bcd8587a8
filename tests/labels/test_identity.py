"""Clusters that stay themselves."""

import numpy as np

from napari_s3net.labels.identity import same_ids
from napari_s3net.labels.matching import renumber


def bands(*columns):
    labels = np.zeros((20, 60), np.int32)
    for label, (low, high) in enumerate(columns, 1):
        labels[:, low:high] = label
    return labels


def test_other_numbers_for_the_same_clusters_are_taken_back():
    before = bands((0, 20), (20, 45), (45, 60))
    shuffled = renumber(before, {1: 3, 2: 1, 3: 2})
    assert same_ids(shuffled, before) == {3: 1, 1: 2, 2: 3}
    np.testing.assert_array_equal(renumber(shuffled, same_ids(shuffled, before)), before)


def test_a_new_cluster_gets_a_new_id():
    before = bands((0, 30), (30, 60))
    after = bands((0, 30), (30, 52), (52, 60))
    assert same_ids(after, before) == {1: 1, 2: 2, 3: 3}
    assert same_ids(renumber(after, {1: 2, 2: 1, 3: 3}), before) == {2: 1, 1: 2, 3: 3}


def test_an_id_is_never_given_twice():
    before = bands((0, 30), (30, 60))
    after = bands((0, 10), (10, 20), (20, 30), (30, 60))
    given = same_ids(renumber(after, {1: 9, 2: 1, 3: 2, 4: 3}), before)
    assert len(set(given.values())) == 4
    assert given[3] == 2


def test_a_cluster_that_moved_is_known_by_its_features():
    """The dark one and the light one have changed places."""
    before, after = bands((0, 30), (30, 60)), bands((0, 30), (30, 60))
    dark = np.zeros((20, 60, 1))
    dark[:, :22] = 1
    after[:, :22], after[:, 22:] = 2, 1
    before[:, :20], before[:, 20:] = 1, 2
    assert same_ids(after, before, dark) == {2: 1, 1: 2}


def test_features_decide_where_the_overlap_is_even():
    before = bands((0, 40), (40, 60))
    after = bands((0, 20), (20, 40), (40, 60))
    colours = np.zeros((20, 60, 1))
    colours[:, 20:40] = 0.9
    colours[:, 40:] = 3
    colours[:, :8] = 0.9
    given = same_ids(after, before, colours)
    assert given[3] == 2
    assert 1 in given.values()


def test_nothing_in_common_and_nothing_at_all():
    empty = np.zeros((20, 60), np.int32)
    assert same_ids(empty, bands((0, 60))) == {}
    assert same_ids(bands((0, 60)), empty) == {1: 1}
    left, right = bands((0, 30)), np.fliplr(bands((0, 30)))
    assert same_ids(left, right) == {1: 2}
