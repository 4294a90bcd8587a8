"""The weights that come with the program find objects that they have never seen, and owe nothing to a real image."""

import numpy as np
import pytest

from napari_s3net import phantom
from napari_s3net.errors import ModelFileError
from napari_s3net.labels.metrics import dice
from napari_s3net.training.taught import SHIPPED, load_shipped, predict


@pytest.fixture(scope="module")
def skin():
    return load_shipped("skin")


def test_the_card_names_no_real_image(skin):
    network, card = skin
    assert card.kind == "skin"
    assert card.taught["real images"] == 0
    assert card.taught["synthetic images"] >= 10_000
    assert sum(p.numel() for p in network.parameters()) < 1_200_000


def test_the_file_is_small():
    assert (SHIPPED / "skin.safetensors").stat().st_size <= 3_000_000


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_lesions_of_another_generator_are_found(skin, seed):
    sample = phantom.dermoscopy(seed=seed, shape=(192, 256))
    probability, clusters = predict(*skin, sample.image.array)
    assert probability.shape == sample.image.shape
    np.testing.assert_allclose(clusters.sum(axis=0), 1, atol=1e-4)
    assert dice(probability > 0.5, sample.mask) > 0.8


def test_plain_skin_is_no_lesion(skin):
    rng = np.random.default_rng(0)
    bare = np.clip(np.array([215, 170, 150]) + rng.normal(0, 3, (128, 160, 3)), 0, 255).astype(np.uint8)
    probability, _ = predict(*skin, bare)
    assert (probability > 0.5).mean() < 0.05


def test_a_kind_without_weights_is_told():
    with pytest.raises(ModelFileError):
        load_shipped("teeth")
