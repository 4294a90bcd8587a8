from dataclasses import replace

import numpy as np
import pytest
import torch

from napari_s3net.errors import InvalidImageError, InvalidSettingsError
from napari_s3net.learning import pretrain
from napari_s3net.learning.files import find_images_with_labels
from napari_s3net.learning.keypoints import Keypoints
from napari_s3net.learning.model import save_model
from napari_s3net.learning.pretrain import iter_pretrain, matches_of, neighbours, positives
from napari_s3net.learning.read_examples import iter_examples
from napari_s3net.learning.run import iter_updates
from napari_s3net.learning.train import iter_learn
from napari_s3net.runtime.generators import drain, follow

CPU = torch.device("cpu")


@pytest.fixture
def data(folder):
    return drain(iter_examples(find_images_with_labels(folder / "images", folder / "labels"), 32))


@pytest.fixture
def slices(data):
    """The eight planes as two volumes of four slices."""
    return replace(
        data, stacks=True, files=np.repeat([0, 1], 4), positions=np.tile([0, 1 / 3, 2 / 3, 1], 2).astype(np.float32)
    )


@pytest.mark.parametrize("method", ["ideal", "kaf"])
def test_the_encoder_learns_without_labels_and_is_a_start(slices, tiny, tmp_path, method):
    settings = tiny.replace(method=method, steps=80, batch=8, weight_local=0.01, learning_rate=0.003)
    blind = replace(slices, labels=np.full_like(slices.labels, -1))
    told = []
    model = follow(iter_pretrain(blind, settings, CPU), told.append)
    losses = [sum(step.losses.values()) for step in told if hasattr(step, "losses")]
    assert losses[-1] < losses[0]
    assert set(told[-1].losses) == ({"dense"} if method == "ideal" else {"image", "keypoints", "local"})
    assert model.card.is_pretrained_only
    save_model(tmp_path / "p.safetensors", model)
    learned = drain(
        iter_learn(slices, settings.replace(steps=1, learning_rate=1e-6), CPU, init=tmp_path / "p.safetensors")
    )
    first, second = (m.network.encoder.encoder[1][0].weight for m in (model, learned))
    assert torch.allclose(first, second, atol=2e-3)


def test_ideal_goes_on_from_kafs_encoder(slices, tiny, tmp_path):
    model = drain(iter_pretrain(slices, tiny.replace(method="kaf", steps=1), CPU))
    save_model(tmp_path / "p.safetensors", model)
    learned = drain(iter_learn(slices, tiny.replace(method="ideal", steps=2), CPU, init=tmp_path / "p.safetensors"))
    assert learned.card.config.keypoints
    assert learned.card.config.decoders == 2


def test_an_ended_run_goes_on_to_the_same_encoder(data, tiny, tmp_path):
    settings = tiny.replace(method="ideal", steps=60)
    whole = drain(iter_pretrain(data, settings, CPU))
    steps = iter_pretrain(data, settings, CPU, checkpoint=tmp_path / "c.safetensors")
    while next(steps).iteration < 50:
        pass
    next(steps)
    steps.close()
    again = drain(iter_pretrain(data, settings, CPU, checkpoint=tmp_path / "c.safetensors"))
    for a, b in zip(whole.network.encoder.parameters(), again.network.encoder.parameters(), strict=True):
        assert torch.equal(a, b)


def test_it_learns_at_a_tenth_of_the_rate(data, tiny, monkeypatch):
    rates = []

    def watched(state, settings, terms, **options):
        rates.append(settings.learning_rate)
        return iter_updates(state, settings, terms, **options)

    monkeypatch.setattr(pretrain, "iter_updates", watched)
    model = drain(iter_pretrain(data, tiny.replace(method="ideal", steps=1, learning_rate=0.02), CPU))
    assert rates == [pytest.approx(0.002)]
    assert model.card.settings.learning_rate == 0.02, "what was asked for"


def test_neighbours_are_of_the_same_volume(slices):
    chosen = np.arange(8)
    for n in range(5):
        beside = neighbours(slices, chosen, torch.Generator().manual_seed(n))
        assert (slices.files[beside] == slices.files[chosen]).all()
        assert (np.abs(beside - chosen) == 1).all()


def test_a_photograph_is_its_own_neighbour_and_like_no_other(data):
    beside = neighbours(data, np.arange(8), torch.Generator().manual_seed(0))
    assert (beside == np.arange(8)).all()
    assert (positives(data, np.array([0, 1, 0]), 0.35) == [[1, 0, 1], [0, 1, 0], [1, 0, 1]]).all()


def test_slices_at_one_place_of_two_volumes_are_alike(slices):
    alike = positives(slices, np.arange(8), 0.35)
    assert alike[0, 4]
    assert alike[0, 1]
    assert not alike[0, 2]


def test_matches_know_which_keypoint_is_which(data):
    rng = np.random.default_rng(0)
    described = rng.integers(0, 255, (3, 128)).astype(np.uint8)
    first = Keypoints(np.array([[5, 5], [20, 20], [9, 28]], np.float32), described)
    second = Keypoints(first.places[::-1] + np.float32(0.5), described[::-1])
    other = replace(data, keypoints=(first, second, *(first,) * 6))
    matches = matches_of(other, np.array([0]), np.array([1]), (1, 4, 5))
    assert (np.argwhere(matches[0]) == [[0, 2], [1, 1], [2, 0]]).all()


def test_what_cannot_be_pre_trained_is_told(data, tiny):
    with pytest.raises(InvalidSettingsError, match="ideal or kaf"):
        drain(iter_pretrain(data, tiny, CPU))
    with pytest.raises(InvalidImageError, match="at least two"):
        drain(iter_pretrain(data.part(np.array([0])), tiny.replace(method="ideal"), CPU))


def test_where_memory_ends_it_tries_smaller(data, tiny, monkeypatch):
    real, calls = pretrain.make_batch, []

    def scarce(data, index, device, *, keypoints):
        calls.append(len(index))
        if len(index) > 2:
            raise MemoryError
        return real(data, index, device, keypoints=keypoints)

    monkeypatch.setattr(pretrain, "make_batch", scarce)
    told = []
    follow(iter_pretrain(data, tiny.replace(method="ideal", steps=1), CPU), told.append)
    assert calls == [4, 2]
    assert "Out of memory" in told[0].text
