"""One undo for all layers."""

import numpy as np
import pytest
from napari.components import ViewerModel

from napari_s3net.plugin.layers.plane_key import PlaneKey
from napari_s3net.plugin.layers.run_cache import cache_run, cached_run, remember_as_found
from napari_s3net.plugin.layers.slice_states import SliceState, states_of
from napari_s3net.plugin.layers.undo import undo_log_of
from napari_s3net.plugin.layers.written_labels import write_planes_undoable, write_undoable

WHOLE = (slice(None), slice(None))


@pytest.fixture
def viewer():
    viewer = ViewerModel()
    viewer.add_image(np.zeros((4, 5)), name="image")
    for name in ("labels", "strokes"):
        viewer.add_labels(np.zeros((4, 5), int), name=name)
    return viewer


def values(viewer):
    return [int(viewer.layers[name].data[0, 0]) for name in ("labels", "strokes")]


def test_the_last_step_comes_back_first_whichever_layer_is_active(viewer):
    log = undo_log_of(viewer)
    viewer.layers["strokes"].data_setitem((np.array([0]), np.array([0])), 1)
    write_undoable(viewer.layers["labels"], WHOLE, np.full((4, 5), 2))
    viewer.layers["strokes"].data_setitem((np.array([0]), np.array([0])), 3)
    viewer.layers.selection.active = viewer.layers["image"]
    seen = []
    for _ in range(4):
        seen.append(values(viewer))
        words = log.undo()
    assert seen == [[2, 3], [2, 1], [0, 1], [0, 0]]
    assert words == "Nothing more to undo."
    assert log.redo() == "Redo: strokes"
    log.redo()
    assert values(viewer) == [2, 1]


def test_a_new_step_ends_what_could_be_done_again(viewer):
    log = undo_log_of(viewer)
    viewer.layers["strokes"].data_setitem((np.array([0]), np.array([0])), 1)
    log.undo()
    write_undoable(viewer.layers["labels"], WHOLE, np.full((4, 5), 2))
    assert log.redo() == "Nothing more to redo."
    assert values(viewer) == [2, 0]


def test_steps_of_layers_that_went_or_were_undone_by_themselves_are_passed_over(viewer):
    log = undo_log_of(viewer)
    write_undoable(viewer.layers["labels"], WHOLE, np.full((4, 5), 2))
    viewer.layers["strokes"].data_setitem((np.array([0]), np.array([0])), 1)
    viewer.layers["strokes"].undo()
    gone = viewer.add_labels(np.zeros((4, 5), int))
    gone.data_setitem((np.array([0]), np.array([0])), 1)
    viewer.layers.remove(gone)
    assert log.undo() == "Undo: labels"
    assert values(viewer) == [0, 0]


def test_what_no_history_knows_has_its_own_way_back(viewer):
    log, done = undo_log_of(viewer), []
    log.note(viewer.layers["labels"], lambda: done.append("back"), lambda: done.append("again"))
    log.undo()
    log.redo()
    assert done == ["back", "again"]


def test_what_was_done_before_is_undone_in_the_active_layer(viewer):
    viewer.layers["labels"].data_setitem((np.array([0]), np.array([0])), 1)
    viewer.layers.selection.active = viewer.layers["labels"]
    undo_log_of(viewer).undo()
    assert values(viewer) == [0, 0]


def test_strokes_of_the_brush_come_back_too(viewer):
    log, layer = undo_log_of(viewer), viewer.layers["labels"]
    layer.paint((1, 1), 3)
    assert layer.data[1, 1] == 3
    assert log.undo() == "Undo: labels"
    assert not layer.data.any()
    log.redo()
    assert layer.data[1, 1] == 3


def plane_of(value):
    return np.full((4, 5), value)


@pytest.mark.parametrize("corrects", [False, True], ids=["another run", "a re-run with strokes"])
def test_what_labels_are_reverted_to_goes_back_and_comes_again_with_the_run_that_made_it(viewer, corrects):
    log, layer, key = undo_log_of(viewer), viewer.layers["labels"], PlaneKey((None, None))
    first, second = {"weights": np.ones(1)}, {"weights": np.zeros(1)}
    layer.data[...] = 2
    cache_run(layer, key, first)
    write_undoable(layer, WHOLE, plane_of(3))  # by hand
    write_undoable(layer, WHOLE, plane_of(4))
    cache_run(layer, key, second, corrects=corrects)
    seen = []
    for step in (log.undo, log.undo, log.redo, log.redo):
        step()
        run = cached_run(layer, key)
        seen.append((int(layer.data[0, 0]), int(run.labels[0, 0]), run.state is first))
    assert seen == [(3, 2, True), (2, 2, True), (3, 2, True), (4, 4, False)]


def test_in_a_volume_each_slice_has_the_run_again_that_it_had(viewer):
    layer = viewer.add_labels(np.zeros((3, 4, 5), int), name="volume")
    log, keys = undo_log_of(viewer), [PlaneKey((n, None, None)) for n in range(3)]
    for n in (0, 1):
        layer.data[n] = 1
        cache_run(layer, keys[n], {})
    write_planes_undoable(layer, {keys[1]: plane_of(2)})  # corrected by hand
    write_planes_undoable(layer, {keys[1]: plane_of(5), keys[2]: plane_of(5)})
    for n in (1, 2):
        cache_run(layer, keys[n], {})
    log.undo()
    assert [int(cached_run(layer, key).labels[0, 0]) for key in keys[:2]] == [1, 1]
    assert cached_run(layer, keys[2]) is None, "no run is left that made it"
    assert [states_of(layer).of(key) for key in keys[:2]] == [SliceState.UNSEEN, SliceState.CORRECTED]
    remember_as_found(layer, keys[2])
    log.redo()
    assert [int(cached_run(layer, key).labels[0, 0]) for key in keys] == [1, 5, 5]
    assert states_of(layer).of(keys[1]) is SliceState.UNSEEN
