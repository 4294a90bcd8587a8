"""Names and object of earlier labels."""

import numpy as np
from napari.layers import Labels

from napari_s3net.plugin.layers.metadata_history import MetadataHistory, history_of
from napari_s3net.plugin.layers.packed import check_sum
from napari_s3net.plugin.layers.plane_key import PlaneKey

PLANE = PlaneKey((None, None))


SLICE = PlaneKey((3, None, None))
ONE, TWO, THREE = (np.full((4, 4), i, np.int32) for i in (1, 2, 3))


def test_memory_knows_labels_by_their_values_and_their_place():
    memory = MetadataHistory()
    for plane, what in ((ONE, {"a": 1}), (TWO, {"a": 2})):
        memory.remember(PLANE, plane, what)
    memory.remember_planes({SLICE: check_sum(ONE)}, {"a": 3})
    assert memory.recall(PLANE, ONE.copy(), {"a": 2}) == {"a": 1}
    assert memory.recall(PLANE, TWO, {"a": 1}) == {"a": 2}
    assert memory.recall(PLANE, THREE, {"a": 2}) is None
    assert memory.recall(SLICE, TWO, {"a": 3}) is None
    assert memory.recall(SLICE, ONE, {"a": 9}) == {"a": 3}


def test_labels_that_have_not_changed_take_what_is_known_now():
    """As where a name was given in another slice, and this one is looked at next, changed, and put back."""
    memory = MetadataHistory()
    memory.remember(SLICE, ONE, {"a": 1})
    assert memory.recall(SLICE, ONE, {"a": "renamed"}) is None
    assert memory.recall(SLICE, TWO, {"a": "renamed"}) is None
    assert memory.recall(SLICE, ONE, {"a": "something else"}) == {"a": "renamed"}


def test_of_many_labels_of_a_plane_the_oldest_are_forgotten():
    memory = MetadataHistory(limit=2)
    for n, plane in enumerate((ONE, TWO, ONE, THREE)):
        memory.remember(PLANE, plane, {"a": n})
    assert memory.recall(PLANE, ONE, {}) == {"a": 2}
    assert memory.recall(PLANE, TWO, {}) is None


def test_each_layer_has_its_own():
    one, two = (Labels(np.ones((4, 4), np.int32)) for _ in range(2))
    history_of(one).remember(PLANE, ONE, {"a": 1})
    assert history_of(one).recall(PLANE, TWO, {}) is None
    assert history_of(one).recall(PLANE, ONE, {}) == {"a": 1}
    assert history_of(two).recall(PLANE, ONE, {}) is None
