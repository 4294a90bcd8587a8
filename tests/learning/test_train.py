from dataclasses import replace

import numpy as np
import pytest
import torch

from napari_s3net.errors import InvalidImageError, OutOfMemoryError
from napari_s3net.image import Notice
from napari_s3net.learning import train
from napari_s3net.learning.examples import iter_examples
from napari_s3net.learning.files import find_images_with_labels
from napari_s3net.learning.methods import network_config, new_network, predict_squares
from napari_s3net.learning.model import save_model, start_from
from napari_s3net.learning.planes import InputNormalisation
from napari_s3net.learning.run import belongs_to_run
from napari_s3net.learning.settings import METHODS
from napari_s3net.learning.train import LESIONS, config_for, iter_learn, set_aside, taught_start
from napari_s3net.network.encoder_decoder import EncoderDecoder, EncoderDecoderConfig
from napari_s3net.phantom.synthetic_skin import synthetic_skin
from napari_s3net.runtime.generators import drain, follow
from napari_s3net.training.taught import load_shipped
from napari_s3net.training.weights import ModelCard, Normalisation, save_weights

CPU = torch.device("cpu")


@pytest.fixture
def data(folder):
    return drain(iter_examples(find_images_with_labels(folder / "images", folder / "labels"), 32))


def dice(model, data):
    told = predict_squares(model.network, data.images).argmax(dim=1).numpy()
    seen = data.labelled
    return [
        2 * ((told == k) & (data.labels == k))[seen].sum() / ((told == k)[seen].sum() + (data.labels == k)[seen].sum())
        for k in (1, 2)
    ]


def test_it_learns_what_the_discs_are(data, tiny):
    model = drain(iter_learn(data, tiny.replace(steps=80, learning_rate=0.01), CPU))
    assert min(dice(model, data)) > 0.7
    assert model.card.classes == {1: "Class 1", 2: "Class 2"}
    assert model.card.record["labelled images"] == 4
    assert model.card.record["steps"] == 80


@pytest.mark.parametrize("method", METHODS)
def test_each_method_runs_and_gives_the_same_twice(data, tiny, method):
    settings = tiny.replace(method=method, steps=6)
    first, second = (drain(iter_learn(data, settings, CPU)) for _ in range(2))
    for a, b in zip(first.network.parameters(), second.network.parameters(), strict=True):
        assert torch.equal(a, b)


def test_one_corrected_image_is_enough(data, tiny):
    labels = data.labels.copy()
    labels[1:] = -1
    assert (
        drain(iter_learn(replace(data, labels=labels), tiny.replace(steps=2), CPU)).card.record["labelled images"] == 1
    )


def test_without_labels_or_with_background_alone_there_is_nothing_to_learn(data, tiny):
    with pytest.raises(InvalidImageError, match="No image has labels"):
        drain(iter_learn(replace(data, labels=np.full_like(data.labels, -1)), tiny, CPU))
    with pytest.raises(InvalidImageError, match="background"):
        drain(iter_learn(replace(data, labels=np.zeros_like(data.labels)), tiny, CPU))


def test_from_five_images_on_some_are_set_aside_and_never_seen(data, tiny):
    assert len(set_aside(data, tiny)) == 0
    labels = data.labels.copy()
    labels[4:] = labels[:4]
    more = replace(data, labels=labels)
    aside = set_aside(more, tiny)
    assert len(aside) == 1
    assert len(set_aside(more, tiny.replace(validate=False))) == 0
    steps = []
    drained = follow(iter_learn(more, tiny.replace(steps=60), CPU), steps.append)
    assert 0 <= steps[-1].validation <= 1
    assert drained.card.record["dice on images set aside"] == pytest.approx(steps[-1].validation, abs=1e-4)
    wrong = labels.copy()
    wrong[more.files == aside[0]] = np.where(wrong[more.files == aside[0]] > 0, 0, 1)
    blind = drain(iter_learn(replace(more, labels=wrong), tiny.replace(steps=3), CPU))
    seeing = drain(iter_learn(more, tiny.replace(steps=3), CPU))
    assert torch.equal(next(blind.network.parameters()), next(seeing.network.parameters()))


def test_learning_again_goes_on_from_before(data, tiny, tmp_path):
    before = drain(iter_learn(data, tiny.replace(steps=40, learning_rate=0.01), CPU))
    save_model(tmp_path / "m.safetensors", before)
    steps = []
    follow(
        iter_learn(data, tiny.replace(steps=2, learning_rate=1e-6), CPU, init=tmp_path / "m.safetensors"), steps.append
    )
    fresh = []
    follow(iter_learn(data, tiny.replace(steps=2, learning_rate=1e-6), CPU), fresh.append)
    assert steps[-1].losses["supervised"] < 0.8 * fresh[-1].losses["supervised"]


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
    init = taught_start(photographs, settings)
    assert init is not None
    network = new_network(config_for(photographs, settings, init), 0)
    start_from(network, init)
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
    assert taught_start(photographs, tiny.replace(**changes)) is None


def test_grey_planes_are_learned_from_nothing(data, tiny):
    assert taught_start(data, tiny) is None


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
    assert again.card.record["taught on synthetic images"]
    fresh = learned(None, start="random")
    save_model(tmp_path / "fresh.safetensors", fresh)
    assert not fresh.card.record["taught on synthetic images"]
    assert farthest(tuned, again) < 0.2 * farthest(fresh, learned(tmp_path / "fresh.safetensors"))


def test_where_memory_ends_it_tries_smaller(data, tiny, monkeypatch):
    tried = []
    real = train.make_batch

    def scarce(data, index, device, *, keypoints):
        tried.append((len(index), data.size))
        if len(index) > 2:
            raise RuntimeError("CUDA out of memory")
        return real(data, index, device, keypoints=keypoints)

    monkeypatch.setattr(train, "make_batch", scarce)
    told = []
    follow(iter_learn(data, tiny.replace(steps=1), CPU), told.append)
    assert tried == [(4, 32), (2, 32)]
    assert isinstance(told[0], Notice)
    assert "with 2 images an update" in told[0].text


def test_where_no_size_fits_it_says_so(data, tiny, monkeypatch):
    sizes = []

    def never(data, index, device, *, keypoints):
        sizes.append((data.size, len(index)))
        raise MemoryError

    monkeypatch.setattr(train, "make_batch", never)
    big = replace(
        data,
        images=np.repeat(np.repeat(data.images, 4, axis=2), 4, axis=3),
        labels=np.repeat(np.repeat(data.labels, 4, axis=1), 4, axis=2),
    )
    with pytest.raises(OutOfMemoryError, match="does not fit"):
        drain(iter_learn(big, tiny, CPU))
    assert sizes == [(128, 4), (128, 2), (64, 2)]


def test_other_errors_pass(data, tiny, monkeypatch):
    def broken(*_, **__):
        raise RuntimeError("something else")

    monkeypatch.setattr(train, "make_batch", broken)
    with pytest.raises(RuntimeError, match="something else"):
        drain(iter_learn(data, tiny, CPU))


def test_a_network_of_a_seed_is_the_same_and_torch_is_left_alone(tiny):
    state = torch.random.get_rng_state()
    a, b = (new_network(network_config(tiny, 1, 2), 3) for _ in range(2))
    assert torch.equal(next(a.parameters()), next(b.parameters()))
    assert torch.equal(state, torch.random.get_rng_state())


def test_a_checkpoint_is_known_by_its_run(data, tiny, tmp_path):
    file = tmp_path / "c.safetensors"
    assert not belongs_to_run(file, data, tiny, None)
    follow(iter_learn(data, tiny, CPU, checkpoint=file), lambda step: step.iteration == 10)
    assert belongs_to_run(file, data, tiny, None)
    assert not belongs_to_run(file, data, tiny.replace(steps=21), None)
    assert not belongs_to_run(file, data.part(np.arange(7)), tiny, None)


def test_where_memory_ends_late_the_checkpoint_is_gone_on_from(data, tiny, tmp_path, monkeypatch):
    real, calls = train.make_batch, []

    def scarce(data, index, device, *, keypoints):
        calls.append(len(index))
        if len(index) > 2 and len(calls) > 55:
            raise RuntimeError("CUDA out of memory")
        return real(data, index, device, keypoints=keypoints)

    monkeypatch.setattr(train, "make_batch", scarce)
    drain(iter_learn(data, tiny.replace(steps=60), CPU, checkpoint=tmp_path / "c.safetensors"))
    assert calls == [4] * 56 + [2] * 10  # from the checkpoint of step 50
