import pytest

from napari_s3net.plugin.widgets.time_left import TimeLeft


@pytest.fixture
def watch():
    """A clock that a test sets."""
    return {"now": 0.0}


@pytest.fixture
def left(watch):
    return TimeLeft(lambda: watch["now"])


def test_time_left_waits_for_a_pace(watch, left):
    left.begin(0)
    watch["now"] = 0.1
    assert left.after(1, 39) is None
    watch["now"] = 2.0
    assert left.after(10, 30) == pytest.approx(6.0)


def test_what_was_done_before_the_clock_was_started_says_nothing_of_the_pace(watch, left):
    assert left.after(10, 30) is None
    watch["now"] = 4.0
    assert left.after(14, 26) == pytest.approx(26.0)


@pytest.mark.parametrize(("is_told", "done"), [(True, 5), (False, 1)])
def test_work_that_begins_anew_has_a_new_pace(watch, left, is_told, done):
    """After a pause somebody says so; iterations that begin again say so themselves."""
    left.after(5, 30)
    watch["now"] = 100.0
    if is_told:
        left.restart()
    assert left.after(done, 30) is None
    watch["now"] = 102.0
    assert left.after(done + 4, 20) == pytest.approx(10.0)
