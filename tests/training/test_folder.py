"""Folder mode: one scorer for many images."""

from functools import lru_cache

import numpy as np
import pytest

from napari_s3net import phantom
from napari_s3net.errors import InvalidImageError, InvalidSettingsError, ReadError
from napari_s3net.image import as_image
from napari_s3net.labels.metrics import dice
from napari_s3net.settings import preset_settings
from napari_s3net.training.folder import FitStep, FolderModel, fit_folder, iter_fit_folder, load_folder_model
from napari_s3net.training.linear_scorer import LinearScorer, n_features

SKIN = preset_settings("skin")


@lru_cache
def photograph(seed):
    return phantom.dermoscopy(seed=seed, shape=(108, 144))


def photographs(n=5):
    return [photograph(seed) for seed in range(n)]


def test_a_fitted_folder_finds_its_lesions_and_survives_a_file(tmp_path):
    samples = photographs()
    model = fit_folder([sample.image for sample in samples], SKIN)
    results = [model.segment(sample.image) for sample in samples]
    assert np.mean([dice(r.mask, s.mask) for r, s in zip(results, samples, strict=True)]) > 0.85
    assert results[0].labels.shape == samples[0].image.shape
    assert 0 < results[0].confidence <= 1
    made = results[0].provenance
    assert (made.device, made.iterations, made.settings) == ("cpu", 0, SKIN)
    assert made.seconds > 0
    model.save(tmp_path / "model.safetensors")
    again = load_folder_model(tmp_path / "model.safetensors")
    assert again.settings == model.settings
    assert np.array_equal(again.segment(samples[0].image).labels, results[0].labels)


def test_every_image_is_a_step_and_stop_keeps_what_was_learned():
    images = [sample.image for sample in photographs(6)]
    run = iter_fit_folder(images, SKIN)
    assert [next(run) for _ in range(4)] == [FitStep(n, 6) for n in (1, 2, 3, 4)]
    with pytest.raises(StopIteration) as end:
        run.send(True)
    stopped, of_four = end.value.value, fit_folder(images[:4], SKIN)
    assert np.array_equal(stopped.scorer.weights, of_four.scorer.weights)
    assert stopped.segment(images[5]).mask.any()


def test_images_that_come_one_after_the_other_have_no_known_number():
    images = (sample.image for sample in photographs(4))
    assert next(iter_fit_folder(images, SKIN)) == FitStep(1)


def test_an_image_without_a_candidate_teaches_nothing_and_counts_for_nothing():
    images, array = [sample.image for sample in photographs(4)], np.full((40, 50, 3), 90, np.uint8)
    array[0, 0] = 91
    flat = as_image(array)
    plain, beside = fit_folder(images, SKIN), fit_folder([*images, flat], SKIN)
    assert np.array_equal(plain.scorer.weights, beside.scorer.weights)
    with pytest.raises(InvalidImageError, match="got 3"):
        fit_folder([*images[:3], flat], SKIN)


def test_what_the_folder_expects_decides():
    """A scorer that wants nothing but small candidates finds less than one that wants large ones."""
    image, features = photograph(0).image, n_features(3)
    weights = np.zeros(features)
    weights[9] = 100.0
    small, large = (
        FolderModel(LinearScorer(np.zeros(features), np.ones(features), sign * weights), SKIN) for sign in (-1, 1)
    )
    assert small.segment(image).mask.sum() < large.segment(image).mask.sum()


def test_too_few_images():
    with pytest.raises(InvalidImageError, match="at least 4"):
        fit_folder([sample.image for sample in photographs(2)], SKIN)


def test_grey_among_colour():
    images = [sample.image for sample in photographs(4)]
    images[2] = as_image(images[2].array.mean(axis=2))
    with pytest.raises(InvalidImageError, match="one kind"):
        fit_folder(images, SKIN)


def test_lungs_need_no_folder():
    with pytest.raises(InvalidSettingsError, match="alone"):
        fit_folder([], preset_settings("ct-lung"))


def test_an_image_of_another_kind_is_refused():
    model = fit_folder([sample.image for sample in photographs(4)], SKIN)
    with pytest.raises(InvalidImageError, match="colour on the one side"):
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
