from dataclasses import replace

import numpy as np
import pytest
import torch

from napari_s3net.errors import InvalidImageError, OutOfMemoryError
from napari_s3net.learning import train
from napari_s3net.learning.files import find_images_with_labels
from napari_s3net.learning.methods import network_config, new_network, predict_squares
from napari_s3net.learning.model import save_model
from napari_s3net.learning.read_examples import iter_examples
from napari_s3net.learning.run import belongs_to_run
from napari_s3net.learning.settings import METHODS
from napari_s3net.learning.start import read_start
from napari_s3net.learning.train import iter_learn
from napari_s3net.learning.validation import set_aside
from napari_s3net.progress import Notice
from napari_s3net.runtime.generators import drain, follow

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


def test_learned_again_it_sets_aside_what_was_set_aside_before_or_is_new(data, tiny, tmp_path):
    labels = data.labels.copy()
    labels[4:] = labels[:4]
    more = replace(data, labels=labels)
    ways = [tiny.replace(steps=1, seed=seed) for seed in range(6)]
    first = set_aside(more, ways[0])
    record = drain(iter_learn(more, ways[0], CPU)).card.record
    digests = [more.digest(file) for file in range(8)]
    assert record["set aside"] == [digests[first[0]]]
    assert record["learned from"] == sorted(set(digests) - set(record["set aside"]))
    save_model(tmp_path / "m.safetensors", drain(iter_learn(more, ways[0], CPU)))
    again = read_start(tmp_path / "m.safetensors")
    assert all(set_aside(more, way, again).tolist() == first.tolist() for way in ways)
    assert {set_aside(more, way)[0] for way in ways} != {first[0]}
    without = np.where((more.files == first[0])[:, None, None], -1, labels)
    assert all(len(set_aside(replace(more, labels=without), way, again)) == 0 for way in ways), "all were seen"


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
