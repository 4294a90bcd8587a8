import threading
import time

import pytest

from napari_s3net.runtime.deadline import Deadlines


@pytest.fixture
def deadlines():
    return Deadlines()


def test_what_is_late_is_told_once(deadlines):
    told, late = [], threading.Event()
    with deadlines.after(0.05, lambda: told.append(1) or late.set()):
        assert late.wait(60)
        time.sleep(0.1)
    assert told == [1]


def test_a_moment_can_be_moved_to_later_or_earlier_until_it_has_passed(deadlines):
    first, second = threading.Event(), threading.Event()
    with deadlines.after(0.3, first.set) as renew_first, deadlines.after(600, second.set) as renew_second:
        renew_first(600)
        renew_second(0.01)
        assert second.wait(60)
        time.sleep(0.4)
        assert not first.is_set()
        second.clear()
        renew_second(0.01)
        time.sleep(0.1)
        assert not second.is_set(), "it was told, and is over"


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
