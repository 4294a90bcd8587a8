"""What is trained together on a card, and what becomes of the one that fails; a CPU stands in for the card."""

import queue

import numpy as np
import torch

from napari_s3net import phantom
from napari_s3net.batch import card_server
from napari_s3net.batch.card_server import TrainingRequest, gather, train_batch
from napari_s3net.preprocessing.prepare import prepare
from napari_s3net.settings import presets
from napari_s3net.training.taught import object_logits, squares_for

CPU = torch.device("cpu")
SKIN = presets["skin"].settings.replace(working_size=48, max_iter=3)


def image(seed):
    return phantom.dermoscopy(seed=seed, shape=(64, 64)).image


def request(seed, settings=SKIN):
    return TrainingRequest(prepare(image(seed), settings).features, settings)


def test_only_what_goes_together_is_gathered_and_at_most_so_many(monkeypatch):
    monkeypatch.setattr(card_server, "images_at_once", lambda *_: 2)
    other = request(1, SKIN.replace(seed=5))
    given, waiting, left = [request(0), other, request(2), request(3)], queue.Queue(), []
    for one in given:
        waiting.put(one)
    assert gather(waiting, left, CPU) == [given[0], given[2]]
    assert gather(waiting, left, CPU) == [other]
    assert gather(waiting, left, CPU) == [given[3]]
    assert not left


def test_one_that_spoils_its_batch_fails_alone(monkeypatch):
    requests = [request(seed) for seed in range(4)]
    bad, make = requests[1].features, card_server.make_trainer

    def refusing(features, *others):
        if any(np.array_equal(one, bad) for one in (features if features.ndim == 4 else features[None])):
            raise ValueError("this one cannot be trained on")
        return make(features, *others)

    monkeypatch.setattr(card_server, "make_trainer", refusing)
    answers = train_batch(requests, CPU)
    assert ["error" in answer for answer in answers] == [False, True, False, False]
    assert answers[1] == {"error": "this one cannot be trained on", "kind": "other"}


def test_taught_networks_look_at_all_images_of_a_batch_at_once():
    planes = [prepare(image(seed), SKIN) for seed in range(3)]
    squares = [squares_for(plane, SKIN) for plane in planes]
    requests = [
        TrainingRequest(plane.features, SKIN, tuple(square.numpy() for square in of_one))
        for plane, of_one in zip(planes, squares, strict=True)
    ]
    for of_one, answer in zip(squares, train_batch(requests, CPU), strict=True):
        alone = object_logits(of_one, SKIN)
        assert len(answer["logits"]) == len(alone) > 1
        for together, given in zip(answer["logits"], alone, strict=True):
            np.testing.assert_allclose(together, given, atol=1e-3)


def test_out_of_memory_is_tried_with_fewer_and_told_of_one(monkeypatch):
    make, sizes = card_server.make_trainer, []

    def small(features, *others):
        sizes.append(features.shape[0] if features.ndim == 4 else 1)
        if sizes[-1] > 2:
            raise RuntimeError("CUDA out of memory. Tried to allocate 2 GiB")
        return make(features, *others)

    monkeypatch.setattr(card_server, "make_trainer", small)
    answers = train_batch([request(seed) for seed in range(4)], CPU)
    assert sizes == [4, 2, 2]
    assert all("probabilities" in answer for answer in answers)
    monkeypatch.setattr(card_server, "make_trainer", lambda *_: (_ for _ in ()).throw(MemoryError()))
    (answer,) = train_batch([request(0)], CPU)
    assert answer["kind"] == "memory"
