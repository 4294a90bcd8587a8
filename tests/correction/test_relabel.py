"""From constraints to new labels, at two sizes."""

import numpy as np
import pytest

from napari_s3net.correction.constraints import BACKGROUND, OBJECT, make_constraints
from napari_s3net.correction.propagation import PixelFeatures
from napari_s3net.correction.relabel import downsample_drawn, downsample_labels, relabel
from napari_s3net.image import Geometry
from napari_s3net.provenance import Provenance
from napari_s3net.result import Segmentation
from napari_s3net.settings import Settings

SHAPE, SMALL = (120, 160), (60, 80)


def disc(row, column, radius):
    y, x = np.ogrid[: SHAPE[0], : SHAPE[1]]
    return (y - row) ** 2 + (x - column) ** 2 <= radius**2


def constrained(labels, *marks, foreground=(1,), **locks):
    drawn = np.zeros(SHAPE, np.int32)
    for mask, value in marks:
        drawn[mask] = value
    provenance = Provenance(settings=Settings())
    result = Segmentation(np.asarray(labels, np.int32), foreground, Geometry.identity(2), provenance)
    return make_constraints(result, drawn, **locks)


FLAT = PixelFeatures(np.zeros((*SMALL, 1), np.float32))
FOUND = np.where(disc(60, 80, 30), 1, 2)


def test_the_border_moves_to_the_other_side_of_a_stroke_at_the_images_size():
    labels = relabel(constrained(FOUND, (disc(60, 118, 3), OBJECT)), FLAT)
    assert labels.shape == SHAPE
    assert labels.dtype == np.int32
    assert (labels[60, 80:120] == 1).all()
    assert labels[60, 140] == 2
    np.testing.assert_array_equal(labels[:, :60], FOUND[:, :60])


def test_a_side_is_taken_as_well_as_given():
    labels = relabel(constrained(FOUND, (disc(60, 98, 3), BACKGROUND)), FLAT)
    assert (labels[60, 98:] == 2).all()
    assert labels[60, 66] == 1


def test_what_comes_to_a_side_gets_the_nearest_of_its_labels():
    labels = FOUND.copy()
    labels[(labels == 1) & (np.arange(SHAPE[1]) > 80)] = 3
    new = relabel(constrained(labels, (disc(60, 118, 3), OBJECT), foreground=(1, 3)), FLAT)
    assert set(np.unique(new[60, 112:122])) == {3}
    np.testing.assert_array_equal(new[:, :60], labels[:, :60])


def test_painted_pixels_are_as_painted_even_where_the_small_size_misses_them():
    line = np.zeros(SHAPE, bool)
    line[61, 60:65] = True
    labels = relabel(constrained(FOUND, (line, 2)), FLAT)
    assert (labels[line] == 2).all()


def test_of_a_painted_side_the_nearest_label_is_taken():
    labels = FOUND.copy()
    labels[:, 130:] = 4
    new = relabel(constrained(labels, (disc(60, 80, 2), BACKGROUND)), FLAT)
    assert set(np.unique(new[disc(60, 80, 2)])) == {2}


@pytest.mark.parametrize("locks", [{"locked": (2,)}, {"locked_region": np.ones(SHAPE, bool)}])
def test_locks_keep_what_they_hold(locks):
    labels = relabel(constrained(FOUND, (disc(60, 118, 3), OBJECT), **locks), FLAT)
    np.testing.assert_array_equal(labels, FOUND)


@pytest.mark.parametrize("stroke", [OBJECT, 1])
def test_a_stroke_of_a_locked_object_is_not_taken_for_one_of_the_others(stroke):
    labels = FOUND.copy()
    labels[disc(60, 130, 14)] = 4  # a second object, open, and the stroke lies between the two
    mark = disc(60, 114, 2)
    free = relabel(constrained(labels, (mark, stroke), foreground=(1, 4)), FLAT)
    assert (free[mark] != 2).all()
    locked = relabel(constrained(labels, (mark, 1), foreground=(1, 4), locked=(1,)), FLAT)
    np.testing.assert_array_equal(locked, labels)
    everything = relabel(constrained(FOUND, (disc(60, 112, 2), stroke), locked=(1,)), FLAT)
    np.testing.assert_array_equal(everything, FOUND)


def test_an_object_that_is_locked_is_not_eaten_where_it_was_painted_anew():
    labels = np.full(SHAPE, 2)
    labels[disc(60, 80, 30)] = 1
    labels[disc(60, 80, 12)] = 3  # a third label on the object's side, open, beside the locked one
    stroke = disc(60, 62, 2) | disc(60, 98, 2)
    new = relabel(
        constrained(labels, (stroke, OBJECT), (disc(20, 20, 3), BACKGROUND), foreground=(1, 3), locked=(1,)), FLAT
    )
    np.testing.assert_array_equal(new == 1, labels == 1)
    assert (new[labels == 3] == 3).all()


def test_named_labels_push_each_other_on_one_side():
    labels = np.full(SHAPE, 2)
    labels[:, 80:] = 3
    new = relabel(constrained(labels, (disc(60, 90, 3), 2), foreground=(1,)), FLAT)
    assert (new[60, 80:93] == 2).all()
    assert new[60, 110] == 3
    assert (new[:, :80] == 2).all()


def test_labels_are_downsampled_by_nearest_neighbour():
    labels = np.arange(24).reshape(4, 6)
    assert downsample_labels(labels, (2, 3)).tolist() == [[7, 9, 11], [19, 21, 23]]
    np.testing.assert_array_equal(downsample_labels(labels, (4, 6)), labels)


def test_no_stroke_is_lost_however_thin():
    drawn = np.zeros((9, 9), np.int32)
    drawn[8, 0], drawn[1, 7] = 3, 4
    small = downsample_drawn(drawn, (3, 3))
    assert small.tolist() == [[0, 0, 4], [0, 0, 0], [3, 0, 0]]


def test_a_label_with_the_number_one_spreads_as_any_other():
    labels = np.where(np.arange(SHAPE[1]) < 80, 1, 3) * np.ones((SHAPE[0], 1), int)
    new = relabel(constrained(labels, (disc(60, 90, 3), 1), foreground=(1, 3)), FLAT)
    assert (new[60, :96] == 1).all()
    assert new[60, 120] == 3
