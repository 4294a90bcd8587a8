"""The Correct dock: tools, lists, brushes and where to look next."""

import numpy as np
import pytest
from napari.components import ViewerModel
from qtpy.QtWidgets import QApplication, QLabel, QWidget

from napari_s3net.plugin.correct import dock as module
from napari_s3net.plugin.correct.dock import CorrectDock
from napari_s3net.plugin.layers.proxy import plain
from napari_s3net.plugin.layers.result_layer import metadata_of
from napari_s3net.plugin.layers.undo import undo_log_of
from napari_s3net.plugin.segment.saved_line import note_saved
from napari_s3net.plugin.widgets.shortcuts import KEYS, KeySheet
from tests.plugin.correct.conftest import SHAPE, disc, paint, put_away

pytestmark = [pytest.mark.viewer, pytest.mark.usefixtures("folder")]


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
def test_every_tool_is_one_step_of_undo(dock, viewer, layer, qtbot, tool):
    messy = layer.data.copy()
    messy[40:43, 50:53] = 2
    messy[80:83, 100:103] = 1
    layer.data[...] = messy
    dock.refresh()
    note, log = metadata_of(layer), undo_log_of(viewer)
    dock.labels.list.item(0).setSelected(True)
    if tool == "merge":
        dock.labels.list.item(1).setSelected(True)
    dock.tools.asked.emit(tool)
    changed = layer.data.copy(), metadata_of(layer)
    assert (changed[0] != messy).any() or changed[1]["foreground"] != note["foreground"]
    log.undo()
    np.testing.assert_array_equal(layer.data, messy)
    dock.refresh()
    assert metadata_of(layer)["foreground"] == note["foreground"]
    assert metadata_of(layer)["names"] == note["names"]
    log.redo()
    np.testing.assert_array_equal(layer.data, changed[0])
    dock.refresh()
    assert metadata_of(layer)["foreground"] == changed[1]["foreground"]


def test_the_corrected_result_is_saved_from_here(dock, layer, monkeypatch):
    saved = []
    monkeypatch.setattr(module, "save_beside", lambda parent, *what: saved.append(what))
    dock.refresh()
    assert dock.paint.save.isVisibleTo(dock)
    dock.paint.save.click()
    ((of, source),) = saved
    assert of is layer
    assert source.index == dock.editor.target()[1].index


def test_what_has_changed_since_it_was_saved_is_said_where_it_can_be_saved(dock, layer, qtbot, tmp_path):
    def says(words):
        qtbot.waitUntil(lambda: dock.saved_line.text() == words, timeout=5000)
        assert dock.saved_line.isVisibleTo(dock) is bool(words)

    dock.refresh()
    says("")
    note_saved(layer, tmp_path / "mole_mask.png", "mask")
    says("Saved as mole_mask.png.")
    dock.tools.buttons["grow"].click()
    says("Changed since it was saved.")
    undo_log_of(dock._viewer).undo()
    says("Saved as mole_mask.png.")
    above = QWidget()
    dock.hold_above(above)
    says("")
    above.setParent(None)
    dock.give_back()
    says("Saved as mole_mask.png.")
    dock._viewer.layers.remove(layer)
    says("")


def test_tools_leave_locked_labels_alone(dock, layer, errors):
    before = layer.data.copy()
    dock.labels.select(2)
    dock.labels.lock.click()
    assert "(locked)" in dock.labels.list.item(1).text()
    dock.tools.pixels.value = 5
    dock.tools.buttons["grow"].click()
    np.testing.assert_array_equal(layer.data, before)
    dock.tools.asked.emit("swap_sides")
    assert "Unlock" in errors[-1]
    dock.labels.lock.click()
    assert dock.editor.locks.labels == set()


def test_a_tool_without_a_selection_says_what_to_do(dock, errors):
    dock.labels.list.clearSelection()
    dock.tools.choose_scope("selected")
    for tool in ("smooth", "merge", "split_parts", "assign"):
        dock.tools.asked.emit(tool)
        assert "Select" in dock.message.text() or "select" in dock.message.text()
    assert len(errors) == 4


def test_next_uncertain_moves_the_view(dock, viewer, layer, qtbot, monkeypatch):
    entropy = np.zeros(SHAPE, np.float32)
    entropy[71:83, 85:97] = 0.9
    monkeypatch.setattr("napari_s3net.correction.uncertainty.uncertainty", lambda *args, **kwargs: entropy)
    camera = getattr(viewer, "scene", viewer).camera
    dock.uncertainty.next.click()
    qtbot.waitUntil(lambda: "Place 1 of 1" in dock.uncertainty.line.text(), timeout=30000)
    assert tuple(camera.center)[-2:] == pytest.approx((77, 91), abs=1.1)
    dock.paint.asked.emit("probabilities")
    qtbot.waitUntil(lambda: "mole – S³-Net – uncertainty" in viewer.layers, timeout=30000)
    assert dock.editor.layer is layer
    np.testing.assert_array_equal(plain(viewer.layers["mole – S³-Net – uncertainty"]).data, entropy)
    paint(dock, disc(77, 91, 2), "background")
    dock.uncertainty.next.click()
    assert "Little is left to gain" in dock.uncertainty.line.text()


def test_strokes_follow_their_labels_when_those_are_renamed(dock, layer):
    paint(dock, disc(45, 84, 2), "object")
    strokes = dock.editor.strokes.layer
    layer.name = "naevus"
    assert dock.editor.strokes.layer is strokes


def test_digits_paint_labels_and_the_list_follows(dock):
    next(one for one in dock.shortcuts if one.key().toString() == "Shift+3").activated.emit()
    assert dock.labels.selected == [3]
    assert dock.editor.strokes.layer.selected_label == 3
    assert dock.paint.buttons["label"].isChecked()
    dock.labels.select(2)
    assert dock.editor.strokes.layer.selected_label == 2


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
