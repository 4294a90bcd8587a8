"""Work in one of napari's threads."""

import gc
import weakref
from threading import Event

import numpy as np
import pytest
from qtpy.QtCore import QThreadPool

from napari_s3net.errors import InvalidImageError
from napari_s3net.plugin.jobs.thread_job import Failure, LongJob, PausableJob, ThreadJob, busy_words, is_busy

pytestmark = pytest.mark.viewer


class Waits(LongJob):
    """Goes on until it is told to end."""

    def __init__(self, answer="done"):
        super().__init__()
        self.answer, self.end = answer, Event()

    def _do(self):
        self.end.wait(30)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


def finish(job, qtbot):
    job.end.set()
    qtbot.waitUntil(lambda: job.is_over, timeout=60000)


def test_an_outcome_is_handed_over_once(qtbot):
    job = Waits()
    job.start()
    assert job.take_outcome() is None
    finish(job, qtbot)
    assert job.take_outcome() == "done"
    assert job.take_outcome() is None


def test_one_long_job_at_a_time(qtbot):
    first, second = Waits(), Waits()
    first.start()
    assert is_busy()
    with pytest.raises(RuntimeError, match="still going on"):
        second.start()
    finish(first, qtbot)
    assert not is_busy()
    second.start()
    finish(second, qtbot)
    assert second.take_outcome() == "done"


@pytest.mark.parametrize(
    ("error", "text", "has_details"),
    [
        (InvalidImageError("The image is empty."), "The image is empty.", False),
        (RuntimeError("CUDA out of memory"), "Out of memory.", False),
        (KeyError("surprise"), "unexpected error: KeyError", True),
    ],
)
def test_an_error_ends_the_job_and_is_handed_over_as_data(qtbot, error, text, has_details):
    job = Waits(error)
    job.start()
    finish(job, qtbot)
    assert not is_busy()
    failure = job.take_outcome()
    assert isinstance(failure, Failure)
    assert text in failure.message
    assert ("Traceback" in failure.details) == has_details


def test_a_cancelled_job_hands_over_nothing(qtbot):
    job = Waits()
    job.start()
    job.cancel()
    finish(job, qtbot)
    assert job.take_outcome() is None


def test_napari_keeps_nothing_of_a_job(qtbot):
    job = Waits(np.zeros(1000))
    array = weakref.ref(job.answer)
    job.start()
    finish(job, qtbot)
    job.take_outcome()
    QThreadPool.globalInstance().waitForDone(5000)
    known = weakref.ref(job)
    del job
    Waits.start(other := Waits())  # the place of the long job is another's now
    finish(other, qtbot)
    gc.collect()
    qtbot.waitUntil(lambda: known() is None and array() is None, timeout=5000)


def test_a_job_that_is_not_long_does_not_make_others_wait(qtbot):
    class Short(ThreadJob):
        def _do(self):
            return 7

    job = Short()
    job.start()
    assert not is_busy()
    qtbot.waitUntil(lambda: job.is_over, timeout=60000)
    assert job.take_outcome() == 7


def test_of_work_that_is_paused_it_is_not_said_to_wait_for_it(qtbot):
    class Pauses(PausableJob):
        what = "Learning"

        def __init__(self):
            super().__init__()
            self.end = Event()

        def _do(self):
            self.end.wait(60)

    job = Pauses()
    job.start()
    job.pause(True)
    assert busy_words("A run") == "Learning is paused. Let it go on, or stop it there."
    job.pause(False)
    assert busy_words("A run") == "Learning is still going on. Wait for it, or stop it there."
    job.pause(True)
    job.stop()
    assert busy_words("A run") == "Learning is still going on. Wait for it, or stop it there."
    finish(job, qtbot)


def test_of_work_that_was_cancelled_it_is_not_said_that_it_is_to_be_cancelled(qtbot):
    job = Waits()
    job.start()
    assert busy_words("A run") == "A run is still going on. Wait for it, or stop it there."
    job.cancel()
    assert is_busy()
    assert busy_words("A run").startswith("What was cancelled ends with the step that it is at.")
    finish(job, qtbot)


def test_a_job_that_is_looked_for_elsewhere_says_where_it_is(qtbot):
    job = Waits()
    job.what = "Work of the Learn tab"
    job.start()
    assert busy_words("A run").startswith("Work of the Learn tab is still going on.")
    finish(job, qtbot)
    assert busy_words("A run").startswith("A run is")
