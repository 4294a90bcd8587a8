"""What the user drew, checked."""

import numpy as np
import pytest

from napari_s3net.correction.constraints import BACKGROUND, OBJECT, checked, make_task
from napari_s3net.errors import InvalidConstraintsError
from napari_s3net.image import Geometry, Segmentation
from napari_s3net.provenance import Provenance
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
    task = make_task(halves, drawn(p00=OBJECT, p01=BACKGROUND, p02=3))
    assert task.ids.tolist() == [1, 2, 3]
    assert task.foreground == (1,)
    allowed = task.allowed(np.array([OBJECT, BACKGROUND, 3], np.int32))
    assert allowed.tolist() == [[True, False, False], [False, True, True], [False, False, True]]


def test_a_lock_is_stronger_than_a_stroke(halves):
    task = make_task(halves, drawn(p22=2, p00=1, p55=3), locked=(1,))
    assert task.held.sum() == 8
    assert np.argwhere(task.constraints).tolist() == [[5, 5]]
    assert not task.allowed(np.array([OBJECT], np.int32)).any()


def test_a_locked_region(halves):
    region = np.zeros((6, 8), bool)
    region[:, :2] = True
    task = make_task(halves, drawn(p00=1, p07=1), locked_region=region)
    assert task.constraints.sum() == 1
    assert task.held.sum() == 12
    with pytest.raises(InvalidConstraintsError, match="locked region of shape"):
        make_task(halves, drawn(), locked_region=region[:3])


def test_a_new_label_may_be_drawn(halves):
    task = make_task(halves, drawn(p00=7))
    assert task.ids.tolist() == [1, 2, 3, 7]
    assert task.foreground == (1,)


def test_labels_made_elsewhere_have_their_object_above_zero():
    labels = np.zeros((6, 8))
    labels[2:4] = 5
    task = make_task(result(labels, ()), drawn(p00=OBJECT, p25=BACKGROUND))
    assert task.ids.tolist() == [0, 5]
    assert task.foreground == (5,)
    assert task.allowed(np.array([BACKGROUND], np.int32)).tolist() == [[True, False]]


def test_a_side_without_a_label_gets_one():
    task = make_task(result(np.zeros((6, 8)), ()), drawn(p00=OBJECT))
    assert task.foreground == (1,)
    task = make_task(result(np.ones((6, 8))), drawn(p00=BACKGROUND))
    assert task.ids.tolist() == [0, 1]


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
        checked(array, (6, 8))
