import json
import os
import sys

import pytest
import torch

from napari_s3net.errors import ModelFileError
from napari_s3net.network.encoder_decoder import EncoderDecoder, EncoderDecoderConfig
from napari_s3net.training.weights import (
    FORMAT,
    VERSION,
    ModelCard,
    Normalisation,
    load_weights,
    read_tensors,
    save_weights,
    write_tensors,
)

CONFIG = EncoderDecoderConfig(widths=(8, 16), blocks=(1, 1), clusters=2)
CARD = ModelCard(
    kind="skin",
    config=CONFIG,
    normalisation=Normalisation(low=0, high=255),
    size=64,
    parts=("skin", "lesion"),
    taught={"seed": 3},
)


@pytest.fixture
def network():
    torch.manual_seed(1)
    return EncoderDecoder(CONFIG)


@pytest.fixture
def file(tmp_path, network):
    path = tmp_path / "new" / "weights.safetensors"
    save_weights(path, network, CARD)
    return path


def test_what_is_written_is_read_again(file, network):
    again, card = load_weights(file)
    x = torch.rand(1, 3, 32, 32)
    assert card == CARD
    assert torch.allclose(again(x)[0], network(x)[0], atol=0.02), "half precision"
    assert [p.name for p in file.parent.iterdir()] == [file.name], "nothing is left beside it"


def test_a_missing_or_damaged_or_foreign_file_is_refused(tmp_path, file):
    with pytest.raises(ModelFileError, match="no weight file"):
        load_weights(tmp_path / "nothing.safetensors")
    whole = file.read_bytes()
    file.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ModelFileError, match="readable"):
        load_weights(file)
    file.write_bytes(b"\x80\x04.")  # a pickle
    with pytest.raises(ModelFileError, match="readable"):
        load_weights(file)
    write_tensors(file, {"a": torch.ones(2)}, {"format": "another"})
    with pytest.raises(ModelFileError, match="another"):
        load_weights(file)


def test_a_newer_version_is_refused(file):
    tensors, header = read_tensors(file)
    write_tensors(file, tensors, {**header, "version": str(VERSION + 1)})
    with pytest.raises(ModelFileError, match="Update"):
        load_weights(file)


@pytest.mark.parametrize("card", ["{", "{}", json.dumps({"kind": "skin", "config": {"widths": [16, 32]}})])
def test_a_card_that_does_not_fit_is_refused(file, card):
    tensors, header = read_tensors(file)
    write_tensors(file, tensors, {**header, "card": card})
    with pytest.raises(ModelFileError, match="do not fit"):
        load_weights(file)


def test_missing_or_broken_tensors_are_refused(file):
    tensors, header = read_tensors(file)
    name = next(iter(tensors))
    write_tensors(file, {key: value for key, value in tensors.items() if key != name}, header)
    with pytest.raises(ModelFileError, match="do not fit"):
        load_weights(file)
    write_tensors(file, {**tensors, name: torch.full_like(tensors[name], float("nan"))}, header)
    with pytest.raises(ModelFileError, match="finite"):
        load_weights(file)


def test_weights_that_cannot_be_kept_are_not_written(tmp_path, network):
    with torch.no_grad():
        network.object_head.bias.fill_(1e6)
    with pytest.raises(ModelFileError, match="not finite"):
        save_weights(tmp_path / "a.safetensors", network, CARD)
    with pytest.raises(ModelFileError, match="smaller widths"):
        save_weights(
            tmp_path / "b.safetensors", EncoderDecoder(EncoderDecoderConfig(widths=(64, 512), blocks=(1, 2))), CARD
        )
    assert not list(tmp_path.iterdir())


def test_the_usual_network_fits_into_a_file(tmp_path):
    save_weights(tmp_path / "a.safetensors", EncoderDecoder(EncoderDecoderConfig()), CARD)
    assert (tmp_path / "a.safetensors").stat().st_size < 3_000_000
    assert FORMAT in (tmp_path / "a.safetensors").read_bytes()[:4000].decode(errors="replace")


def test_normalisation_clips_and_centres():
    values = Normalisation(low=-1000, high=1000)(torch.tensor([-2000, -1000, 0, 1000, 3000]))
    assert values.tolist() == [-2, -2, 0, 2, 2]


@pytest.mark.skipif(sys.platform != "linux", reason="names are UTF-8 elsewhere")
def test_a_name_that_is_no_utf_8(tmp_path):
    path = tmp_path / os.fsdecode(b"m\xe9.safetensors")
    write_tensors(path, {"a": torch.arange(3.0)}, {"format": "x"})
    tensors, header = read_tensors(path)
    assert tensors["a"].tolist() == [0, 1, 2]
    assert header == {"format": "x"}
