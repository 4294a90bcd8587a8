"""A batch in a thread, with a threshold in place of the network."""

from dataclasses import replace

import PIL.Image
import pytest
from qtpy.QtCore import QThreadPool

from napari_s3net.batch import BatchReport, FileRow, Plan, find_items, isolated, iter_batch
from napari_s3net.batch.fit import choose
from napari_s3net.batch.folder import locked
from napari_s3net.phantom import disc
from napari_s3net.plugin.jobs.batch_job import BatchJob, rewrite_page, scan_folders
from napari_s3net.plugin.jobs.thread_job import Failure
from napari_s3net.runtime import child_pool
from tests.batch import segmenters

pytestmark = pytest.mark.viewer


@pytest.fixture(scope="module", autouse=True)
def close_children():
    yield
    QThreadPool.globalInstance().waitForDone(10000)
    isolated.close_idle()
    child_pool.close_all()


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setitem(iter_batch.__kwdefaults__, "segmenter", segmenters.deadly)


@pytest.fixture
def photos(tmp_path):
    folder = tmp_path / "photos"
    folder.mkdir()
    for name, size in (("a.png", 64), ("b.png", 80), ("c.png", 96)):
        PIL.Image.fromarray(disc(kind="rgb").image.array).resize((size, size)).save(folder / name)
    return folder


def collected(job, qtbot):
    updates = []

    def is_over():
        updates.append(job.collect())
        return updates[-1].over

    qtbot.waitUntil(is_over, timeout=60000)
    return updates


def test_each_item_row_and_outcome_is_handed_over_once(photos, tmp_path, qtbot):
    job = BatchJob(Plan(source=photos, output=tmp_path / "out", device="cpu"))
    job.start()
    updates = collected(job, qtbot)
    (items,) = [update.items for update in updates if update.items is not None]
    assert [item.file for item in items] == ["a.png", "b.png", "c.png"]
    rows = [row for update in updates for row in update.rows]
    assert sorted(row.file for row in rows if row.status == "done") == ["a.png", "b.png", "c.png"]
    assert all(row.regions == () for row in rows), "measurements stay in the report"
    (outcome,) = [update.outcome for update in updates if update.outcome is not None]
    assert (outcome.done, outcome.failed) == (3, 0)


def test_stopped_before_its_first_file_it_is_over_soon(photos, tmp_path, qtbot):
    job = BatchJob(Plan(source=photos, output=tmp_path / "out", device="cpu"))
    job.pause(True)
    job.start()
    job.stop()
    assert collected(job, qtbot)[-1].outcome.done < 3


def test_a_folder_that_cannot_be_used_is_told(tmp_path):
    found = scan_folders(Plan(source=tmp_path / "nowhere", output=tmp_path / "out"))
    assert isinstance(found.failure, Failure)
    assert found.items == ()


def test_what_a_folders_network_has_done_counts_as_done_before(photos, tmp_path):
    plan = Plan(source=photos, output=tmp_path / "out", fit="folder")
    items = find_items(plan)
    digest = choose(plan.digest, items)[2]
    with locked(plan.output):
        report = BatchReport(plan.output)
        for item, made_with in zip(items, (digest, plan.digest, digest), strict=True):
            report.append(FileRow(file=item.file, status="done", settings=made_with))
    found, other = scan_folders(plan), scan_folders(replace(plan, fit="image"))
    assert (found.current, found.otherwise) == (2, 1)
    assert (other.current, other.otherwise) == (1, 2)


def test_the_report_s_page_is_written_anew(tmp_path):
    (tmp_path / "report.jsonl").touch()
    BatchReport(tmp_path).append(FileRow(file="a.png", status="done"))
    rewrite_page(tmp_path)
    assert "a.png" in (tmp_path / "report.html").read_text(encoding="utf-8")
    assert not (tmp_path / "measurements.csv").exists(), "where none was asked for"
    (tmp_path / "measurements.csv").touch()
    rewrite_page(tmp_path)
    assert (tmp_path / "measurements.csv").read_text(encoding="utf-8").startswith("file,label")
