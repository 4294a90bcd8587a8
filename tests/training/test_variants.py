"""The choice of a trainer, and its random numbers."""

import numpy as np
import pytest
import torch

from napari_s3net.settings import Settings
from napari_s3net.training.image import ImageTrainer
from napari_s3net.training.released import ReleasedTrainer
from napari_s3net.training.variants import make_trainer

CPU = torch.device("cpu")
FEATURES = np.random.default_rng(0).random((24, 32, 3)).astype(np.float32)
SMALL = Settings(channels=4, clusters=4, min_labels=2)


@pytest.mark.parametrize(("variant", "kind"), [("s3net", ImageTrainer), ("released", ReleasedTrainer)])
def test_the_variant_decides(variant, kind):
    assert type(make_trainer(FEATURES, SMALL.replace(variant=variant), CPU)) is kind


def test_the_same_seed_starts_alike_and_another_does_not():
    first, second, other = (make_trainer(FEATURES, SMALL.replace(seed=s), CPU) for s in (1, 1, 2))
    weights = [next(t.network.parameters()).detach() for t in (first, second, other)]
    assert torch.equal(weights[0], weights[1])
    assert not torch.equal(weights[0], weights[2])


@pytest.mark.parametrize("variant", ["s3net", "released"])
def test_the_global_random_numbers_are_left_alone(variant):
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    make_trainer(FEATURES, SMALL.replace(variant=variant), CPU)
    assert torch.equal(torch.rand(3), expected)


def test_the_network_of_the_one_image_begins_close_to_its_initial_clusters():
    """Four shades in a row: the middle ones as well, which a regression of the clusters would mask."""
    shades = np.repeat(np.linspace(0.1, 0.9, 4), 16)[None] * np.ones((48, 1))
    noise = 0.01 * np.random.default_rng(1).standard_normal(shades.shape)
    features = np.repeat((shades + noise)[..., None], 3, axis=2).astype(np.float32)
    trainer = make_trainer(features, SMALL.replace(channels=16), CPU)
    with torch.no_grad():
        logits, side = trainer.network(trainer.guided.x)
    for answer in (logits, side):
        assert (answer.argmax(dim=1) == trainer.guided.clusters).float().mean() > 0.9
