import numpy as np

from napari_s3net.labels.matching import fit_ids, renumber

BODY, BONE = ("Body", False), ("Bone", False)


def test_without_neighbours_an_id_is_kept_where_it_fits():
    labels = np.array([[1, 2], [3, 3]])
    assert fit_ids(labels, {1: BODY, 2: BONE, 3: BODY}, {}) == {1: 1, 2: 2, 3: 3}
    assert fit_ids(labels, {1: BODY, 2: BONE}, {1: BONE, 2: BODY}) == {1: 2, 2: 1}


def test_a_meaning_that_the_stack_does_not_know_gets_a_new_id():
    assert fit_ids(np.array([[1]]), {1: BODY}, {1: BONE, 4: BONE}) == {1: 5}


def test_of_clusters_that_mean_the_same_the_overlap_decides():
    beside = np.array([[7, 7, 7, 8, 8, 8]])
    labels = np.array([[2, 2, 2, 2, 1, 1]])
    known = {7: BODY, 8: BODY}
    assert fit_ids(labels, {1: BODY, 2: BODY}, known, beside) == {2: 7, 1: 8}
    assert fit_ids(labels, {1: BODY, 2: BONE}, known, beside) == {1: 8, 2: 2}, "a bone is never called body"


def test_the_pairs_overlap_most_all_together():
    # The first overlaps 8 most; yet the second overlaps nothing else.
    beside = np.array([[7, 7, 8, 8, 8, 8, 8, 8]])
    labels = np.array([[1, 1, 1, 1, 1, 2, 2, 2]])
    assert fit_ids(labels, {1: BODY, 2: BODY}, {7: BODY, 8: BODY}, beside) == {1: 7, 2: 8}


def test_two_clusters_never_get_one_id():
    rng = np.random.default_rng(0)
    for _ in range(50):
        labels, beside = rng.integers(1, 7, (2, 12, 12))
        given = fit_ids(labels, {i: int(rng.integers(3)) for i in range(1, 7)}, {i: i % 3 for i in range(1, 7)}, beside)
        assert len(set(given.values())) == len(given) == 6


def test_renumber():
    labels = np.array([[0, 1], [2, 2]])
    assert renumber(labels, {1: 9, 2: 1}).tolist() == [[0, 9], [1, 1]]
    assert renumber(np.zeros((2, 2), int), {}).tolist() == [[0, 0], [0, 0]]
