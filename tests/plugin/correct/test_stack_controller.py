"""The Correct dock on a stack: carry a correction, look at what came of it, and go from slice to slice."""

import numpy as np
import pytest
from napari.components import ViewerModel

from napari_s3net.plugin.correct import stack_controller
from napari_s3net.plugin.correct.dock import CorrectDock
from napari_s3net.plugin.layers.proxy import plain
from tests.correction.test_slice_propagation import disc, missing_ball, true_masks, volume
from tests.plugin.correct.conftest import put_away

pytestmark = [pytest.mark.viewer, pytest.mark.usefixtures("folder")]


@pytest.fixture
def viewer():
    """A small CT whose labels miss a ball; slice 0 is in view."""
    masks, viewer = true_masks(), ViewerModel()
    viewer.add_image(volume(masks).array, name="scan", scale=(2, 1, 1))
    viewer.add_labels(missing_ball(masks), name="mine", scale=(2, 1, 1))
    viewer.dims.set_current_step(0, 0)
    return viewer


@pytest.fixture
def dock(viewer, qtbot, errors):
    dock = CorrectDock(viewer)
    qtbot.addWidget(dock)
    yield dock
    put_away(dock)


@pytest.fixture
def layer(viewer):
    return plain(viewer.layers["mine"])


def correct(dock, viewer, layer, n):
    viewer.dims.set_current_step(0, n)
    dock.refresh()
    index = np.nonzero(true_masks()[n])
    layer.data_setitem((np.full(len(index[0]), n), *index), 1)
    dock.refresh()


def press(dock, qtbot, name):
    dock.slices.buttons[name].click()
    qtbot.waitUntil(lambda: not dock.background.running, timeout=30000)


def test_a_correction_is_carried_as_one_step_and_is_to_be_looked_at(dock, viewer, layer, qtbot):
    correct(dock, viewer, layer, 3)
    before = layer.data.copy()
    press(dock, qtbot, "propagate up")
    assert dock.slices.line.text() == (
        "Carried from slice 3 to 5 slices, as far as 8: slice 8 was the last one asked for."
    )
    changed = (layer.data != before).any(axis=(1, 2))
    assert changed.tolist() == [False] * 4 + [True] * 5
    assert "8 slices to look at, 1 corrected, 0 looked at" in dock.slices.states_line.toolTip()
    dock.slices.buttons["next slice"].click()
    assert viewer.dims.current_step[0] == 4
    layer.undo()
    assert np.array_equal(layer.data, before)


def test_at_most_so_many_slices_the_other_way(dock, viewer, layer, qtbot):
    correct(dock, viewer, layer, 6)
    before = layer.data.copy()
    dock.slices.most.setValue(2)
    press(dock, qtbot, "propagate down")
    assert (layer.data != before).any(axis=(1, 2)).nonzero()[0].tolist() == [4, 5]
    assert "as far as 4" in dock.slices.line.text()


def test_keys_do_it_too(dock, viewer, layer, qtbot):
    correct(dock, viewer, layer, 7)
    shortcut = next(one for one in dock.shortcuts if one.key().toString() == "Shift+Up")
    shortcut.activated.emit()
    qtbot.waitUntil(lambda: not dock.background.running, timeout=30000)
    assert "as far as 8" in dock.slices.line.text()


def paint(dock, *slices):
    """Strokes of the label of gas in the middle of the missing ball."""
    strokes = dock.editor.strokes.make()
    for n in slices:
        strokes.data[n][disc(32, 20 + n, 5)] = 1
    dock.refresh()


def test_strokes_on_two_slices_steer_all_as_one_step(dock, layer, qtbot):
    before = layer.data.copy()
    paint(dock, 1, 7)
    press(dock, qtbot, "rerun all")
    assert "Strokes in 2 slices changed 9 slices, 0 to 8" in dock.slices.line.text()
    assert all((layer.data[n, :, :44] == 1).sum() > 0.6 * true_masks()[n, :, :44].sum() for n in range(9))
    assert np.array_equal(layer.data[:, :, 46:], before[:, :, 46:])
    assert "2 corrected" in dock.slices.states_line.toolTip()
    after = layer.data.copy()
    press(dock, qtbot, "rerun all")
    assert "nothing has changed" in dock.slices.line.text()
    assert np.array_equal(layer.data, after)
    layer.undo()
    assert np.array_equal(layer.data, before)


def test_slices_corrected_by_hand_and_locks_hold_in_a_rerun_of_all(dock, viewer, layer, qtbot):
    viewer.dims.set_current_step(0, 6)
    dock.refresh()
    layer.data_setitem((np.full(30, 6), np.full(30, 33), np.arange(14, 44)), 3)  # a line right through the ball
    dock.editor.locks.toggle_part(layer.data.shape, dock.editor.source.key.at(2), disc(32, 22, 4))
    dock.refresh()
    before = layer.data.copy()
    paint(dock, 4)
    press(dock, qtbot, "rerun all")
    assert (layer.data[6][33, 14:44] == 3).all()
    assert np.array_equal(layer.data[2][disc(32, 22, 4)], before[2][disc(32, 22, 4)])
    assert (layer.data[8] != before[8]).any(), "it goes on behind what was corrected"


def test_a_rerun_of_all_says_where_there_is_no_stroke(dock, qtbot, errors):
    press(dock, qtbot, "rerun all")
    assert "There are no strokes in any slice yet" in dock.message.text()


def test_a_cancelled_rerun_of_all_leaves_everything(dock, layer, qtbot):
    before = layer.data.copy()
    paint(dock, 1)
    dock.slices.buttons["rerun all"].click()
    assert not dock.slices.ways_to_end.isHidden()
    dock.slices.buttons["cancel"].click()
    qtbot.waitUntil(lambda: not dock.background.running, timeout=30000)
    assert dock.slices.line.text() == "Cancelled: every slice is as it was."
    assert np.array_equal(layer.data, before)
    assert dock.slices.ways_to_end.isHidden()


def test_nothing_to_carry_says_so(dock, layer, qtbot, errors):
    press(dock, qtbot, "propagate up")
    assert "Slice 0 is as the last run made it" in dock.message.text()
    assert dock.slices.buttons["propagate up"].isEnabled()


def test_labels_changed_while_a_correction_is_carried(dock, viewer, layer, qtbot):
    correct(dock, viewer, layer, 3)
    dock.background.stepped.connect(lambda _: layer.data.__setitem__((5, 0, 0), 1))  # the labels are read by then
    dock.slices.buttons["propagate up"].click()
    qtbot.waitUntil(lambda: not dock.background.running, timeout=30000)
    assert "Slice 5 was changed meanwhile, so nothing was written" in dock.slices.line.text()
    assert not (layer.data[4, :, :44] == 1).any()


def test_the_volume_removed_while_a_correction_is_carried(dock, viewer, layer, qtbot, monkeypatch):
    said = []
    monkeypatch.setattr(stack_controller, "show_info", said.append)
    correct(dock, viewer, layer, 3)
    before = layer.data.copy()
    dock.slices.buttons["propagate up"].click()
    viewer.layers.clear()
    qtbot.waitUntil(lambda: not dock.background.running, timeout=30000)
    assert said == ["The labels went while slices were corrected, so nothing was written."]
    assert np.array_equal(layer.data, before)


def test_the_volume_goes_back_to_the_run(dock, viewer, layer, qtbot):
    run = layer.data.copy()
    correct(dock, viewer, layer, 3)
    press(dock, qtbot, "propagate up")
    dock.session_panel.revert_volume.click()
    assert np.array_equal(layer.data, run)
    assert "6 slices put back to the run" in dock.slices.line.text()
    layer.undo()
    assert (layer.data != run).any(axis=(1, 2)).sum() == 6


def test_filling_acts_on_what_the_tools_act_on(dock, viewer, layer, qtbot):
    for n in (1, 5):
        correct(dock, viewer, layer, n)
    dock.labels.select(1)
    dock.tools.choose_scope("selected")
    dock.slices.buttons["fill"].click()
    assert dock.slices.line.text() == "Filled in 3 slices between the corrected slices 1 and 5."
    both = (layer.data[3] == 1) & true_masks()[3]
    assert both.sum() > 0.9 * true_masks()[3].sum()


def test_a_slice_that_stays_in_view_has_been_looked_at(dock, viewer, layer, qtbot):
    viewer.dims.set_current_step(0, 2)
    dock.refresh()
    qtbot.waitUntil(lambda: "1 looked at" in dock.slices.states_line.toolTip(), timeout=5000)


def test_a_click_on_the_strip_moves_the_slider(dock, viewer):
    dock.slices.strip.picked.emit(6)
    assert viewer.dims.current_step[0] == 6


def test_a_single_plane_shows_no_slices(qtbot, errors, marked):
    viewer, _ = marked
    dock = CorrectDock(viewer)
    qtbot.addWidget(dock)
    assert not dock.slices.isVisibleTo(dock)
    assert dock.session_panel.revert.text() == "Revert to last run"
    put_away(dock)
