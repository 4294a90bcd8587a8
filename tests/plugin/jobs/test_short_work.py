"""Short work beside the window."""

from threading import Event

import pytest
from qtpy.QtCore import QObject

from napari_s3net.plugin.jobs.short_work import ShortWork
from napari_s3net.plugin.jobs.thread_job import Failure, is_busy

pytestmark = pytest.mark.viewer


@pytest.fixture
def told():
    return []


@pytest.fixture
def work(told, qapp):
    owner = QObject()
    work = ShortWork("look", owner)
    work.done.connect(told.append)
    yield work
    work.forget()


def test_it_makes_no_run_wait_and_tells_what_came_of_it(work, told, qtbot):
    work.begin(lambda: 7)
    assert work.is_on
    assert not is_busy()
    qtbot.waitUntil(lambda: not work.is_on, timeout=60000)
    assert told == [7]


def test_what_fails_is_told(work, told, qtbot):
    work.begin(lambda: 1 / 0)
    qtbot.waitUntil(lambda: bool(told), timeout=60000)
    assert isinstance(told[0], Failure)
    assert "The look ended with an unexpected error" in told[0].message


def test_what_was_overtaken_or_forgotten_is_not_told_and_not_waited_for(work, told, qtbot):
    may_end = Event()
    try:
        work.begin(lambda: may_end.wait(60))
        work.begin(lambda: "newer")
        qtbot.waitUntil(lambda: told == ["newer"], timeout=60000)
        work.begin(lambda: may_end.wait(60))
        work.forget()
        assert not work.is_on
    finally:
        may_end.set()
    qtbot.wait(200)
    assert told == ["newer"]
