from dataclasses import replace

import numpy as np
import pytest

from napari_s3net.errors import InvalidImageError, InvalidSettingsError, OutOfMemoryError
from napari_s3net.image import Geometry, Image, as_image
from napari_s3net.labels.metrics import dice
from napari_s3net.runtime.generators import follow
from napari_s3net.settings import Settings, preset_settings
from napari_s3net.volume.whole import iter_mode, iter_volume, segment_volume
from tests.volume.conftest import as_ct, make_chest


def test_lungs_of_the_volume_and_labels_that_mean_the_same(chest, settings):
    image, lungs = chest
    result = segment_volume(image, settings=settings)
    assert dice(result.mask, lungs) > 0.97
    assert result.object_name == "Lung"
    assert result.labels.dtype == np.int32
    assert result.labels.shape == image.shape
    assert [part.slice for part in result.provenance.slices] == list(range(len(lungs)))
    for label in result.names:
        sizes = (result.labels == label).sum(axis=(1, 2))
        assert sizes.min() > 0.5 * sizes.max()


def test_the_same_seed_gives_the_same_labels(chest, settings):
    one, other = (segment_volume(chest[0], settings=settings) for _ in range(2))
    assert np.array_equal(one.labels, other.labels)


def test_steps_count_iterations_and_then_slices(chest, settings):
    seen = []
    result = follow(iter_volume(chest[0], settings, previews=True), seen.append)
    fitted = [step.iteration for step in seen if step.slice == 0 and step.losses]
    assert fitted == list(range(1, len(fitted) + 1))
    shots = [(step.slice, step.preview) for step in seen if step.preview is not None]
    assert [index for index, _ in shots] == list(range(len(chest[1])))
    assert all(np.array_equal(shot, result.labels[index]) for index, shot in shots)


def test_stop_keeps_the_slices_that_are_done(chest, settings):
    result = follow(iter_volume(chest[0], settings), lambda step: step.slice == 2)
    assert result.provenance.stopped
    assert "3 of 8 slices are done" in result.provenance.note
    assert result.labels.any(axis=(1, 2)).tolist() == [True] * 3 + [False] * 5


def test_stop_while_fitting_keeps_nothing_and_says_so(chest, settings):
    result = follow(iter_volume(chest[0], settings), lambda step: bool(step.losses))
    assert not result.labels.any()
    assert "0 of 8 slices" in result.provenance.note


def test_closing_the_generator_ends_the_threads(chest, settings):
    import threading

    before = threading.active_count()
    steps = iter_volume(chest[0], settings)
    next(steps)
    steps.close()
    assert threading.active_count() == before


def test_one_slice_is_a_volume_of_one(settings):
    array, lungs = make_chest(depth=1)
    result = segment_volume(as_ct(array, (30.0, 4.0, 4.0)), settings=settings)
    assert dice(result.mask, lungs) > 0.95


def test_empty_slices_at_both_ends_have_no_labels(settings):
    array, _lungs = make_chest()
    array[[0, -1]] = -1000
    result = segment_volume(as_ct(array), settings=settings)
    assert not result.labels[[0, -1]].any()
    assert result.labels[1:-1].all()
    assert "2 of 8 slices are empty" in result.provenance.note


def test_slices_without_numbers_are_left_out(settings):
    array, _ = make_chest()
    array = array.astype(np.float32)
    array[3] = np.nan
    array[4, :5] = np.nan
    result = segment_volume(as_ct(array), settings=settings)
    assert not result.labels[3].any()
    assert not result.labels[4, :5].any()
    assert result.labels[4, 5:].all()
    assert f"{5 * array.shape[2]} of {7 * array[0].size} pixels hold a fill value" in result.provenance.note


def test_only_empty_slices_are_refused(settings):
    with pytest.raises(InvalidImageError, match="All 4 slices are empty"):
        segment_volume(as_ct(np.full((4, 32, 32), -1000, np.int16)), settings=settings)


def test_thick_slices_need_no_neighbours(settings):
    """Ten to one: neighbours 20 mm away hardly count, and the lungs are found all the same."""
    array, lungs = make_chest()
    result = segment_volume(as_ct(array, (20.0, 2.0, 2.0)), settings=settings)
    assert dice(result.mask, lungs) > 0.95


@pytest.mark.parametrize(
    ("image", "message"),
    [
        (as_image(np.zeros((40, 40), np.float32)), "got a single plane of 40 × 40"),
        (as_image(np.zeros((3, 40, 40, 3), np.uint8)), "3 colour photographs"),
        (as_ct(np.zeros((5, 15, 16), np.int16)), "at least 16 × 16 pixels; got 16 × 15 pixels"),
    ],
)
def test_what_is_no_volume_is_refused(image, message):
    with pytest.raises(InvalidImageError, match=message):
        segment_volume(image, settings=Settings())


def test_a_volume_too_large_for_memory_is_refused_before_it_is_read(settings):
    class Endless:
        """Knows its shape; whoever reads it fails."""

        shape, ndim, dtype = (10**6, 4096, 4096), 3, np.dtype(np.int16)

        def __len__(self):
            return self.shape[0]

    image = Image(Endless(), Geometry.identity(3), "ct")
    with pytest.raises(OutOfMemoryError, match="1,000,000 slices of 4,096 × 4,096 pixels take 134"):
        segment_volume(image, settings=settings)


def test_smallest_slices_are_done(settings):
    array, _ = make_chest()
    result = segment_volume(as_ct(array[:, 20:36, 12:28]), settings=settings.replace(working_size=32))
    assert result.labels.shape == (8, 16, 16)


def test_the_target_has_to_suit_the_image():
    image = Image(np.random.default_rng(0).random((3, 32, 32)), Geometry.identity(3), "mr")
    with pytest.raises(InvalidImageError, match="expects CT"):
        segment_volume(image, settings=preset_settings("ct-lung"))


def test_a_mode_that_there_is_not():
    with pytest.raises(InvalidSettingsError, match="'volume' or 'slices'"):
        segment_volume(np.zeros((3, 32, 32)), mode="both")


def test_other_kinds_have_their_object_proposed_slice_by_slice():
    _z, y, x = np.mgrid[:5, :48, :48]
    bright = (y - 24) ** 2 + (x - 24) ** 2 < 10**2
    array = np.random.default_rng(0).normal(40, 3, bright.shape) + 120 * bright
    image = Image(array.astype(np.float32), Geometry.identity(3), "mr")
    result = segment_volume(image, settings=preset_settings("mri").replace(working_size=64))
    assert dice(result.mask, bright) > 0.9


def test_a_lazy_volume_is_read_slice_by_slice(chest, settings):
    class Lazy:
        """As a dask array: knows its shape, and reads what is asked for."""

        def __init__(self, array):
            self.array, self.reads = array, []
            self.shape, self.ndim, self.dtype = array.shape, array.ndim, array.dtype

        def __len__(self):
            return len(self.array)

        def __getitem__(self, index):
            assert isinstance(index, int)
            return LazyPlane(self.array[index])

    class LazyPlane:
        def __init__(self, array):
            self.array = array
            self.shape, self.ndim = array.shape, array.ndim

        def __array__(self, dtype=None, copy=None):
            return np.asarray(self.array, dtype)

    lazy = replace(chest[0], array=Lazy(chest[0].array))
    assert np.array_equal(
        segment_volume(lazy, settings=settings).labels, segment_volume(chest[0], settings=settings).labels
    )


def test_photographs_and_single_planes_go_slice_by_slice(settings):
    plane = as_ct(make_chest()[0]).slice(3)
    assert follow(iter_mode(plane, settings), lambda _: None).labels.shape == plane.shape
    photographs = as_image(np.random.default_rng(0).integers(0, 255, (2, 32, 32, 3), np.uint8))
    result = follow(iter_mode(photographs, Settings(max_iter=1, working_size=32)), lambda _: None)
    assert [part.slice for part in result.provenance.slices] == [0, 1]
