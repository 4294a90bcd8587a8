"""A model applied to the image in view, whole or as far as it came."""

from pathlib import Path

import numpy as np
import pytest
from napari.components import ViewerModel

from napari_s3net.image import Geometry
from napari_s3net.plugin.learn.applying import Applying
from napari_s3net.provenance import Provenance
from napari_s3net.result import Segmentation
from napari_s3net.settings import Settings

MODEL = Path("model.safetensors")


@pytest.fixture
def volume():
    viewer = ViewerModel()
    return viewer, viewer.add_image(np.random.default_rng(0).random((4, 20, 24)))


def answer(labels):
    made = Provenance(settings=Settings(), model={"weights": "0123", "settings": {}})
    return Segmentation(labels, (1,), Geometry.identity(labels.ndim), made, {1: "Disc"})


@pytest.mark.parametrize("done", [4, 2])
def test_labels_reach_as_far_as_the_model_was_applied(volume, done):
    viewer, image = volume
    applying = Applying(viewer)
    applying.ask(image, MODEL)
    applied = applying.put(answer(np.ones(image.data.shape, np.int32)), done, {})
    assert (applied.image, applied.done, applied.slices) == (image, done, 4)
    assert applied.labels is viewer.layers[-1]
    assert applied.labels.data[:done].all()
    assert not applied.labels.data[done:].any()
    assert not applied.replaced_changes
    applied.labels.data[0, :5] = 0
    applying.ask(image, MODEL)
    assert applying.put(answer(np.ones(image.data.shape, np.int32)), done, {}).replaced_changes


def test_nothing_is_put_where_nothing_was_asked_for_or_the_dock_let_go(volume):
    viewer, image = volume
    applying = Applying(viewer)
    labels = np.ones(image.data.shape, np.int32)
    assert applying.put(answer(labels), 4, {}) is None
    applying.ask(image, MODEL)
    applying.release()
    assert applying.put(answer(labels), 4, {}) is None
    assert list(viewer.layers) == [image]


def test_an_image_that_was_removed_meanwhile_gets_no_labels(volume):
    viewer, image = volume
    applying = Applying(viewer)
    applying.ask(image, MODEL)
    viewer.layers.remove(image)
    assert applying.put(answer(np.ones(image.data.shape, np.int32)), 4, {}) is None
    assert not viewer.layers
