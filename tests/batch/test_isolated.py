"""What kills a process is a row."""

import os
import signal
import sys
import threading
import time
from dataclasses import replace

import pytest

from napari_s3net.batch import isolated
from napari_s3net.batch.plan import FileJob
from napari_s3net.runtime.child_pool import ChildEndedError
from napari_s3net.runtime.child_process import ChildDiedError, ChildStartError, ChildTimeoutError


@pytest.fixture
def job(plan, folder, save, tmp_path):
    def job(name, device="auto", segmenter="tests.batch.segmenters:deadly", **more):
        path = save(folder / name, **more)
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
    children = isolated.WORKERS.children
    assert isolated.run(job("b.png")).status == "done"
    assert isolated.WORKERS.children == children


def test_an_image_that_aborts_the_process_is_a_row_and_the_next_is_done(job):
    row = isolated.run(job("abort.png"))
    assert row.status == "failed"
    assert row.error == "The process that worked on it died (code -6)."
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
        except ChildEndedError as error:
            caught.append(error)

    isolated.close_idle()
    thread = threading.Thread(target=work)
    thread.start()
    while not isolated.WORKERS.children:
        time.sleep(0.01)
    isolated.end("ended")
    thread.join(5)
    assert not thread.is_alive()
    assert len(caught) == 1
    with pytest.raises(ChildEndedError):
        isolated.run(waiting)


@pytest.mark.parametrize(
    ("error", "reading", "words"),
    [
        (ChildTimeoutError(86_400), False, "Working on it took longer than 24 hours and was given up."),
        (ChildTimeoutError(21), True, "reading it took longer than 21 seconds and was given up."),
        (ChildDiedError(-6), True, "it is damaged in a way that makes its decoder crash (code -6)."),
        (
            ChildDiedError(-9),
            True,
            "the system ended the process that was reading it, probably because memory ran out",
        ),
        (ChildStartError("No such file"), False, "The process that works on it could not be started: No such file."),
    ],
)
def test_the_reason_tells_what_the_process_was_doing(job, monkeypatch, error, reading, words):
    def ask(request, seconds, *, on_news, group):
        on_news({"reading": True})
        on_news({"reading": reading})
        raise error

    monkeypatch.setattr(isolated.WORKERS, "ask", ask)
    assert isolated.run(job("a.png")).error.startswith(words)


def test_a_decoder_that_crashes_costs_one_file(job, monkeypatch):
    ask = isolated.WORKERS.ask

    def crash_while_reading(request, seconds, *, on_news, group):
        def crash(news):
            on_news(news)
            if news == {"reading": True}:
                (child,) = isolated.WORKERS.children
                os.kill(child.pid, signal.SIGABRT)

        return ask(request, seconds, on_news=crash, group=group)

    isolated.close_idle()
    large = job("large.png", shape=(1500, 1500))
    with monkeypatch.context() as patch:
        patch.setattr(isolated.WORKERS, "ask", crash_while_reading)
        assert isolated.run(large).error == "it is damaged in a way that makes its decoder crash (code -6)."
    assert isolated.run(job("b.png")).status == "done"
