"""The Correct dock saves and reopens a session, and strokes."""

import numpy as np
import pytest
from napari.components import ViewerModel

from napari_s3net.plugin.correct.dock import CorrectDock
from napari_s3net.plugin.layers.result_layer import metadata_of
from tests.plugin.correct.conftest import disc, paint, picture, put_away, run_through

pytestmark = [pytest.mark.viewer, pytest.mark.usefixtures("folder")]


def test_the_last_session_is_reopened(dock, layer, qtbot, errors, folder):
    paint(dock, disc(45, 84, 2), "object")
    dock.labels.select(3)
    dock.labels.lock.click()
    layer.data[0, 100] = 1
    dock.editor.toggle_lock(disc(45, 84, 6))
    before, drawn = layer.data.copy(), dock.editor.strokes.layer.data.copy()
    dock.autosave.save()
    qtbot.waitUntil(lambda: "Session saved" in dock.session_panel.line.text(), timeout=10000)
    assert folder.stat().st_mode & 0o077 == 0

    viewer = ViewerModel()
    viewer.add_image(picture(), name="mole")
    second = CorrectDock(viewer)
    qtbot.addWidget(second)
    assert second.empty.reopen.isVisibleTo(second)
    (entry,) = second.empty.reopen.menu().actions()
    assert entry.text().startswith("mole  ·  ")
    entry.trigger()
    assert second.editor.layer.name == "mole – S³-Net"
    np.testing.assert_array_equal(second.editor.layer.data, before)
    np.testing.assert_array_equal(second.editor.strokes.layer.data, drawn)
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


def test_a_session_without_its_image_says_so(dock, qtbot, errors):
    dock.autosave.save()
    dock.autosave.wait()
    second = CorrectDock(ViewerModel())
    qtbot.addWidget(second)
    second.empty.reopen.menu().actions()[0].trigger()
    assert "Open the image mole first" in errors[-1]
    put_away(second)


def test_strokes_are_saved_and_loaded(dock, qtbot, tmp_path, monkeypatch):
    path = str(tmp_path / "strokes.png")
    paint(dock, disc(45, 84, 2), "object")
    drawn = dock.editor.strokes.layer.data.copy()
    monkeypatch.setattr("napari_s3net.plugin.correct.stroke_files.show_info", lambda words: None)
    monkeypatch.setattr("qtpy.QtWidgets.QFileDialog.getSaveFileName", lambda *args: (path, ""))
    monkeypatch.setattr("qtpy.QtWidgets.QFileDialog.getOpenFileName", lambda *args: (path, ""))
    dock.paint.asked.emit("save")
    dock.paint.asked.emit("clear")
    dock.paint.asked.emit("load")
    np.testing.assert_array_equal(dock.editor.strokes.layer.data, drawn)
