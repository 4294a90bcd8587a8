"""A correction carried from slice to slice: where it goes, what stays, where it ends and why."""

import numpy as np
import pytest

from napari_s3net.correction.slice_propagation import iter_propagate
from napari_s3net.errors import InvalidImageError
from napari_s3net.image import Geometry, Image
from napari_s3net.runtime.generators import drain
from napari_s3net.settings import preset_settings

SETTINGS = preset_settings("ct-lung")
DEPTH, SIDE = 9, 64


def disc(row, column, radius):
    y, x = np.ogrid[:SIDE, :SIDE]
    return (y - row) ** 2 + (x - column) ** 2 <= radius**2


def true_masks():
    """A ball of gas that drifts to the right and becomes smaller; a second one that never changes."""
    return np.stack([disc(32, 20 + n, 12 - n // 2) | disc(12, 54, 6) for n in range(DEPTH)])


def volume(masks, kind="ct"):
    array = np.where(masks, -850, 40) + np.random.default_rng(0).normal(0, 20, masks.shape)
    return Image(array.astype(np.float32), Geometry((2.0, 1.0, 1.0), (0.0,) * 3, Geometry.identity(3).direction), kind)


def missing_ball(masks):
    """Labels in which the first ball is missing in every slice: 1 is gas, 2 the rest."""
    labels = np.where(masks, 1, 2).astype(np.int32)
    labels[:, :, :44] = 2
    return labels


def corrected(labels, masks, start):
    labels, before = labels.copy(), labels[start].copy()
    labels[start][masks[start]] = 1
    return labels, before


def propagate(masks, start, end, labels=None, image=None, **others):
    labels, before = corrected(missing_ball(masks) if labels is None else labels, masks, start)
    return drain(iter_propagate(image or volume(masks), labels, before, start, end, SETTINGS, **others))


def dice(one, other):
    return 2 * (one & other).sum() / (one.sum() + other.sum())


@pytest.mark.parametrize(("start", "end", "reached"), [(0, 8, range(1, 9)), (8, 2, range(7, 1, -1)), (4, 5, [5])])
def test_the_correction_follows_the_image(start, end, reached):
    masks = true_masks()
    found = propagate(masks, start, end)
    assert list(found.labels) == list(reached)
    assert found.last == end
    assert found.reason == f"slice {end} was the last one asked for"
    assert min(dice(plane == 1, masks[n]) for n, plane in found.labels.items()) > 0.93


def test_only_what_was_corrected_changes():
    masks = true_masks()
    labels = missing_ball(masks)
    labels[:, 50:60, 50:60] = 7  # another mistake, elsewhere
    found = propagate(masks, 3, 6, labels)
    for n, plane in found.labels.items():
        assert np.array_equal(plane[:, 48:], labels[n][:, 48:])


def test_it_ends_where_the_image_looks_otherwise():
    masks = true_masks()
    gone = masks.copy()
    gone[6:, :, :44] = False
    found = propagate(masks, 2, 8, image=volume(gone))
    assert found.last == 5
    assert found.reason.startswith("in slice 6 only ")
    assert "looks as in slice 2" in found.reason


def test_it_does_not_drift_to_a_label_that_looks_otherwise():
    """A dome of tissue comes up in the gas: it is not taken along as gas."""
    masks = true_masks()
    masks[:, :, :44] = np.stack([disc(32, 20, 16) & ~disc(32, 20, 1.5 * n) for n in range(DEPTH)])[:, :, :44]
    found = propagate(masks, 0, 8)
    assert found.last >= 5
    dome = disc(32, 20, 4)
    assert (found.labels[5][dome] == 2).mean() > 0.9


def test_it_ends_before_a_corrected_an_empty_and_a_right_slice():
    masks = true_masks()
    assert propagate(masks, 2, 8, corrected=[5]).reason == "slice 5 was corrected by hand"
    image = volume(masks)
    image.array[4] = np.nan
    found = propagate(masks, 2, 8, image=image)
    assert (found.last, found.reason) == (3, "slice 4 is empty")
    labels = missing_ball(masks)
    labels[6][masks[6]] = 1
    found = propagate(masks, 2, 8, labels)
    assert (list(found.labels), found.reason) == ([3, 4, 5], "slice 6 needs no change")


def test_stop_keeps_what_is_done():
    masks = true_masks()
    labels, before = corrected(missing_ball(masks), masks, 0)
    steps = iter_propagate(volume(masks), labels, before, 0, 8, SETTINGS)
    next(steps)
    with pytest.raises(StopIteration) as over:
        steps.send(True)
    assert list(over.value.value.labels) == [1]
    assert over.value.value.reason == "it was stopped"


def test_the_given_labels_stay_as_they_are():
    masks = true_masks()
    labels, before = corrected(missing_ball(masks), masks, 0)
    kept = labels.copy()
    drain(iter_propagate(volume(masks), labels, before, 0, 8, SETTINGS))
    assert np.array_equal(labels, kept)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda a: {**a, "before": a["labels"][a["start"]]}, "no correction to carry"),
        (lambda a: {**a, "end": 99}, "no slice 99: the volume has slices 0 to 8"),
        (lambda a: {**a, "end": a["start"]}, "no slice beyond 2"),
        (lambda a: {**a, "labels": a["labels"][:3]}, "expected the same shape"),
        (lambda a: {**a, "image": a["image"].slice(0)}, "a single plane"),
        (
            lambda a: {**a, "image": Image(np.zeros((9, 64, 64, 3), np.uint8), Geometry.identity(3), "rgb")},
            "colour photographs",
        ),
    ],
)
def test_what_cannot_be_carried(change, words):
    masks = true_masks()
    labels, before = corrected(missing_ball(masks), masks, 2)
    given = change({"image": volume(masks), "labels": labels, "before": before, "start": 2, "end": 8})
    with pytest.raises(InvalidImageError, match=words):
        drain(iter_propagate(**given, settings=SETTINGS))
