"""What kills a process is a row."""

import threading
import time
from dataclasses import replace

import pytest

from napari_s3net.batch import isolated
from napari_s3net.batch.plan import Task


@pytest.fixture
def task(plan, folder, save, tmp_path):
    def task(name, device="auto", segmenter="tests.batch.segmenters:deadly"):
        import sys

        path = save(folder / name)
        plan.output.mkdir(exist_ok=True)
        return Task(
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

    return task


def test_warm_processes_are_used_again(task):
    assert isolated.run(task("a.png")).status == "done"
    (slot, child) = isolated._idle[0]
    assert isolated.run(task("b.png")).status == "done"
    assert isolated._idle == [(slot, child)]


def test_an_image_that_aborts_the_process_is_a_row_and_the_next_is_done(task):
    row = isolated.run(task("abort.png"))
    assert row.status == "failed"
    assert "died twice (code -6)" in row.error
    assert isolated.run(task("b.png")).status == "done"


def test_ended_by_the_system_is_tried_smaller_and_said(task, plan):
    row = isolated.run(task("killed.png"))
    assert row.status == "done"
    assert row.note == "Out of memory. Tried again at half the working size and finished there."


def test_out_of_memory_on_the_card_ends_on_the_cpu(task):
    row = isolated.run(task("huge.png"))
    assert row.status == "done"
    assert row.note == "Out of memory. Tried again at half the working size on the CPU and finished there."


def test_real_lack_of_memory_is_a_row(task):
    row = isolated.run(task("hungry.png", device="cpu"))
    assert row.status == "failed"
    assert row.error.startswith("Out of memory.")
    assert "in vain" in row.error


def test_unexpected_errors_are_rows(task):
    row = isolated.run(task("odd.png"))
    assert (row.status, row.error) == ("failed", "Unexpected KeyError: 'k'")


def test_a_run_that_is_ended_ends_at_once(task):
    waiting = replace(task("a.png", segmenter="tests.batch.segmenters:vanishing"), run="ended")
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
