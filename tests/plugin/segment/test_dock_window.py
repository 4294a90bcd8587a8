"""The dock in a window: closing, quitting, keys, sizes, themes."""

import gc
import weakref

import numpy as np
import pytest
from qtpy.QtCore import QCoreApplication, QEvent, QPoint, Qt
from qtpy.QtWidgets import QApplication

from napari_s3net.plugin.jobs.session import Phase
from napari_s3net.plugin.jobs.thread_job import is_busy
from napari_s3net.plugin.segment.dock import SegmentDock
from napari_s3net.plugin.widgets import dock as base
from tests.plugin.segment.conftest import layers, run_through, run_to

pytestmark = pytest.mark.viewer


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
    fake_runs.go_on.clear()
    ready.parent().destroyOnClose()
    assert is_busy(), "closing waits for no iteration"
    fake_runs.go_on.set()
    assert layers(window) == ["mole"]
    qtbot.waitUntil(lambda: not is_busy(), timeout=20000)
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
    assert second.panel.line.text().startswith("Lesion")
    run_through(second, qtbot)
    assert second.session.phase is Phase.DONE


def test_hiding_the_dock_does_not_end_the_run(ready, window, qtbot, fake_runs):
    fake_runs.iterations = 5000
    run_to(ready, qtbot)
    ready.parent().hide()
    assert ready.session.phase is Phase.RUNNING
    ready.session.stop()
    qtbot.waitUntil(lambda: ready.session.phase is Phase.STOPPED, timeout=20000)


def test_closing_the_viewer_while_running(make_napari_viewer, photograph, fake_runs, qtbot, said):
    fake_runs.iterations = 5000
    viewer = make_napari_viewer()
    viewer.add_image(photograph, name="mole")
    dock = SegmentDock(viewer)
    viewer.window.add_dock_widget(dock, name="Segment")
    run_to(dock, qtbot)
    del dock
    fake_runs.go_on.clear()
    viewer.close()
    assert is_busy(), "closing waits for no iteration"
    fake_runs.go_on.set()
    qtbot.waitUntil(lambda: not is_busy(), timeout=20000)
    assert fake_runs.closed == 1


def test_quitting_the_application_ends_the_run(ready, qtbot, fake_runs):
    fake_runs.iterations = 5000
    run_to(ready, qtbot)
    QApplication.instance().aboutToQuit.emit()
    qtbot.waitUntil(lambda: not is_busy(), timeout=20000)
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
    qtbot.waitUntil(lambda: not is_busy(), timeout=20000)


def test_nothing_below_moves_while_a_run_goes_on(ready, viewer, qtbot, fake_runs):
    qtbot.addWidget(ready)
    ready.resize(320, 700)
    ready.show()
    run_through(ready, qtbot)
    ready.panel.clusters.value = True
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
    qtbot.waitUntil(lambda: ready.session.phase is Phase.READY, timeout=20000)
    assert ready.panel.table.mapTo(ready, QPoint()) == place


def test_nothing_sticks_out_of_the_narrowest_dock(ready, window, qtbot):
    ready.choosers.fold.toggleButton().click()
    ready.widget().ensurePolished()
    bar = ready.verticalScrollBar().sizeHint().width()
    qtbot.waitUntil(lambda: ready.widget().minimumSizeHint().width() <= base.LEAST_WIDTH - bar, timeout=20000)


def test_shift_enter_runs(ready, window, qtbot):
    qtbot.addWidget(ready)
    window.window.activate()
    qtbot.keyClick(ready.choosers.image, Qt.Key.Key_Return, Qt.KeyboardModifier.ShiftModifier)
    # The same key on the canvas:
    (bound,) = [func for key, func in window.__wrapped__.keymap.items() if str(key) == "Shift+Enter"]
    bound(window)
    assert ready.session.phase.is_busy
    qtbot.waitUntil(lambda: not ready.session.phase.is_busy, timeout=20000)


def test_escape_stops_and_keeps(ready, viewer, qtbot, fake_runs):
    qtbot.addWidget(ready)
    ready.show()
    ready.activateWindow()
    fake_runs.iterations = 5000
    run_to(ready, qtbot)
    ready.progress.stop.setFocus()
    qtbot.waitUntil(ready.progress.stop.hasFocus)
    qtbot.keyClick(ready.progress.stop, Qt.Key.Key_Escape)
    qtbot.waitUntil(lambda: ready.session.phase is Phase.STOPPED, timeout=20000)


def test_escape_stops_what_a_click_on_run_began_and_space_runs_again(ready, viewer, qtbot, fake_runs):
    qtbot.addWidget(ready)
    ready.show()
    ready.activateWindow()
    fake_runs.iterations = 5000
    ready.run_button.setFocus()
    qtbot.waitUntil(ready.run_button.hasFocus)
    run_to(ready, qtbot)
    qtbot.keyClick(QApplication.focusWidget(), Qt.Key.Key_Escape)
    qtbot.waitUntil(lambda: ready.session.phase is Phase.STOPPED, timeout=20000)
    assert ready.run_button.hasFocus()


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
    controls += [
        ready.run_button,
        panel.table,
        panel.clusters.native,
        panel.correct,
        panel.save,
        panel.save_as,
        panel.more,
    ]
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
