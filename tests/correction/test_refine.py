"""Labels and strokes to better labels."""

from dataclasses import replace

import numpy as np
import pytest

import napari_s3net
from napari_s3net import segment
from napari_s3net.correction.constraints import BACKGROUND, OBJECT
from napari_s3net.correction.refine import refine
from napari_s3net.errors import InvalidConstraintsError, InvalidImageError, OutOfMemoryError
from napari_s3net.image import Geometry, as_image
from napari_s3net.labels.metrics import dice
from napari_s3net.provenance import Provenance
from napari_s3net.result import Segmentation
from napari_s3net.settings import preset_settings
from napari_s3net.training.taught import view_features

SHAPE = (150, 200)
QUICK = preset_settings("skin").replace(max_iter=7, working_size=96, channels=8, remove_hair=False)
MADE = Provenance(settings=QUICK)


def disc(row, column, radius, shape=SHAPE):
    y, x = np.ogrid[: shape[0], : shape[1]]
    return (y - row) ** 2 + (x - column) ** 2 <= radius**2


@pytest.fixture(scope="module")
def photograph():
    """A lesion with a paler half that a threshold misses."""
    array = np.full((*SHAPE, 3), (220, 175, 155), np.float32)
    array[disc(75, 100, 45)] = (170, 120, 100)
    array[disc(75, 85, 28)] = (95, 60, 50)
    array += np.random.default_rng(0).normal(0, 5, array.shape)
    return as_image(np.clip(array, 0, 255).astype(np.uint8)), disc(75, 100, 45)


@pytest.fixture(scope="module")
def start(photograph):
    """The network's weights with a result that found the dark half only."""
    image, _ = photograph
    kept = segment(image, settings=QUICK, device="cpu")
    labels = np.where(disc(75, 85, 28), 1, 2).astype(np.int32)
    return Segmentation(labels, (1,), image.geometry, MADE, {1: "Lesion", 2: "Skin"}, state=kept.state, image=image)


def drawn(*marks):
    constraints = np.zeros(SHAPE, np.int32)
    for mask, value in marks:
        constraints[mask] = value
    return constraints


def plain(labels, foreground=(1,), **known):
    return Segmentation(np.asarray(labels, np.int32), foreground, Geometry.identity(2), MADE, **known)


def test_it_is_public():
    assert napari_s3net.refine is refine


def test_segment_keeps_its_weights_and_image(photograph):
    image, _ = photograph
    result = segment(image, settings=QUICK.replace(max_iter=1), device="cpu")
    assert result.image is image
    assert all(isinstance(array, np.ndarray) for array in result.state.values())


@pytest.mark.slow
def test_the_released_network_keeps_no_weights(photograph):
    image, _ = photograph
    assert segment(image, settings=QUICK.replace(max_iter=1, variant="released"), device="cpu").state == {}


@pytest.mark.parametrize("weights", [True, False])
def test_strokes_are_obeyed_and_improve(photograph, start, weights):
    image, true = photograph
    before = start if weights else plain(start.labels)
    constraints = drawn((disc(75, 130, 3), OBJECT), (disc(10, 10, 3), BACKGROUND))
    new = refine(before, constraints, image=image, device="cpu")
    assert new.mask[constraints == OBJECT].all()
    assert not new.mask[constraints == BACKGROUND].any()
    assert dice(new.mask, true) > dice(before.mask, true) + 0.03
    right = before.mask == true
    assert np.mean(new.mask[right] != true[right]) < 0.005
    assert new.names == before.names
    assert new.foreground == (1,)
    assert (len(new.state) > 0) == weights


def test_the_weights_of_the_run_come_back_as_they_were(start):
    new = refine(start, drawn((disc(75, 130, 3), OBJECT)), device="cpu")
    assert new.state is start.state
    assert (new.provenance.iterations, new.provenance.losses) == (0, ())


def test_the_taught_network_says_what_looks_alike_unless_the_start_is_random(start):
    constraints = drawn((disc(75, 130, 3), OBJECT))
    asked, alone = (
        refine(start.with_provenance(settings=QUICK.replace(start=name)), constraints, device="cpu").labels
        for name in ("taught", "random")
    )
    assert (asked != start.labels).any()
    assert (asked != alone).any()


def test_the_same_strokes_give_the_same_labels(start):
    constraints = drawn((disc(75, 130, 3), OBJECT))
    first, second = (refine(start, constraints, device="cpu") for _ in range(2))
    np.testing.assert_array_equal(first.labels, second.labels)


def test_a_label_is_obeyed_exactly_wherever_it_is_painted(start):
    constraints = drawn((disc(20, 30, 4), 1), (disc(75, 85, 4), 2), (disc(120, 170, 5), 9))
    new = refine(start, constraints, device="cpu")
    np.testing.assert_array_equal(new.labels[constraints > 0], constraints[constraints > 0])
    assert 9 in new.labels
    assert new.foreground == (1,)


def test_locked_labels_come_back_bit_for_bit(photograph, start):
    image, _ = photograph
    labels = start.labels.copy()
    labels[disc(75, 118, 8)] = 3
    before = plain(labels, state=start.state, image=image)
    constraints = drawn((disc(75, 130, 3), OBJECT), (disc(75, 118, 3), OBJECT), (disc(20, 20, 3), 3))
    new = refine(before, constraints, locked=(3,), device="cpu")
    np.testing.assert_array_equal(new.labels == 3, labels == 3)
    assert new.mask[75, 130]


def test_a_locked_region_comes_back_bit_for_bit(start):
    region = np.zeros(SHAPE, bool)
    region[:75] = True
    new = refine(start, drawn((disc(75, 130, 4), OBJECT)), locked_region=region, device="cpu")
    np.testing.assert_array_equal(new.labels[region], start.labels[region])
    assert (new.labels[~region] != start.labels[~region]).any()


def test_far_regions_stay_bit_for_bit(photograph, start):
    image, _ = photograph
    labels = start.labels.copy()
    rng = np.random.default_rng(0)
    labels[:, :30] = rng.integers(2, 5, (SHAPE[0], 30))
    new = refine(plain(labels), drawn((disc(75, 130, 3), OBJECT)), image=image, device="cpu")
    np.testing.assert_array_equal(new.labels[:, :28], labels[:, :28])


def test_without_strokes_nothing_changes(start):
    new = refine(start, drawn(), device="cpu")
    np.testing.assert_array_equal(new.labels, start.labels)
    assert new.state is start.state


@pytest.mark.parametrize("weights", [True, False])
def test_a_rerun_without_a_new_stroke_changes_nothing(photograph, start, weights):
    image, _ = photograph
    before = start if weights else plain(start.labels)
    constraints = drawn((disc(75, 130, 3), OBJECT), (disc(75, 85, 4), 2), (disc(10, 10, 3), BACKGROUND))
    first = refine(before, constraints, image=image, device="cpu")
    again = refine(first, constraints, image=image, device="cpu")
    assert (first.labels != before.labels).any()
    np.testing.assert_array_equal(again.labels, first.labels)
    assert again.state is first.state
    fewer = refine(first, drawn((disc(75, 130, 3), OBJECT)), image=image, device="cpu")
    np.testing.assert_array_equal(fewer.labels, first.labels)


def test_with_a_new_stroke_all_of_them_count(start):
    old, new = (disc(75, 130, 3), OBJECT), (disc(40, 100, 3), OBJECT)
    first = refine(start, drawn(old), device="cpu")
    both, alone = (refine(first, drawn(*marks), device="cpu") for marks in ((old, new), (new,)))
    assert (both.labels != first.labels).any()
    assert (both.labels != alone.labels).any()


def test_a_stroke_that_the_labels_no_longer_obey_is_a_new_one(start):
    constraints = drawn((disc(75, 130, 3), OBJECT))
    first = refine(start, constraints, device="cpu")
    edited = np.where(disc(75, 130, 12), 2, first.labels).astype(np.int32)
    again = refine(replace(first, labels=edited), constraints, device="cpu")
    assert again.mask[constraints == OBJECT].all()


def test_a_thin_stroke_on_a_large_image_is_not_lost():
    shape = (900, 1200)
    array = np.full((*shape, 3), 200, np.uint8)
    array[disc(450, 600, 200, shape)] = 90
    labels = np.where(disc(450, 600, 200, shape), 1, 2)
    constraints = np.zeros(shape, int)
    constraints[450, 500:502] = 2
    new = refine(plain(labels), constraints, image=array, device="cpu")
    assert (new.labels[450, 500:502] == 2).all()
    assert (new.labels != labels).sum() < 0.08 * labels.size


def test_grey_images_and_labels_from_elsewhere():
    array = np.full((80, 80), 50.0)
    array[disc(40, 40, 20, (80, 80))] = 200
    labels = disc(40, 40, 14, (80, 80)).astype(int) * 6
    constraints = np.zeros((80, 80), int)
    constraints[disc(40, 58, 1.5, (80, 80))] = OBJECT
    constraints[2, 2] = BACKGROUND
    new = refine(plain(labels, ()), constraints, image=array, device="cpu")
    assert set(np.unique(new.labels)) == {0, 6}
    assert new.labels[40, 58] == 6
    assert new.labels[2, 2] == 0


def test_what_does_not_fit_is_explained(photograph, start):
    image, _ = photograph
    with pytest.raises(InvalidImageError, match="give it as `image`"):
        refine(plain(start.labels), drawn())
    with pytest.raises(InvalidConstraintsError, match="same shape"):
        refine(plain(np.ones((5, 5))), np.zeros((5, 5), int), image=image)


def fails(monkeypatch, times):
    """Let the network run out of memory so many times; the working sizes with which it was asked."""
    sizes = []

    def looking(unit, settings, shape, device):
        sizes.append(settings.working_size)
        if len(sizes) <= times:
            raise RuntimeError("CUDA out of memory")
        return view_features(unit, settings, shape, device)

    monkeypatch.setattr("napari_s3net.correction.refiner.view_features", looking)
    return sizes


def test_memory_that_runs_out_is_tried_again_smaller_and_said(start, monkeypatch):
    constraints = drawn((disc(75, 130, 3), OBJECT))
    sizes = fails(monkeypatch, 1)
    new = refine(start, constraints, device="cpu")
    assert sizes == [96, 48]
    assert new.mask[constraints == OBJECT].all()
    assert "Tried again at half the working size and finished there." in new.provenance.note
    assert new.settings == start.settings


def test_what_an_earlier_run_said_is_not_said_again(start):
    before = start.with_provenance(note="Out of memory. Tried again on the CPU and finished there.")
    assert refine(before, drawn((disc(75, 130, 3), OBJECT)), device="cpu").provenance.note == ""


def test_memory_that_never_suffices_is_an_error_in_words(start, monkeypatch):
    sizes = fails(monkeypatch, 9)
    with pytest.raises(OutOfMemoryError, match="in vain"):
        refine(start, drawn((disc(75, 130, 3), OBJECT)), device="cpu")
    assert sizes == [96, 48, 32]


@pytest.mark.parametrize(("value", "is_missing"), [(40, True), (-850, False)], ids=["consolidation", "gas beside it"])
@pytest.mark.parametrize("angle", [0.3, 1.2, 2.5, 4.4])
def test_a_stroke_on_ct_does_not_spread_over_tissue_of_the_same_hounsfield_units(value, is_missing, angle):
    """A consolidated lung looks like the chest wall beside it, gas like lung: one stroke mends, and spoils nothing."""
    shape = (150, 200)
    lung = disc(75, 60, 38) | disc(75, 140, 38)
    middle = 38 + (-4 if is_missing else 9)  # of the spot, from the middle of the right lung
    spot = disc(75 + middle * np.sin(angle), 140 + middle * np.cos(angle), 8) & (lung if is_missing else ~lung)
    noise = np.random.default_rng(0).normal(0, 20, shape)
    scan = np.where(disc(75, 100, 95), np.where(lung, -850, 40), -1000) + noise
    scan[spot] = value + noise[spot]
    ct = as_image(scan.astype(np.int16), kind="ct")
    start = np.where(lung & ~spot if is_missing else lung | spot, 1, 2)
    result = replace(plain(start), provenance=Provenance(settings=preset_settings("ct-lung")))
    rows, columns = np.nonzero(spot)
    stroke = drawn((disc(rows.mean(), columns.mean(), 3), OBJECT if is_missing else BACKGROUND))
    after = refine(result, stroke, image=ct, device="cpu")
    assert dice(after.mask, lung) > dice(result.mask, lung)
    assert (after.mask != lung)[~spot].mean() < 0.005, "the border of the lungs stays where it was right"
    assert dice(after.mask & spot, spot) > 0.6 if is_missing else (after.mask & spot).sum() < 0.4 * spot.sum()
