from dataclasses import replace

import numpy as np
import pytest
import torch

from napari_s3net.learning.files import find_images_with_labels
from napari_s3net.learning.methods import (
    TERMS,
    draw,
    make_batch,
    network_config,
    new_network,
    predict_squares,
    ramp,
)
from napari_s3net.learning.read_examples import iter_examples
from napari_s3net.learning.run import new_run
from napari_s3net.learning.settings import METHODS, learn_settings
from napari_s3net.runtime.generators import drain
from tests.training.test_loop import CARD, Counting

CPU = torch.device("cpu")


@pytest.fixture
def data(folder):
    return drain(iter_examples(find_images_with_labels(folder / "images", folder / "labels"), 32)).with_keypoints(16)


def seed(n=0):
    return torch.Generator().manual_seed(n)


@pytest.mark.parametrize("method", METHODS)
def test_each_term_reaches_the_encoder(data, tiny, method):
    settings = tiny.replace(method=method, confident=0.0)
    config = network_config(settings, 1, 2)
    state = new_run(new_network(config, 0), {}, decay=0.99)
    state.optimiser.steps = settings.steps
    labelled = make_batch(data, np.flatnonzero(data.labelled), CPU, keypoints=config.keypoints)
    others = make_batch(data, np.flatnonzero(~data.labelled), CPU, keypoints=config.keypoints)
    terms = TERMS[method](state, labelled, others, settings, seed())
    assert len(terms) == (2 if settings.needs_unlabelled else 1)
    for value in terms.values():
        state.optimiser.zero_grad()
        value.backward(retain_graph=True)
        assert float(state.network.encoder.encoder[0][0].weight.grad.abs().sum()) > 0


@pytest.mark.parametrize(("method", "copies"), [("plain", 2), ("self-training", 5), ("ideal", 14), ("kaf", 2)])
def test_an_update_waits_for_no_card_and_takes_at_most_a_copy_an_image(data, tiny, method, copies):
    settings = tiny.replace(method=method, ramp=0.0)
    config = network_config(settings, 1, 2)
    state = new_run(new_network(config, 0).to(CARD), {}, decay=0.99)
    index = np.arange(8)
    with Counting() as mode:
        labelled, others = (make_batch(data, part, CARD, keypoints=config.keypoints) for part in (index, index[:4]))
        state.update(TERMS[method](state, labelled, others, settings, seed()), 1e-3)
    assert mode.counts == {"to the card": copies + (not settings.needs_unlabelled)}


def test_the_unlabelled_loss_is_ramped_from_nothing(tiny):
    settings = tiny.replace(steps=100, ramp=0.5, unlabelled=2.0)
    values = [ramp(i, settings) for i in range(100)]
    assert values[0] == 0
    assert values == sorted(values)
    assert values[50] == values[99] == 2.0
    assert ramp(0, settings.replace(ramp=0.0)) == 2.0


def test_labels_of_unlabelled_planes_are_not_looked_at(data, tiny):
    settings = tiny.replace(method="ideal")
    state = new_run(new_network(network_config(settings, 1, 2), 0), {})
    state.optimiser.steps = settings.steps
    labelled = make_batch(data, np.flatnonzero(data.labelled), CPU, keypoints=False)
    first = TERMS["ideal"](state, labelled, labelled, settings, seed())
    blind = replace(labelled, labels=torch.full_like(labelled.labels, -1))
    second = TERMS["ideal"](state, labelled, blind, settings, seed())
    assert float(first["cross pseudo"].detach()) == float(second["cross pseudo"].detach())


def test_the_shape_follows_method_and_backbone():
    assert network_config(learn_settings(method="ideal"), 1, 3).decoders == 2
    assert network_config(learn_settings(method="kaf"), 3, 3).keypoints
    assert network_config(learn_settings(backbone="ilka"), 3, 1).widths == (24, 48, 96, 160)
    assert network_config(learn_settings(), 1, 3).classes == 4


def test_predictions_do_not_depend_on_the_batch(data, tiny):
    network = new_network(network_config(tiny, 1, 2), 0)
    together = predict_squares(network, data.images, batch=8)
    assert torch.allclose(together, predict_squares(network, data.images, batch=3), atol=1e-5)
    assert torch.allclose(together.sum(dim=1), torch.ones(8, 32, 32), atol=1e-5)


def test_draws_are_from_the_pool():
    pool = np.array([3, 7, 9])
    assert set(draw(pool, 50, seed()).tolist()) == {3, 7, 9}
