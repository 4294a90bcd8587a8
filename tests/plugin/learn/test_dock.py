"""The Learn dock on small images of discs."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from napari.components import ViewerModel
from napari.layers import Labels
from napari.layers._source import layer_source
from qtpy.QtCore import QEvent, QThreadPool
from qtpy.QtGui import QColor
from qtpy.QtWidgets import QApplication, QFileDialog, QMessageBox

from napari_s3net.batch import isolated
from napari_s3net.batch.report import light_rows
from napari_s3net.batch.review import Review
from napari_s3net.image import Geometry
from napari_s3net.io import read_image, read_labels
from napari_s3net.io.write import write_labels
from napari_s3net.learning.model import load_model
from napari_s3net.learning.settings import learn_settings
from napari_s3net.plugin.batch.dock import BatchDock
from napari_s3net.plugin.contributions.reader import layer_data
from napari_s3net.plugin.jobs.learn_job import REPLACE
from napari_s3net.plugin.layers.image_in_place import another_image
from napari_s3net.plugin.layers.proxy import plain
from napari_s3net.plugin.layers.result_layer import metadata_of
from napari_s3net.plugin.layers.stroke_layer import add_strokes
from napari_s3net.plugin.learn import dock as dock_module
from napari_s3net.plugin.learn import form as form_module
from napari_s3net.plugin.learn.class_table import NAME
from napari_s3net.plugin.learn.dock import LearnDock
from napari_s3net.plugin.learn.result import open_image
from napari_s3net.plugin.widgets import dock as base
from napari_s3net.runtime import child_pool
from tests.learning.conftest import TINY, write_partly_labelled
from tests.plugin.folders import choose_learn_folders

pytestmark = pytest.mark.viewer
WAIT = 120_000


@pytest.fixture(scope="module", autouse=True)
def close_children():
    yield
    isolated.close_idle()
    child_pool.close_all()


@pytest.fixture
def said(monkeypatch):
    words = []
    monkeypatch.setattr(base, "show_error", words.append)
    return words


@pytest.fixture
def folder(tmp_path):
    return write_partly_labelled(tmp_path, 6)


@pytest.fixture
def viewer():
    return ViewerModel()


@pytest.fixture
def dock(viewer, qtbot, said, monkeypatch):
    tiny = {name: value for name, value in TINY.items() if name != "steps"}
    monkeypatch.setattr(
        form_module, "learn_settings", lambda size="small", **changes: learn_settings(size, **{**tiny, **changes})
    )
    dock = LearnDock(viewer)
    qtbot.addWidget(dock)
    yield dock
    dock.release()
    QThreadPool.globalInstance().waitForDone(10000)


@pytest.fixture
def ready(dock, folder, qtbot):
    choose_learn_folders(dock.form, folder / "images", folder / "labels")
    qtbot.waitUntil(lambda: dock.labelled is not None, timeout=WAIT)
    dock.form.steps.value = 20
    return dock


def over(dock, qtbot):
    qtbot.waitUntil(lambda: dock.job is None, timeout=WAIT)


def test_first_it_says_what_to_do(dock):
    assert "Choose a folder" in dock.line.text()
    assert not dock.train_button.isEnabled()
    assert not dock.done.isVisibleTo(dock)


def test_it_tells_how_many_are_corrected_and_how_many_in_part(ready):
    assert ready.form.found.text() == "6 images, 1 corrected, 1 in part"
    assert ready.train_button.isEnabled()


def test_files_that_came_or_went_meanwhile_are_counted_when_somebody_comes_back(ready, folder, qtbot):
    def come_back():
        QApplication.sendEvent(ready, QEvent(QEvent.Type.WindowActivate))
        qtbot.waitUntil(lambda: ready._watch._running is None and not ready._scan.is_on, timeout=WAIT)

    ready.show()
    images, labels = folder / "images", folder / "labels"
    next(images.iterdir()).rename(folder / "away")
    come_back()
    assert ready.form.found.text().startswith("5 images")
    for path in labels.iterdir():
        path.unlink()
    come_back()
    assert ready.form.found.text() == "5 images, 0 corrected"
    assert not ready.train_button.isEnabled()
    images.rename(folder / "gone")
    come_back()
    assert "Expected a folder" in ready.message.text()
    assert ready.labelled is None
    (folder / "gone").rename(images)
    come_back()
    assert ready.form.found.text() == "5 images, 0 corrected"
    assert not ready.message.text()


def test_without_labels_it_says_how_to_make_some(dock, folder, qtbot):
    (folder / "none").mkdir()
    choose_learn_folders(dock.form, folder / "images", folder / "none")
    qtbot.waitUntil(lambda: dock.labelled is not None, timeout=WAIT)
    assert "No labels yet" in dock.line.text()
    assert not dock.train_button.isEnabled()


def test_what_there_is_to_do_first_is_said_as_long_as_it_is_so(dock, folder, qtbot):
    for name, words in (("none", "No labels yet"), ("labels", ""), ("other", "called like the images"), ("labels", "")):
        (folder / name).mkdir(exist_ok=True)
        if name == "other":
            write_labels(folder / name / "b.png", np.ones((40, 48), np.int32), Geometry.identity(2))
        choose_learn_folders(dock.form, folder / "images", folder / name)
        qtbot.waitUntil(lambda: dock.labelled is not None, timeout=WAIT)
        assert words in dock.line.text()
        assert bool(words) == bool(dock.line.text())


def test_a_missing_folder_is_told(dock, folder, qtbot):
    choose_learn_folders(dock.form, folder / "nowhere", folder / "labels")
    qtbot.waitUntil(lambda: "Expected a folder" in dock.message.text(), timeout=WAIT)


def test_learned_applied_corrected_and_learned_again(ready, viewer, folder, qtbot):
    table = ready.form.classes
    assert table.names() == {1: "Class 1", 2: "Class 2"}
    table.item(0, NAME).setText("Spot")
    table.set_colour(0, QColor("#ff0000"))
    ready.train_button.click()
    assert ready.busy_row.isVisibleTo(ready)
    over(ready, qtbot)
    assert "Learned from 2 images" in ready.line.text()
    card = load_model(folder / "labels" / "model.safetensors").card
    assert (card.record["steps"], card.classes, card.colours[1]) == (
        20,
        {1: "Spot", 2: "Class 2"},
        (255, 0, 0),
    )
    image = open_image(viewer, read_image(folder / "images" / "a3.png"))
    ready.apply_button.click()
    over(ready, qtbot)
    layer = viewer.layers[-1]
    assert isinstance(layer, Labels)
    assert layer.data.shape == image.data.shape
    assert metadata_of(layer)["names"] == {1: "Spot", 2: "Class 2"}
    np.testing.assert_allclose(layer.get_color(1), (1, 0, 0, 1), atol=0.01)
    series = viewer.add_image(np.stack([[image.data] * 3] * 2))
    viewer.dims.set_point(0, 1)
    viewer.dims.order = (0, 2, 1, 3)  # another plane is seen; slices are those of the file
    ready.apply_button.click()
    over(ready, qtbot)
    spread = viewer.layers[-1].data
    assert spread.shape == series.data.shape
    assert not spread[0].any()
    assert (spread[1] == layer.data).all()
    viewer.dims.order = (0, 1, 2, 3)
    ready.next_button.click()
    over(ready, qtbot)
    path, opened, labels = ready.opened
    assert [one for one in map(plain, viewer.layers) if one.visible] == [opened, labels]
    assert path.stem not in ("a0", "a1")
    labels.data[:5, :5] = 2
    ready.keep_button.click()
    assert (read_labels(folder / "labels" / f"{path.stem}.png").array == labels.data).all()
    qtbot.waitUntil(lambda: ready.labelled is not None, timeout=WAIT)
    assert "2 corrected, 1 in part" in ready.form.found.text()
    ready.train_button.click()
    over(ready, qtbot)
    assert load_model(folder / "labels" / "model.safetensors").card.record["started from"] == "model.safetensors"
    strokes = add_strokes(viewer, labels)
    ready.next_button.click()
    over(ready, qtbot)
    assert ready.opened[0] != path
    assert not {strokes, labels} & set(map(plain, viewer.layers)), "what belongs to the one before goes with it"


def test_an_image_of_the_folder_that_a_model_is_applied_to_can_be_kept(ready, viewer, folder, qtbot):
    ready.form.steps.value = 1
    ready.train_button.click()
    over(ready, qtbot)
    assert not ready.keep_button.isEnabled()
    with layer_source(path=str(folder / "images" / "a4.png")):
        image = open_image(viewer, read_image(folder / "images" / "a4.png"))
    ready.apply_button.click()
    over(ready, qtbot)
    assert "then Keep correction" in ready.line.text()
    labels = viewer.layers[-1]
    labels.data[:5, :5] = 2
    ready.apply_button.click()
    over(ready, qtbot)
    assert "Ctrl-Z brings them back" in ready.line.text()
    labels.undo()
    assert (labels.data[:5, :5] == 2).all()
    ready.keep_button.click()
    assert (read_labels(folder / "labels" / "a4.png").array == labels.data).all()
    qtbot.waitUntil(lambda: ready.labelled is not None, timeout=WAIT)
    ready.next_button.click()
    over(ready, qtbot)
    assert image in map(plain, viewer.layers), "the dock has not opened it"


def test_what_was_corrected_and_not_kept_stays_when_the_next_comes(ready, viewer, folder, qtbot):
    ready.form.steps.value = 1
    ready.train_button.click()
    over(ready, qtbot)
    ready.next_button.click()
    over(ready, qtbot)
    path, image, labels = ready.opened
    labels.data[:5, :5] = 2
    ready.next_button.click()
    over(ready, qtbot)
    assert ready.opened[0] != path
    assert f"{path.name} was corrected and not kept" in ready.line.text()
    assert {image, labels} <= set(map(plain, viewer.layers))
    ready.form.layers_button.click()
    assert (read_labels(folder / "labels" / f"{path.stem}.png").array == labels.data).all()


def test_strokes_that_no_run_has_used_keep_the_image_in_view(ready, qtbot, monkeypatch):
    told = []
    monkeypatch.setattr(base, "show_error", told.append)
    ready.form.steps.value = 1
    ready.train_button.click()
    over(ready, qtbot)
    correct = SimpleNamespace(obstacle="Your strokes have changed nothing yet.")
    monkeypatch.setattr(dock_module, "open_dock", lambda _, name: correct if name == "Correct" else None)
    ready.next_button.click()
    over(ready, qtbot)
    path = ready.opened[0]
    ready.next_button.click()
    assert ready.job is None
    assert told == [ready.message.text()] == [correct.obstacle]
    correct.obstacle = ""
    ready.next_button.click()
    over(ready, qtbot)
    assert ready.opened[0] != path
    assert not ready.message.text()


def test_labels_that_were_removed_are_not_kept(ready, viewer, folder, qtbot):
    ready.form.steps.value = 1
    ready.train_button.click()
    over(ready, qtbot)
    ready.next_button.click()
    over(ready, qtbot)
    path, _, labels = ready.opened
    viewer.layers.remove(labels)
    ready.keep_button.click()
    assert f"The labels of {path.name} were removed" in ready.message.text()
    assert not (folder / "labels" / f"{path.stem}.png").exists()


def test_labels_of_open_layers_are_taken_into_the_folder(ready, viewer, folder, qtbot):
    ready.form.layers_button.click()
    assert "No open labels" in ready.message.text()
    qtbot.waitUntil(lambda: ready.labelled is not None, timeout=WAIT)
    with layer_source(path=str(folder / "images" / "a4.png")):  # as napari notes it of a file that it opens
        image = open_image(viewer, read_image(folder / "images" / "a4.png"))
    painted = viewer.add_labels(np.ones(image.data.shape, int))
    ready.form.layers_button.click()
    assert (read_labels(folder / "labels" / "a4.png").array == painted.data).all()
    qtbot.waitUntil(lambda: ready.labelled is not None, timeout=WAIT)
    assert "2 corrected, 1 in part" in ready.form.found.text()


def test_a_folder_is_done_by_the_batch_engine_once_and_its_results_are_reviewed(ready, folder, qtbot, monkeypatch):
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: str(folder / "out"))
    assert not ready.review_button.isVisibleTo(ready)
    ready.form.steps.value = 1
    ready.train_button.click()
    over(ready, qtbot)
    for words in ("6 done, 0 failed, 0 done before", "0 done, 0 failed, 6 done before"):
        ready.folder_button.click()
        over(ready, qtbot)
        assert words in ready.line.text()
    assert len(list((folder / "out" / "labels").iterdir())) == 6
    batch = BatchDock(ready._viewer)
    qtbot.addWidget(batch)
    monkeypatch.setattr(dock_module, "show_dock", lambda viewer, name: batch)
    ready.review_button.click()
    plan = batch.form.plan()
    qtbot.waitUntil(lambda: batch.review_controller.is_on, timeout=WAIT)
    assert "1 of 6" in batch.panel.line.text()
    assert not batch.start_button.property("primary"), "it would replace what a model has made"
    batch.release()
    assert (plan.source, plan.output, plan.recursive) == (folder / "images", folder / "out", True)


def test_results_that_were_not_made_are_not_to_be_reviewed(ready, folder, qtbot, said, monkeypatch):
    ready.form.steps.value = 1
    ready.train_button.click()
    over(ready, qtbot)
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: str(folder / "images"))
    ready.folder_button.click()
    over(ready, qtbot)
    assert "has to be another one than the input" in said[0]
    assert not ready.review_button.isVisibleTo(ready)


def test_it_asks_before_reviewed_results_of_the_folder_are_replaced(ready, folder, qtbot, monkeypatch):
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: str(folder / "out"))
    ready.form.steps.value = 1
    ready.train_button.click()
    over(ready, qtbot)
    ready.folder_button.click()
    over(ready, qtbot)
    for row in list(light_rows(folder / "out").values())[:2]:
        Review(folder / "out").decide(row, "accepted")
    ready.folder_button.click()  # of the same model nothing is replaced, and nothing asked
    over(ready, qtbot)
    assert "6 done before" in ready.line.text()
    ready.form.steps.value = 2
    ready.train_button.click()
    over(ready, qtbot)
    asked, reply = [], QMessageBox.StandardButton.No

    def question(_, __, text, *___):
        asked.append(text)
        return reply

    monkeypatch.setattr(QMessageBox, "question", question)
    before = ready.line.text()
    ready.folder_button.click()
    assert "Applying it replaces 6 earlier results; 2 of them were reviewed" in asked[0]
    assert ready.line.text() == before
    reply = QMessageBox.StandardButton.Yes
    ready.folder_button.click()
    over(ready, qtbot)
    assert "6 done, 0 failed" in ready.line.text()


def test_paused_it_waits_and_stopped_it_keeps(ready, folder, qtbot):
    ready.form.steps.value = 100_000
    ready.train_button.click()
    qtbot.waitUntil(lambda: "Step" in ready.line.text(), timeout=WAIT)
    ready.pause_button.click()
    lines = [ready.line.text()]
    while len(lines) < 2 or (lines[-1] != lines[-2] and len(lines) < 60):  # the step that goes on ends first
        qtbot.wait(500)
        lines.append(ready.line.text())
    assert lines[-1] == lines[-2]
    assert ready.pause_button.text() == "Go on"
    assert ready.line.text().startswith("Paused · Step")
    ready.stop_button.click()
    over(ready, qtbot)
    assert ready.line.text().startswith("Stopped after")
    assert 0 < load_model(folder / "labels" / "model.safetensors").card.record["steps"] < 100_000
    assert (folder / "labels" / "model.checkpoint.safetensors").exists()
    assert ready.pause_button.text() == "Pause"
    ready.form.steps.value = 10
    ready.train_button.click()  # from what was kept, though the checkpoint is that of another run
    over(ready, qtbot)
    assert "Learned from" in ready.line.text()


def test_a_preview_comes_and_goes(ready, viewer, folder, qtbot):
    image = read_image(folder / "images" / "a3.png")
    chosen = open_image(viewer, image)
    open_image(viewer, replace(image, array=image.array[:20], name="top"))
    ready.form.preview.value = chosen.name  # not the one in view
    ready.form.steps.value = 100_000
    ready.train_button.click()
    qtbot.waitUntil(lambda: len(viewer.layers) == 3, timeout=WAIT)
    assert viewer.layers[2].data.shape == chosen.data.shape
    ready.stop_button.click()
    over(ready, qtbot)
    assert len(viewer.layers) == 2


def test_what_goes_wrong_is_told_and_the_dock_is_ready(ready, folder, said, qtbot):
    write_labels(folder / "labels" / "a0.png", np.full((40, 48), 3, np.int32), Geometry.identity(2))  # after the look
    ready.train_button.click()
    over(ready, qtbot)
    assert "class 3, which the names do not have" in said[0]
    assert ready.train_button.isVisibleTo(ready)


def test_a_model_that_cannot_be_read_is_told_and_not_applied(ready, folder, qtbot):
    model = folder / "labels" / "model.safetensors"
    model.write_bytes(b"of another program")
    ready._scan_folders()
    qtbot.waitUntil(lambda: ready.labelled is not None, timeout=WAIT)
    ways = (ready.apply_button, ready.folder_button, ready.next_button)
    assert not any(way.isVisibleTo(ready) and way.isEnabled() for way in ways)
    assert str(model) in ready.message.text()
    assert REPLACE in ready.message.text()
    ready.form.again.value = False
    ready.train_button.click()
    over(ready, qtbot)
    assert all(way.isVisibleTo(ready) and way.isEnabled() for way in ways)
    qtbot.waitUntil(lambda: not ready._scan.is_on, timeout=WAIT)
    assert ready.message.text() == ""
    assert all(way.isEnabled() for way in ways)


def test_closed_while_learning_it_lets_go(ready, viewer, qtbot, folder):
    open_image(viewer, read_image(folder / "images" / "a3.png"))
    ready.form.steps.value = 100_000
    ready.train_button.click()
    qtbot.waitUntil(lambda: "Step" in ready.line.text() and len(viewer.layers) == 2, timeout=WAIT)
    job = ready.job
    ready.release()
    assert [layer.name for layer in viewer.layers] == ["a3"], "the preview is gone"
    qtbot.waitUntil(lambda: job.is_over, timeout=WAIT)
    assert not (folder / "labels" / "model.safetensors").exists()
    assert job.take_outcome() is None


def test_labels_of_the_size_of_nothing_are_told(dock, folder, qtbot):
    write_labels(folder / "labels" / "a0.png", np.ones((3, 4), np.int32), Geometry.identity(2))
    choose_learn_folders(dock.form, folder / "images", folder / "labels")
    qtbot.waitUntil(lambda: dock.labelled is not None, timeout=WAIT)
    dock.train_button.click()
    over(dock, qtbot)
    assert "4 × 3 pixels" in dock.message.text()


def test_files_that_went_while_it_learned_are_counted_when_it_is_over_and_its_words_stay(ready, folder, qtbot, said):
    labels = folder / "labels"
    qtbot.waitUntil(lambda: ready._watch._running is None, timeout=WAIT)
    ready.form.steps.value = 1
    (labels / "a1.png").unlink()  # after the look
    ready.train_button.click()
    over(ready, qtbot)
    assert "there is no such file" in said[0]
    qtbot.waitUntil(lambda: ready.form.found.text() == "6 images, 1 corrected", timeout=WAIT)
    assert ready.message.text() == said[0]
    ready.train_button.click()
    over(ready, qtbot)
    assert "Learned from 1 image" in ready.line.text()
    assert not ready.message.text()


def test_what_was_said_and_opened_of_other_folders_goes_with_them(ready, folder, qtbot, tmp_path, monkeypatch):
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: str(folder / "out"))
    ready.form.steps.value = 1
    ready.train_button.click()
    over(ready, qtbot)
    ready.folder_button.click()
    over(ready, qtbot)
    ready.next_button.click()
    over(ready, qtbot)
    assert ready.review_button.isVisibleTo(ready)
    choose_learn_folders(ready.form, folder / "images", folder / "labels")  # the same: as by leaving the field
    qtbot.waitUntil(lambda: ready.labelled is not None, timeout=WAIT)
    assert ready.line.text().startswith(ready.opened[0].name)
    others = write_partly_labelled(tmp_path / "others", 3)
    choose_learn_folders(ready.form, others / "images", folder / "labels")
    qtbot.waitUntil(lambda: ready.labelled is not None, timeout=WAIT)
    assert not ready.line.text()
    assert ready.opened is None
    assert not ready.keep_button.isEnabled()
    assert not ready.review_button.isVisibleTo(ready)


def test_next_takes_an_image_that_lies_open_with_what_was_corrected_on_it(ready, viewer, folder, qtbot):
    ready.form.steps.value = 1
    ready.train_button.click()
    over(ready, qtbot)
    ready.next_button.click()
    over(ready, qtbot)
    path, image, labels = ready.opened
    labels.data[:5, :5] = 2
    changed = labels.data.copy()
    ready.next_button.click()
    over(ready, qtbot)
    for other in (folder / "images").iterdir():
        if other != path:
            other.unlink()
    choose_learn_folders(ready.form, folder / "images", folder / "labels")
    qtbot.waitUntil(lambda: ready.labelled is not None, timeout=WAIT)
    ready.next_button.click()
    over(ready, qtbot)
    assert ready.opened == (path, image, labels)
    assert [layer for layer in map(plain, viewer.layers) if layer.visible] == [image, labels]
    assert (labels.data == changed).all()


def test_an_image_whose_layers_show_another_one_is_let_go_of(ready, viewer, folder, qtbot):
    ready.train()
    over(ready, qtbot)
    ready.choose_next()
    over(ready, qtbot)
    _, image, labels = ready.opened
    assert ready.keep_button.isEnabled()
    other = read_image(folder / "images" / "a0.png")
    with another_image(viewer, image, labels, layer_data(other), folder / "images" / "a0.png"):
        pass
    assert ready.opened is None
    assert not ready.keep_button.isEnabled()


def test_buttons_say_what_they_do_now(ready):
    tips = {ready.pause_button.toolTip()}
    ready.pause(True)
    assert ready.pause_button.toolTip() not in tips
    ready.pause(False)
    assert ready.pause_button.toolTip() in tips
    assert "Train" not in ready.stop_button.toolTip(), "applying is stopped by it, too"


def test_what_was_stopped_is_neither_paused_nor_stopped_again_and_says_so(ready, said, qtbot):
    ready.form.steps.value = 1
    ready.train_button.click()
    over(ready, qtbot)
    ready.next_button.click()
    ready.pause_button.click()
    ready.stop_button.click()
    assert ready.line.text().startswith("Choosing among")
    assert not ready.pause_button.isEnabled()
    assert not ready.stop_button.isEnabled()
    over(ready, qtbot)
    assert not said
    assert "Stopped before" in ready.line.text()
    ready.train_button.click()
    assert ready.pause_button.isEnabled()
    assert ready.stop_button.isEnabled()
    over(ready, qtbot)
