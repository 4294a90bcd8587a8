"""Another name for a label."""

import numpy as np
import pytest
from napari.components import ViewerModel

from napari_s3net.plugin.correct.renaming import rename_label
from napari_s3net.plugin.layers.layer_segments import names_in_features
from napari_s3net.plugin.layers.metadata_history import history_of
from napari_s3net.plugin.layers.placement import KEY
from napari_s3net.plugin.layers.plane_key import PlaneKey
from napari_s3net.plugin.layers.result_layer import metadata_of
from napari_s3net.plugin.layers.undo import undo_log_of

PLANE = PlaneKey((None, None))
ABOUT = {"settings": {}, "source": "x", "slice": None, "names": {1: "Lesion", 2: "Skin"}, "foreground": [1]}


@pytest.fixture
def viewer():
    viewer = ViewerModel()
    viewer.add_labels(np.arange(12).reshape(3, 4).astype(np.int32) % 3)
    return viewer


def test_of_a_result_undo_takes_it_back_and_no_history_does(viewer):
    layer = viewer.layers[0]
    layer.metadata = {KEY: ABOUT}
    rename_label(viewer, layer, PLANE, 1, "Naevus")
    assert metadata_of(layer)["names"] == {1: "Naevus", 2: "Skin"}
    assert history_of(layer).recall(PLANE, layer.data, metadata_of(layer)) is None, "the labels are the same"
    other = np.zeros_like(layer.data)
    assert history_of(layer).recall(PLANE, other, ABOUT) is None, "never seen"
    assert history_of(layer).recall(PLANE, layer.data, ABOUT)["names"][1] == "Naevus"
    log = undo_log_of(viewer)
    log.undo()
    assert metadata_of(layer)["names"] == {1: "Lesion", 2: "Skin"}
    log.redo()
    assert metadata_of(layer)["names"] == {1: "Naevus", 2: "Skin"}


def test_of_labels_made_elsewhere_it_stands_in_their_features(viewer):
    layer = viewer.layers[0]
    rename_label(viewer, layer, PLANE, 2, "Liver")
    assert names_in_features(layer.features) == {2: "Liver"}
    layer.features = {"index": [1, 2], "name": ["Spleen", "Liver"], "volume": [3.0, 4.0]}
    rename_label(viewer, layer, PLANE, 1, "Kidney")
    assert names_in_features(layer.features) == {1: "Kidney", 2: "Liver"}
    assert list(layer.features["volume"]) == [3.0, 4.0]
