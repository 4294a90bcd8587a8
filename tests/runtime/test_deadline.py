import threading
import time

import pytest

from napari_s3net.runtime.deadline import Deadlines


@pytest.fixture
def deadlines():
    return Deadlines()


def test_what_is_late_is_told_once_and_in_time(deadlines):
    told = []
    begun = time.monotonic()
    with deadlines.after(0.1, lambda: told.append(time.monotonic() - begun)):
        time.sleep(0.5)
    assert len(told) == 1
    assert 0.1 <= told[0] < 0.5


def test_what_is_in_time_is_not_told(deadlines):
    told = []
    with deadlines.after(0.05, lambda: told.append(1)):
        pass
    time.sleep(0.2)
    assert told == []


def test_a_shorter_time_is_kept_while_a_longer_one_runs(deadlines):
    short, long = threading.Event(), threading.Event()
    with deadlines.after(60, long.set), deadlines.after(0.05, short.set):
        assert short.wait(5)
    assert not long.is_set()


def test_it_goes_on_after_everything_was_over(deadlines):
    for _ in range(2):
        late = threading.Event()
        with deadlines.after(0.02, late.set):
            assert late.wait(5)
        time.sleep(0.05)


def test_many_requests_share_one_thread(deadlines):
    before = threading.active_count()
    for _ in range(50):
        with deadlines.after(60, pytest.fail):
            assert threading.active_count() == before + 1
