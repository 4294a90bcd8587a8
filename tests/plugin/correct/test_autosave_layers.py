"""The session taken from the layers, and put back."""

import os
import subprocess
import sys

import numpy as np
import pytest
from napari.components import ViewerModel
from qtpy.QtCore import QObject
from qtpy.QtWidgets import QLabel

from napari_s3net.correction.constraints import OBJECT
from napari_s3net.errors import ReadError
from napari_s3net.plugin.correct.autosave import load
from napari_s3net.plugin.correct.autosave_layers import SAVE_MS, LastSession
from napari_s3net.plugin.correct.controller import Correcting
from napari_s3net.plugin.layers.result_layer import metadata_of

pytestmark = [pytest.mark.viewer, pytest.mark.usefixtures("folder")]


@pytest.fixture
def open_session(qtbot):
    made = []

    def make(viewer, layer=None):
        line, parent, work = QLabel(), QObject(), Correcting(viewer)
        qtbot.addWidget(line)
        work.choose(layer)
        session = LastSession(viewer, work, line, parent)
        session.work, session.line, session.owner = work, line, parent
        made.append(session)
        return session

    yield make
    for session in made:
        session._timer.stop()
        session._keeper.wait()


def again(photograph, name="mole"):
    viewer = ViewerModel()
    viewer.add_image(photograph, name=name)
    return viewer


def test_it_is_saved_every_minute_and_only_after_a_change(open_session, marked, folder):
    session = open_session(*marked)
    assert session._timer.interval() == SAVE_MS == 60_000
    session._timer.timeout.emit()
    session._keeper.wait()
    assert not session.exists
    session.changed()
    session._timer.timeout.emit()
    session._keeper.wait()
    assert session.exists
    assert session.line.text().startswith("Session saved ")


def test_labels_strokes_names_and_locks_come_back(open_session, marked, photograph):
    session = open_session(*marked)
    work = session.work
    work.make_strokes().data[24, 40] = OBJECT
    work.locks.toggle_labels([3])
    part = work.layer.data == 1
    work.toggle_hold(part)
    session.changed()
    session.release()
    labels = work.layer.data.copy()
    work.layer.data[...] = 9
    second = open_session(again(photograph))
    second.reopen()
    back = second.work
    np.testing.assert_array_equal(back.layer.data, labels)
    assert back.constraints()[24, 40] == OBJECT
    assert back.locks.labels == {3}
    np.testing.assert_array_equal(back.held, part)
    assert metadata_of(back.layer)["names"][1] == "Lesion"
    assert back.layer.name == "mole – S³-Net"


def test_what_is_drawn_after_saving_does_not_reach_the_saved_arrays(open_session, marked):
    session = open_session(*marked)
    session.work.toggle_hold(session.work.layer.data == 3)
    taken = session._taken()
    session.work.layer.data[...] = 5
    session.work.toggle_hold(np.ones((48, 64), bool))
    assert set(np.unique(taken.labels)) == {1, 2, 3}
    assert taken.held.sum() == 64


def test_without_its_image_it_says_what_to_do(open_session, marked):
    session = open_session(*marked)
    session.changed()
    session.save()
    other = open_session(ViewerModel())
    with pytest.raises(ReadError, match="Open the image mole first"):
        other.reopen()


def test_a_failed_save_is_told_at_the_next_one(open_session, marked, folder):
    session = open_session(*marked)
    folder.write_text("in the way", encoding="utf-8")
    session.changed()
    session.save()
    session._keeper.wait()
    folder.unlink()
    lines = []
    session._line = type("Line", (), {"setText": lambda self, words: lines.append(words)})()
    session.changed()
    session.save()
    assert "Cannot save the session" in lines[0]
    session._keeper.wait()
    assert session.exists


CLOSE = """
import napari, numpy as np
from qtpy.QtCore import QTimer
from napari_s3net.plugin.correct.dock import CorrectDock

viewer = napari.Viewer(show=True)
viewer.add_image(np.eye(50))
viewer.add_labels(np.ones((50, 50), int))
dock = CorrectDock(viewer)
viewer.window.add_dock_widget(dock)

def paint():
    dock.brush("object")
    dock.work.strokes.data_setitem((np.array([3]), np.array([4])), 1)

QTimer.singleShot(300, paint)
QTimer.singleShot(900, dock.window().close)
napari.run()
print("closed")
"""


def test_closing_napari_saves_and_touches_no_widget_any_more(tmp_path):
    place = {**os.environ, "XDG_DATA_HOME": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", CLOSE],
        env=place,
        capture_output=True,
        text=True,
        check=False,
        timeout=200,
    )
    assert "closed" in done.stdout, done.stderr
    assert "deleted" not in done.stderr + done.stdout
    saved = load(tmp_path / "napari-s3net" / "session")
    assert saved.strokes[3, 4] == 1
