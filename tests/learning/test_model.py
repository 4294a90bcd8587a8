import json

import pytest
import torch

from napari_s3net.errors import ModelFileError
from napari_s3net.learning.methods import network_config, new_network
from napari_s3net.learning.model import FORMAT, LearnedCard, LearnedModel, load_model, save_model, start_from
from napari_s3net.learning.planes import InputNormalisation
from napari_s3net.training.weights import read_tensors, write_tensors


@pytest.fixture
def model(tiny):
    config = network_config(tiny, 1, 2)
    card = LearnedCard(
        config=config,
        settings=tiny,
        classes={1: "Lesion", 7: "Hair"},
        normalisation=InputNormalisation(1, -3.0, 4.5),
        record={"steps": 3},
    )
    return LearnedModel(new_network(config, 0), card)


def test_a_model_comes_back_whole(model, tmp_path):
    save_model(tmp_path / "m.safetensors", model)
    back = load_model(tmp_path / "m.safetensors")
    assert back.card == model.card
    for a, b in zip(model.network.parameters(), back.network.parameters(), strict=True):
        assert torch.allclose(a, b, atol=1e-3)
    assert not back.network.training


def test_a_pre_trained_one_holds_its_encoder_alone(model, tmp_path, tiny):
    card = LearnedCard(config=model.card.config, settings=tiny, classes={}, normalisation=model.card.normalisation)
    save_model(tmp_path / "p.safetensors", LearnedModel(model.network, card))
    tensors, _ = read_tensors(tmp_path / "p.safetensors")
    assert all(name.startswith("encoder.") for name in tensors)
    assert load_model(tmp_path / "p.safetensors").card.is_pretrained_only
    other = new_network(model.card.config, 5)
    assert start_from(other, tmp_path / "p.safetensors") == len(tensors)
    assert torch.allclose(next(other.parameters()), next(model.network.parameters()), atol=1e-3)


def altered(model, tmp_path, **header):
    file = tmp_path / "m.safetensors"
    save_model(file, model)
    tensors, before = read_tensors(file)
    write_tensors(file, tensors, {**before, **header})
    return file


def test_wrong_foreign_and_newer_files_are_refused(model, tmp_path):
    for header, words in (
        ({"format": "somebody's"}, "no model of this program"),
        ({"format": "napari-s3net weights"}, "taught on synthetic images"),
        ({"version": "5"}, "Update napari-s3net"),
        ({"version": "2"}, "Learn it again"),
        ({"card": json.dumps({"config": {}})}, "do not fit together"),
        ({"card": "no json"}, "do not fit together"),
    ):
        with pytest.raises(ModelFileError, match=words):
            load_model(altered(model, tmp_path, **header))
    (tmp_path / "text.safetensors").write_text("hello")
    for name in ("text.safetensors", "missing.safetensors"):
        with pytest.raises(ModelFileError):
            load_model(tmp_path / name)


def test_a_file_that_lost_weights_is_refused(model, tmp_path):
    file = altered(model, tmp_path)
    tensors, header = read_tensors(file)
    tensors.pop("decoders.0.head.bias")
    write_tensors(file, tensors, header)
    with pytest.raises(ModelFileError, match="damaged"):
        load_model(file)


def test_weights_that_are_not_finite_are_not_written(model, tmp_path):
    with torch.no_grad():
        next(model.network.parameters())[0] = float("inf")
    with pytest.raises(ModelFileError, match="not finite"):
        save_model(tmp_path / "m.safetensors", model)
    assert not list(tmp_path.iterdir())


def test_nothing_that_fits_is_told(model, tmp_path, tiny):
    save_model(tmp_path / "m.safetensors", model)
    with pytest.raises(ModelFileError, match="Nothing in"):
        start_from(torch.nn.Linear(2, 2), tmp_path / "m.safetensors")
    write_tensors(tmp_path / "x.safetensors", {"a": torch.zeros(1)}, {"format": FORMAT + "x"})
    with pytest.raises(ModelFileError, match="to start from"):
        start_from(model.network, tmp_path / "x.safetensors")
