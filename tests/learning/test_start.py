from dataclasses import replace

import numpy as np
import pytest
import torch

from napari_s3net.learning.files import find_images_with_labels
from napari_s3net.learning.methods import new_network, predict_squares
from napari_s3net.learning.model import save_model
from napari_s3net.learning.planes import InputNormalisation
from napari_s3net.learning.read_examples import iter_examples
from napari_s3net.learning.settings import LEARNING
from napari_s3net.learning.start import LESIONS, TAUGHT, Start, choose_start, read_start
from napari_s3net.learning.train import iter_learn
from napari_s3net.network.encoder_decoder import EncoderDecoder, EncoderDecoderConfig
from napari_s3net.phantom.synthetic_skin import synthetic_skin
from napari_s3net.runtime.generators import drain
from napari_s3net.training.taught import load_shipped, shipped_path
from napari_s3net.training.weights import ModelCard, Normalisation, save_weights

CPU = torch.device("cpu")


@pytest.fixture
def data(folder):
    return drain(iter_examples(find_images_with_labels(folder / "images", folder / "labels"), 32))


def test_weights_that_were_taught_give_the_network_its_shape(data, tiny, tmp_path):
    settings = tiny.replace(steps=1, learning_rate=1e-6)
    shape = EncoderDecoderConfig(in_channels=1, clusters=2)
    taught = EncoderDecoder(shape)
    card = ModelCard(kind="chest", config=shape, normalisation=Normalisation(low=0, high=1), size=32, parts=("a", "b"))
    save_weights(tmp_path / "w.safetensors", taught, card)
    model = drain(iter_learn(data, settings, CPU, init=tmp_path / "w.safetensors"))
    assert torch.allclose(model.network.encoder.stem[0].weight, taught.stem[0].weight, atol=1e-3)
    assert torch.allclose(model.network.decoders[0].border.weight, taught.border.weight, atol=1e-3)


@pytest.fixture
def photographs(data):
    """The planes in colour, with one class."""
    images = np.repeat(data.images, 3, axis=1)
    one_class = np.where(data.labels == 2, np.int8(0), data.labels)
    colours = InputNormalisation(3, 0.0, 255.0)
    return replace(data, images=images, labels=one_class, classes={1: "Lesion"}, normalisation=colours)


def test_photographs_are_learned_from_what_the_shipped_network_says_of_them(photographs, tiny):
    settings = tiny.replace(steps=1, learning_rate=1e-6)
    start = choose_start(photographs, settings, None)
    assert start.was_taught
    network = new_network(start.shape(photographs, settings), 0)
    start.give_weights(network)
    shipped, _ = load_shipped("skin")
    x = torch.from_numpy(photographs.images).float()
    with torch.no_grad():
        expected = shipped(x)[0].sigmoid()[:, 0]
        torch.testing.assert_close(network(x).softmax(dim=1)[:, 1], expected, atol=1e-5, rtol=1e-5)
    learned = drain(iter_learn(photographs, settings, CPU))
    assert learned.card.record["started from"] == "skin.safetensors"
    told = predict_squares(learned.network, photographs.images)[:, 1]
    torch.testing.assert_close(told, expected, atol=1e-2, rtol=0)


def test_it_finds_out_whether_the_class_is_the_lesion_that_the_network_finds(photographs, tiny, tmp_path):
    arrays = np.stack([synthetic_skin(seed, 32).array for seed in range(100, 100 + len(photographs))])
    images = ((arrays / 255 - 0.5) / 0.25).transpose(0, 3, 1, 2).astype(np.float16)
    shipped, _ = load_shipped("skin")
    with torch.no_grad():
        found = (shipped(torch.from_numpy(images).float())[0][:, 0] > 0).numpy()
    lesions = replace(photographs, images=images, labels=found.astype(np.int8))
    others = replace(lesions, labels=(~found).astype(np.int8))
    settings = tiny.replace(steps=1, learning_rate=1e-6)
    for data, expected in ((lesions, True), (others, False)):
        model = drain(iter_learn(data, settings, CPU))
        assert model.card.record[LESIONS] is expected
        save_model(tmp_path / "m.safetensors", model)
        again = drain(iter_learn(lesions, settings, CPU, init=tmp_path / "m.safetensors"))
        assert again.card.record[LESIONS] is expected


def test_two_classes_are_no_lesion(photographs, tiny):
    two = replace(photographs, classes={1: "Lesion", 2: "Hair"})
    assert not drain(iter_learn(two, tiny.replace(steps=1), CPU)).card.record[LESIONS]


@pytest.mark.parametrize("changes", [{"start": "random"}, {"method": "kaf"}])
def test_photographs_are_learned_from_nothing_where_that_is_asked_for(photographs, tiny, changes):
    assert choose_start(photographs, tiny.replace(**changes), None) == Start()


def test_grey_planes_are_learned_from_nothing(data, tiny):
    assert choose_start(data, tiny, None) == Start()


@pytest.mark.parametrize(("colours", "finds", "slower"), [(0, 0, 0), (0, 1, 1), (1, 0, 1), (1, 1, 1)])
def test_weights_that_know_neither_object_nor_images_are_changed_at_the_full_rate(
    data, photographs, tiny, colours, finds, slower
):
    start = read_start(shipped_path("skin" if colours else "chest"))
    rate = start.slow(tiny, photographs if colours else data, finds=bool(finds)).learning_rate
    assert rate == pytest.approx(tiny.learning_rate * (LEARNING.tune_rate if slower else 1))
    assert Start().slow(tiny, data, finds=True) == tiny


def test_what_came_of_a_taught_network_is_changed_slower(photographs, tiny, tmp_path):
    def learned(init, **changes):
        settings = tiny.replace(steps=1, seed=3, **changes)
        return drain(iter_learn(photographs, settings, CPU, init=init))

    def farthest(one, two):
        pairs = zip(one.network.parameters(), two.network.parameters(), strict=True)
        return max(float((a - b).detach().abs().max()) for a, b in pairs)

    tuned = learned(None)
    save_model(tmp_path / "tuned.safetensors", tuned)
    again = learned(tmp_path / "tuned.safetensors")
    assert again.card.record[TAUGHT]
    fresh = learned(None, start="random")
    save_model(tmp_path / "fresh.safetensors", fresh)
    assert not fresh.card.record[TAUGHT]
    assert farthest(tuned, again) < 0.2 * farthest(fresh, learned(tmp_path / "fresh.safetensors"))
