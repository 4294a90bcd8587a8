"""The weights that come with the program find objects that they have never seen, and owe nothing to a real image."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from napari_s3net import phantom, segment
from napari_s3net.correction.relabel import downsample_labels
from napari_s3net.errors import ModelFileError
from napari_s3net.foreground.lesion import LESION
from napari_s3net.image import as_image
from napari_s3net.labels.metrics import dice
from napari_s3net.preprocessing.prepare import prepare
from napari_s3net.settings import preset_settings
from napari_s3net.training.taught import (
    SHIPPED,
    VIEWERS,
    begin_to_look,
    load_shipped,
    object_logits,
    predict,
    squares_for,
    view_features,
    view_object,
)


@pytest.fixture(scope="module")
def skin():
    return load_shipped("skin")


def test_the_card_names_no_real_image(skin):
    network, card = skin
    assert card.kind == "skin"
    assert card.taught["real images"] == 0
    assert card.taught["synthetic images"] >= 10_000
    assert sum(p.numel() for p in network.parameters()) < 1_200_000


def test_the_files_are_small():
    assert sum(file.stat().st_size for file in SHIPPED.glob("skin*.safetensors")) <= 3_000_000


def test_every_network_that_looks_is_shipped_and_every_shipped_one_looks():
    viewers = {viewer.name for each in VIEWERS.values() for viewer in each}
    assert viewers == {file.stem for file in SHIPPED.glob("*.safetensors")}
    for name in viewers:
        _, card = load_shipped(name)
        assert card.kind == name.split("-")[0]
        assert card.taught["real images"] == 0


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_lesions_of_another_generator_are_found(skin, seed):
    sample = phantom.dermoscopy(seed=seed, shape=(192, 256))
    probability, clusters = predict(*skin, sample.image.array)
    assert probability.shape == sample.image.shape
    np.testing.assert_allclose(clusters.sum(axis=0), 1, atol=1e-4)
    assert dice(probability > 0.5, sample.mask) > 0.8


def test_plain_skin_is_no_lesion(skin):
    rng = np.random.default_rng(0)
    bare = np.clip(np.array([215, 170, 150]) + rng.normal(0, 3, (128, 160, 3)), 0, 255).astype(np.uint8)
    probability, _ = predict(*skin, bare)
    assert (probability > 0.5).mean() < 0.05


def test_a_kind_without_weights_is_told():
    with pytest.raises(ModelFileError):
        load_shipped("teeth")


SKIN, CT = preset_settings("skin"), preset_settings("ct-lung")
CPU = torch.device("cpu")


def seen(array, settings=SKIN):
    plane = prepare(as_image(array), settings)
    views = view_object(plane, settings)
    return None if views is None else views.mean(axis=0)


def test_views_lie_on_the_features():
    sample = phantom.dermoscopy(seed=3, shape=(192, 256))
    plane = prepare(sample.image, SKIN)
    views = view_object(plane, SKIN)
    assert views.dtype == np.float32
    assert views.shape[1:] == plane.features.shape[:2]
    small = sample.mask[::2, ::2]
    assert len(views) == sum(1 + viewer.mirrored for viewer in VIEWERS["lesion"])
    assert all(dice(view > 0.5, small) > 0.8 for view in views)


def test_a_mirrored_image_is_seen_in_the_mirror():
    array = phantom.dermoscopy(seed=3, shape=(192, 256)).image.array
    np.testing.assert_allclose(seen(array[:, ::-1]), seen(array)[:, ::-1], atol=0.1)


def test_brightness_and_type_of_the_numbers_do_not_count():
    array = phantom.dermoscopy(seed=3, shape=(192, 256)).image.array
    plain = seen(array)
    np.testing.assert_allclose(seen((0.5 * array.astype(np.float32) + 20) / 255), plain, atol=0.02)
    np.testing.assert_allclose(seen(array.astype(np.uint16) * 200), plain, atol=0.02)


def test_what_is_looked_at_beside_something_else_is_the_same():
    squares = squares_for(prepare(phantom.dermoscopy(seed=3, shape=(96, 128)).image, SKIN), SKIN)
    looked = begin_to_look(squares, SKIN)
    for one, other in zip(looked(), object_logits(squares, SKIN), strict=True):
        assert torch.equal(one, other)
    assert begin_to_look((), SKIN)() == ()


def test_what_goes_wrong_beside_something_else_is_told_when_it_is_asked_for():
    looked = begin_to_look((torch.zeros(1, 5, 8, 8), torch.zeros(1, 5, 8, 8)), SKIN)
    with pytest.raises(RuntimeError, match="channels"):
        looked()


def test_features_tell_a_lesion_from_skin():
    sample = phantom.dermoscopy(seed=3, shape=(192, 256))
    unit = (sample.image.array / 255).astype(np.float32)
    features = view_features(unit, SKIN, (60, 80), CPU)
    assert features.shape == (60, 80, 24)
    assert features.mean(axis=(0, 1)) == pytest.approx(0, abs=1e-4)
    assert (features**2).sum(axis=2).mean() == pytest.approx(1, abs=1e-3)
    inside = downsample_labels(sample.mask, (60, 80))
    between = np.linalg.norm(features[inside].mean(axis=0) - features[~inside].mean(axis=0))
    assert between > np.linalg.norm(features[inside] - features[inside].mean(axis=0), axis=1).mean()


def test_features_are_none_where_no_network_knows():
    unit = np.zeros((40, 40, 3), np.float32)
    assert view_features(unit[..., :1], SKIN, (20, 20), CPU) is None
    assert view_features(unit, SKIN.replace(start="random"), (20, 20), CPU) is None
    assert view_features(unit, preset_settings("generic"), (20, 20), CPU) is None
    assert view_features(unit[..., :1], preset_settings("ct-lung"), (20, 20), CPU) is None


def test_no_network_is_asked_where_none_knows():
    array = phantom.dermoscopy(seed=3, shape=(96, 128)).image.array
    assert seen(array, SKIN.replace(start="random")) is None
    assert seen(array, preset_settings("generic")) is None
    assert seen(array[..., 0]) is None


@pytest.mark.parametrize("window", [(-1000.0, 200.0), (-160.0, 240.0)])
def test_lungs_are_seen_in_hounsfield_units_whatever_the_window(window):
    sample = phantom.chest_ct(seed=1)
    low, high = window
    views = view_object(prepare(sample.image, CT.replace(window_low=low, window_high=high)), CT)
    (view,) = views
    lungs = downsample_labels(sample.mask, view.shape)
    assert view[lungs].mean() > 0.7
    assert view[~lungs].mean() < 0.1
    assert np.array_equal(view, view_object(prepare(sample.image, CT), CT)[0])


def test_a_lung_as_light_as_gas_is_found():
    """More than a third of its inside below -950 HU, as with emphysema."""
    sample = phantom.chest_ct(seed=1)
    array = sample.image.array.copy()
    rows, columns = np.indices(array.shape)
    array[sample.mask & (array < -700) & ((rows // 6 + columns // 6) % 2 == 0)] = -985
    taught, alone = (
        segment(replace(sample.image, array=array), settings=CT.replace(start=start)).mask
        for start in ("taught", "random")
    )
    assert dice(alone, sample.mask) < 0.2
    assert dice(taught, sample.mask) > 0.9


@pytest.mark.parametrize("kind", ["noise", "bare skin", "grey noise"])
def test_noise_and_bare_skin_have_no_object(kind):
    rng = np.random.default_rng(0)
    array = {
        "noise": rng.integers(0, 256, (160, 160, 3)),
        "bare skin": np.array([215, 170, 150]) + rng.normal(0, 6, (160, 160, 3)),
        "grey noise": 128 + rng.normal(0, 30, (160, 160, 1)) + np.zeros(3),
    }[kind]
    result = segment(np.clip(array, 0, 255).astype(np.uint8), preset="skin")
    assert not result.mask.any()
    assert result.foreground == ()
    assert result.confidence < LESION.least_confidence


def test_a_sticker_is_not_taken_for_the_frame_of_a_lesion():
    """A yellow sticker at the border used to make all of the skin the lesion."""
    sample = phantom.dermoscopy(seed=1, shape=(192, 256))
    array = sample.image.array.copy()
    array[:, :40] = (230, 200, 40)
    taught, alone = (segment(array, settings=SKIN.replace(start=start)).mask for start in ("taught", "random"))
    seen_part = sample.mask & (np.arange(256) >= 40)
    assert dice(taught, seen_part) > 0.85
    assert dice(taught, seen_part) > dice(alone, seen_part) - 0.02
