"""The dock in a real window: every phase, every way to end a run, and what is left behind."""

import gc
import threading
import time
import weakref

import numpy as np
import pytest
from napari.components import ViewerModel
from qtpy.QtCore import QCoreApplication, QEvent, QPoint, Qt, QThreadPool
from qtpy.QtWidgets import QApplication

from napari_s3net.plugin.jobs.run import is_busy
from napari_s3net.plugin.jobs.session import Phase
from napari_s3net.plugin.layers.result_layer import metadata_of, plain
from napari_s3net.plugin.segment import dock as module
from napari_s3net.plugin.segment.dock import SegmentDock
from napari_s3net.plugin.widgets import dock as base

pytestmark = pytest.mark.viewer
#: Far beyond what is promised, for a machine that does other things as well; a hang is still found.
SLOW = 4.0


@pytest.fixture
def said(monkeypatch):
    """What the user is notified of."""
    words = []
    monkeypatch.setattr(base, "show_error", words.append)
    return words


@pytest.fixture
def viewer():
    """Layers, sliders and theme without a window, which takes seconds to make."""
    return ViewerModel()


@pytest.fixture
def window(make_napari_viewer_proxy):
    """A real window, whose viewer allows public names only."""
    return make_napari_viewer_proxy()


@pytest.fixture
def dock(request, qtbot, said):
    """A dock beside `viewer`, or docked in `window` for tests that ask for one; no thread outlives the test."""
    real = "window" in request.fixturenames
    viewer = request.getfixturevalue("window" if real else "viewer")
    dock = SegmentDock(viewer)
    if real:
        viewer.window.add_dock_widget(dock, name="Segment")
    yield dock
    dock.release()
    QThreadPool.globalInstance().waitForDone(5000)
    QApplication.processEvents()


@pytest.fixture
def ready(dock, photograph, fake_runs):
    dock._viewer.add_image(photograph, name="mole")
    return dock


def layers(viewer):
    return [layer.name for layer in viewer.layers]


def label_layer(viewer):
    return plain(viewer.layers["mole – S³-Net"])


def run_through(dock, qtbot):
    dock.run_button.click()
    qtbot.waitUntil(lambda: not dock.session.phase.is_busy, timeout=10000)


def run_to(dock, qtbot, iteration=3):
    """Start, and wait until so many iterations are shown and a preview is in the layer."""
    dock.run_button.click()
    qtbot.waitUntil(
        lambda: (
            dock.session.phase is Phase.RUNNING
            and dock.progress.bar.value() >= iteration
            and "mole – S³-Net" in layers(dock._viewer)
        ),
        timeout=10000,
    )


def test_without_an_image_it_says_what_to_do_first(dock):
    assert dock.welcome.isVisibleTo(dock)
    assert not dock.run_button.isVisibleTo(dock)
    dock.run()
    assert dock.session.phase is Phase.READY


def test_opening_a_dock_loads_no_torch(tmp_path):
    import subprocess
    import sys

    code = (
        "import sys, napari_s3net.plugin.segment.dock, napari_s3net.plugin.segment.result_controller\n"
        "from napari_s3net.settings import presets\n"
        "print('torch' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code], capture_output=True, encoding="utf-8", check=True
    )
    assert done.stdout.split()[-1] == "False"


def test_an_image_is_chosen_and_described(ready):
    assert not ready.welcome.isVisibleTo(ready)
    assert ready.choosers.image.currentText() == "mole"
    assert ready.choosers.image_line.text() == "64 × 48, RGB"
    assert ready.choosers.preset_name == "skin"
    assert ready.choosers.preset_line.text() == "chosen for you: RGB photograph"
    assert ready.choosers.settings() == module.presets["skin"].settings
    assert ready.run_button.isEnabled()


def test_the_active_layer_is_followed(ready, viewer):
    ct = np.where(np.indices((40, 50))[0] > 20, -800, 40).astype(np.int16)
    viewer.add_image(ct, name="scan")
    assert ready.choosers.image.currentText() == "scan"
    assert ready.choosers.preset_name.startswith("ct-")
    viewer.layers.selection.active = viewer.layers["mole"]
    assert ready.choosers.image.currentText() == "mole"
    assert ready.choosers.preset_name == "skin"
    viewer.layers["mole"].name = "naevus"
    assert ready.choosers.image.currentText() == "naevus"
    viewer.layers.remove("naevus")
    assert ready.choosers.image.currentText() == "scan"


def test_a_preset_of_ones_own_is_kept_until_the_image_changes(ready, viewer, photograph):
    ready.choosers.preset.value = "generic"
    ready.choosers.preset_chosen.emit("generic")
    assert ready.choosers.settings() == module.presets["generic"].settings
    viewer.add_points([[1, 1]])
    viewer.layers.selection.active = viewer.layers["mole"]
    assert ready.choosers.preset_name == "generic"
    viewer.add_image(photograph, name="second")
    assert ready.choosers.preset_name == "skin"


def test_run_shows_progress_and_gives_a_layer_and_a_table(ready, viewer, qtbot, fake_runs):
    fake_runs.iterations = 5000
    run_to(ready, qtbot)
    assert not ready.run_button.isEnabled()
    assert not ready.choosers.isEnabled()
    assert ready.progress.isVisibleTo(ready)
    assert ready.progress.line.text().split(" ")[1:3] == ["of", "5000"]
    assert len(ready.progress.plot._history) == ready.progress.bar.value()
    ready.session.stop()
    qtbot.waitUntil(lambda: not ready.session.phase.is_busy, timeout=10000)
    assert layers(viewer) == ["mole", "mole – S³-Net"]
    note = metadata_of(label_layer(viewer))
    assert note["preset"] == "skin"
    assert note["device"] == "cpu"
    assert ready.panel.isVisibleTo(ready)
    assert [row.name for row in ready.panel.table.clusters.rows] == ["Lesion", "Skin"]
    assert ready.run_button.isEnabled()


def test_the_line_says_what_will_be_used_once_it_is_known(ready, qtbot):
    assert "if there is one" in ready.choosers.device_line.text()
    run_through(ready, qtbot)
    assert "if there is one" not in ready.choosers.device_line.text()
    assert "At most about" in ready.choosers.device_line.text()


def test_the_worker_gets_what_the_form_holds(ready, qtbot, fake_runs):
    ready.choosers.basic.fields["seed"].value = 42
    ready.choosers.advanced.fields["weight_spatial"].value = 2.5
    ready.choosers.choose_device("cpu")
    run_through(ready, qtbot)
    image, settings, device = fake_runs.asked[0]
    assert (settings.seed, settings.weight_spatial, device) == (42, 2.5, "cpu")
    assert image.kind == "rgb"


def test_settings_that_contradict_each_other_are_explained(ready, qtbot, said):
    ready.choosers.advanced.fields["window_low"].value = 2000
    ready.run_button.click()
    assert ready.session.phase is Phase.FAILED
    assert "window_low has to be below window_high" in said[0]
    assert ready.run_button.isEnabled()


def test_stop_and_keep(ready, viewer, qtbot, fake_runs):
    fake_runs.iterations = 5000
    run_to(ready, qtbot)
    started = time.perf_counter()
    ready.progress.stop.click()
    assert ready.session.phase is Phase.STOPPING
    qtbot.waitUntil(lambda: ready.session.phase is Phase.STOPPED, timeout=5000)
    assert time.perf_counter() - started < SLOW
    assert fake_runs.stopped == 1
    assert metadata_of(label_layer(viewer))["stopped"]
    assert "stopped after" in ready.panel.effort.text()


def test_cancel_of_a_first_run_leaves_no_layer(ready, viewer, qtbot, fake_runs):
    fake_runs.iterations = 5000
    run_to(ready, qtbot)
    started = time.perf_counter()
    ready.progress.cancel.click()
    assert ready.session.phase is Phase.STOPPING
    qtbot.waitUntil(lambda: layers(viewer) == ["mole"], timeout=2000)
    qtbot.waitUntil(lambda: ready.session.phase is Phase.READY, timeout=5000)
    assert time.perf_counter() - started < SLOW
    assert fake_runs.closed == 1
    assert ready.run_button.isEnabled()


def test_cancel_of_a_second_run_puts_everything_back(ready, viewer, qtbot, fake_runs):
    run_through(ready, qtbot)
    layer = label_layer(viewer)
    before = layer.data.copy()
    fake_runs.iterations = 5000
    run_to(ready, qtbot)
    qtbot.waitUntil(lambda: not np.array_equal(layer.data, before), timeout=5000)
    ready.progress.cancel.click()
    qtbot.waitUntil(lambda: np.array_equal(layer.data, before), timeout=2000)
    qtbot.waitUntil(lambda: ready.session.phase is Phase.READY, timeout=5000)
    assert ready.panel.isVisibleTo(ready)


def test_run_again_keeps_the_clusters_and_is_one_step_that_undo_takes_back(ready, viewer, qtbot, fake_runs):
    run_through(ready, qtbot)
    layer, rows = label_layer(viewer), ready.panel.table.clusters
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
    qtbot.waitUntil(lambda: rows.rows[0].name == "Naevus", timeout=2000)
    layer.redo()
    qtbot.waitUntil(lambda: rows.rows[0].name == "Melanoma", timeout=2000)


def test_what_a_second_run_finds_anew_gets_an_id_of_its_own(ready, viewer, qtbot, fake_runs):
    run_through(ready, qtbot)
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
    qtbot.waitUntil(lambda: not busy(), timeout=2000)
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
    qtbot.waitUntil(lambda: ready.session.phase is Phase.READY, timeout=5000)
    assert len(references) > 20
    gc.collect()
    assert [one().shape for one in references if one() is not None] == []


@pytest.mark.parametrize("name", ["mole", "mole – S³-Net"])
def test_a_layer_deleted_while_running_ends_the_run(ready, viewer, qtbot, fake_runs, name):
    fake_runs.iterations = 5000
    run_to(ready, qtbot)
    viewer.layers.remove(name)
    qtbot.waitUntil(lambda: not ready.session.phase.is_busy, timeout=5000)
    assert fake_runs.closed == 1
    assert "mole – S³-Net" not in layers(viewer)
    assert ready.welcome.isVisibleTo(ready) == (name == "mole")


def test_all_layers_cleared_while_running(ready, viewer, qtbot, fake_runs):
    fake_runs.iterations = 5000
    run_to(ready, qtbot)
    viewer.layers.clear()
    qtbot.waitUntil(lambda: not ready.session.phase.is_busy, timeout=5000)
    assert layers(viewer) == []
    assert ready.welcome.isVisibleTo(ready)


def test_painting_stays_smooth_beside_a_run(ready, viewer, qtbot, fake_runs):
    other = viewer.add_labels(np.zeros((48, 64), int), name="mine")
    fake_runs.iterations = 5000
    run_to(ready, qtbot)
    other.paint((10, 10), 1)
    assert other.data[10, 10] == 1
    ready.progress.cancel.click()
    qtbot.waitUntil(lambda: ready.session.phase is Phase.READY, timeout=5000)
    assert other.data[10, 10] == 1


def test_the_view_is_never_moved(ready, window, qtbot):
    camera = getattr(window, "scene", window).camera
    camera.zoom, camera.center = 7.0, (0, 11, 13)
    run_through(ready, qtbot)
    assert camera.zoom == 7.0
    assert tuple(camera.center)[-2:] == (11, 13)


def test_closing_the_dock_while_running(ready, window, qtbot, fake_runs):
    """The X of napari's title bar: no close event, only another parent."""
    fake_runs.iterations = 5000
    run_to(ready, qtbot)
    started = time.perf_counter()
    ready.parent().destroyOnClose()
    assert time.perf_counter() - started < SLOW
    assert layers(window) == ["mole"]
    qtbot.waitUntil(lambda: not is_busy(), timeout=2000)
    window.add_image(np.zeros((40, 40)))
    window.layers.clear()


def test_a_closed_dock_is_not_kept_alive(make_napari_viewer_proxy, photograph, fake_runs, qtbot, said):
    viewer = make_napari_viewer_proxy()
    viewer.add_image(photograph, name="mole")
    dock = SegmentDock(viewer)
    viewer.window.add_dock_widget(dock, name="Segment")
    run_through(dock, qtbot)
    gone = weakref.ref(dock)
    viewer.window.remove_dock_widget(dock)
    del dock
    qtbot.waitUntil(lambda: gc.collect() >= 0 and gone() is None, timeout=3000)
    second = SegmentDock(viewer)
    viewer.window.add_dock_widget(second, name="Segment")
    assert second.panel.isVisibleTo(second)
    assert [row.name for row in second.panel.table.clusters.rows] == ["Lesion", "Skin"]
    run_through(second, qtbot)
    assert second.session.phase is Phase.DONE


def test_hiding_the_dock_does_not_end_the_run(ready, window, qtbot, fake_runs):
    fake_runs.iterations = 5000
    run_to(ready, qtbot)
    ready.parent().hide()
    assert ready.session.phase is Phase.RUNNING
    ready.session.stop()
    qtbot.waitUntil(lambda: ready.session.phase is Phase.STOPPED, timeout=5000)


def test_closing_the_viewer_while_running(make_napari_viewer, photograph, fake_runs, qtbot, said):
    fake_runs.iterations = 5000
    viewer = make_napari_viewer()
    viewer.add_image(photograph, name="mole")
    dock = SegmentDock(viewer)
    viewer.window.add_dock_widget(dock, name="Segment")
    run_to(dock, qtbot)
    del dock
    started = time.perf_counter()
    viewer.close()
    assert time.perf_counter() - started < SLOW
    qtbot.waitUntil(lambda: not is_busy(), timeout=2000)
    assert fake_runs.closed == 1


def test_quitting_the_application_ends_the_run(ready, qtbot, fake_runs):
    fake_runs.iterations = 5000
    run_to(ready, qtbot)
    QApplication.instance().aboutToQuit.emit()
    qtbot.waitUntil(lambda: not is_busy(), timeout=2000)
    assert fake_runs.closed == 1


def test_a_destroyed_dock_ends_its_run(make_napari_viewer, photograph, fake_runs, qtbot, said):
    fake_runs.iterations = 5000
    viewer = make_napari_viewer()
    viewer.add_image(photograph, name="mole")
    dock = SegmentDock(viewer)
    run_to(dock, qtbot)
    dock.deleteLater()
    del dock
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    qtbot.waitUntil(lambda: not is_busy(), timeout=2000)


def test_one_long_job_at_a_time(ready, viewer, qtbot, fake_runs, said):
    fake_runs.iterations = 5000
    other = SegmentDock(viewer)
    qtbot.addWidget(other)
    run_to(ready, qtbot)
    other.run_button.click()
    assert said == ["Another run is still going on. Wait for it, or cancel it there."]
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
    viewer.dims.set_current_step(0, 2)
    assert dock.choosers.image_line.text() == "slice 3 of 4 · 50 × 40, grey"
    run_through(dock, qtbot)
    np.testing.assert_array_equal(fake_runs.images[0], stack[2])
    layer = label_layer(viewer)
    assert [bool(plane.any()) for plane in layer.data] == [False, False, True, False]
    assert len(dock.panel.table.clusters.rows) == 2
    viewer.dims.set_current_step(0, 1)
    assert dock.panel.line.text() == "No labels in this slice yet."
    assert not dock.panel.table.isVisibleTo(dock)
    run_through(dock, qtbot)
    assert [bool(plane.any()) for plane in layer.data] == [False, True, True, False]


def test_a_slice_that_is_left_during_a_cancelled_run_is_not_run_again(dock, viewer, qtbot, fake_runs):
    viewer.add_image(np.random.default_rng(0).integers(0, 200, (4, 40, 50)).astype(np.int16), name="mole")
    viewer.dims.set_current_step(0, 2)
    fake_runs.iterations = 5000
    run_to(dock, qtbot)
    viewer.dims.set_current_step(0, 1)
    dock.progress.cancel.click()
    qtbot.waitUntil(lambda: dock.session.phase is Phase.READY, timeout=5000)
    assert dock.choosers.image_line.text().startswith("slice 2 of 4")
    assert dock.source.position == 1


def test_nothing_below_moves_while_a_run_goes_on(ready, viewer, qtbot, fake_runs):
    qtbot.addWidget(ready)
    ready.resize(320, 700)
    ready.show()
    run_through(ready, qtbot)
    before = ready.panel.table.clusters.rows
    place = ready.panel.table.mapTo(ready, QPoint())
    fake_runs.iterations = 5000
    run_to(ready, qtbot)
    assert ready.panel.table.isVisible()
    assert not ready.panel.isEnabled()
    qtbot.wait(600)
    assert ready.panel.table.mapTo(ready, QPoint()) == place
    assert ready.panel.table.clusters.rows == before, "the preview is no result"
    ready.progress.cancel.click()
    assert ready.panel.table.mapTo(ready, QPoint()) == place
    qtbot.waitUntil(lambda: ready.session.phase is Phase.READY, timeout=5000)
    assert ready.panel.table.mapTo(ready, QPoint()) == place


def test_nothing_sticks_out_of_the_narrowest_dock(ready, window, qtbot):
    ready.choosers.fold.toggleButton().click()
    ready.widget().ensurePolished()
    bar = ready.verticalScrollBar().sizeHint().width()
    qtbot.waitUntil(lambda: ready.widget().minimumSizeHint().width() <= base.LEAST_WIDTH - bar, timeout=2000)


def test_shift_enter_runs(ready, window, qtbot):
    qtbot.addWidget(ready)
    window.window.activate()
    qtbot.keyClick(ready.choosers.image, Qt.Key.Key_Return, Qt.KeyboardModifier.ShiftModifier)
    # The same key on the canvas:
    (bound,) = [func for key, func in window.__wrapped__.keymap.items() if str(key) == "Shift+Enter"]
    bound(window)
    assert ready.session.phase.is_busy
    qtbot.waitUntil(lambda: not ready.session.phase.is_busy, timeout=5000)


def test_every_control_can_be_reached_with_the_keyboard(ready, qtbot):
    run_through(ready, qtbot)
    panel, choosers = ready.panel, ready.choosers
    controls = [
        choosers.image,
        choosers.preset.native,
        choosers.device.native,
        *(f.native for f in choosers.basic.fields.values()),
        choosers.fold.toggleButton(),
    ]
    controls += [ready.run_button, panel.table, panel.object_only, panel.save, panel.more]
    for control in controls:
        assert control.focusPolicy() & Qt.FocusPolicy.TabFocus, control.accessibleName()


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_the_style_follows_the_theme(ready, viewer, theme):
    viewer.theme = theme
    assert ready.styleSheet() == base.style_sheet(theme)


def test_the_dock_is_narrow_and_scrolls_as_one_column(ready, viewer, qtbot):
    run_through(ready, qtbot)
    ready.choosers.fold.toggleButton().click()
    ready.resize(280, 500)
    QApplication.processEvents()
    assert ready.widget().minimumSizeHint().width() <= 280
    assert ready.horizontalScrollBarPolicy() == Qt.ScrollBarPolicy.ScrollBarAlwaysOff
    assert ready.sizeHint().width() == 320


def test_more_menu_runs_as_new_layer(ready, viewer, qtbot):
    run_through(ready, qtbot)
    ready.panel.asked.emit("run_new")
    qtbot.waitUntil(lambda: len(viewer.layers) == 3 and not ready.session.phase.is_busy, timeout=5000)


def test_settings_of_a_result_can_be_shown_and_used_again(ready, viewer, qtbot):
    from napari_s3net.plugin.widgets.settings_dialog import SettingsDialog

    ready.choosers.basic.fields["seed"].value = 17
    run_through(ready, qtbot)
    ready.choosers.basic.fields["seed"].value = 0
    ready.panel.asked.emit("show_settings")
    (dialog,) = ready.findChildren(SettingsDialog)
    dialog.taken.emit()
    assert ready.choosers.settings().seed == 17
    dialog.close()


def test_a_result_is_shown_again_when_it_becomes_active(ready, viewer, photograph, qtbot):
    run_through(ready, qtbot)
    viewer.add_image(photograph, name="second")
    assert not ready.panel.isVisibleTo(ready)
    viewer.layers.selection.active = viewer.layers["mole – S³-Net"]
    assert ready.choosers.image.currentText() == "mole"
    assert ready.panel.isVisibleTo(ready)


def test_a_result_stays_with_its_image_when_that_is_renamed(ready, viewer, qtbot):
    run_through(ready, qtbot)
    viewer.layers["mole"].name = "naevus"
    assert ready.panel.isVisibleTo(ready)
    run_through(ready, qtbot)
    assert layers(viewer) == ["naevus", "mole – S³-Net"]


def test_a_real_run(dock, viewer, qtbot):
    """Nothing stands in for anything: the network is trained, and the result has the image's shape."""
    rows, columns = np.mgrid[:96, :128]
    array = np.full((96, 128, 3), (220, 180, 160), np.uint8)
    array[(rows - 48) ** 2 + (columns - 64) ** 2 < 500] = (90, 60, 50)
    array += np.random.default_rng(0).integers(0, 12, array.shape, np.uint8)
    viewer.add_image(array, name="mole")
    dock.choosers.basic.fields["max_iter"].value = 6
    dock.choosers.advanced.fields["working_size"].value = 64
    dock.run_button.click()
    qtbot.waitUntil(lambda: not dock.session.phase.is_busy, timeout=120000)
    assert dock.session.phase is Phase.DONE, dock.session.words
    layer = label_layer(viewer)
    assert layer.data.shape == (96, 128)
    assert layer.data.min() >= 0
    assert layer.data.max() >= 1
    assert dock.panel.table.clusters.rows
