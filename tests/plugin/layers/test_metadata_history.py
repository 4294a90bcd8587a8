"""Names and object of earlier labels."""

import numpy as np
from napari.layers import Labels

from napari_s3net.plugin.layers.metadata_history import MetadataHistory, history_of
from napari_s3net.plugin.layers.plane_key import PlaneKey

PLANE = PlaneKey((None, None))


def test_memory_knows_labels_by_their_values_and_their_place():
    memory = MetadataHistory(limit=2)
    one, two = np.ones((4, 4), np.int32), np.full((4, 4), 2, np.int32)
    memory.remember(PLANE, one, {"a": 1})
    memory.remember(PlaneKey((3, None, None)), one, {"a": 2})
    assert memory.recall(PLANE, one.copy()) == {"a": 1}
    assert memory.recall(PlaneKey((3, None, None)), one) == {"a": 2}
    assert memory.recall(PLANE, two) is None
    memory.remember(PLANE, two, {"a": 3})
    assert memory.recall(PLANE, one) is None


def test_each_layer_has_its_own():
    one, two = (Labels(np.ones((4, 4), np.int32)) for _ in range(2))
    history_of(one).remember(PLANE, one.data, {"a": 1})
    assert history_of(one).recall(PLANE, one.data) == {"a": 1}
    assert history_of(two).recall(PLANE, two.data) is None
