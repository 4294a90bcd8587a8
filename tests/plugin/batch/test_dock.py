"""The Batch dock, with a threshold in place of the network."""

import json

import numpy as np
import PIL.Image
import pytest
from napari.components import ViewerModel
from napari.utils.theme import get_theme
from qtpy.QtCore import QEvent, Qt, QThreadPool
from qtpy.QtWidgets import QApplication, QMessageBox

from napari_s3net.batch import BatchReport, FileRow, Plan, find_items, isolated, iter_batch
from napari_s3net.batch.folder import locked
from napari_s3net.io import read_image
from napari_s3net.phantom import disc
from napari_s3net.plugin.batch import dock as module
from napari_s3net.plugin.batch import result_opener
from napari_s3net.plugin.batch import review_controller as reviewing
from napari_s3net.plugin.batch.dock import BatchDock
from napari_s3net.plugin.batch.table import STATE
from napari_s3net.plugin.jobs.batch_job import BatchJob, BatchUpdate
from napari_s3net.plugin.layers.proxy import plain
from napari_s3net.plugin.layers.result_layer import metadata_of
from napari_s3net.plugin.widgets import dock as base
from napari_s3net.runtime import child_pool
from napari_s3net.runtime.generators import drain
from tests.batch import segmenters
from tests.plugin.folders import choose_batch_folders

pytestmark = pytest.mark.viewer


@pytest.fixture(scope="module", autouse=True)
def close_children():
    yield
    isolated.close_idle()
    child_pool.close_all()


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setitem(iter_batch.__kwdefaults__, "segmenter", segmenters.deadly)
    monkeypatch.setattr(isolated, "close_idle", lambda: None)  # a warm process for the next test


@pytest.fixture
def said(monkeypatch):
    words = []
    for home in (base, module, reviewing, result_opener):
        monkeypatch.setattr(home, "show_error", words.append)
    return words


@pytest.fixture
def photos(tmp_path):
    folder = tmp_path / "photos"
    folder.mkdir()
    for name, size in (("a.png", 64), ("b.png", 80), ("c.png", 96)):
        PIL.Image.fromarray(disc(kind="rgb").image.array).resize((size, size)).save(folder / name)
    return folder


@pytest.fixture
def viewer():
    return ViewerModel()


@pytest.fixture
def dock(viewer, qtbot, said):
    dock = BatchDock(viewer)
    qtbot.addWidget(dock)
    yield dock
    dock.release()
    QThreadPool.globalInstance().waitForDone(10000)


@pytest.fixture
def ready(dock, photos, tmp_path, qtbot):
    choose_batch_folders(dock.form, photos, tmp_path / "out")
    qtbot.waitUntil(lambda: bool(dock.table.files.files), timeout=10000)
    return dock


def run_through(dock, qtbot):
    dock.start_button.click()
    qtbot.waitUntil(lambda: dock.job is None, timeout=60000)


def states(dock):
    model = dock.table.files
    return {file: model.data(model.index(n, STATE)) for n, file in enumerate(model.files)}


def test_first_it_says_what_to_do(dock):
    assert not dock.start_button.isEnabled()
    assert "Choose a folder" in dock.line.text()
    dock.start()
    assert dock.job is None


def test_a_link_has_the_colour_of_the_theme(dock, viewer):
    dock.show_update(BatchUpdate(link="http://127.0.0.1"))
    for theme in ("light", "dark"):
        viewer.theme = theme
        assert get_theme(theme).text.as_hex() in dock.links.text()


def test_folders_are_looked_at(ready):
    assert ready.form.source_line.text() == "3 images"
    assert ready.start_button.isEnabled()
    assert set(states(ready).values()) == {"waiting"}


def test_formats_that_are_left_out_are_told(ready, photos, qtbot):
    (photos / "d.heic").write_bytes(b"hello")
    ready.form.changed.emit()
    qtbot.waitUntil(lambda: ready.form.source_line.text() == "3 images · left out: 1 .heic", timeout=10000)


def test_a_folder_that_is_none_is_told(dock, tmp_path, qtbot):
    choose_batch_folders(dock.form, tmp_path / "nowhere", tmp_path / "out")
    qtbot.waitUntil(lambda: "not a folder" in dock.message.text(), timeout=10000)


def test_a_look_into_folders_that_fails_is_told(dock, photos, tmp_path, qtbot, monkeypatch):
    def fail(*_):
        raise OSError("the drive is gone")

    monkeypatch.setattr("napari_s3net.plugin.jobs.batch_job.choose", fail)
    dock.form.fit.value = "folder"
    choose_batch_folders(dock.form, photos, tmp_path / "out")
    qtbot.waitUntil(lambda: "the drive is gone" in dock.message.text(), timeout=60000)
    assert not dock.form.source_line.text()


def test_a_scan_that_fails_as_a_whole_is_told(dock, photos, tmp_path, qtbot, monkeypatch):
    def fail(*_):
        raise MemoryError("too many files")

    monkeypatch.setattr(module, "scan_folders", fail)
    choose_batch_folders(dock.form, photos, tmp_path / "out")
    qtbot.waitUntil(lambda: bool(dock.message.text()), timeout=60000)
    assert not dock.form.source_line.text()


def test_a_scan_of_folders_that_are_no_longer_asked_for_is_dropped(dock, photos, tmp_path, qtbot):
    choose_batch_folders(dock.form, photos, tmp_path / "out")
    dock.form.source.line_edit.native.clear()
    dock.form.changed.emit()
    qtbot.wait(500)
    assert dock.table.files.files == []
    assert not dock.form.source_line.text()


def test_results_that_cannot_be_reviewed_in_their_folder_are_told(ready, tmp_path, said):
    ready.show_update(BatchUpdate(items=tuple(find_items(ready.plan))))
    ready.show_update(BatchUpdate(rows=(FileRow(file="b.png", status="done"),)))
    (tmp_path / "out").write_text("a file in the place of the folder")
    ready.review_button.click()
    assert "Cannot write" in said[0]
    assert not ready.review_controller.is_on


def test_a_run_with_one_broken_file(ready, photos, qtbot, said):
    (photos / "b.png").write_bytes(b"")
    run_through(ready, qtbot)
    assert states(ready) == {"a.png": "done", "b.png": "failed: the file is empty (0 bytes).", "c.png": "done"}
    assert ready.line.text() == "2 done, 1 failed, 0 done before."
    assert "report.html" in ready.links.text()
    assert ready.links.textFormat() is Qt.TextFormat.RichText, "links, not their source"
    assert ready.review_button.text() == "Review 2 results, 2 to look at ▸"
    assert not said
    run_through(ready, qtbot)
    assert ready.line.text() == "0 done, 1 failed, 2 done before."


def test_results_that_start_would_replace_are_counted_beforehand(ready, photos, tmp_path, qtbot):
    run_through(ready, qtbot)
    choose_batch_folders(ready.form, photos, tmp_path / "out")
    qtbot.waitUntil(lambda: bool(ready.form.output_line.text()), timeout=60000)
    assert ready.form.output_line.text() == "3 images done before with these settings"
    ready.form.fit.value = "folder"
    words = "Start replaces 3 earlier results"
    qtbot.waitUntil(lambda: ready.form.output_line.text() == words, timeout=60000)


def test_another_run_on_the_same_output_is_refused_in_words(ready, tmp_path, qtbot, said):
    with locked(tmp_path / "out"):
        run_through(ready, qtbot)
    assert "Another run" in said[0]
    assert "Another run" in ready.message.text()
    assert ready.start_button.isEnabled()


def test_within_a_volume_the_slices_are_counted(ready):
    ready.job = BatchJob(ready.plan)
    ready.show_update(BatchUpdate(items=tuple(find_items(ready.plan))))
    ready.show_update(BatchUpdate(rows=(FileRow(file="b.png", status="running", slice=11, slices=40),)))
    assert states(ready)["b.png"] == "11 of 40"
    assert "slice 11 of 40" in ready.line.text()
    assert 0 < ready.bar.value() / ready.bar.maximum() < 1 / 3
    ready.show_update(BatchUpdate(rows=(FileRow(file="b.png", status="done"),)))
    assert states(ready)["b.png"] == "done"
    assert ready.line.text().startswith("1 of 3")
    assert "slice" not in ready.line.text()
    assert ready.bar.value() / ready.bar.maximum() == pytest.approx(1 / 3)
    ready.job = None


def test_a_cluster_that_does_not_answer_is_told(ready, qtbot, said, monkeypatch):
    pytest.importorskip("distributed", reason="the extra `cluster` is not installed")
    monkeypatch.setattr("napari_s3net.batch.executor.CONNECT_SECONDS", 1)
    ready.form.scheduler.value = " tcp://127.0.0.1:9 "
    assert not ready.form.jobs.enabled
    run_through(ready, qtbot)
    assert "The scheduler at tcp://127.0.0.1:9 does not answer" in ready.message.text()
    assert len(said) == 1
    assert ready.start_button.isEnabled()
    assert ready.table.files.rows == [None] * 3


def test_a_cluster_does_the_work_and_what_it_does_can_be_seen(ready, photos, qtbot):
    for n in range(40):  # long enough to be looked at
        PIL.Image.open(photos / "a.png").save(photos / f"x{n}.png")
    distributed = pytest.importorskip("distributed", reason="the extra `cluster` is not installed")
    with distributed.LocalCluster(
        n_workers=1, threads_per_worker=1, processes=False, protocol="tcp://", dashboard_address=":0"
    ) as cluster:
        ready.form.scheduler.value = cluster.scheduler_address
        ready.start_button.click()
        qtbot.waitUntil(lambda: "status" in ready.links.text() or ready.job is None, timeout=60000)
        assert cluster.dashboard_link in ready.links.text()
        qtbot.waitUntil(lambda: ready.job is None, timeout=60000)
    assert set(states(ready).values()) == {"done"}
    assert "report.html" in ready.links.text()


def test_pause_finishes_what_is_under_way_and_stop_keeps_it(ready, photos, tmp_path, qtbot):
    for n in range(200):
        PIL.Image.open(photos / "a.png").save(photos / f"x{n}.png")
    ready.start_button.click()
    qtbot.waitUntil(lambda: ready.progress.counts["done"] > 2, timeout=60000)
    ready.pause_button.click()
    assert ready.pause_button.text() == "Go on"
    qtbot.wait(700)
    before = dict(ready.progress.counts)
    qtbot.wait(700)
    assert ready.progress.counts == before
    assert "paused" in ready.line.text()
    ready.pause_button.click()
    qtbot.waitUntil(lambda: ready.progress.counts["done"] > before["done"], timeout=10000)
    ready.stop_button.click()
    qtbot.waitUntil(lambda: ready.job is None, timeout=5000)
    assert ready.line.text().startswith("Stopped: ")
    assert 3 < len(BatchReport(tmp_path / "out")) < 203
    assert "running" not in states(ready).values()


def test_a_double_click_opens_image_and_labels_as_any_result(ready, viewer, qtbot, said):
    run_through(ready, qtbot)
    ready.table.opened.emit("b.png")
    image, labels = map(plain, viewer.layers)
    assert (image.name, labels.name) == ("b", "b – S³-Net")
    assert labels.data.shape == (80, 80)
    note = metadata_of(labels)
    assert (note["foreground"], note["names"], note["preset"]) == ([1], {1: "Lesion", 2: "Skin"}, "skin")
    assert note["confidence"] > 0
    ready.table.opened.emit("c.png")
    assert [layer.name for layer in viewer.layers] == ["c", "c – S³-Net"]
    plain(viewer.layers[1]).data[0, 0] = 7
    ready.table.opened.emit("a.png")
    assert [layer.name for layer in viewer.layers] == ["c", "c – S³-Net", "a", "a – S³-Net"]
    assert not said


def test_what_cannot_be_opened_says_why(ready, photos, qtbot, said):
    (photos / "b.png").write_bytes(b"")
    ready.table.opened.emit("a.png")
    run_through(ready, qtbot)
    ready.table.opened.emit("b.png")
    (photos / "c.png").unlink()
    ready.table.opened.emit("c.png")
    with (photos / "a.png").open("ab") as stream:
        stream.write(b"another photograph")
    ready.table.opened.emit("a.png")
    assert "no result yet" in said[0]
    assert "0 bytes" in said[1]
    assert "any more" in said[2]
    assert "has changed since" in said[3]


def test_review_accepts_corrects_and_rejects_the_least_certain_first(ready, viewer, tmp_path, qtbot):
    run_through(ready, qtbot)
    ready.review_button.click()
    order = [
        row.file for row in sorted(BatchReport(tmp_path / "out").rows(), key=lambda row: (row.confidence, row.file))
    ]
    assert ready.panel.title.text() == order[0]
    ready.panel.buttons["accept"].click()
    assert ready.panel.title.text() == order[1]
    ready.panel.buttons["correct"].click()
    layer = plain(viewer.layers.selection.active)
    assert (str(layer.mode), layer.selected_label) == ("paint", 1)
    layer.data[:20, :20] = 1
    viewer.keymap[next(key for key in viewer.keymap if str(key) == "Shift+A")](viewer)
    assert ready.panel.title.text() == order[2]
    ready.panel.buttons["reject"].click()
    assert states(ready) == dict(zip(order, ("accepted", "corrected", "rejected"), strict=True))
    mask = read_image(tmp_path / "out" / "corrected" / "masks" / order[1]).array
    assert (mask[:20, :20] == 255).all()
    assert set(np.unique(mask)) == {0, 255}
    assert list(ready.table.files.shares) == [order[1]]
    assert ready.table.files.shares[order[1]] == pytest.approx((mask > 0).mean())
    ready.panel.close_button.click()
    assert not ready.review_controller.is_on
    assert not viewer.keymap
    # Opened again, the corrected labels are shown; and a batch leaves them alone.
    ready.table.opened.emit(order[1])
    assert (plain(viewer.layers[-1]).data[:20, :20] == 1).all()


def test_a_review_goes_on_where_it_was(ready, tmp_path, qtbot):
    run_through(ready, qtbot)
    ready.review_button.click()
    ready.panel.next.click()
    second = ready.panel.title.text()
    ready.panel.close_button.click()
    assert json.loads((tmp_path / "out" / "review.json").read_text(encoding="utf-8"))["at"] == second
    ready.review_button.click()
    assert ready.panel.title.text() == second
    ready.panel.back.click()
    assert ready.panel.title.text() != second


def test_what_was_decided_is_shown_after_a_run_that_had_nothing_left_to_do(ready, viewer, qtbot):
    run_through(ready, qtbot)
    ready.review_button.click()
    ready.panel.buttons["accept"].click()
    ready.panel.buttons["correct"].click()
    plain(viewer.layers.selection.active).data[:20, :20] = 1
    ready.panel.buttons["accept"].click()
    ready.panel.close_button.click()
    decided, shares, button = states(ready), dict(ready.table.files.shares), ready.review_button.text()
    assert {"accepted", "corrected"} <= set(decided.values())
    run_through(ready, qtbot)
    assert (states(ready), ready.table.files.shares, ready.review_button.text()) == (decided, shares, button)


def test_strokes_that_no_run_has_used_keep_the_image_in_view_after_a_review_as_well(ready, tmp_path, qtbot, said):
    run_through(ready, qtbot)
    ready.review_button.click()
    first = ready.panel.title.text()
    ready.panel.close_button.click()
    layers = list(ready._viewer.layers)
    ready.place.obstacle = lambda: "Your strokes have changed nothing yet."
    ready.review_button.click()
    assert not ready.review_controller.is_on
    ready.table.opened.emit("c.png" if first == "a.png" else "a.png")
    assert list(ready._viewer.layers) == layers
    assert ready.message.text() == "Your strokes have changed nothing yet."
    assert said == [ready.message.text()] * 2
    ready.place.obstacle = lambda: ""
    ready.review_button.click()
    assert ready.review_controller.is_on
    assert not ready.message.text()


def test_before_results_are_replaced_that_were_reviewed_it_asks(ready, photos, tmp_path, qtbot, monkeypatch):
    asked, answers = [], [QMessageBox.StandardButton.No, QMessageBox.StandardButton.Yes]
    monkeypatch.setattr(QMessageBox, "question", lambda *words: asked.append(words[2]) or answers[len(asked) - 1])
    assert ready.start_button.property("primary")
    run_through(ready, qtbot)
    ready.review_button.click()
    ready.panel.buttons["accept"].click()
    ready.panel.close_button.click()
    run_through(ready, qtbot)
    assert asked == [], "nothing is replaced"
    assert ready.review_button.property("primary"), "all is done"
    ready.form.kinds["overlays"].value = True
    qtbot.waitUntil(lambda: not ready._scan.is_on, timeout=60000)
    ready.form.preset.value = "skin"
    ready.form.changed.emit()
    qtbot.waitUntil(lambda: "replaces 3" in ready.form.output_line.text(), timeout=60000)
    assert ready.review_button.property("primary")
    assert not ready.start_button.property("primary")
    ready.start_button.click()
    assert ready.job is None
    assert asked[0].startswith("Start replaces 3 earlier results; 1 of them was reviewed and will have to be again.")
    run_through(ready, qtbot)
    assert len(asked) == 2
    assert set(states(ready).values()) == {"done"}
    ready.form.restart.value = True
    run_through(ready, qtbot)
    assert len(asked) == 2, "none was reviewed since"


def test_results_that_are_there_are_reviewed_at_once_unless_strokes_would_be_lost(dock, photos, tmp_path, qtbot, said):
    drain(iter_batch(Plan(source=photos, output=tmp_path / "out", recursive=True)))
    dock.place.obstacle = lambda: "Your strokes have changed nothing yet."
    dock.review(photos, tmp_path / "out")
    assert said == ["Your strokes have changed nothing yet."]
    assert not dock.form.has_folders
    dock.place.obstacle = lambda: ""
    dock.review(photos, tmp_path / "out")
    qtbot.waitUntil(lambda: dock.review_controller.is_on, timeout=60000)
    first = dock.panel.title.text()
    dock.panel.next.click()
    dock.review(photos, tmp_path / "out")
    assert dock.review_controller.is_on
    assert dock.panel.title.text() != first, "it goes on"


def test_a_review_that_cannot_begin_does_not_begin_later(dock, photos, tmp_path, qtbot):
    dock.form.preset.value = "file"
    dock.review(photos, tmp_path / "out")
    dock.form.preset.value = "auto"
    dock.form.changed.emit()
    qtbot.waitUntil(lambda: not dock._scan.is_on and bool(dock.table.files.files), timeout=60000)
    assert not dock.review_controller.is_on


def test_ten_thousand_rows_are_opened_without_a_look_at_their_measurements(dock, tmp_path, qtbot):
    out = tmp_path / "out"
    out.mkdir()
    with (out / "report.jsonl").open("wb") as stream:
        for n in range(10_000):
            row = FileRow(file=f"x{n:05}.png", status="done", confidence=n / 10_000, share=0.2)
            stream.write(row.to_line().replace(b'"regions": []', b'"regions": [whoever parses this fails'))
    choose_batch_folders(dock.form, out, out)
    qtbot.waitUntil(lambda: len(dock.table.files.files) == 10_000, timeout=60000)


def test_released_in_a_run_it_ends_the_run(ready, photos, qtbot):
    for n in range(100):
        PIL.Image.open(photos / "a.png").save(photos / f"x{n}.png")
    ready.start_button.click()
    qtbot.waitUntil(lambda: ready.progress.counts["done"] > 0, timeout=60000)
    job = ready.job
    ready.release()
    assert QThreadPool.globalInstance().waitForDone(30000)
    update = job.collect()
    assert update.over
    assert update.outcome.stopped


def test_a_batch_and_a_run_never_go_on_at_once(ready, said, monkeypatch):
    monkeypatch.setattr("napari_s3net.plugin.batch.dock.is_busy", lambda: True)
    ready.start_button.click()
    assert ready.job is None
    assert "still going on" in said[0]


def test_a_batch_is_shown_among_napari_s_activities(ready, qtbot, activities):
    shown = []
    ready.start_button.click()
    (bar,) = activities
    bar.events.value.connect(lambda event: shown.append(event.value))
    qtbot.waitUntil(lambda: ready.job is None, timeout=60000)
    assert shown[-1] == bar.total == 300
    assert not activities


def test_napari_opens_the_dock_by_its_name(make_napari_viewer):
    viewer = make_napari_viewer()
    _, widget = viewer.window.add_plugin_dock_widget("napari-s3net", "Batch")
    assert type(widget).__name__ == "BatchDock"
    assert widget.widget().minimumSizeHint().width() <= base.LEAST_WIDTH


def come_back(dock, qtbot):
    """As when somebody has been in another program meanwhile."""
    QApplication.sendEvent(dock, QEvent(QEvent.Type.WindowActivate))
    qtbot.waitUntil(lambda: dock._watch._running is None and not dock._scan.is_on, timeout=10000)


def test_files_that_came_or_went_meanwhile_are_counted_when_somebody_comes_back(ready, photos, qtbot):
    ready.show()
    come_back(ready, qtbot)
    assert ready.form.source_line.text() == "3 images"
    away = photos.with_name("away")
    away.mkdir()
    (photos / "a.png").rename(photos / "d.png")
    (photos / "b.png").rename(away / "b.png")
    come_back(ready, qtbot)
    assert ready.form.source_line.text() == "2 images"
    assert ready.table.files.files == ["c.png", "d.png"]
    for path in list(photos.iterdir()):
        path.rename(away / path.name)
    come_back(ready, qtbot)
    assert "is an image that can be read" in ready.message.text()
    (away / "b.png").rename(photos / "b.png")
    come_back(ready, qtbot)
    assert ready.form.source_line.text() == "1 image"
    assert not ready.message.text()


def test_what_is_said_of_a_batch_stays_when_somebody_comes_back_and_a_review_goes_on(ready, photos, qtbot):
    ready.show()
    run_through(ready, qtbot)
    said, rows = ready.line.text(), list(ready.table.files.rows)
    come_back(ready, qtbot)
    assert (ready.line.text(), ready.table.files.rows) == (said, rows)
    ready.review_button.click()
    (photos / "d.png").write_bytes((photos / "c.png").read_bytes())
    come_back(ready, qtbot)
    assert ready.review_controller.is_on
    ready.review_controller.end()
    come_back(ready, qtbot)
    assert ready.form.source_line.text() == "4 images"
