"""Ids that stay the same."""

import numpy as np
import pytest

from napari_s3net.labels.matching import match_to_previous, match_to_stack, renumber

BODY, BONE = ("Body", False), ("Bone", False)


def test_without_neighbours_an_id_is_kept_where_it_fits():
    labels = np.array([[1, 2], [3, 3]])
    assert match_to_stack(labels, {1: BODY, 2: BONE, 3: BODY}, {}) == {1: 1, 2: 2, 3: 3}
    assert match_to_stack(labels, {1: BODY, 2: BONE}, {1: BONE, 2: BODY}) == {1: 2, 2: 1}


def test_a_meaning_that_the_stack_does_not_know_gets_a_new_id():
    assert match_to_stack(np.array([[1]]), {1: BODY}, {1: BONE, 4: BONE}) == {1: 5}


def test_of_clusters_that_mean_the_same_the_overlap_decides():
    beside = np.array([[7, 7, 7, 8, 8, 8]])
    labels = np.array([[2, 2, 2, 2, 1, 1]])
    known = {7: BODY, 8: BODY}
    assert match_to_stack(labels, {1: BODY, 2: BODY}, known, beside) == {2: 7, 1: 8}
    assert match_to_stack(labels, {1: BODY, 2: BONE}, known, beside) == {1: 8, 2: 2}, "a bone is never called body"


def test_the_pairs_overlap_most_all_together():
    # The first overlaps 8 most; yet the second overlaps nothing else.
    beside = np.array([[7, 7, 8, 8, 8, 8, 8, 8]])
    labels = np.array([[1, 1, 1, 1, 1, 2, 2, 2]])
    assert match_to_stack(labels, {1: BODY, 2: BODY}, {7: BODY, 8: BODY}, beside) == {1: 7, 2: 8}


def test_two_clusters_never_get_one_id():
    rng = np.random.default_rng(0)
    for _ in range(50):
        labels, beside = rng.integers(1, 7, (2, 12, 12))
        given = match_to_stack(
            labels, {i: int(rng.integers(3)) for i in range(1, 7)}, {i: i % 3 for i in range(1, 7)}, beside
        )
        assert len(set(given.values())) == len(given) == 6


def test_renumber():
    labels = np.array([[0, 1], [2, 2]])
    assert renumber(labels, {1: 9, 2: 1}).tolist() == [[0, 9], [1, 1]]
    assert renumber(np.zeros((2, 2), int), {}).tolist() == [[0, 0], [0, 0]]


# From run to run


def bands(*columns):
    labels = np.zeros((20, 60), np.int32)
    for label, (low, high) in enumerate(columns, 1):
        labels[:, low:high] = label
    return labels


def test_other_numbers_for_the_same_clusters_are_taken_back():
    before = bands((0, 20), (20, 45), (45, 60))
    shuffled = renumber(before, {1: 3, 2: 1, 3: 2})
    assert match_to_previous(shuffled, before) == {3: 1, 1: 2, 2: 3}
    np.testing.assert_array_equal(renumber(shuffled, match_to_previous(shuffled, before)), before)


def test_a_new_cluster_gets_a_new_id():
    before = bands((0, 30), (30, 60))
    after = bands((0, 30), (30, 52), (52, 60))
    assert match_to_previous(after, before) == {1: 1, 2: 2, 3: 3}
    assert match_to_previous(renumber(after, {1: 2, 2: 1, 3: 3}), before) == {2: 1, 1: 2, 3: 3}


def test_an_id_is_never_given_twice():
    before = bands((0, 30), (30, 60))
    after = bands((0, 10), (10, 20), (20, 30), (30, 60))
    given = match_to_previous(renumber(after, {1: 9, 2: 1, 3: 2, 4: 3}), before)
    assert len(set(given.values())) == 4
    assert given[3] == 2


def test_a_cluster_that_moved_is_known_by_its_features():
    """The dark one and the light one have changed places."""
    before, after = bands((0, 30), (30, 60)), bands((0, 30), (30, 60))
    dark = np.zeros((20, 60, 1))
    dark[:, :22] = 1
    after[:, :22], after[:, 22:] = 2, 1
    before[:, :20], before[:, 20:] = 1, 2
    assert match_to_previous(after, before, dark) == {2: 1, 1: 2}


def test_features_decide_where_the_overlap_is_even():
    before = bands((0, 40), (40, 60))
    after = bands((0, 20), (20, 40), (40, 60))
    colours = np.zeros((20, 60, 1))
    colours[:, 20:40] = 0.9
    colours[:, 40:] = 3
    colours[:, :8] = 0.9
    given = match_to_previous(after, before, colours)
    assert given[3] == 2
    assert 1 in given.values()


def test_nothing_in_common_and_nothing_at_all():
    empty = np.zeros((20, 60), np.int32)
    assert match_to_previous(empty, bands((0, 60))) == {}
    assert match_to_previous(bands((0, 60)), empty) == {1: 1}
    left, right = bands((0, 30)), np.fliplr(bands((0, 30)))
    assert match_to_previous(left, right) == {1: 2}


@pytest.mark.parametrize(("shared", "same"), [(14, True), (12, False)])
def test_a_cluster_is_the_same_from_a_likeness_on(shared, same):
    """Both together have 92 columns: the intersection over union is just above 0.15, or below."""
    before, after = np.zeros((10, 92), np.int32), np.zeros((10, 92), np.int32)
    before[:, :40] = 5
    after[:, 40 - shared :] = 7
    assert (shared / 92 >= 0.15) is same
    assert match_to_previous(after, before) == {7: 5 if same else 7}


def test_with_features_half_the_likeness_is_theirs():
    """Disjoint clusters of one colour are the same cluster; of two colours they are not."""
    before, after = bands((0, 20)), np.fliplr(bands((0, 20)))
    colours = np.zeros((20, 60, 1))
    colours[:, 20:40] = 5
    assert match_to_previous(2 * after, before, colours) == {2: 1}
    colours[:, 40:] = 9
    assert match_to_previous(2 * after, before, colours) == {2: 2}


def test_a_number_that_is_free_is_kept_and_one_that_is_taken_is_not():
    before, after = np.zeros((4, 30), np.int32), np.zeros((4, 30), np.int32)
    before[:, :10], before[:, 10:20] = 1, 2
    after[:, :10], after[:, 20:25], after[:, 25:] = 1, 2, 9
    assert match_to_previous(after, before) == {1: 1, 2: 10, 9: 9}


@pytest.mark.parametrize(("gap", "same"), [(0.4, True), (0.6, False)])
def test_features_are_compared_in_standard_deviations_of_the_image(gap, same):
    """Two clusters that meet nowhere, with means d standard deviations apart: exp(−d² / 2 · 0.5²) against 0.6."""
    before, after = np.zeros((10, 100), np.int32), np.zeros((10, 100), np.int32)
    before[:, :10], after[:, 90:] = 1, 2
    colours = np.random.default_rng(0).normal(50, 3, (10, 100, 2))
    colours[:, :10], colours[:, 90:] = (50, 50), (50, 50 + 3 * gap)
    d = 3 * gap / colours[..., 1].std()
    assert (np.exp(-(d**2) / (2 * 0.5**2)) / 2 >= 0.3) == same
    assert match_to_previous(after, before, colours)[2] == (1 if same else 2)
    assert match_to_previous(after, before, 7 * colours - 90)[2] == (1 if same else 2)


def test_each_channel_has_its_own_spread():
    """A channel of large numbers does not drown a small one that tells two clusters apart."""
    before, after = np.zeros((10, 100), np.int32), np.zeros((10, 100), np.int32)
    before[:, :10], before[:, 10:20] = 1, 2
    after[:, 80:90], after[:, 90:] = 1, 2
    colours = np.stack([1000 * np.random.default_rng(0).normal(size=(10, 100)), np.zeros((10, 100))], axis=2)
    colours[:, [*range(20), *range(80, 100)], 0] = 0
    colours[:, :10, 1], colours[:, 90:, 1] = 1, 1
    assert match_to_previous(after, before, colours) == {1: 2, 2: 1}


def test_a_cluster_is_known_by_its_mean_whatever_its_size():
    before, after = np.zeros((10, 100), np.int32), np.zeros((10, 100), np.int32)
    before[:, :30], before[0, 40] = 1, 4
    after[:, 60:65], after[9, 99] = 1, 9
    colours = np.zeros((10, 100, 1))
    colours[:, :30] = colours[:, 60:65] = 1
    colours[0, 40] = colours[9, 99] = -1
    assert match_to_previous(after, before, colours) == {1: 1, 9: 4}


def test_renumber_takes_large_numbers_and_ids_that_do_not_occur():
    labels = np.array([[0, 2_000_000_000], [7, 8]], np.int64)
    assert renumber(labels, {2_000_000_000: 1, 7: 9, 3_000_000_000: 4}).tolist() == [[0, 1], [9, 0]]
