from dataclasses import replace

import numpy as np
import pytest

from napari_s3net.errors import InvalidImageError
from napari_s3net.image import Geometry, Image
from napari_s3net.progress import Step
from napari_s3net.provenance import Provenance
from napari_s3net.result import Segmentation
from napari_s3net.runtime.generators import follow
from napari_s3net.segments import Meaning
from napari_s3net.settings import Settings
from napari_s3net.volume.slices import iter_planes, join_provenance, join_slices

STACK = Image(np.zeros((3, 4, 5), np.float32), Geometry.identity(3), "grey", "stack")


def result(plane):
    return Segmentation(
        np.ones(plane.shape, np.int32), (1,), plane.geometry, Provenance(settings=Settings()), {1: "Lesion"}
    )


def through(steps, answer=None):
    """Every step and the result; each step is answered alike."""
    seen = []
    return seen, follow(steps, lambda step: seen.append(step) or answer)


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


def part_of(labels, foreground, meanings, **more):
    made = Provenance(settings=Settings(), **more)
    names = {i: meaning.name for i, meaning in meanings.items()}
    return Segmentation(np.array(labels, np.int32), foreground, Geometry.identity(2), made, names, meanings)


def test_slices_are_joined_so_that_an_id_means_the_same_in_all():
    image = Image(np.zeros((4, 2, 2), np.float32), Geometry.identity(3), "grey")
    spot = {1: Meaning("Spot"), 2: Meaning("Rest")}
    losses = ({"cluster": 3.0}, {"cluster": 2.0})
    one = part_of([[1, 2], [2, 2]], (1,), spot, confidence=0.5, seconds=1.0, iterations=2, losses=losses)
    two = part_of(
        [[1, 2], [3, 3]], (1, 2), {1: Meaning("A"), 2: Meaning("B")}, confidence=1.0, seconds=2.0, iterations=1
    )
    none = part_of([[1, 1], [1, 2]], (), {1: Meaning("Rest")})
    joined = join_slices(image, [one, None, two, none])
    assert joined.foreground == (1, 2, 3)
    assert joined.labels.tolist() == [[[1, 4], [4, 4]], [[0, 0], [0, 0]], [[2, 3], [5, 5]], [[4, 4], [4, 5]]]
    assert joined.names == {1: "Spot", 2: "A", 3: "B", 4: "Rest", 5: ""}
    assert joined.meanings == {1: Meaning("Spot"), 2: Meaning("A"), 3: Meaning("B"), 4: Meaning("Rest")}
    assert np.array_equal(joined.mask[2], two.mask)
    assert joined.geometry == image.geometry
    made = joined.provenance
    assert (made.confidence, made.seconds, made.iterations) == (pytest.approx(0.5), 3, 3)
    assert made.losses == ()
    assert [part.slice for part in made.slices] == [0, 2, 3]
    assert made.slices[0].losses == losses
    assert made.image.shape == (4, 2, 2)


def test_clusters_of_one_meaning_follow_the_overlap_through_the_stack():
    parts = []
    for swapped in (False, True, False):
        plane = np.full((4, 8), 1, np.int32)
        plane[:, 3:5], plane[:, 5:] = 2, 3
        parts.append(
            part_of(
                4 - plane if swapped else plane, (2,), dict.fromkeys((1, 3), Meaning("Body")) | {2: Meaning("Lung")}
            )
        )
    joined = join_slices(Image(np.zeros((3, 4, 8), np.float32), Geometry.identity(3), "grey"), parts)
    assert (joined.labels == joined.labels[0]).all()
    assert joined.foreground == (1,)
    assert joined.names == {1: "Lung", 2: "Body", 3: "Body"}


def test_names_for_the_screen_decide_nothing():
    """Two slices whose clusters swap their numbers: what they mean finds them again, whatever they are called."""
    meanings = {1: Meaning("Body"), 2: Meaning("Body", -1)}
    first = part_of([[1, 1, 2, 2]], (), meanings)
    second = replace(
        part_of([[2, 2, 1, 1]], (), {2: meanings[1], 1: meanings[2]}), names={1: "renamed", 2: "Body, darker"}
    )
    joined = join_slices(Image(np.zeros((2, 1, 4), np.float32), Geometry.identity(3), "grey"), [first, second])
    assert joined.labels.tolist() == [[[1, 1, 2, 2]], [[1, 1, 2, 2]]]
    assert joined.names == {1: "Body", 2: "Body, darker"}


@pytest.mark.parametrize(
    ("words", "together"),
    [
        (["sure", "look", "sure"], "look"),
        (["sure", "no clear object"], "no clear object"),
        (["sure"], "sure"),
        (["", "sure"], ""),
    ],
)
def test_a_stack_is_as_certain_as_its_least_certain_slice(words, together):
    parts = [Provenance(settings=Settings(), certainty=word) for word in words]
    assert join_provenance([None, *parts], STACK.facts).certainty == together
