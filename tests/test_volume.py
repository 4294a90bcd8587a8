import numpy as np
import pytest

from napari_s3net.errors import InvalidImageError
from napari_s3net.image import Geometry, Image, Segmentation, Step
from napari_s3net.settings import Settings
from napari_s3net.volume import iter_planes

STACK = Image(np.zeros((3, 4, 5), np.float32), Geometry.identity(3), "grey", "stack")


def result(plane):
    return Segmentation(np.ones(plane.shape, np.int32), (1,), plane.geometry, Settings(), {1: "Lesion"})


def through(steps, answer=None):
    """Every step and the result; each step is answered alike."""
    seen, said = [], None
    while True:
        try:
            seen.append(steps.send(said))
        except StopIteration as end:
            return seen, end.value
        said = answer


def test_each_step_says_which_slice_it_belongs_to():
    def iter_plane(plane):
        yield Step(1, 2, {}, 1)
        yield Step(2, 2, {}, 1)
        return result(plane)

    seen, joined = through(iter_planes(STACK, iter_plane))
    assert [(step.slice, step.slices, step.iteration) for step in seen] == [
        (index, 3, iteration) for index in range(3) for iteration in (1, 2)
    ]
    assert joined.labels.shape == STACK.shape


def test_a_slice_with_nothing_in_it_keeps_its_number():
    planes = []

    def iter_plane(plane):
        planes.append(plane)
        yield Step(1, 1, {}, 1)
        if len(planes) == 2:
            raise InvalidImageError("one tone")
        return result(plane)

    seen, joined = through(iter_planes(STACK, iter_plane))
    assert [step.slice for step in seen] == [0, 1, 2]
    assert joined.labels.any(axis=(1, 2)).tolist() == [True, False, True]


def test_answers_reach_the_run_of_a_slice_and_closing_ends_it():
    heard, closed = [], []

    def iter_plane(plane):
        try:
            heard.append((yield Step(1, 1, {}, 1)))
        except GeneratorExit:
            closed.append(plane)
            raise
        return result(plane)

    through(iter_planes(STACK, iter_plane), answer=True)
    assert heard == [True] * 3
    steps = iter_planes(STACK, iter_plane)
    next(steps)
    steps.close()
    assert len(closed) == 1


def test_a_plane_is_no_stack():
    def iter_plane(plane):
        yield Step(1, 1, {}, 1)
        return result(plane)

    seen, one = through(iter_planes(STACK.slice(0), iter_plane))
    assert (seen[0].slice, seen[0].slices) == (0, 1)
    assert one.labels.shape == (4, 5)


def test_a_stack_of_nothing_is_told():
    def iter_plane(plane):
        yield Step(1, 1, {}, 1)
        raise InvalidImageError("one tone")

    with pytest.raises(InvalidImageError, match="one tone"):
        through(iter_planes(STACK, iter_plane))
