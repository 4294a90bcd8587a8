"""Driving a generator."""

import pytest

from napari_s3net.runtime.generators import drain, follow, relay


def count(n, seen):
    for i in range(n):
        yield i
        seen.append(i)
    return "done"


@pytest.mark.parametrize("n", [0, 3])
def test_all_steps_are_taken_and_the_result_comes_back(n):
    seen = []
    assert drain(count(n, seen)) == "done"
    assert seen == list(range(n))


def test_an_error_gets_out():
    def broken():
        yield 1
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        drain(broken())


def test_each_step_is_heard_and_answered():
    answers = []

    def ask():
        answers.append((yield 0))
        answers.append((yield 1))
        return "done"

    assert follow(ask(), lambda i: 10 * i) == "done"
    assert answers == [0, 10]


def test_a_listener_that_raises_ends_the_work():
    ended = []

    def work():
        try:
            yield 1
        finally:
            ended.append(True)

    def refuse(step):
        raise KeyError(step)

    with pytest.raises(KeyError):
        follow(work(), refuse)
    assert ended == [True]


def test_a_relay_changes_steps_and_passes_answers_and_result():
    heard = []

    def ask():
        heard.append((yield 1))
        heard.append((yield 2))
        return "done"

    seen = []
    assert follow(relay(ask(), lambda i: -i), lambda i: seen.append(i) or 10 * i) == "done"
    assert (seen, heard) == ([-1, -2], [-10, -20])


def test_a_closed_relay_closes_the_work():
    ended = []

    def work():
        try:
            yield 1
        finally:
            ended.append(True)

    steps = relay(work(), lambda i: i)
    next(steps)
    steps.close()
    assert ended == [True]
