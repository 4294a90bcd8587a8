"""Folder mode: one network for many images."""

from functools import lru_cache

import numpy as np
import pytest
import torch

from napari_s3net import folder, phantom
from napari_s3net.errors import InvalidImageError, InvalidSettingsError, ReadError
from napari_s3net.folder import fit_folder, iter_fit_folder, load_folder_model, network_input
from napari_s3net.image import as_image
from napari_s3net.labels.metrics import dice
from napari_s3net.settings import preset

SKIN = preset("skin")


@pytest.fixture
def quick(monkeypatch):
    monkeypatch.setattr(folder, "PASSES", 5)
    monkeypatch.setattr(folder, "SIZE", 32)


@lru_cache
def photograph(seed):
    return phantom.dermoscopy(seed=seed, shape=(108, 144))


def photographs(n=5):
    return [photograph(seed) for seed in range(n)]


def steps_of(images, answer=None):
    run, steps = iter_fit_folder(images, SKIN), []
    try:
        steps.append(next(run))
        while True:
            steps.append(run.send(answer(steps[-1]) if answer else None))
    except StopIteration as end:
        return steps, end.value


def test_a_fitted_folder_finds_its_lesions_and_survives_a_file(quick, tmp_path):
    samples = photographs()
    steps, model = steps_of([sample.image for sample in samples])
    assert [step.iteration for step in steps] == [1, 2, 3, 4, 5, 1, 2, 3, 4, 5]
    results = [model.segment(sample.image) for sample in samples]
    assert np.mean([dice(r.mask, s.mask) for r, s in zip(results, samples, strict=True)]) > 0.85
    assert results[0].labels.shape == samples[0].image.shape
    assert 0 < results[0].confidence <= 1
    model.save(tmp_path / "model.safetensors")
    again = load_folder_model(tmp_path / "model.safetensors")
    assert again.settings == model.settings
    assert np.array_equal(again.segment(samples[0].image).labels, results[0].labels)


def test_the_loss_falls(monkeypatch):
    monkeypatch.setattr(folder, "PASSES", 12)
    monkeypatch.setattr(folder, "SIZE", 32)
    steps, _ = steps_of([sample.image for sample in photographs(4)])
    losses = [step.losses["fit"] for step in steps if step.losses]
    assert losses[-1] < 0.8 * losses[0]


def test_the_same_seed_gives_the_same_network(quick):
    images = [sample.image for sample in photographs(4)]
    first, second = fit_folder(images, SKIN), fit_folder(images, SKIN)
    other = fit_folder(images, SKIN.replace(seed=1))
    weights = [torch.cat([p.flatten() for p in m.network.parameters()]) for m in (first, second, other)]
    assert torch.equal(weights[0], weights[1])
    assert not torch.equal(weights[0], weights[2])


def test_stop_keeps_what_was_learned(quick):
    images = [sample.image for sample in photographs(4)]
    steps, model = steps_of(images, lambda step: step.total > 0)
    assert len(steps) == 5
    assert model.segment(images[0]).mask.any()


def test_light_and_tint_hardly_matter():
    unit = photograph(3).image.array.astype(np.float32) / 255
    inside = np.ones(unit.shape[:2], bool)
    plain, dimmed = network_input(unit, inside), network_input(unit * np.float32(0.8), inside)
    assert np.abs(plain - dimmed).mean() < 0.15 * np.abs(plain[:3]).mean()


def test_too_few_images(quick):
    with pytest.raises(InvalidImageError, match="at least 4"):
        fit_folder([sample.image for sample in photographs(2)], SKIN)


def test_grey_among_colour(quick):
    images = [sample.image for sample in photographs(4)]
    images[2] = as_image(images[2].array.mean(axis=2))
    with pytest.raises(InvalidImageError, match="one kind"):
        fit_folder(images, SKIN)


def test_lungs_need_no_folder():
    with pytest.raises(InvalidSettingsError, match="alone"):
        fit_folder([], preset("ct-lung"))


def test_an_image_of_another_kind_is_refused(quick):
    model = fit_folder([sample.image for sample in photographs(4)], SKIN)
    with pytest.raises(InvalidImageError, match="3 channels"):
        model.segment(phantom.disc().image)


@pytest.mark.parametrize("content", [b"", b"not weights", b"\x08\x00\x00\x00\x00\x00\x00\x00{}      "])
def test_a_file_that_is_no_model(tmp_path, content):
    path = tmp_path / "model.safetensors"
    path.write_bytes(content)
    with pytest.raises(ReadError, match=r"model\.safetensors"):
        load_folder_model(path)


def test_a_missing_file(tmp_path):
    with pytest.raises(ReadError, match="gone"):
        load_folder_model(tmp_path / "gone.safetensors")
