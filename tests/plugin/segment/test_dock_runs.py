"""Runs from the dock: every phase, every way to end one, and what is left behind."""

import gc
import threading
import weakref
from functools import partial

import numpy as np
import pytest
from qtpy.QtWidgets import QApplication

from napari_s3net.errors import InvalidImageError
from napari_s3net.labels.metrics import dice
from napari_s3net.plugin.correct.dock import CorrectDock
from napari_s3net.plugin.correct.label_tools import smooth
from napari_s3net.plugin.jobs.session import Phase
from napari_s3net.plugin.jobs.thread_job import is_busy
from napari_s3net.plugin.layers.result_layer import metadata_of
from napari_s3net.plugin.segment.dock import SegmentDock
from napari_s3net.plugin.segment.save_result import save_result
from napari_s3net.plugin.widgets.loss_plot import LossPlot
from tests.plugin.segment.conftest import label_layer, layers, run_through, run_to, show_each

pytestmark = pytest.mark.viewer


def test_run_shows_progress_and_gives_a_layer_and_a_table(ready, viewer, qtbot, fake_runs):
    fake_runs.iterations = 5000
    run_to(ready, qtbot)
    assert not ready.run_button.isEnabled()
    assert not ready.choosers.isEnabled()
    assert ready.progress.isVisibleTo(ready)
    assert ready.progress.line.text().split(" ")[1:3] == ["of", "5000"]
    assert ready.progress.bar.value() > 0
    plot, empty = ready.progress.plot, LossPlot()
    empty.resize(plot.size())
    assert plot.grab().toImage() != empty.grab().toImage()
    ready.session.stop()
    qtbot.waitUntil(lambda: not ready.session.phase.is_busy, timeout=10000)
    assert layers(viewer) == ["mole", "mole – S³-Net"]
    note = metadata_of(label_layer(viewer))
    assert note["preset"] == "skin"
    assert note["device"] == "cpu"
    assert ready.panel.isVisibleTo(ready)
    assert ready.panel.line.text().startswith("Lesion 16")
    show_each(ready)
    assert [row.name for row in ready.panel.table.clusters.rows] == ["Lesion", "Skin"]
    assert ready.run_button.isEnabled()


def test_stop_and_keep(ready, viewer, qtbot, fake_runs):
    fake_runs.iterations = 5000
    run_to(ready, qtbot)
    ready.progress.stop.click()
    assert ready.session.phase is Phase.STOPPING
    qtbot.waitUntil(lambda: ready.session.phase is Phase.STOPPED, timeout=20000)
    assert fake_runs.stopped == 1
    assert metadata_of(label_layer(viewer))["stopped"]
    assert "stopped after" in ready.panel.effort.text()


def test_cancel_of_a_first_run_leaves_no_layer(ready, viewer, qtbot, fake_runs):
    fake_runs.iterations = 5000
    run_to(ready, qtbot)
    ready.progress.cancel.click()
    assert ready.session.phase is Phase.STOPPING
    qtbot.waitUntil(lambda: layers(viewer) == ["mole"], timeout=20000)
    qtbot.waitUntil(lambda: ready.session.phase is Phase.READY, timeout=20000)
    assert fake_runs.closed == 1
    assert ready.run_button.isEnabled()


def test_an_image_chosen_in_the_layer_list_during_a_run_is_worked_on_after_it(ready, viewer, qtbot, fake_runs):
    fake_runs.iterations = 5000
    run_to(ready, qtbot)
    viewer.add_image(np.zeros((30, 40)), name="other")
    assert ready.choosers.image.currentText() == "mole"
    ready.progress.stop.click()
    qtbot.waitUntil(lambda: not ready.session.phase.is_busy, timeout=20000)
    assert ready.choosers.image.currentText() == "other"
    assert ready.source.name == "other"
    assert ready.result.layer is None
    viewer.layers.selection.active = label_layer(viewer)
    assert ready.choosers.image.currentText() == "mole"
    assert ready.panel.isVisibleTo(ready)


def test_cancel_of_a_preview_that_is_selected_goes_back_to_its_image(dock, photograph, viewer, qtbot, fake_runs):
    fake_runs.iterations = 5000
    viewer.add_image(photograph, name="mole")
    viewer.add_image(photograph, name="other")
    dock.choosers.image_chosen.emit(0)
    run_to(dock, qtbot)
    viewer.layers.selection.active = label_layer(viewer)
    dock.progress.cancel.click()
    qtbot.waitUntil(lambda: dock.session.phase is Phase.READY, timeout=20000)
    assert viewer.layers.selection.active is viewer.layers["mole"]
    assert dock.choosers.image.currentText() == "mole"


def test_a_preview_is_neither_corrected_nor_saved(ready, viewer, qtbot, fake_runs, tmp_path):
    run_through(ready, qtbot)
    layer, source = label_layer(viewer), ready.source
    correct = CorrectDock(viewer)
    before, steps = layer.data.copy(), len(layer._undo_history)
    fake_runs.iterations = 5000
    run_to(ready, qtbot)
    qtbot.waitUntil(lambda: not np.array_equal(layer.data, before), timeout=20000)
    qtbot.waitUntil(lambda: not correct.tools.isEnabled(), timeout=5000)
    for part in (correct.paint.save, correct.paint.rerun, correct.session_panel.revert):
        assert not part.isEnabled()
    assert "shows a preview" in correct.message.text()
    assert "shows a preview" in correct.obstacle
    for change in (
        partial(smooth, viewer, layer, "all"),
        partial(save_result, tmp_path / "a.png", "mask", layer, source),
    ):
        with pytest.raises(InvalidImageError, match="A run goes on in mole"):
            change()
    correct.session_panel.asked.emit("revert")
    assert len(layer._undo_history) == steps
    assert list(tmp_path.iterdir()) == []
    ready.progress.cancel.click()
    qtbot.waitUntil(lambda: ready.session.phase is Phase.READY, timeout=20000)
    qtbot.waitUntil(correct.tools.isEnabled, timeout=5000)
    assert correct.message.text() == correct.obstacle == ""
    assert np.array_equal(layer.data, before)
    correct.release()
    correct.autosave.wait()


def test_cancel_of_a_second_run_puts_everything_back(ready, viewer, qtbot, fake_runs):
    run_through(ready, qtbot)
    layer = label_layer(viewer)
    before = layer.data.copy()
    fake_runs.iterations = 5000
    run_to(ready, qtbot)
    qtbot.waitUntil(lambda: not np.array_equal(layer.data, before), timeout=20000)
    ready.progress.cancel.click()
    qtbot.waitUntil(lambda: np.array_equal(layer.data, before), timeout=20000)
    qtbot.waitUntil(lambda: ready.session.phase is Phase.READY, timeout=20000)
    assert ready.panel.isVisibleTo(ready)


def test_run_again_keeps_the_clusters_and_is_one_step_that_undo_takes_back(ready, viewer, qtbot, fake_runs):
    run_through(ready, qtbot)
    layer, rows = label_layer(viewer), ready.panel.table.clusters
    show_each(ready)
    rows.renamed.emit(1, "Naevus")
    rows.ticked.emit(2, True)
    before = layer.data.copy()
    fake_runs.corner = 5
    run_through(ready, qtbot)
    assert (layer.data[:5, :5] == 1).all()
    assert [(row.label, row.name, row.is_object) for row in rows.rows] == [(1, "Naevus", True), (2, "Skin", True)]
    rows.renamed.emit(1, "Melanoma")
    layer.undo()
    np.testing.assert_array_equal(layer.data, before)
    qtbot.waitUntil(lambda: rows.rows[0].name == "Naevus", timeout=20000)
    layer.redo()
    qtbot.waitUntil(lambda: rows.rows[0].name == "Melanoma", timeout=20000)


def test_what_a_second_run_finds_anew_gets_an_id_of_its_own(ready, viewer, qtbot, fake_runs):
    run_through(ready, qtbot)
    show_each(ready)
    ready.panel.table.clusters.renamed.emit(1, "Naevus")
    fake_runs.corner = 20
    run_through(ready, qtbot)
    assert (label_layer(viewer).data[:20, :20] == 3).all()
    assert [(row.label, row.name) for row in ready.panel.table.clusters.rows] == [(2, "Skin"), (3, "Lesion")]


def test_out_of_memory_is_told_and_the_dock_is_ready_again(ready, window, qtbot, fake_runs, said):
    fake_runs.error = RuntimeError("CUDA out of memory")
    run_through(ready, qtbot)
    assert ready.session.phase is Phase.FAILED
    assert said == [ready.message.text()]
    assert said[0].startswith("Out of memory.")
    assert ready.run_button.isEnabled()
    assert layers(window) == ["mole"]
    # The task table of napari hears of the end by a queued signal.
    busy = window.__wrapped__.window._task_status_manager.is_busy
    qtbot.waitUntil(lambda: not busy(), timeout=20000)
    assert not is_busy()
    fake_runs.error = None
    run_through(ready, qtbot)
    assert ready.session.phase is Phase.DONE
    assert not ready.message.isVisibleTo(ready)


def test_an_unexpected_error_can_be_reported(ready, qtbot, fake_runs, said):
    fake_runs.error = KeyError("surprise")
    run_through(ready, qtbot)
    assert "unexpected" in said[0]
    ready.details.click()
    assert "Traceback" in QApplication.clipboard().text()


def test_nothing_large_is_left_on_the_worker(ready, viewer, qtbot, fake_runs):
    references = []
    fake_runs.images = type("Nowhere", (), {"append": lambda self, _: None})()
    fake_runs.watch = lambda *arrays: references.extend(map(weakref.ref, arrays[1:] or arrays))
    run_through(ready, qtbot)
    fake_runs.iterations = 5000
    run_to(ready, qtbot)
    ready.progress.cancel.click()
    qtbot.waitUntil(lambda: ready.session.phase is Phase.READY, timeout=20000)
    assert len(references) > 20
    gc.collect()
    assert [one().shape for one in references if one() is not None] == []


@pytest.mark.parametrize("name", ["mole", "mole – S³-Net"])
def test_a_layer_deleted_while_running_ends_the_run(ready, viewer, qtbot, fake_runs, name):
    fake_runs.iterations = 5000
    run_to(ready, qtbot)
    viewer.layers.remove(name)
    qtbot.waitUntil(lambda: not ready.session.phase.is_busy, timeout=20000)
    assert fake_runs.closed == 1
    assert "mole – S³-Net" not in layers(viewer)
    assert ready.welcome.isVisibleTo(ready) == (name == "mole")


def test_all_layers_cleared_while_running(ready, viewer, qtbot, fake_runs):
    fake_runs.iterations = 5000
    run_to(ready, qtbot)
    viewer.layers.clear()
    qtbot.waitUntil(lambda: not ready.session.phase.is_busy, timeout=20000)
    assert layers(viewer) == []
    assert ready.welcome.isVisibleTo(ready)


def test_a_run_leaves_alone_what_is_painted_in_another_layer(ready, viewer, qtbot, fake_runs):
    other = viewer.add_labels(np.zeros((48, 64), int), name="mine")
    fake_runs.iterations = 5000
    run_to(ready, qtbot)
    other.paint((10, 10), 1)
    assert other.data[10, 10] == 1
    ready.progress.cancel.click()
    qtbot.waitUntil(lambda: ready.session.phase is Phase.READY, timeout=20000)
    assert other.data[10, 10] == 1


def test_one_long_job_at_a_time(ready, viewer, qtbot, fake_runs, said):
    fake_runs.iterations = 5000
    other = SegmentDock(viewer)
    qtbot.addWidget(other)
    run_to(ready, qtbot)
    other.run_button.click()
    assert said == ["Another run or a batch is still going on. Wait for it, or stop it there."]
    assert other.session.phase is Phase.FAILED


def test_only_the_main_thread_touches_layers(ready, viewer, qtbot, fake_runs):
    main = threading.get_ident()
    seen = []
    viewer.layers.events.inserted.connect(lambda _: seen.append(threading.get_ident()))
    run_through(ready, qtbot)
    label_layer(viewer).events.set_data.connect(lambda _: seen.append(threading.get_ident()))
    run_through(ready, qtbot)
    assert len(seen) > 1
    assert set(seen) == {main}


def test_a_stack_is_segmented_slice_by_slice(dock, viewer, qtbot, fake_runs):
    stack = np.random.default_rng(0).integers(0, 200, (4, 40, 50)).astype(np.int16)
    viewer.add_image(stack, name="mole")
    dock.extent.choice.value = "slice"
    viewer.dims.set_current_step(0, 2)
    assert dock.choosers.image_line.text() == "slice 2 of 0–3 · 50 × 40, grey"
    run_through(dock, qtbot)
    np.testing.assert_array_equal(fake_runs.images[0], stack[2])
    layer = label_layer(viewer)
    assert [bool(plane.any()) for plane in layer.data] == [False, False, True, False]
    show_each(dock)
    assert len(dock.panel.table.clusters.rows) == 2
    viewer.dims.set_current_step(0, 1)
    qtbot.waitUntil(lambda: dock.panel.line.text() == "No labels in this slice yet.", timeout=3000)
    assert not dock.panel.table.isVisibleTo(dock)
    run_through(dock, qtbot)
    assert [bool(plane.any()) for plane in layer.data] == [False, True, True, False]


def test_a_slice_that_is_left_during_a_cancelled_run_is_not_run_again(dock, viewer, qtbot, fake_runs):
    viewer.add_image(np.random.default_rng(0).integers(0, 200, (4, 40, 50)).astype(np.int16), name="mole")
    dock.extent.choice.value = "slice"
    viewer.dims.set_current_step(0, 2)
    fake_runs.iterations = 5000
    run_to(dock, qtbot)
    viewer.dims.set_current_step(0, 1)
    dock.progress.cancel.click()
    qtbot.waitUntil(lambda: dock.session.phase is Phase.READY, timeout=20000)
    assert dock.choosers.image_line.text().startswith("slice 1 of 0–3")
    assert dock.source.position == 1


def test_a_real_run(dock, viewer, qtbot):
    """Nothing stands in for anything: the network is trained, and the result has the image's shape."""
    rows, columns = np.mgrid[:96, :128]
    array = np.full((96, 128, 3), (220, 180, 160), np.uint8)
    mole = (rows - 48) ** 2 + (columns - 64) ** 2 < 500
    array[mole] = (90, 60, 50)
    array += np.random.default_rng(0).integers(0, 12, array.shape, np.uint8)
    viewer.add_image(array, name="mole")
    dock.choosers.fields["max_iter"].value = 6
    dock.choosers.fields["working_size"].value = 64
    dock.run_button.click()
    qtbot.waitUntil(lambda: not dock.session.phase.is_busy, timeout=120000)
    assert dock.session.phase is Phase.DONE, dock.session.message
    layer = label_layer(viewer)
    assert layer.data.shape == (96, 128)
    assert layer.data.min() == 1, "every pixel has a cluster"
    assert dice(np.isin(layer.data, metadata_of(layer)["foreground"]), mole) > 0.9
    assert dock.panel.line.text().startswith("Lesion")
