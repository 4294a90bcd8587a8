"""Layers that begin anew."""

import gc
from weakref import ref

import numpy as np
import pytest
from napari.components import ViewerModel
from napari.layers import Labels

from napari_s3net.plugin.layers.locks import locks_of
from napari_s3net.plugin.layers.ownership import belongs_to, set_owner
from napari_s3net.plugin.layers.plane_key import PlaneKey
from napari_s3net.plugin.layers.renewal import PerLayer, beginning_anew, renewals_of
from napari_s3net.plugin.layers.run_cache import cached_run, remember_as_found
from napari_s3net.plugin.layers.undo import undo_log_of

KEY = PlaneKey((None, None))


@pytest.fixture
def viewer():
    viewer = ViewerModel()
    for name in ("one", "two"):
        viewer.add_labels(np.ones((6, 8), np.int32), name=name)
    return viewer


def test_what_was_known_is_forgotten_of_these_layers_alone(viewer):
    one, two = viewer.layers
    owner = viewer.add_image(np.zeros((6, 8)))
    for layer in (one, two):
        locks_of(layer).labels.add(1)
        remember_as_found(layer, KEY)
        set_owner(layer, owner)
    with beginning_anew(viewer, one):
        one.data = np.full((6, 8), 2, np.int32)
    assert not locks_of(one).labels
    assert cached_run(one, KEY) is None
    assert not belongs_to(one, owner, "another name")
    assert locks_of(two).labels == {1}
    assert cached_run(two, KEY) is not None
    assert belongs_to(two, owner, "another name")


def test_no_step_of_undo_reaches_the_next_image(viewer):
    one, two = viewer.layers
    log = undo_log_of(viewer)
    for layer in (one, two):
        layer.data_setitem((np.array([0]), np.array([0])), 3)
    log.note(one, undo=lambda: pytest.fail("of the image before"))
    with beginning_anew(viewer, one):
        one.data = np.full((6, 8), 2, np.int32)
    viewer.layers.selection.active = one
    assert log.undo() == "Undo: two"
    assert log.undo() == "Nothing more to undo."
    one.undo()  # napari's own key
    assert (one.data == 2).all()
    assert (two.data == 1).all()


def test_others_hear_of_it_before_and_after(viewer):
    one, heard = viewer.layers[0], []
    for name in ("renewing", "renewed"):
        getattr(renewals_of(viewer), name).connect(
            lambda event: heard.append((event.type, event.layers == (one,), int(one.data[0, 0])))
        )
    with beginning_anew(viewer, one):
        one.data = np.full((6, 8), 2, np.int32)
    assert heard == [("renewing", True, 1), ("renewed", True, 2)]


def test_it_holds_no_layer():
    known, layer = PerLayer(), Labels(np.zeros((2, 2), np.int32))
    known[layer] = 1
    gone = ref(layer)
    del layer
    gc.collect()
    assert gone() is None
