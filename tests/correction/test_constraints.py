"""What the user drew, check_drawn."""

from dataclasses import replace

import numpy as np
import pytest

from napari_s3net.correction.constraints import BACKGROUND, OBJECT, check_drawn, make_constraints
from napari_s3net.errors import InvalidConstraintsError
from napari_s3net.image import Geometry
from napari_s3net.provenance import Provenance
from napari_s3net.result import Segmentation
from napari_s3net.settings import Settings


def result(labels, foreground=(1,)):
    return Segmentation(np.asarray(labels, np.int32), foreground, Geometry.identity(2), Provenance(settings=Settings()))


@pytest.fixture
def halves():
    labels = np.full((6, 8), 2)
    labels[:, 4:] = 3
    labels[2:4, 2:6] = 1
    return result(labels)


def drawn(**marks):
    strokes = np.zeros((6, 8), np.int32)
    for place, value in marks.items():
        strokes[int(place[1]), int(place[2])] = value
    return strokes


def test_sides_and_labels(halves):
    constraints = make_constraints(halves, drawn(p00=OBJECT, p01=BACKGROUND, p02=3))
    assert constraints.ids.tolist() == [1, 2, 3]
    assert constraints.foreground == (1,)
    allowed = constraints.allowed(np.array([OBJECT, BACKGROUND, 3], np.int32))
    assert allowed.tolist() == [[True, False, False], [False, True, True], [False, False, True]]


def test_a_lock_is_stronger_than_a_stroke(halves):
    constraints = make_constraints(halves, drawn(p22=2, p00=1, p55=3), locked=(1,))
    assert constraints.locked.sum() == 8
    assert np.argwhere(constraints.drawn).tolist() == [[5, 5]]
    assert not constraints.allowed(np.array([OBJECT], np.int32)).any()


@pytest.mark.parametrize(("side", "locked"), [(OBJECT, (1,)), (BACKGROUND, (2, 3))])
def test_a_stroke_of_a_side_that_is_locked_as_a_whole_is_left_out(halves, side, locked):
    assert not make_constraints(halves, drawn(p00=side, p55=side), locked=locked).drawn.any()
    assert make_constraints(halves, drawn(p00=side, p22=side), locked=(3,)).drawn.any()


def test_a_locked_region(halves):
    region = np.zeros((6, 8), bool)
    region[:, :2] = True
    constraints = make_constraints(halves, drawn(p00=1, p07=1), locked_region=region)
    assert constraints.drawn.sum() == 1
    assert constraints.locked.sum() == 12
    with pytest.raises(InvalidConstraintsError, match="locked region of shape"):
        make_constraints(halves, drawn(), locked_region=region[:3])


def test_a_new_label_may_be_drawn(halves):
    constraints = make_constraints(halves, drawn(p00=7))
    assert constraints.ids.tolist() == [1, 2, 3, 7]
    assert constraints.foreground == (1,)


def test_labels_made_elsewhere_have_their_object_above_zero():
    labels = np.zeros((6, 8))
    labels[2:4] = 5
    constraints = make_constraints(result(labels, ()), drawn(p00=OBJECT, p25=BACKGROUND))
    assert constraints.ids.tolist() == [0, 5]
    assert constraints.foreground == (5,)
    assert constraints.allowed(np.array([BACKGROUND], np.int32)).tolist() == [[True, False]]


def test_of_a_result_without_an_object_an_object_stroke_gets_a_label_of_its_own(halves):
    nothing = replace(halves, foreground=(), names={1: "Blood", 2: "Muscle", 3: "Air", 8: "Fat, in another slice"})
    assert make_constraints(nothing, drawn(p00=3)).foreground == ()
    constraints = make_constraints(nothing, drawn(p00=OBJECT, p25=BACKGROUND))
    assert constraints.foreground == (9,)
    assert constraints.ids.tolist() == [1, 2, 3, 9]
    allowed = constraints.allowed(np.array([OBJECT, BACKGROUND], np.int32))
    assert allowed.tolist() == [[False, False, False, True], [True, True, True, False]]


def test_a_side_without_a_label_gets_one():
    constraints = make_constraints(result(np.zeros((6, 8)), ()), drawn(p00=OBJECT))
    assert constraints.foreground == (1,)
    constraints = make_constraints(result(np.ones((6, 8))), drawn(p00=BACKGROUND))
    assert constraints.ids.tolist() == [0, 1]


@pytest.mark.parametrize(
    ("array", "words"),
    [
        (np.zeros((3, 3), int), "labels' shape"),
        (np.zeros((6, 8)), "whole numbers"),
        (np.full((6, 8), -1), "between 0"),
        (np.full((6, 8), OBJECT + 1), "between 0"),
    ],
)
def test_constraints_that_do_not_fit_are_explained(array, words):
    with pytest.raises(InvalidConstraintsError, match=words):
        check_drawn(array, (6, 8))


def test_drawn_values_are_a_copy_of_whole_numbers():
    array = np.zeros((6, 8), np.uint8)
    drawn = check_drawn(array, (6, 8))
    assert drawn.dtype == np.int32
    assert not np.shares_memory(drawn, array)
    assert check_drawn(np.full((6, 8), OBJECT), (6, 8)).max() == OBJECT
    assert check_drawn(np.zeros((6, 8), bool), (6, 8)).max() == 0


def test_what_was_given_is_left_as_it_was(halves):
    array, labels = drawn(p22=2, p00=1), halves.labels.copy()
    make_constraints(halves, array, locked=(1,))
    np.testing.assert_array_equal(array, drawn(p22=2, p00=1))
    np.testing.assert_array_equal(halves.labels, labels)


def test_to_a_locked_label_nothing_is_given(halves):
    constraints = make_constraints(halves, drawn(p00=OBJECT, p01=BACKGROUND), locked=(3,))
    assert constraints.is_open.tolist() == [True, True, False]
    assert constraints.on_object.tolist() == [True, False, False]
    assert constraints.allowed(np.array([BACKGROUND, OBJECT, 3], np.int32)).tolist() == [
        [False, True, False],
        [True, False, False],
        [False, False, False],
    ]


def test_an_object_of_several_labels_and_one_that_no_pixel_has(halves):
    constraints = make_constraints(replace(halves, foreground=(3, 1)), drawn(p00=OBJECT))
    assert constraints.foreground == (1, 3)
    emptied = make_constraints(replace(halves, foreground=(9,)), drawn(p00=OBJECT, p01=BACKGROUND))
    assert emptied.ids.tolist() == [1, 2, 3, 9]
    assert emptied.foreground == (9,)


def test_the_new_object_gets_the_first_free_number():
    constraints = make_constraints(result(np.zeros((6, 8)), ()), drawn(p00=OBJECT, p11=BACKGROUND, p22=BACKGROUND))
    assert constraints.ids.tolist() == [0, 1]
    assert constraints.on_object.tolist() == [False, True]


def test_what_the_labels_do_not_obey(halves):
    marks = {"p00": OBJECT, "p01": BACKGROUND, "p22": OBJECT, "p02": 2, "p03": 3, "p23": BACKGROUND, "p50": 9}
    violated = make_constraints(halves, drawn(**marks)).violated
    assert np.argwhere(violated).tolist() == [[0, 0], [0, 3], [2, 3], [5, 0]]


def test_what_locks_forbid_is_not_violated(halves):
    assert not make_constraints(halves, drawn(p00=OBJECT, p22=2), locked=(1,)).violated.any()
    region = np.ones((6, 8), bool)
    assert not make_constraints(halves, drawn(p00=OBJECT), locked_region=region).violated.any()


def test_nothing_drawn_is_nothing_violated(halves):
    assert not make_constraints(halves, drawn()).violated.any()
