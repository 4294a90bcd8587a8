"""Draining a generator."""

import pytest

from napari_s3net.runtime.generators import drain, follow


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
