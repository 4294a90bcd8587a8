"""One undo for all layers."""

import numpy as np
import pytest
from napari.components import ViewerModel

from napari_s3net.plugin.layers.result_layer import write_undoable
from napari_s3net.plugin.layers.undo import undo_log_of

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
