"""Label layers that wait for the next result."""

import numpy as np
import pytest
from napari.components import ViewerModel

from napari_s3net.plugin.correct.label_editor import LabelEditor
from napari_s3net.plugin.layers.ownership import set_owner
from napari_s3net.plugin.layers.placement import KEY
from napari_s3net.plugin.layers.proxy import plain
from napari_s3net.plugin.layers.result_layer import add_layer, find_result, layers_of
from napari_s3net.plugin.layers.source import source_of
from napari_s3net.plugin.layers.waiting import is_waiting, let_wait, waits_for


@pytest.fixture
def viewer(photograph):
    viewer = ViewerModel()
    viewer.add_image(photograph, name="mole")
    labels = plain(viewer.add_labels(np.ones((4, 5), np.int32), name="old – S³-Net", metadata={KEY: {"settings": {}}}))
    labels.mode = "paint"
    let_wait(labels, plain(viewer.layers["mole"]), "mole", photograph.shape[:2])
    return viewer


def the_source(viewer):
    return source_of(viewer.layers["mole"], viewer.dims.point, (0, 1))


def test_a_layer_that_waits_is_empty_and_no_result(viewer):
    image, labels = map(plain, viewer.layers)
    assert is_waiting(labels)
    assert waits_for(labels, image)
    assert labels.name == "mole – no result yet"
    assert (labels.data.shape, labels.data.any(), labels.mode) == ((48, 64), False, "pan_zoom")
    assert find_result(viewer.layers, image, the_source(viewer)) is None
    assert layers_of(viewer.layers, image) == [image, labels]
    assert LabelEditor(viewer).candidates() == []


def test_the_next_result_takes_it(viewer):
    image, labels = map(plain, viewer.layers)
    assert add_layer(viewer, image, the_source(viewer), "mole – S³-Net") is labels
    assert labels.name == "mole – S³-Net"
    assert not is_waiting(labels)
    assert add_layer(viewer, image, the_source(viewer), "another") is not labels


def test_what_somebody_paints_in_it_is_replaced_by_no_result(viewer):
    image, labels = map(plain, viewer.layers)
    labels.data_setitem((np.array([2]), np.array([3])), 1)
    assert not is_waiting(labels)
    assert labels.name == "mole – labels"
    assert LabelEditor(viewer).candidates() == [labels]
    assert add_layer(viewer, image, the_source(viewer), "mole – S³-Net") is not labels
    labels.data_setitem((np.array([2]), np.array([4])), 1)
    assert labels.name == "mole – labels"


@pytest.mark.parametrize("change", ["other image", "moved"])
def test_a_result_that_it_does_not_suit_gets_a_layer_of_its_own(viewer, photograph, change):
    image, labels = map(plain, viewer.layers)
    if change == "moved":
        labels.translate = (3, 4)
    else:
        set_owner(labels, plain(viewer.add_image(photograph, name="other")))
    assert add_layer(viewer, image, the_source(viewer), "mole – S³-Net") is not labels
    assert is_waiting(labels)
