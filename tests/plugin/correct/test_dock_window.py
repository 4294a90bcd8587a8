"""The Correct dock in a window: painted by the mouse, by keys, closed in mid-run."""

import gc
import weakref

import numpy as np
import pytest
from qtpy.QtCore import QPoint, Qt
from qtpy.QtWidgets import QApplication, QPushButton, QStyle, QStyleOptionButton

from napari_s3net.correction.constraints import BACKGROUND, OBJECT
from napari_s3net.plugin.correct.dock import CorrectDock
from napari_s3net.plugin.jobs.thread_job import is_busy
from napari_s3net.plugin.layers.proxy import plain
from napari_s3net.plugin.layers.result_layer import metadata_of
from napari_s3net.plugin.widgets.dock import LEAST_WIDTH, frame_of
from napari_s3net.settings import preset_settings
from tests.plugin.correct.conftest import TRUE, disc, fill, paint, put_away, run_through

pytestmark = [pytest.mark.viewer, pytest.mark.usefixtures("folder")]


@pytest.fixture
def window(make_napari_viewer, errors):
    """A real window, with the labels and the dock."""
    viewer = make_napari_viewer(show=True)
    fill(viewer)
    dock = CorrectDock(viewer)
    viewer.window.add_dock_widget(dock, name="Correct")
    viewer.window.activate()
    QApplication.processEvents()
    yield viewer, dock
    put_away(dock)


def canvas_point(viewer, row, column):
    """Where a pixel of the image lies on the canvas."""
    native = viewer.window._qt_viewer.canvas.native
    camera = viewer.scene.camera if hasattr(viewer, "scene") else viewer.camera
    down, right = ((p - c) * camera.zoom for p, c in zip((row, column), camera.center[-2:], strict=True))
    return native, QPoint(round(native.width() / 2 + right), round(native.height() / 2 + down))


def drag(viewer, qtbot, *points):
    """Press at the first place, move over the others, let go at the last: real events on the canvas."""
    native, start = canvas_point(viewer, *points[0])
    qtbot.mouseMove(native, start)
    qtbot.mousePress(native, Qt.MouseButton.LeftButton, pos=start)
    for point in points[1:]:
        qtbot.mouseMove(native, canvas_point(viewer, *point)[1])
        QApplication.processEvents()
    qtbot.mouseRelease(native, Qt.MouseButton.LeftButton, pos=canvas_point(viewer, *points[-1])[1])
    QApplication.processEvents()


def click(viewer, qtbot, row, column):
    drag(viewer, qtbot, (row, column))


def test_painted_by_the_mouse_run_again_and_undone(window, qtbot):
    viewer, dock = window
    layer = dock.editor.layer
    before = layer.data.copy()
    dock.paint.buttons["object"].click()
    drag(viewer, qtbot, (44, 84), (45, 84), (46, 84))
    strokes = dock.editor.strokes.layer
    assert strokes.data[45, 84] == OBJECT
    dock.paint.buttons["background"].click()
    drag(viewer, qtbot, (80, 100), (80, 102))
    assert strokes.data[80, 101] == BACKGROUND
    qtbot.waitUntil(lambda: dock.paint.count.text() == "1 object, 1 background", timeout=3000)
    run_through(dock, qtbot)
    drawn = strokes.data
    assert (layer.data[drawn == OBJECT] == 1).all()
    assert (layer.data[drawn == BACKGROUND] != 1).all()
    assert (np.sum((layer.data == 1) != TRUE)) < 0.8 * np.sum((before == 1) != TRUE)
    np.testing.assert_array_equal(layer.data[:20, :20], 3)
    layer.undo()
    np.testing.assert_array_equal(layer.data, before)


def test_split_by_two_clicks_and_undone(window, qtbot):
    viewer, dock = window
    layer = dock.editor.layer
    before = layer.data.copy()
    dock.tools.buttons["cut"].click()
    assert "Click two places" in dock.tools.hint.text()
    click(viewer, qtbot, 45, 40)
    click(viewer, qtbot, 45, 72)
    assert layer.data[45, 40] == 1
    assert layer.data[45, 72] == 4
    assert metadata_of(layer)["foreground"] == [1, 4]
    layer.undo()
    np.testing.assert_array_equal(layer.data, before)
    qtbot.waitUntil(lambda: metadata_of(layer)["foreground"] == [1], timeout=3000)


def test_a_part_is_given_away_and_locked_by_clicks(window, qtbot):
    viewer, dock = window
    layer = dock.editor.layer
    dock.labels.select(2)
    dock.tools.buttons["assign"].click()
    click(viewer, qtbot, 10, 10)
    assert (layer.data[:20, :20] == 2).all()
    layer.undo()
    dock.tools.buttons["lock_part"].click()
    click(viewer, qtbot, 10, 10)
    assert dock.editor.locked_part.sum() == 400
    dock.labels.select(3)
    dock.tools.choose_scope("selected")
    dock.tools.pixels.value = 3
    dock.tools.buttons["shrink"].click()
    assert (layer.data[:20, :20] == 3).all()


def test_keys_work_on_the_canvas_and_go_with_the_dock(window, qtbot):
    viewer, dock = window
    native = viewer.window._qt_viewer.canvas.native
    native.setFocus()
    qtbot.keyClick(native, Qt.Key.Key_O, Qt.KeyboardModifier.ShiftModifier)
    strokes = dock.editor.strokes.layer
    assert strokes is not None
    assert (strokes.selected_label, str(strokes.mode)) == (OBJECT, "paint")
    qtbot.keyClick(native, Qt.Key.Key_B, Qt.KeyboardModifier.ShiftModifier)
    assert strokes.selected_label == BACKGROUND
    qtbot.keyClick(native, Qt.Key.Key_H, Qt.KeyboardModifier.ShiftModifier)
    assert not strokes.visible
    qtbot.keyClick(native, Qt.Key.Key_H, Qt.KeyboardModifier.ShiftModifier)
    viewer.window.remove_dock_widget(dock)
    assert dock.shortcuts == []
    qtbot.keyClick(native, Qt.Key.Key_O, Qt.KeyboardModifier.ShiftModifier)
    assert strokes.selected_label == BACKGROUND


def test_closing_the_dock_and_the_viewer_in_mid_run(make_napari_viewer, qtbot, errors, folder):
    viewer = make_napari_viewer()
    fill(viewer)
    dock = CorrectDock(viewer)
    viewer.window.add_dock_widget(dock, name="Correct")
    paint(dock, disc(45, 84, 2), "object")
    dock.paint.rerun.click()
    assert dock.background.running
    dock.parent().destroyOnClose()
    qtbot.waitUntil(lambda: not is_busy(), timeout=30000)
    dock.autosave.wait()
    assert len(list(folder.glob("*.npz"))) == 1
    viewer.layers.clear()
    gone = weakref.ref(dock)
    del dock
    qtbot.waitUntil(lambda: gc.collect() >= 0 and gone() is None, timeout=20000)


@pytest.mark.slow
def test_painting_goes_on_beside_a_run(make_napari_viewer, qtbot, errors, monkeypatch):
    """Every move of the mouse is drawn while a network trains; how fast, scripts/painting_latency.py tells."""
    from napari_s3net.plugin.jobs.run import Run
    from napari_s3net.plugin.layers.source import source_of

    viewer = make_napari_viewer(show=True)
    fill(viewer)
    dock = CorrectDock(viewer)
    viewer.window.add_dock_widget(dock, name="Correct")
    dock.brush.take("object")
    canvas = viewer.window._qt_viewer.canvas
    drawn = []
    canvas._scene_canvas.events.draw.connect(lambda _: drawn.append(1))

    def paint(n):
        """Paint one long stroke, and wait for each of its moves to be drawn."""
        native, start = canvas_point(viewer, 45, 20)
        qtbot.mousePress(native, Qt.MouseButton.LeftButton, pos=start)
        for i in range(n):
            before = len(drawn)
            qtbot.mouseMove(native, canvas_point(viewer, 20 + 50 * (i % 2), 20 + 80 * i / n)[1])
            qtbot.waitUntil(lambda before=before: len(drawn) > before, timeout=10000)
        qtbot.mouseRelease(native, Qt.MouseButton.LeftButton, pos=start)

    paint(10)
    image = plain(viewer.layers["mole"])
    source = source_of(image, viewer.dims.point, viewer.dims.order[-2:])
    monkeypatch.setattr(  # it goes on while we paint
        "napari_s3net.training.image.ImageTrainer.is_done", lambda _self, _iteration, n, _changed: n < 0
    )
    run = Run(source, preset_settings("skin").replace(max_iter=1000, working_size=256), "cpu")
    run.start()
    qtbot.waitUntil(lambda: len(run.collect().steps) > 0, timeout=60000)
    paint(60)
    still = is_busy()
    run.cancel()
    qtbot.waitUntil(lambda: not is_busy(), timeout=60000)
    assert still
    put_away(dock)


def text_room(one):
    """The pixels that a button has for its text."""
    option = QStyleOptionButton()
    one.initStyleOption(option)
    return one.style().subElementRect(QStyle.SubElement.SE_PushButtonContents, option, one).width()


def test_every_button_shows_its_whole_text_in_a_dock_of_the_least_width(window, qtbot):
    viewer, dock = window
    dock.slices.show()
    dock.session_panel.show_stack(is_stack=True)
    frame = frame_of(dock)
    viewer.window._qt_window.resizeDocks([frame], [LEAST_WIDTH], Qt.Orientation.Horizontal)
    qtbot.waitUntil(lambda: dock.width() == LEAST_WIDTH)
    QApplication.processEvents()
    short = {
        one.text(): text_room(one) - one.fontMetrics().horizontalAdvance(one.text())
        for one in dock.findChildren(QPushButton)
        if one.isVisible() and one.text() and text_room(one) < one.fontMetrics().horizontalAdvance(one.text())
    }
    assert not short
