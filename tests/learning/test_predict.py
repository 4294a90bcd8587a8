from dataclasses import replace

import numpy as np
import pytest
import torch

from napari_s3net.errors import InvalidImageError, ModelFileError
from napari_s3net.image import Geometry, Image, as_image
from napari_s3net.learning.beside_proposal import lesion_beside_proposal
from napari_s3net.learning.methods import network_config, new_network
from napari_s3net.learning.model import LearnedCard, LearnedModel, save_model
from napari_s3net.learning.planes import InputNormalisation
from napari_s3net.learning.predict import confidence_of, iter_apply, iter_learned, predict_plane
from napari_s3net.learning.start import LESIONS
from napari_s3net.phantom.synthetic_skin import synthetic_skin
from napari_s3net.runtime.generators import drain, follow
from napari_s3net.settings import preset_settings
from tests.learning.conftest import scene


def model_of(settings, classes):
    config = network_config(settings, 1, max(1, len(classes)))
    card = LearnedCard(config=config, settings=settings, classes=classes, normalisation=InputNormalisation(1))
    return LearnedModel(new_network(config, 0).eval(), card)


@pytest.fixture
def model(tiny):
    return model_of(tiny, {1: "Bright", 9: "Dark"})


def volume():
    geometry = Geometry((3.0, 1.5, 1.5), (5.0, 6.0, 7.0), tuple(map(tuple, np.eye(3).tolist())))
    stack = np.stack([scene(n)[0] for n in range(3)])
    stack[1] = 80  # nothing to see
    return Image(stack, geometry, "grey", "v")


def test_a_plane_gets_the_values_of_its_classes(model):
    image = as_image(scene(0, (37, 51))[0])
    result = drain(iter_apply(image, model))
    assert result.labels.shape == (37, 51)
    assert set(np.unique(result.labels)) <= {0, 1, 9}
    assert result.names == {1: "Bright", 9: "Dark"}
    assert result.foreground == (1, 9)
    assert 0 <= result.confidence <= 1
    probabilities = predict_plane(model, image)
    assert probabilities.shape == (3, 37, 51)
    np.testing.assert_allclose(probabilities.sum(axis=0), 1, atol=1e-4)
    assert (np.array([0, 1, 9])[probabilities.argmax(0)] == result.labels).all()


def test_the_record_names_the_model_and_how_it_learned(model, tiny):
    image = as_image(np.stack([scene(0, (37, 51))[0]] * 3, axis=2).astype(np.uint8))
    of_colour = model_of(tiny, {1: "Bright"})
    colour = LearnedCard(
        config=network_config(tiny, 3, 1), settings=tiny, classes={1: "Bright"}, normalisation=InputNormalisation(3)
    )
    made = drain(iter_apply(image, LearnedModel(new_network(colour.config, 0).eval(), colour))).provenance
    other = drain(iter_apply(image, LearnedModel(new_network(colour.config, 1).eval(), colour))).provenance
    assert made.model["settings"] == tiny.to_dict()
    assert made.model["weights"] != other.model["weights"]
    assert of_colour.digest() == model_of(tiny, {1: "Bright"}).digest()
    assert made.preset == ""
    assert made.settings == preset_settings("skin"), "a correction goes on as for any photograph"


def test_a_volume_keeps_its_geometry_and_each_slice_is_as_if_alone(model):
    image = volume()
    result = drain(iter_apply(image, model))
    assert result.labels.shape == image.shape
    assert result.geometry == image.geometry
    alone = drain(iter_apply(image.slice(2), model))
    assert (result.labels[2] == alone.labels).all()


def test_stopping_keeps_the_slices_that_are_done(model):
    result = follow(iter_apply(volume(), model), lambda step: step.slice == 0)
    assert result.provenance.stopped
    assert (result.labels[1:] == 0).all()


@pytest.mark.parametrize("shape", [(1, 40), (500, 20)])
def test_thin_images_pass(model, shape):
    array = np.random.default_rng(0).integers(0, 255, shape).astype(np.uint8)
    assert drain(iter_apply(as_image(array), model)).labels.shape == shape


def test_keypoints_are_found_where_the_network_uses_them(tiny):
    model = model_of(tiny.replace(method="kaf"), {1: "Object"})
    result = drain(iter_apply(as_image(scene(0)[0]), model))
    assert result.object_name == "Object"


def test_what_cannot_be_applied_is_told(model, tiny, tmp_path):
    with pytest.raises(InvalidImageError, match="expected grey"):
        drain(iter_apply(as_image(np.random.default_rng(0).integers(0, 255, (32, 32, 3)).astype(np.uint8)), model))
    with pytest.raises(ModelFileError, match="only pre-trained"):
        drain(iter_apply(as_image(scene(0)[0]), model_of(tiny, {})))
    with pytest.raises(ModelFileError, match="no model"):
        drain(iter_learned(as_image(scene(0)[0]), tmp_path / "none.safetensors"))


def test_a_file_that_was_written_anew_is_read_anew(tiny, tmp_path):
    file = tmp_path / "m.safetensors"
    save_model(file, model_of(tiny, {1: "First"}))
    assert drain(iter_learned(as_image(scene(0)[0]), file)).names == {1: "First"}
    save_model(file, model_of(tiny, {2: "Second"}))
    assert drain(iter_learned(as_image(scene(0)[0]), file)).names == {2: "Second"}


def test_confidence_is_low_where_classes_are_near_each_other():
    sure = np.zeros((2, 4, 4))
    sure[1] = 1
    unsure = np.full((2, 4, 4), 0.5)
    background = np.stack([np.ones((4, 4)), np.zeros((4, 4))])
    assert confidence_of(sure) == 1
    assert confidence_of(unsure) == 0.5
    assert confidence_of(background) == 1


def test_gradients_are_not_kept(model):
    assert not torch.is_tensor(drain(iter_apply(as_image(scene(0)[0]), model)).labels)


def test_a_model_of_lesions_decides_beside_the_proposal(tiny):
    image = as_image(synthetic_skin(4, 96).array)
    card = LearnedCard(
        config=network_config(tiny, 3, 1), settings=tiny, classes={5: "Lesion"}, normalisation=InputNormalisation(3)
    )
    network = new_network(card.config, 0).eval()
    learned = predict_plane(LearnedModel(network, card), image)
    alone = drain(iter_apply(image, LearnedModel(network, card)))
    np.testing.assert_array_equal(alone.mask, learned.argmax(axis=0) == 1)
    beside = drain(
        iter_apply(image, LearnedModel(network, replace(card, record={LESIONS: True, "labelled images": 5})))
    )
    expected, confidence = lesion_beside_proposal(image, learned[1], 5)
    np.testing.assert_array_equal(beside.labels, np.where(expected, 5, 0))
    assert beside.confidence == pytest.approx(confidence)
    assert (beside.mask != alone.mask).any()
