"""Strokes on several slices, one re-run: they steer the volume together, and nothing else changes."""

from dataclasses import replace

import numpy as np
import pytest

from napari_s3net.correction.constraints import BACKGROUND, OBJECT
from napari_s3net.correction.refine import refine
from napari_s3net.correction.refine_volume import iter_refine_volume
from napari_s3net.errors import InvalidConstraintsError, InvalidImageError
from napari_s3net.image import Geometry, Image
from napari_s3net.provenance import Provenance
from napari_s3net.result import Segmentation
from napari_s3net.runtime.generators import drain
from tests.correction.test_slice_propagation import DEPTH, SETTINGS, dice, disc, missing_ball, true_masks, volume

MASKS = true_masks()


def result_of(labels):
    return Segmentation(labels, (1,), Geometry.identity(3), Provenance(settings=SETTINGS))


def strokes_in(*slices):
    """Strokes in the middle of the missing ball."""
    drawn = np.zeros(MASKS.shape, np.int32)
    for n in slices:
        drawn[n][disc(32, 20 + n, 5)] = OBJECT
    return drawn


def corrected(drawn, labels=None, image=None, **others):
    labels = missing_ball(MASKS) if labels is None else labels
    strokes = {n: plane for n, plane in enumerate(drawn) if plane.any()}
    return drain(iter_refine_volume(image or volume(MASKS), result_of(labels), strokes, **others))


def test_strokes_on_two_slices_bring_the_ball_back_in_all():
    new = refine(result_of(missing_ball(MASKS)), strokes_in(1, 7), image=volume(MASKS))
    assert min(dice(new.labels[n] == 1, MASKS[n]) for n in range(DEPTH)) > 0.85
    assert "Strokes in 2 slices changed 9 slices, 0 to 8." in new.provenance.note
    assert (new.labels[strokes_in(1, 7) > 0] == 1).all()


def test_what_no_stroke_speaks_of_stays_bit_for_bit():
    labels = missing_ball(MASKS)
    labels[:, 50:60, 50:60] = 7  # another mistake, elsewhere
    new = refine(result_of(labels), strokes_in(2, 6), image=volume(MASKS)).labels
    assert np.array_equal(new[:, :, 48:], labels[:, :, 48:])
    assert (new != labels).any(axis=(1, 2)).all()


def test_strokes_at_different_places_pass_each_other():
    drawn = strokes_in(1)
    drawn[7][disc(12, 54, 4)] = OBJECT
    found = corrected(drawn, np.full(MASKS.shape, 2, np.int32))
    assert found.drawn == (1, 7)
    left, right = MASKS.copy(), MASKS.copy()
    left[:, :, 44:], right[:, :, :44] = False, False
    for n in range(DEPTH):
        mask = found.planes[n] == 1
        assert dice(mask & ~right[n], left[n]) > 0.85, n
        assert dice(mask & ~left[n], right[n]) > 0.7, n


def test_a_rerun_without_a_new_stroke_changes_nothing():
    once = refine(result_of(missing_ball(MASKS)), strokes_in(4), image=volume(MASKS))
    again = refine(once, strokes_in(4), image=volume(MASKS))
    assert np.array_equal(once.labels, again.labels)
    assert "nothing has changed" in again.provenance.note


def test_strokes_locks_and_corrections_of_other_slices_hold():
    drawn = strokes_in(4)
    drawn[6][disc(32, 26, 3)] = BACKGROUND  # obeyed by the labels as they are
    region = np.zeros(MASKS.shape, bool)
    region[2, :24] = True
    labels, by_hand = missing_ball(MASKS), np.zeros(MASKS.shape[1:], bool)
    by_hand[40:] = True
    found = corrected(drawn, labels, locked_region=region, corrected={3: by_hand})
    assert (found.planes[6][disc(32, 26, 3)] == 2).all()
    assert (found.planes[2][:24] == labels[2, :24]).all()
    assert (found.planes[2][24:] != labels[2, 24:]).any()
    assert (found.planes[3][37:] == labels[3, 37:]).all(), "what was corrected, and three pixels around it"
    assert (found.planes[3][:37] != labels[3, :37]).any()
    assert not corrected(strokes_in(4), labels, locked={1}).planes


def test_it_ends_where_the_image_looks_otherwise_and_says_so():
    gone = MASKS.copy()
    gone[6:, :, :44] = False
    found = corrected(strokes_in(2), image=volume(gone))
    assert max(found.planes) == 5
    assert "Strokes in 1 slice changed 6 slices, 0 to 5; it ended at 5, in slice 6 only " in str(found)


def test_a_border_far_from_a_small_correction_stays():
    """A stroke reaches far where the image looks alike: it may not take tissue along the rest of the border."""
    rows, columns = np.mgrid[:192, :192]
    lung = np.stack([(rows - 96) ** 2 + (columns - 96) ** 2 < 77**2] * 5)
    labels = np.where(lung, 1, 2).astype(np.int32)
    labels[:, (rows > 154) & (abs(columns - 96) < 23)] = 2  # a bay at the lower border is missing
    drawn = np.zeros(lung.shape, np.int32)
    drawn[2, (rows - 162) ** 2 + (columns - 96) ** 2 <= 9] = OBJECT
    found = corrected(drawn, labels, volume(lung))
    assert sorted(found.planes) == [0, 1, 2, 3, 4]
    for n, plane in found.planes.items():
        assert (plane[~lung[n]] == 1).sum() < 10, n
        assert ((plane == 1) != lung[n]).sum() < 0.3 * (labels[n] != np.where(lung[n], 1, 2)).sum(), n


def test_a_small_correction_goes_no_farther_than_three_times_its_width():
    lung = np.repeat(MASKS[4:5], 40, axis=0)
    labels = np.where(lung, 1, 2).astype(np.int32)
    labels[:, 29:35, 20:26] = 2
    drawn = np.zeros(lung.shape, np.int32)
    drawn[20, 31:33, 22:24] = OBJECT
    image = volume(lung)
    depth, row, _ = image.geometry.spacing
    found = corrected(drawn, labels, image)
    most = int(3 * np.sqrt((found.planes[20] != labels[20]).sum()) * row / depth)
    assert (min(found.planes), max(found.planes)) == (20 - most, 20 + most)
    assert f"it ended at {20 - most}, a correction goes no farther than 3 times its width" in str(found)


def test_stop_keeps_what_is_done():
    steps = iter_refine_volume(volume(MASKS), result_of(missing_ball(MASKS)), dict(enumerate(strokes_in(4))))
    for _ in range(DEPTH + 2):  # every slice with strokes, then one up and one down
        next(steps)
    with pytest.raises(StopIteration) as over:
        steps.send(True)
    assert sorted(over.value.value.planes) == [3, 4, 5]


def test_the_given_labels_stay_as_they_are():
    labels = missing_ball(MASKS)
    corrected(strokes_in(1, 7), labels)
    assert np.array_equal(labels, missing_ball(MASKS))


def test_photographs_change_only_where_they_were_drawn_on():
    photos = np.repeat(np.where(MASKS, 60, 200).astype(np.uint8)[..., None], 3, axis=-1)
    found = corrected(strokes_in(3, 4), image=Image(photos, Geometry.identity(3), "rgb"))
    assert sorted(found.planes) == [3, 4]
    assert not found.ends


@pytest.mark.parametrize(
    ("drawn", "others", "error", "words"),
    [
        (strokes_in(3)[:4], {}, InvalidConstraintsError, "labels' shape"),
        (strokes_in(3) * -1, {}, InvalidConstraintsError, "Constraints lie between"),
        (strokes_in(3), {"locked_region": np.zeros((2, 2), bool)}, InvalidConstraintsError, "locked region"),
    ],
)
def test_what_does_not_fit_is_refused(drawn, others, error, words):
    with pytest.raises(error, match=words):
        refine(result_of(missing_ball(MASKS)), drawn, image=volume(MASKS), **others)


def test_strokes_on_an_empty_slice_are_refused_with_its_number():
    image = volume(MASKS)
    image.array[3] = np.nan
    with pytest.raises(InvalidImageError, match="Slice 3, which was drawn on"):
        corrected(strokes_in(3), image=image)


def test_a_new_label_joins_the_result():
    drawn = np.where(strokes_in(4) > 0, 5, 0)
    new = refine(replace(result_of(missing_ball(MASKS)), foreground=(1,)), drawn, image=volume(MASKS))
    assert 5 in new.labels[2]
    assert new.foreground == (1,)


def test_where_nothing_is_the_object_strokes_begin_one_for_the_whole_volume():
    labels = np.where(missing_ball(MASKS) == 1, 2, 3)
    labels[0, :2, :2] = 7
    result = replace(result_of(labels), foreground=(), names={2: "Muscle", 3: "Air", 7: "Fat"}, object_name="Heart")
    new = refine(result, strokes_in(3, 4), image=volume(MASKS))
    assert new.foreground == (8,)
    assert new.names == {**result.names, 8: "Heart"}
    assert all((new.labels[n] == 8).any() for n in (3, 4))
    assert (new.labels == 8).mean() < 0.1
