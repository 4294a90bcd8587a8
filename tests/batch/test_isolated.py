"""What kills a process is a row."""

import threading
import time
from dataclasses import replace

import pytest

from napari_s3net.batch import isolated
from napari_s3net.batch.plan import FileJob


@pytest.fixture
def job(plan, folder, save, tmp_path):
    def job(name, device="auto", segmenter="tests.batch.segmenters:deadly"):
        import sys

        path = save(folder / name)
        plan.output.mkdir(exist_ok=True)
        return FileJob(
            run=f"run of {tmp_path}",
            file=name,
            path=str(path),
            series=None,
            stem=path.stem,
            output=str(plan.output),
            preset="skin",
            changes={},
            write=("labels",),
            device=device,
            digest="d",
            segmenter=segmenter,
            search=tuple(sys.path),
        )

    return job


def test_warm_processes_are_used_again(job):
    assert isolated.run(job("a.png")).status == "done"
    (slot, child) = isolated._idle[0]
    assert isolated.run(job("b.png")).status == "done"
    assert isolated._idle == [(slot, child)]


def test_an_image_that_aborts_the_process_is_a_row_and_the_next_is_done(job):
    row = isolated.run(job("abort.png"))
    assert row.status == "failed"
    assert "died twice (code -6)" in row.error
    assert isolated.run(job("b.png")).status == "done"


def test_ended_by_the_system_is_tried_smaller_and_said(job, plan):
    row = isolated.run(job("killed.png"))
    assert row.status == "done"
    assert row.note == "Out of memory. Tried again at half the working size and finished there."


def test_out_of_memory_on_the_card_ends_on_the_cpu(job):
    row = isolated.run(job("huge.png"))
    assert row.status == "done"
    assert row.note == "Out of memory. Tried again at half the working size on the CPU and finished there."


def test_real_lack_of_memory_is_a_row(job):
    row = isolated.run(job("hungry.png", device="cpu"))
    assert row.status == "failed"
    assert row.error.startswith("Out of memory.")
    assert "in vain" in row.error


def test_unexpected_errors_are_rows(job):
    row = isolated.run(job("odd.png"))
    assert (row.status, row.error) == ("failed", "Unexpected KeyError: 'k'")


def test_a_run_that_is_ended_ends_at_once(job):
    waiting = replace(job("a.png", segmenter="tests.batch.segmenters:vanishing"), run="ended")
    caught = []

    def work():
        try:
            isolated.run(waiting)
        except isolated.EndedError as error:
            caught.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    while not isolated._busy:
        time.sleep(0.01)
    time.sleep(0.3)
    isolated.end("ended")
    thread.join(5)
    assert not thread.is_alive()
    assert len(caught) == 1
    with pytest.raises(isolated.EndedError):
        isolated.run(waiting)
