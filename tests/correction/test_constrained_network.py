"""The network of the last run, trained on with strokes in its loss."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from napari_s3net import segment
from napari_s3net.correction.constrained_network import (
    RETRAINING,
    ConstrainedTrainer,
    at_network_size,
    restore_network,
    small_view,
)
from napari_s3net.correction.constraints import OBJECT, make_constraints
from napari_s3net.correction.propagation import PixelFeatures
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


def trainer_on(result, drawn):
    view = small_view(result.image, QUICK, CPU)
    return ConstrainedTrainer(restore_network(result.state, view, QUICK), view, make_constraints(result, drawn))


def stroke():
    drawn = np.zeros(SHAPE, np.int32)
    drawn[disc(40, 80, 4)] = OBJECT
    return drawn


def test_the_size_is_small_and_the_network_is_ours():
    assert at_network_size(QUICK).working_size == 64
    large = at_network_size(QUICK.replace(working_size=256, variant="released"))
    assert (large.working_size, large.variant) == (RETRAINING.size, "s3net")


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


def test_updates_obey_the_strokes_better_and_change_the_weights(result):
    trainer = trainer_on(result, stroke())
    terms = [trainer.update(iteration) for iteration in range(1, 13)]
    assert set(terms[0]) == {"strokes", "previous", "spatial"}
    assert terms[-1]["strokes"] < 0.8 * terms[0]["strokes"]
    assert any(not np.array_equal(trainer.state()[name], result.state[name]) for name in result.state)


def test_without_a_stroke_to_obey_the_previous_labels_hold(result):
    """A stroke that says what the labels say costs next to nothing."""
    agreeing = np.zeros(SHAPE, np.int32)
    agreeing[disc(40, 50, 5)] = OBJECT
    first = trainer_on(result, agreeing).update(1)
    assert first["strokes"] < 0.2 * trainer_on(result, stroke()).update(1)["strokes"]


def test_clusters_are_read_as_the_labels_that_they_were(result):
    trainer = trainer_on(result, stroke())
    with torch.no_grad():
        p = trainer.network(trainer.view.x)[0].softmax(dim=1)[0]
    shares = trainer._shares(p)
    torch.testing.assert_close(shares.sum(dim=0), torch.ones(len(p)))
    by_hand = (p * (trainer.labels == 1)).sum(dim=(1, 2)) / p.sum(dim=(1, 2))
    torch.testing.assert_close(shares[1], by_hand)


def test_probabilities_are_those_of_the_network_at_every_other_pixel(result):
    trainer = trainer_on(result, stroke())
    features = PixelFeatures(np.zeros((60, 75, 3), np.float32))
    probabilities = trainer.with_probabilities(features).probabilities
    assert probabilities.shape == (30, 38, 4)
    assert probabilities.sum(axis=2) == pytest.approx(1, abs=1e-5)
    inside, outside = probabilities[15, 19], probabilities[2, 2]
    assert np.abs(inside - outside).max() > 0.1


def test_the_size_of_the_labels_need_not_be_that_of_the_network(result):
    doubled = replace(result, labels=result.labels.repeat(2, axis=0).repeat(2, axis=1))
    drawn = stroke().repeat(2, axis=0).repeat(2, axis=1)
    torch.testing.assert_close(trainer_on(doubled, drawn).labels, trainer_on(result, stroke()).labels)
