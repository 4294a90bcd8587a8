"""The Correct dock runs again with strokes: what changes, what stays, and what is told."""

import numpy as np
import pytest
from napari.components import ViewerModel

from napari_s3net.correction.constraints import OBJECT
from napari_s3net.plugin.correct.dock import CorrectDock
from napari_s3net.plugin.layers.proxy import plain
from tests.plugin.correct.conftest import FOUND, disc, paint, picture, put_away, run_through

pytestmark = [pytest.mark.viewer, pytest.mark.usefixtures("folder")]


def test_locked_labels_come_back_bit_for_bit_from_a_run(dock, layer, qtbot):
    dock.labels.select(3)
    dock.labels.lock.click()
    paint(dock, disc(15, 15, 3) | disc(45, 84, 2), "object")
    run_through(dock, qtbot)
    assert (layer.data[:20, :20] == 3).all()
    assert layer.data[45, 84] == 1


def test_a_run_by_itself_after_a_stroke(dock, layer, qtbot):
    dock.paint.by_itself.value = True
    dock.brush.take("object")
    dock.editor.strokes.layer.paint((45, 84), OBJECT)
    qtbot.waitUntil(lambda: layer.data[45, 84] == 1, timeout=30000)


def test_revert_and_a_second_run_keep_the_strokes(dock, layer, qtbot):
    paint(dock, disc(45, 84, 2), "object")
    run_through(dock, qtbot)
    after = layer.data.copy()
    dock.tools.asked.emit("grow")
    assert (layer.data != after).any()
    dock.session_panel.revert.click()
    np.testing.assert_array_equal(layer.data, after)
    layer.undo()
    assert (layer.data != after).any()
    assert dock.editor.strokes.layer.data[45, 84] == OBJECT
    dock.paint.asked.emit("clear")
    assert not dock.editor.strokes.layer.data.any()
    dock.editor.strokes.layer.undo()
    assert dock.editor.strokes.layer.data[45, 84] == OBJECT


def test_labels_that_changed_during_a_run_are_not_overwritten(dock, layer, qtbot):
    paint(dock, disc(45, 84, 2), "object")
    dock.paint.rerun.click()
    layer.data_setitem((np.array([80]), np.array([80])), 3)
    qtbot.waitUntil(lambda: not dock.background.running, timeout=30000)
    assert "changed during the run" in dock.message.text()
    assert layer.data[45, 84] == 2


def test_the_layer_removed_during_a_run(dock, viewer, layer, qtbot):
    paint(dock, disc(45, 84, 2), "object")
    dock.paint.rerun.click()
    viewer.layers.clear()
    qtbot.waitUntil(lambda: not dock.background.running, timeout=30000)
    assert dock.empty.isVisibleTo(dock)


def test_a_failure_is_told_and_the_dock_is_ready(dock, qtbot, errors, monkeypatch):
    def fails(self, *args, **kwargs):
        raise RuntimeError("CUDA out of memory")
        yield

    monkeypatch.setattr("napari_s3net.correction.refiner.Refiner.iter_rerun", fails)
    paint(dock, disc(45, 84, 2), "object")
    run_through(dock, qtbot)
    assert errors[0].startswith("Out of memory")
    assert dock.paint.rerun.isEnabled()


def test_memory_that_runs_out_is_tried_again_and_said(dock, qtbot, errors, monkeypatch):
    from napari_s3net.correction.refiner import Refiner

    asked, iter_rerun = [], Refiner.iter_rerun

    def fails_once(self, *args, **kwargs):
        asked.append(self.settings.working_size)
        if len(asked) == 1:
            raise RuntimeError("CUDA out of memory")
        return (yield from iter_rerun(self, *args, **kwargs))

    monkeypatch.setattr(Refiner, "iter_rerun", fails_once)
    paint(dock, disc(45, 84, 2), "object")
    run_through(dock, qtbot)
    assert not errors
    assert asked[1] == asked[0] // 2
    assert "Tried again at half the working size and finished there." in dock.message.text()
    assert dock.paint.rerun.isEnabled()


def test_labels_made_elsewhere(qtbot, errors):
    viewer = ViewerModel()
    viewer.add_image(picture(), name="mole")
    viewer.add_labels((FOUND * 5).astype(np.uint8), name="mine")
    dock = CorrectDock(viewer)
    qtbot.addWidget(dock)
    paint(dock, disc(45, 82, 2), "object")
    paint(dock, disc(5, 5, 2), "background")
    run_through(dock, qtbot)
    labels = viewer.layers["mine"].data
    assert set(np.unique(labels)) == {0, 5}
    assert labels[45, 82] == 5
    assert labels.dtype == np.uint8
    put_away(dock)


def test_a_slice_of_a_stack_is_corrected_alone(qtbot, errors):
    viewer = ViewerModel()
    grey = picture()[..., 0]
    viewer.add_image(np.stack([grey, grey, grey]), name="scan")
    viewer.add_labels(np.stack([FOUND.astype(np.int32)] * 3), name="mine")
    viewer.dims.set_current_step(0, 1)
    dock = CorrectDock(viewer)
    qtbot.addWidget(dock)
    dock.brush.take("object")
    strokes = dock.editor.strokes.layer
    strokes.data[1][disc(45, 82, 2)] = OBJECT
    dock.refresh()
    run_through(dock, qtbot)
    labels = plain(viewer.layers["mine"]).data
    assert [bool((plane != FOUND).any()) for plane in labels] == [False, True, False]
    put_away(dock)
