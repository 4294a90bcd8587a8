import dataclasses
import functools

import numpy as np
import pytest
import torch

from napari_s3net.errors import DivergedError, ModelFileError
from napari_s3net.network.depthwise import DepthwiseConv, depthwise_by_matrices
from napari_s3net.network.encoder_decoder import EncoderDecoderConfig
from napari_s3net.phantom.synthetic_skin import SKIN_PARTS
from napari_s3net.runtime.generators import drain, follow
from napari_s3net.training.synthetic import iter_teach, new_state, object_loss, teach_terms
from napari_s3net.training.synthetic_images import SyntheticSet, iter_paint
from napari_s3net.training.taught import predict
from napari_s3net.training.teach_settings import TeachSettings

CPU = torch.device("cpu")
SMALL = EncoderDecoderConfig(widths=(8, 16, 24), blocks=(1, 1, 1), clusters=len(SKIN_PARTS))
SETTINGS = TeachSettings(iterations=6, batch=4, report=2)


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return drain(iter_paint("skin", 64, 32, tmp_path_factory.mktemp("painted")))


def batch_of(data, n=4):
    return tuple(torch.from_numpy(array[:n]) for array in (data.images, data.masks, data.parts))


@pytest.mark.parametrize("term", ["object", "clusters", "spatial", "transformation"])
def test_every_term_has_a_gradient(data, term):
    state = new_state(SMALL, SETTINGS, CPU)
    terms = teach_terms(state, batch_of(data), SETTINGS, torch.Generator().manual_seed(0))
    assert set(terms) == {"object", "clusters", "spatial", "transformation"}
    terms[term].backward()
    assert state.optimiser.gradient.abs().max() > 1e-7
    assert all(p.grad is None for p in state.average.parameters()), "the teacher learns by its memory alone"


@pytest.mark.parametrize("name", ["spatial", "transformation"])
def test_a_weight_of_zero_leaves_a_term_out(data, name):
    settings = dataclasses.replace(SETTINGS, **{f"weight_{name}": 0.0})
    terms = teach_terms(new_state(SMALL, settings, CPU), batch_of(data), settings, torch.Generator().manual_seed(0))
    assert name not in terms


def test_object_loss_falls_from_wrong_to_right():
    target = torch.zeros(2, 1, 8, 8)
    target[0, :, 2:6, 2:6] = 1
    right, blind, wrong = (object_loss(logits, target) for logits in (20 * target - 10, 0 * target, 10 - 20 * target))
    assert right < 0.05 < blind < wrong


def test_the_same_seed_gives_the_same_weights_and_a_run_taken_up_too(data, tmp_path):
    whole, _ = drain(iter_teach(data, SETTINGS, CPU, config=SMALL))
    checkpoint = tmp_path / "work" / "checkpoint.safetensors"
    follow(
        iter_teach(data, SETTINGS, CPU, config=SMALL, checkpoint=checkpoint, checkpoint_every=2),
        lambda step: step.iteration >= 4,
    )
    steps = []
    again, card = follow(
        iter_teach(data, SETTINGS, CPU, config=SMALL, checkpoint=checkpoint), lambda s: steps.append(s.iteration)
    )
    assert steps == [6]
    assert card.taught["done"] == 6
    for mine, other in zip(whole.parameters(), again.parameters(), strict=True):
        assert torch.equal(mine, other)


def test_a_run_that_is_ended_early_is_kept_and_goes_on_with_other_images(data, tmp_path):
    checkpoint = tmp_path / "c.safetensors"
    seen = []
    for images, end in ((data.first(32), 3), (data, 5)):
        teaching = iter_teach(
            images,
            SETTINGS,
            CPU,
            config=SMALL,
            checkpoint=checkpoint,
            along=lambda n: n / 5,  # five, whatever settings say
        )
        follow(teaching, lambda step, end=end: seen.append(step.iteration) or step.iteration >= end)
    assert seen == [2, 4, 5]


def test_matrices_change_nothing_on_a_card(data):
    """Of a card's way of convolving, what the CPU can say: the same terms and gradients as the library's."""
    answers = []
    for matrices in (True, False):
        state = new_state(SMALL, SETTINGS, CPU)
        if matrices:
            for layer in state.network.modules():
                if isinstance(layer, DepthwiseConv):
                    layer.forward = functools.partial(
                        lambda layer, x: depthwise_by_matrices(x, layer.weight, layer.bias, layer.dilation[0]), layer
                    )
        terms = teach_terms(state, batch_of(data), SETTINGS, torch.Generator().manual_seed(0))
        sum(terms.values()).backward()
        answers.append(state.optimiser.gradient.clone())
    torch.testing.assert_close(*answers, rtol=1e-3, atol=1e-5)


def test_the_first_weights_follow_the_seed_and_leave_torch_s_own_draws_alone():
    torch.manual_seed(7)
    drawn = torch.rand(3)
    torch.manual_seed(7)
    first, again, other = (
        new_state(SMALL, dataclasses.replace(SETTINGS, seed=seed), CPU).optimiser.values for seed in (0, 0, 1)
    )
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert torch.equal(torch.rand(3), drawn)


def test_a_checkpoint_of_other_settings_is_refused(data, tmp_path):
    checkpoint = tmp_path / "c.safetensors"
    drain(iter_teach(data, SETTINGS, CPU, config=SMALL, checkpoint=checkpoint, checkpoint_every=2))
    other = dataclasses.replace(SETTINGS, seed=1)
    with pytest.raises(ModelFileError, match="other settings"):
        next(iter_teach(data, other, CPU, config=SMALL, checkpoint=checkpoint))


def test_a_loss_that_is_not_finite_ends_the_run(data, monkeypatch):
    from napari_s3net.training import synthetic

    monkeypatch.setattr(synthetic, "object_loss", lambda logits, _: logits.sum() * float("nan"))
    with pytest.raises(DivergedError, match="iteration 1;"):
        drain(iter_teach(data, SETTINGS, CPU, config=SMALL))


def test_the_card_says_what_was_taught(data):
    _, card = drain(iter_teach(data, SETTINGS, CPU, config=SMALL))
    assert (card.kind, card.size, card.parts) == ("skin", 32, SKIN_PARTS)
    assert card.taught["real images"] == 0
    assert card.taught["synthetic images"] == len(data)
    assert card.normalisation(torch.tensor([0, 255])).tolist() == [-2, 2]


def test_a_short_lesson_lowers_the_loss_and_beats_chance_on_unseen_discs():
    """Dark discs on bright ground: what chance would reach is the Dice of one label everywhere."""
    rng = np.random.default_rng(0)
    y, x = np.mgrid[:32, :32]
    masks = np.stack([np.hypot(y - a, x - b) < r for a, b, r in rng.uniform((8, 8, 4), (24, 24, 9), (72, 3))])
    images = np.where(masks[..., None], 90, 190) + rng.normal(0, 8, (72, 32, 32, 3))
    data = SyntheticSet(images.astype(np.uint8), masks.astype(np.uint8), masks.astype(np.uint8))
    settings = TeachSettings(iterations=60, batch=8, report=10, memory=0.9, learning_rate=1e-2)
    losses = []
    network, card = follow(
        iter_teach(data.first(64), settings, CPU, config=SMALL), lambda s: losses.append(s.losses["object"])
    )
    assert losses[-1] < 0.6 * losses[0]
    dice = []
    for image, mask in zip(data.images[64:], masks[64:], strict=True):
        found = predict(network, card, image)[0] > 0.5
        dice.append(2 * (found & mask).sum() / (found.sum() + mask.sum()))
    chance = np.mean([2 * m.sum() / (m.size + m.sum()) for m in masks[64:]])
    assert np.mean(dice) > chance + 0.3


def test_prediction_has_the_size_of_the_image(data):
    network, card = drain(iter_teach(data, SETTINGS, CPU, config=SMALL))
    probability, clusters = predict(network, card, np.zeros((50, 71, 3), np.uint8))
    assert probability.shape == (50, 71)
    assert clusters.shape == (len(SKIN_PARTS), 32, 32)
    assert clusters.sum(axis=0) == pytest.approx(1, abs=1e-5)
