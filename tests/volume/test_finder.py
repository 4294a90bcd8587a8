from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np

from napari_s3net.image import Geometry
from napari_s3net.labels.metrics import dice
from napari_s3net.runtime.generators import follow
from napari_s3net.volume.finder import TYPICAL_DEPTH, VolumeFinder
from napari_s3net.volume.sampled import take_sample


def looked(image, settings):
    """A finder that has looked at every slice, and what each of its steps says how many there are."""
    finder, seen = VolumeFinder(image, settings), []
    with ThreadPoolExecutor(2) as pool:
        follow(finder.look(pool), lambda step: seen.append(step.slices))
    return finder, seen


def test_lungs_are_found_in_every_slice(chest, settings):
    image, lungs = chest
    finder, seen = looked(image, settings)
    assert seen == [8] * 8
    assert finder.weights.tolist() == [1] * 8
    sample = take_sample(image, range(8), settings)
    masks = [finder.mask(index, plane) for index, plane in zip(sample.indices, sample.planes, strict=True)]
    assert dice(np.stack(masks), lungs) > 0.97


def test_slices_beyond_the_lungs_weigh_nothing(chest, settings):
    array = chest[0].array.copy()
    array[6:] = np.where(array[6:] < -500, 40, array[6:])
    finder, _ = looked(replace(chest[0], array=array), settings)
    assert finder.weights.tolist() == [1] * 6 + [0] * 2


def test_a_slice_without_numbers_counts_as_empty(chest, settings):
    array = chest[0].array.astype(np.float32)
    array[0] = np.nan
    finder, _ = looked(replace(chest[0], array=array), settings)
    assert finder.weights.tolist() == [0] + [1] * 7


def test_without_millimetres_a_usual_spacing_is_assumed_and_said(chest, settings):
    bare = replace(chest[0], geometry=Geometry.identity(3))
    finder = VolumeFinder(bare, settings)
    assert finder.voxel[0] == TYPICAL_DEPTH
    assert finder.note
    assert VolumeFinder(chest[0], settings).voxel == (3.0, 4.0, 4.0)
    assert not VolumeFinder(chest[0], settings).note


def test_other_targets_are_left_to_each_slice(chest, settings):
    finder, seen = looked(chest[0], settings.replace(target="central"))
    assert finder.found is None
    assert seen == []
    assert finder.weights.tolist() == [1] * 8
