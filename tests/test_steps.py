"""Draining a generator."""

import pytest

from napari_s3net.steps import drain


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
