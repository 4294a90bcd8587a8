"""The network of the last run, built again from its weights."""

import numpy as np
import pytest
import torch

from napari_s3net import segment
from napari_s3net.correction.restored_network import NETWORK_SIZE, restore_network, small_view
from napari_s3net.errors import InvalidSettingsError
from napari_s3net.image import as_image
from napari_s3net.settings import preset_settings

CPU = torch.device("cpu")
QUICK = preset_settings("skin").replace(max_iter=3, working_size=64, channels=8, clusters=4, remove_hair=False)
SHAPE = (80, 100)


def disc(row, column, radius):
    y, x = np.ogrid[: SHAPE[0], : SHAPE[1]]
    return (y - row) ** 2 + (x - column) ** 2 <= radius**2


@pytest.fixture(scope="module")
def result():
    array = np.full((*SHAPE, 3), (220, 175, 155), np.float32)
    array[disc(40, 50, 20)] = (95, 60, 50)
    array += np.random.default_rng(0).normal(0, 4, array.shape)
    image = as_image(np.clip(array, 0, 255).astype(np.uint8))
    return segment(image, settings=QUICK, device="cpu")


def test_the_view_is_small(result):
    large = QUICK.replace(working_size=256, variant="released")
    assert max(small_view(result.image, QUICK, CPU).size) == 64
    assert max(small_view(result.image, large, CPU).size) == NETWORK_SIZE


def test_the_restored_network_is_the_one_that_was_kept(result):
    view = small_view(result.image, QUICK, CPU)
    network = restore_network(result.state, view, QUICK)
    assert view.size == (51, 64)
    for name, tensor in network.state_dict().items():
        np.testing.assert_array_equal(tensor.numpy(), result.state[name])


def test_restoring_leaves_the_global_random_numbers_alone(result):
    view = small_view(result.image, QUICK, CPU)
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    restore_network(result.state, view, QUICK)
    assert torch.equal(torch.rand(3), expected)


def test_weights_of_other_settings_are_refused(result):
    with pytest.raises(InvalidSettingsError, match="do not fit these settings"):
        restore_network(result.state, small_view(result.image, QUICK, CPU), QUICK.replace(channels=4))
