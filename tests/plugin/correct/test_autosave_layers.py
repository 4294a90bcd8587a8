"""The session taken from the layers, and put back."""

import subprocess
import sys

import numpy as np
import pytest
from napari.components import ViewerModel
from napari.layers import Image as ImageLayer
from napari.layers._source import layer_source

from napari_s3net.correction.constraints import OBJECT
from napari_s3net.errors import ReadError
from napari_s3net.plugin.correct.autosave import load
from napari_s3net.plugin.correct.autosave_layers import autosave_of
from napari_s3net.plugin.correct.label_editor import LabelEditor
from napari_s3net.plugin.correct.stack_editor import StackEditor
from napari_s3net.plugin.layers.result_layer import metadata_of
from napari_s3net.plugin.layers.target import previewed
from napari_s3net.plugin.layers.written_labels import write_undoable
from tests.correction.test_slice_propagation import missing_ball, true_masks, volume

pytestmark = pytest.mark.viewer


def saved_in(folder):
    return sorted(folder.glob("*.npz"))


@pytest.fixture
def open_session():
    made = []

    def make(viewer, layer=None):
        session = autosave_of(viewer)
        session.hold()
        session.words = []
        session.told.connect(session.words.append)
        session.editor = LabelEditor(viewer)
        session.editor.choose(layer)
        made.append(session)
        return session

    yield make
    for session in made:
        session.release()
        session.wait()


def again(photograph, name="mole"):
    viewer = ViewerModel()
    viewer.add_image(photograph, name=name)
    return viewer


def test_it_is_saved_by_itself_and_only_after_a_change(open_session, marked, qtbot, monkeypatch, folder):
    monkeypatch.setattr("napari_s3net.plugin.correct.autosave_layers.SAVE_MS", 20)
    session = open_session(*marked)
    qtbot.wait(100)
    assert saved_in(folder) == []
    marked[1].data_setitem((np.array([0]), np.array([0])), 2)
    qtbot.waitUntil(lambda: bool(session.words), timeout=10000)
    assert len(saved_in(folder)) == 1
    assert session.words[0].startswith("Session saved ")


def test_every_image_is_saved_before_it_goes_and_found_when_it_is_opened_again(open_session, photograph, folder):
    """An evening of two images; nobody has opened the Correct dock."""
    viewer = ViewerModel()
    session = open_session(viewer)
    for name, value in (("first", 5), ("second", 6)):
        image = viewer.add_image(photograph, name=name)
        assert session.session_of(image) is None
        viewer.add_labels(np.zeros(photograph.shape[:2], np.int32), name=f"{name} labels")
        viewer.layers[-1].data_setitem((np.array([3]), np.array([4])), value)
        viewer.layers.clear()
    session.wait()
    assert [one.image for one in session.recent] == ["second", "first"]
    image = viewer.add_image(photograph, name="first")
    assert session.reopen(session.session_of(image)).data[3, 4] == 5


def test_strokes_change_the_session_of_their_labels(open_session, marked, folder):
    session = open_session(*marked)
    strokes = session.editor.strokes.make()
    strokes.data_setitem((np.array([24]), np.array([40])), OBJECT)
    session.save()
    session.wait()
    (file,) = saved_in(folder)
    assert load(file).strokes[24, 40] == OBJECT


def test_a_preview_is_not_saved(open_session, marked, folder):
    session = open_session(*marked)
    marked[1].data_setitem((np.array([0]), np.array([0])), 2)
    previewed.add(marked[1])
    session.save()
    session.wait()
    assert saved_in(folder) == []
    previewed.discard(marked[1])
    session.save()
    session.wait()
    assert len(saved_in(folder)) == 1


def test_labels_strokes_names_and_locks_come_back(open_session, marked, photograph, folder):
    session = open_session(*marked)
    editor = session.editor
    editor.strokes.make().data[24, 40] = OBJECT
    editor.locks.toggle_labels([3])
    part = editor.layer.data == 1
    editor.toggle_lock(part)
    session.mark_changed(editor.layer)
    session.save()
    labels = editor.layer.data.copy()
    editor.layer.data[...] = 9
    session.wait()
    second = open_session(again(photograph))
    back = second.editor
    back.choose(second.reopen(saved_in(folder)[0]))
    np.testing.assert_array_equal(back.layer.data, labels)
    assert back.strokes.constraints()[24, 40] == OBJECT
    assert back.locks.labels == {3}
    np.testing.assert_array_equal(back.locked_part, part)
    assert metadata_of(back.layer)["names"][1] == "Lesion"
    assert back.layer.name == "mole – S³-Net"


def test_what_is_drawn_after_saving_does_not_reach_the_saved_arrays(open_session, marked, folder):
    session = open_session(*marked)
    session.editor.toggle_lock(session.editor.layer.data == 3)
    session.mark_changed(session.editor.layer)
    session.save()
    session.editor.layer.data[...] = 5
    session.editor.toggle_lock(np.ones((48, 64), bool))
    session.wait()
    (file,) = saved_in(folder)
    saved = load(file)
    assert set(np.unique(saved.labels)) == {1, 2, 3}
    assert saved.locked_part.sum() == 64


def test_without_its_image_it_says_what_to_do(open_session, marked, folder):
    session = open_session(*marked)
    session.mark_changed(session.editor.layer)
    session.save()
    session.wait()
    other = open_session(ViewerModel())
    with pytest.raises(ReadError, match="Open the image mole first"):
        other.reopen(saved_in(folder)[0])


def test_labels_do_not_come_back_on_another_image(open_session, marked, photograph, folder):
    """Another image of the same name and size, or another file in the place of the first."""
    session = open_session(*marked)
    session.mark_changed(session.editor.layer)
    session.save()
    session.wait()
    viewer = again(photograph[::-1])
    other = open_session(viewer)
    with pytest.raises(ReadError, match="mole has other pixels than when the session was saved"):
        other.reopen(saved_in(folder)[0])
    assert len(viewer.layers) == 1
    assert open_session(again(photograph.copy())).reopen(saved_in(folder)[0]).name == session.editor.layer.name


def test_a_failed_save_is_told_and_tried_again(open_session, marked, folder, qtbot):
    session = open_session(*marked)
    folder.write_text("in the way", encoding="utf-8")
    session.mark_changed(session.editor.layer)
    session.save()
    qtbot.waitUntil(lambda: bool(session.words), timeout=10000)
    assert "Cannot save the session" in session.words[0]
    folder.unlink()
    session.save()
    session.wait()
    assert len(saved_in(folder)) == 1


CLOSING = """
import sys
import napari, numpy as np
from pathlib import Path
from napari_s3net.plugin.correct import autosave
from napari_s3net.plugin.correct.dock import CorrectDock
autosave.session_folder = lambda: Path(sys.argv[1])
viewer = napari.Viewer(show=False)
viewer.add_image(np.zeros((20, 20)), name="scan")
layer = viewer.add_labels(np.ones((20, 20), np.int32), name="mine")
dock = CorrectDock(viewer)
viewer.window.add_dock_widget(dock, name="Correct")
viewer.window._qt_window.show()
from qtpy.QtCore import QTimer
def paint_and_close():
    layer.data_setitem((np.array([3]), np.array([3])), 7)
    viewer.window._qt_window.close()
QTimer.singleShot(200, paint_and_close)
napari.run()
"""


def test_what_was_painted_last_is_saved_when_napari_is_closed(tmp_path):
    command = [sys.executable, "-W", "ignore", "-c", CLOSING, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", timeout=120, check=False)
    assert "RuntimeError" not in done.stderr
    assert done.returncode == 0, done.stderr
    (file,) = saved_in(tmp_path)
    assert load(file).labels[3, 3] == 7


def test_a_session_goes_to_the_image_of_its_file_and_not_to_another_of_the_same_name(
    open_session, photograph, tmp_path, folder
):
    def with_image(viewer, patient):
        with layer_source(path=str(tmp_path / patient / "slice.png")):
            return viewer.add_layer(ImageLayer(photograph, name="slice"))

    viewer = ViewerModel()
    with_image(viewer, "a")
    session = open_session(viewer, viewer.add_labels(np.ones(photograph.shape[:2], np.int32)))
    session.mark_changed(session.editor.layer)
    session.save()
    session.wait()
    other = ViewerModel()
    with_image(other, "b")
    reopened = open_session(other)
    with pytest.raises(ReadError, match="Open the image slice first"):
        reopened.reopen(saved_in(folder)[0])
    with_image(other, "a").name = "renamed"
    reopened.editor.choose(reopened.reopen(saved_in(folder)[0]))
    assert reopened.editor.source.name == "renamed"


def test_states_of_slices_come_back_and_the_volume_can_be_reverted(open_session, folder):
    masks = true_masks()

    def scan():
        viewer = ViewerModel()
        viewer.add_image(volume(masks).array, name="scan")
        viewer.dims.set_current_step(0, 2)
        return viewer

    viewer = scan()
    session = open_session(viewer, viewer.add_labels(missing_ball(masks), name="mine"))
    editor, stack = session.editor, StackEditor(session.editor)
    before = editor.layer.data.copy()
    stack.mark_seen()
    viewer.dims.set_current_step(0, 3)
    stack.follow()
    write_undoable(editor.layer, editor.source.index, np.where(masks[3], 1, before[3]))
    stack.follow()
    stack.write(editor.layer, editor.source, {4: np.where(masks[4], 1, before[4])})
    session.mark_changed(editor.layer)
    session.save()
    session.wait()
    other = scan()
    second = open_session(other)
    second.editor.choose(second.reopen(saved_in(folder)[0]))
    back = StackEditor(second.editor)
    for n in (4, 3, 2):  # a look at a slice changes nothing
        other.dims.set_current_step(0, n)
        back.follow()
    assert [state.value for state in back.states()[2:5]] == ["looked at", "corrected", "not looked at"]
    assert back.revert() == 2
    np.testing.assert_array_equal(second.editor.layer.data, before)
