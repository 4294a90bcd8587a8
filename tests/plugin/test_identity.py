"""What belongs to what, in a real window: results to their image, undo to its labels, a plane to itself."""

import dask.array as da
import numpy as np
import pytest
from qtpy.QtCore import QThreadPool
from qtpy.QtWidgets import QApplication

from napari_s3net.plugin.correct.dock import CorrectDock
from napari_s3net.plugin.jobs.session import Phase
from napari_s3net.plugin.layers.proxy import plain
from napari_s3net.plugin.segment.dock import SegmentDock

pytestmark = [pytest.mark.viewer, pytest.mark.usefixtures("folder")]


@pytest.fixture
def viewer(make_napari_viewer_proxy):
    return make_napari_viewer_proxy()


@pytest.fixture
def open_dock(viewer):
    made = []

    def make(kind):
        dock = kind(viewer)
        viewer.window.add_dock_widget(dock, name=kind.__name__)
        made.append(dock)
        return dock

    yield make
    for dock in made:
        dock.release()
    QThreadPool.globalInstance().waitForDone(30000)
    QApplication.processEvents()


def run_through(dock, qtbot):
    dock.run_button.click()
    qtbot.waitUntil(lambda: not dock.session.phase.is_busy, timeout=60000)
    assert dock.session.phase is Phase.DONE, dock.session.message


def test_another_photograph_of_the_same_name_has_no_result_yet(viewer, open_dock, photograph, qtbot, fake_runs):
    viewer.add_image(photograph, name="mole")
    dock = open_dock(SegmentDock)
    run_through(dock, qtbot)
    assert dock.panel.isVisibleTo(dock)
    viewer.layers.remove("mole")
    viewer.add_image(photograph[::-1].copy(), name="mole")
    assert not dock.panel.isVisibleTo(dock)
    run_through(dock, qtbot)
    assert [layer.name for layer in viewer.layers] == ["mole – S³-Net", "mole", "mole – S³-Net [1]"]


def test_other_data_in_the_same_layer_are_noticed(viewer, open_dock, photograph, qtbot, fake_runs):
    image = viewer.add_image(np.zeros((48, 64), np.uint8), name="scan")
    dock = open_dock(SegmentDock)
    image.data = photograph[..., 0]
    run_through(dock, qtbot)
    np.testing.assert_array_equal(fake_runs.images[-1], photograph[..., 0])
    fake_runs.iterations = 5000
    dock.run_button.click()
    qtbot.waitUntil(lambda: dock.session.phase is Phase.RUNNING, timeout=60000)
    before = plain(viewer.layers["scan – S³-Net"])
    image.data = np.zeros((30, 40), np.uint8)
    qtbot.waitUntil(lambda: dock.session.phase is Phase.READY, timeout=60000)
    assert set(np.unique(before.data)) == {1, 2}, "no preview is left, and no result of the image before"
    assert dock.choosers.image_line.text().startswith("40 × 30")
    assert not dock.panel.isVisibleTo(dock)


def test_an_undo_during_a_run_is_neither_lost_nor_doubled(viewer, open_dock, photograph, qtbot, fake_runs):
    viewer.add_image(photograph, name="mole")
    dock = open_dock(SegmentDock)
    run_through(dock, qtbot)
    layer = plain(viewer.layers["mole – S³-Net"])
    clean = layer.data.copy()
    layer.data_setitem((np.array([40]), np.array([40])), 1)
    fake_runs.iterations, fake_runs.corner = 5000, 6
    dock.run_button.click()
    qtbot.waitUntil(lambda: bool((layer.data > 2).any()), timeout=60000)
    layer.undo()
    dock.progress.stop.click()
    qtbot.waitUntil(lambda: not dock.session.phase.is_busy, timeout=60000)
    assert (layer.data[:6, :6] == 1).all()
    for _ in range(2):
        layer.undo()
        np.testing.assert_array_equal(layer.data, clean)


def test_revert_in_a_rolled_series_writes_that_plane_only(viewer, open_dock):
    viewer.add_image(np.random.default_rng(0).normal(size=(2, 4, 20, 30)), name="heart")
    layer = plain(viewer.add_labels(np.ones((2, 4, 20, 30), np.int32), name="mine"))
    dock = open_dock(CorrectDock)
    layer.data[0, 1] = 3
    viewer.dims.order = (0, 2, 1, 3)
    viewer.dims.set_current_step(2, 7)
    dock.editor.choose(layer)
    before = layer.data.copy()
    layer.data[0, :, 7] = 5
    dock.session_panel.asked.emit("revert")
    np.testing.assert_array_equal(layer.data, before)


def test_labels_that_cannot_be_written_say_so_when_they_are_chosen(viewer, open_dock, photograph):
    viewer.add_image(photograph, name="mole")
    viewer.add_labels(np.ones((48, 64), int), name="mine")
    lazy = viewer.add_labels(da.ones((48, 64), dtype=int), name="lazy")
    dock = open_dock(CorrectDock)
    assert dock.combo.currentText() == "mine"
    viewer.layers.selection.active = viewer.layers["mine"]
    assert dock.tools.isEnabledTo(dock)
    viewer.layers.selection.active = lazy
    assert "lazy cannot be corrected" in dock.message.text()
    assert dock.message.isVisibleTo(dock)
    assert not dock.tools.isEnabledTo(dock)
    viewer.layers.selection.active = viewer.layers["mine"]
    assert not dock.message.isVisibleTo(dock)
