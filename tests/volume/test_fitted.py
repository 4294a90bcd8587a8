"""A network that was fitted to few slices, applied to all."""

import numpy as np
import pytest
import torch

from napari_s3net.image import Geometry, Image
from napari_s3net.labels.metrics import dice
from napari_s3net.runtime.generators import drain, follow
from napari_s3net.segmentation import train
from napari_s3net.settings import preset_settings
from napari_s3net.training.variants import make_volume_trainer
from napari_s3net.volume.finder import VolumeFinder
from napari_s3net.volume.fitted import FittedVolume
from napari_s3net.volume.pool import workers
from napari_s3net.volume.sampled import choose_sample, take_sample


def fitted(image, settings, pool):
    finder = VolumeFinder(image, settings)
    drain(finder.look(pool))
    sample = take_sample(image, choose_sample(image, finder.weights), settings)
    trainer = make_volume_trainer(sample.features, settings, torch.device("cpu"))
    drain(train(trainer, settings, image))
    return FittedVolume(image, settings, finder, sample, trainer.model())


@pytest.fixture
def run(chest, settings):
    with workers() as pool:
        yield fitted(chest[0], settings.replace(max_iter=8), pool), pool


def test_every_slice_gets_labels_that_keep_to_the_lungs(run, chest):
    volume, pool = run
    steps = []
    done = follow(volume.apply(pool, 8, previews=True), steps.append)
    assert done == volume.segmented == list(range(8))
    assert dice(np.isin(volume.labels, volume.numbering.foreground), chest[1]) > 0.97
    assert volume.names == ("Lung", "Other")
    assert volume.confidence == 1
    assert volume.note(done) == ""
    assert all(np.array_equal(step.preview, volume.labels[step.slice]) for step in steps)
    assert {step.iteration for step in steps} == {8}


def test_stopped_it_says_which_slices_are_done(run):
    volume, pool = run
    done = follow(volume.apply(pool, 8, previews=False), lambda step: step.slice == 1)
    assert done == [0, 1]
    assert volume.note(done) == "Stopped: 2 of 8 slices are done; the others were left as they are."


def test_a_part_that_fills_the_volume_is_no_object():
    """Two thirds of each slice are bright: there is a central object in none of them."""
    array = np.random.default_rng(0).normal(40, 3, (4, 48, 48))
    array[:, 3:-3, 3:-3] += 120
    image = Image(array.astype(np.float32), Geometry.identity(3), "mr")
    with workers() as pool:
        volume = fitted(image, preset_settings("mri").replace(working_size=48, max_iter=4), pool)
        follow(volume.apply(pool, 4, previews=False), lambda _: None)
    assert not volume.has_object
    assert volume.names == ("Object", "Background")


@pytest.mark.parametrize(("standing", "found"), [((0, 1, 3), True), ((2,), False)])
def test_an_object_that_reaches_the_edge_is_none_and_half_of_the_slices_decide(standing, found):
    """A bright disc in some slices, a bright bar up to the edge in the others."""
    _, y, x = np.mgrid[:4, :48, :48]
    disc, bar = (y - 24) ** 2 + (x - 24) ** 2 < 9**2, (abs(y - 24) < 5) & (x < 40)
    bright = np.where(np.isin(np.arange(4), standing)[:, None, None], disc, bar)
    array = np.random.default_rng(0).normal(40, 3, bright.shape) + 120 * bright
    image = Image(array.astype(np.float32), Geometry.identity(3), "mr")
    with workers() as pool:
        volume = fitted(image, preset_settings("mri").replace(working_size=48, max_iter=4), pool)
        done = follow(volume.apply(pool, 4, previews=False), lambda _: None)
    assert volume.has_object == found
    is_object = np.isin(volume.labels, volume.numbering.foreground)
    for n in range(4):
        assert is_object[n].any() == (found and n in standing)
    assert volume.note(done) == ("In 1 of 4 slices no part stands out as the object." if found else "")
    if not found:  # sides that there are not make no labels
        assert set(np.unique(volume.labels)) <= set(volume.numbering.meanings)
