"""The Correct dock: painted by the mouse, run again, tools undone, closed in mid-run, reopened."""

import gc
import sys
import time
import weakref

import numpy as np
import pytest
from napari.components import ViewerModel
from qtpy.QtCore import QPoint, Qt, QThreadPool
from qtpy.QtWidgets import QApplication, QLabel

from napari_s3net.correction.constraints import BACKGROUND, OBJECT
from napari_s3net.plugin.correct import tool_controller as tooling
from napari_s3net.plugin.correct.dock import CorrectDock
from napari_s3net.plugin.jobs.run import is_busy
from napari_s3net.plugin.layers.result_layer import metadata_of, plain
from napari_s3net.plugin.layers.source import KEY
from napari_s3net.plugin.widgets import dock as base
from napari_s3net.plugin.widgets.shortcuts import KEYS, KeySheet
from napari_s3net.settings import preset_settings

pytestmark = [pytest.mark.viewer, pytest.mark.usefixtures("folder")]
SHAPE = (90, 120)


def disc(row, column, radius):
    y, x = np.ogrid[: SHAPE[0], : SHAPE[1]]
    return (y - row) ** 2 + (x - column) ** 2 <= radius**2


TRUE, FOUND = disc(45, 60, 30), disc(45, 56, 22)


def picture():
    array = np.where(TRUE[..., None], (110, 70, 60), (220, 175, 155)).astype(np.float32)
    return np.clip(array + np.random.default_rng(0).normal(0, 4, array.shape), 0, 255).astype(np.uint8)


@pytest.fixture
def said(monkeypatch):
    words = []
    for place in (base, tooling):
        monkeypatch.setattr(place, "show_error", words.append)
    return words


def fill(viewer):
    viewer.add_image(picture(), name="mole")
    labels = np.where(FOUND, 1, 2).astype(np.int32)
    labels[:20, :20] = 3
    note = {
        "source": "mole",
        "slice": None,
        "settings": preset_settings("skin").replace(remove_hair=False).to_dict(),
        "foreground": [1],
        "names": {1: "Lesion", 2: "Skin", 3: "Dark corner"},
    }
    return plain(viewer.add_labels(labels, name="mole – S³-Net", metadata={KEY: note}))


def put_away(dock):
    dock.release()
    dock.autosave.wait()
    QThreadPool.globalInstance().waitForDone(5000)
    QApplication.processEvents()


@pytest.fixture
def dock(qtbot, said):
    """Beside a viewer without a window."""
    viewer = ViewerModel()
    fill(viewer)
    dock = CorrectDock(viewer)
    qtbot.addWidget(dock)
    yield dock
    put_away(dock)


@pytest.fixture
def layer(dock):
    return dock.editor.layer


@pytest.fixture
def window(make_napari_viewer, said):
    """A real window, with the labels and the dock."""
    viewer = make_napari_viewer(show=True)
    fill(viewer)
    dock = CorrectDock(viewer)
    viewer.window.add_dock_widget(dock, name="Correct")
    viewer.window.activate()
    QApplication.processEvents()
    yield viewer, dock
    put_away(dock)


def paint(dock, mask, brush):
    dock.brush(brush)
    strokes = dock.editor.strokes
    strokes.data_setitem(np.nonzero(mask), strokes.selected_label)
    dock._renew()


def run_through(dock, qtbot):
    dock.paint.rerun.click()
    qtbot.waitUntil(lambda: not dock.background.running, timeout=60000)


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


# -- by the mouse, in a window


def test_painted_by_the_mouse_run_again_and_undone(window, qtbot):
    viewer, dock = window
    layer = dock.editor.layer
    before = layer.data.copy()
    dock.paint.buttons["object"].click()
    drag(viewer, qtbot, (44, 84), (45, 84), (46, 84))
    strokes = dock.editor.strokes
    assert strokes.data[45, 84] == OBJECT
    dock.paint.buttons["background"].click()
    drag(viewer, qtbot, (80, 100), (80, 102))
    assert strokes.data[80, 101] == BACKGROUND
    qtbot.waitUntil(lambda: dock.paint.count.text() == "Strokes: 2 (1 object, 1 background)", timeout=3000)
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
    strokes = dock.editor.strokes
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


def test_closing_the_dock_and_the_viewer_in_mid_run(make_napari_viewer, qtbot, said, folder):
    viewer = make_napari_viewer()
    fill(viewer)
    dock = CorrectDock(viewer)
    viewer.window.add_dock_widget(dock, name="Correct")
    paint(dock, disc(45, 84, 2), "object")
    dock.paint.rerun.click()
    assert dock.background.running
    started = time.perf_counter()
    dock.parent().destroyOnClose()
    assert time.perf_counter() - started < 4
    qtbot.waitUntil(lambda: not is_busy(), timeout=30000)
    dock.autosave.wait()
    assert (folder / "session.npz").is_file()
    viewer.layers.clear()
    gone = weakref.ref(dock)
    del dock
    qtbot.waitUntil(lambda: gc.collect() >= 0 and gone() is None, timeout=20000)


# -- without a window


def test_nothing_to_correct_says_what_to_do_first(qtbot):
    dock = CorrectDock(ViewerModel())
    qtbot.addWidget(dock)
    assert dock.empty.isVisibleTo(dock)
    assert not dock.filled.isVisibleTo(dock)
    assert not dock.empty.reopen.isVisibleTo(dock)
    put_away(dock)


@pytest.mark.parametrize(
    "tool",
    ["smooth", "fill_holes", "keep_largest", "remove_small", "grow", "shrink", "swap_sides", "merge", "split_parts"],
)
def test_every_tool_is_one_step_of_undo(dock, layer, qtbot, tool):
    messy = layer.data.copy()
    messy[40:43, 50:53] = 2
    messy[80:83, 100:103] = 1
    layer.data[...] = messy
    dock._renew()
    note = metadata_of(layer)
    dock.labels.list.item(0).setSelected(True)
    if tool == "merge":
        dock.labels.list.item(1).setSelected(True)
    dock._use_tool(tool)
    assert (layer.data != messy).any()
    layer.undo()
    np.testing.assert_array_equal(layer.data, messy)
    dock._renew()
    assert metadata_of(layer)["foreground"] == note["foreground"]
    assert metadata_of(layer)["names"] == note["names"]
    layer.redo()
    assert (layer.data != messy).any()


def test_tools_leave_locked_labels_alone(dock, layer, said):
    before = layer.data.copy()
    dock.labels.select(2)
    dock.labels.lock.click()
    assert "(locked)" in dock.labels.list.item(1).text()
    dock.tools.pixels.value = 5
    dock.tools.buttons["grow"].click()
    np.testing.assert_array_equal(layer.data, before)
    dock._use_tool("swap_sides")
    assert "Unlock" in said[-1]
    dock.labels.lock.click()
    assert dock.editor.locks.labels == set()


def test_a_tool_without_a_selection_says_what_to_do(dock, said):
    dock.labels.list.clearSelection()
    dock.tools.choose_scope("selected")
    for tool in ("smooth", "merge", "split_parts", "assign"):
        dock._use_tool(tool)
        assert "Select" in dock.message.text() or "select" in dock.message.text()
    assert len(said) == 4


def test_locked_labels_come_back_bit_for_bit_from_a_run(dock, layer, qtbot):
    dock.labels.select(3)
    dock.labels.lock.click()
    paint(dock, disc(15, 15, 3) | disc(45, 84, 2), "object")
    run_through(dock, qtbot)
    assert (layer.data[:20, :20] == 3).all()
    assert layer.data[45, 84] == 1


def test_a_run_by_itself_after_a_stroke(dock, layer, qtbot):
    dock.paint.by_itself.setChecked(True)
    dock.brush("object")
    dock.editor.strokes.paint((45, 84), OBJECT)
    qtbot.waitUntil(lambda: layer.data[45, 84] == 1, timeout=30000)


def test_revert_and_a_second_run_keep_the_strokes(dock, layer, qtbot):
    paint(dock, disc(45, 84, 2), "object")
    run_through(dock, qtbot)
    after = layer.data.copy()
    dock._use_tool("grow")
    assert (layer.data != after).any()
    dock.session_panel.revert.click()
    np.testing.assert_array_equal(layer.data, after)
    layer.undo()
    assert (layer.data != after).any()
    assert dock.editor.strokes.data[45, 84] == OBJECT
    dock._ask("clear")
    assert not dock.editor.strokes.data.any()
    dock.editor.strokes.undo()
    assert dock.editor.strokes.data[45, 84] == OBJECT


def test_labels_that_changed_during_a_run_are_not_overwritten(dock, layer, qtbot):
    paint(dock, disc(45, 84, 2), "object")
    dock.paint.rerun.click()
    layer.data_setitem((np.array([80]), np.array([80])), 3)
    qtbot.waitUntil(lambda: not dock.background.running, timeout=30000)
    assert "changed during the run" in dock.message.text()
    assert layer.data[45, 84] == 2


def test_the_layer_removed_during_a_run(dock, layer, qtbot):
    paint(dock, disc(45, 84, 2), "object")
    dock.paint.rerun.click()
    dock._viewer.layers.clear()
    qtbot.waitUntil(lambda: not dock.background.running, timeout=30000)
    assert dock.empty.isVisibleTo(dock)


def test_a_failure_is_told_and_the_dock_is_ready(dock, qtbot, said, monkeypatch):
    def fails(*args, **kwargs):
        raise RuntimeError("CUDA out of memory")

    monkeypatch.setattr("napari_s3net.correction.refine.spread", fails)
    paint(dock, disc(45, 84, 2), "object")
    run_through(dock, qtbot)
    assert said[0].startswith("Out of memory")
    assert dock.paint.rerun.isEnabled()


def test_memory_that_runs_out_is_tried_again_and_said(dock, qtbot, said, monkeypatch):
    from napari_s3net.correction import refine as refinement

    asked, spread = [], refinement.spread

    def fails_once(*args):
        asked.append(dock.prepared._refiner.settings.working_size)
        if len(asked) == 1:
            raise RuntimeError("CUDA out of memory")
        return spread(*args)

    monkeypatch.setattr(refinement, "spread", fails_once)
    paint(dock, disc(45, 84, 2), "object")
    run_through(dock, qtbot)
    assert not said
    assert asked[1] == asked[0] // 2
    assert "Tried again at half the working size and finished there." in dock.message.text()
    assert dock.paint.rerun.isEnabled()


def test_labels_made_elsewhere(qtbot, said):
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


def test_a_slice_of_a_stack_is_corrected_alone(qtbot, said):
    viewer = ViewerModel()
    grey = picture()[..., 0]
    viewer.add_image(np.stack([grey, grey, grey]), name="scan")
    viewer.add_labels(np.stack([FOUND.astype(np.int32)] * 3), name="mine")
    viewer.dims.set_current_step(0, 1)
    dock = CorrectDock(viewer)
    qtbot.addWidget(dock)
    dock.brush("object")
    strokes = dock.editor.strokes
    strokes.data[1][disc(45, 82, 2)] = OBJECT
    dock._renew()
    run_through(dock, qtbot)
    labels = plain(viewer.layers["mine"]).data
    assert [bool((plane != FOUND).any()) for plane in labels] == [False, True, False]
    put_away(dock)


def test_next_uncertain_moves_the_view(dock, layer, qtbot, monkeypatch):
    entropy = np.zeros(SHAPE, np.float32)
    entropy[71:83, 85:97] = 0.9
    monkeypatch.setattr("napari_s3net.correction.uncertainty.uncertainty", lambda *args, **kwargs: entropy)
    camera = getattr(dock._viewer, "scene", dock._viewer).camera
    dock.uncertainty.next.click()
    qtbot.waitUntil(lambda: "Place 1 of 1" in dock.uncertainty.line.text(), timeout=30000)
    assert tuple(camera.center)[-2:] == pytest.approx((77, 91), abs=1.1)
    dock._ask("probabilities")
    qtbot.waitUntil(lambda: "mole – S³-Net – uncertainty" in dock._viewer.layers, timeout=30000)
    assert dock.editor.layer is layer
    np.testing.assert_array_equal(plain(dock._viewer.layers["mole – S³-Net – uncertainty"]).data, entropy)
    paint(dock, disc(77, 91, 2), "background")
    dock.uncertainty.next.click()
    assert "Little is left to gain" in dock.uncertainty.line.text()


def test_the_last_session_is_reopened(dock, layer, qtbot, said, folder):
    paint(dock, disc(45, 84, 2), "object")
    dock.labels.select(3)
    dock.labels.lock.click()
    layer.data[0, 100] = 1
    dock.editor.toggle_lock(disc(45, 84, 6))
    before, drawn = layer.data.copy(), dock.editor.strokes.data.copy()
    dock.autosave.save()
    qtbot.waitUntil(lambda: "Session saved" in dock.session_panel.line.text(), timeout=10000)
    assert folder.stat().st_mode & 0o077 == 0

    viewer = ViewerModel()
    viewer.add_image(picture(), name="mole")
    second = CorrectDock(viewer)
    qtbot.addWidget(second)
    assert second.empty.reopen.isVisibleTo(second)
    second.empty.reopen.click()
    assert second.editor.layer.name == "mole – S³-Net"
    np.testing.assert_array_equal(second.editor.layer.data, before)
    np.testing.assert_array_equal(second.editor.strokes.data, drawn)
    assert second.editor.locks.labels == {3}
    assert metadata_of(second.editor.layer)["names"][3] == "Dark corner"
    np.testing.assert_array_equal(second.editor.locked_part, disc(45, 84, 6))
    paint(second, disc(60, 78, 2), "object")
    run_through(second, qtbot)
    assert second.editor.layer.data[60, 78] == 1
    np.testing.assert_array_equal(
        second.editor.layer.data[second.editor.locked_part], before[second.editor.locked_part]
    )
    assert second.editor.layer.data[45, 84] == 2
    put_away(second)


def test_a_session_without_its_image_says_so(dock, qtbot, said):
    dock.autosave.save()
    dock.autosave.wait()
    second = CorrectDock(ViewerModel())
    qtbot.addWidget(second)
    second.empty.reopen.click()
    assert "Open the image mole first" in said[-1]
    put_away(second)


def test_strokes_are_saved_and_loaded(dock, qtbot, tmp_path, monkeypatch):
    path = str(tmp_path / "strokes.png")
    paint(dock, disc(45, 84, 2), "object")
    drawn = dock.editor.strokes.data.copy()
    monkeypatch.setattr("napari_s3net.plugin.correct.stroke_files.show_info", lambda words: None)
    monkeypatch.setattr("qtpy.QtWidgets.QFileDialog.getSaveFileName", lambda *args: (path, ""))
    monkeypatch.setattr("qtpy.QtWidgets.QFileDialog.getOpenFileName", lambda *args: (path, ""))
    dock._ask("save")
    dock._ask("clear")
    dock._ask("load")
    np.testing.assert_array_equal(dock.editor.strokes.data, drawn)


def test_strokes_follow_their_labels_when_those_are_renamed(dock, layer):
    paint(dock, disc(45, 84, 2), "object")
    strokes = dock.editor.strokes
    layer.name = "naevus"
    assert dock.editor.strokes is strokes


def test_digits_paint_labels_and_the_list_follows(dock):
    dock._brush_label(3)
    assert dock.labels.selected == [3]
    assert dock.editor.strokes.selected_label == 3
    assert dock.paint.buttons["label"].isChecked()
    dock.labels.select(2)
    assert dock.editor.strokes.selected_label == 2


def test_no_key_is_one_of_naparis(dock):
    from napari.utils.shortcuts import default_shortcuts

    taken = {str(key) for keys in default_shortcuts.values() for key in keys}
    ours = [keys for keys, name, _ in KEYS if name]
    assert len(dock.shortcuts) == len(ours)
    assert not taken & {keys.replace("Return", "Enter") for keys in ours}
    sheet = KeySheet(dock)
    assert "Re-run with strokes" in [label.text() for label in sheet.findChildren(QLabel)]


def test_the_dock_is_narrow(dock):
    dock.resize(280, 500)
    QApplication.processEvents()
    assert dock.widget().minimumSizeHint().width() <= 280


@pytest.mark.slow
def test_painting_goes_on_beside_a_run(make_napari_viewer, qtbot, said, capsys, monkeypatch):
    """From the mouse's move to the drawn canvas, without and during a run of the network."""
    from napari_s3net.plugin.jobs.run import Run
    from napari_s3net.plugin.layers.source import source_of

    viewer = make_napari_viewer(show=True)
    fill(viewer)
    dock = CorrectDock(viewer)
    viewer.window.add_dock_widget(dock, name="Correct")
    dock.brush("object")
    canvas = viewer.window._qt_viewer.canvas
    drawn = []
    canvas._scene_canvas.events.draw.connect(lambda _: drawn.append(time.perf_counter()))

    def strokes(n):
        """Milliseconds of each move of one long stroke."""
        native, start = canvas_point(viewer, 45, 20)
        qtbot.mousePress(native, Qt.MouseButton.LeftButton, pos=start)
        taken = []
        for i in range(n):
            asked, before = time.perf_counter(), len(drawn)
            qtbot.mouseMove(native, canvas_point(viewer, 20 + 50 * (i % 2), 20 + 80 * i / n)[1])
            while len(drawn) == before and time.perf_counter() - asked < 2:
                QApplication.processEvents()
            taken.append(1000 * (time.perf_counter() - asked))
        qtbot.mouseRelease(native, Qt.MouseButton.LeftButton, pos=start)
        return np.percentile(taken[3:], (50, 95))

    strokes(10)
    alone = strokes(60)
    image = plain(viewer.layers["mole"])
    source = source_of(image, viewer.dims.point, viewer.dims.order[-2:])
    monkeypatch.setattr(
        "napari_s3net.training.image.ImageTrainer.is_done", lambda *_: False
    )  # it goes on while we paint
    run = Run(source, preset_settings("skin").replace(max_iter=1000, working_size=256), "cpu")
    run.start()
    qtbot.waitUntil(lambda: len(run.collect().steps) > 0, timeout=60000)
    beside = strokes(60)
    still = is_busy()
    run.cancel()
    qtbot.waitUntil(lambda: not is_busy(), timeout=60000)
    with capsys.disabled():
        for name, (median, slow) in {"alone": alone, "beside a run": beside}.items():
            sys.stdout.write(f"\npainting {name}: median {median:.1f} ms, 95th percentile {slow:.1f} ms")
    assert still
    assert beside[1] < 2000  # every move was drawn; how fast, scripts/painting_latency.py tells
    put_away(dock)
