import numpy as np
import pytest

from napari_s3net import phantom
from napari_s3net.cli import main
from napari_s3net.labels.metrics import dice
from napari_s3net.training.taught import predict
from napari_s3net.training.weights import load_weights

TINY = ["--images", "8", "--size", "24", "--batch", "2", "--passes", "0.5", "--device", "cpu", "--workers", "1"]


@pytest.mark.parametrize(("kind", "channels"), [("skin", 3), ("chest", 1)])
def test_weights_are_taught_from_nothing(tmp_path, capsys, kind, channels):
    file = tmp_path / "weights.safetensors"
    assert main(["teach", kind, "-o", str(file), *TINY]) == 0
    network, card = load_weights(file)
    assert (card.kind, card.size, network.config.in_channels) == (kind, 24, channels)
    assert card.taught["done"] == 2
    assert str(file) in capsys.readouterr().out


def test_a_network_may_be_smaller_and_remember_less(tmp_path):
    file = tmp_path / "weights.safetensors"
    assert main(["teach", "chest", "-o", str(file), *TINY, "--widths", "4,8,8,12", "--memory", "0.9"]) == 0
    network, card = load_weights(file)
    assert network.config.widths == (4, 8, 8, 12)
    assert card.taught["memory"] == 0.9


def test_wrong_use_is_told_in_one_line(tmp_path, capsys):
    out = ["-o", str(tmp_path / "w.safetensors")]
    for widths in ("4,8,8", "4,8,x,12", "0,8,8,12"):
        assert main(["teach", "skin", *out, *TINY, "--widths", widths]) == 2
        assert f"four numbers above 0, as 16,32,64,104; got '{widths}'" in capsys.readouterr().err
    assert main(["teach", "knee", *out, *TINY]) == 2
    assert "skin, chest" in capsys.readouterr().err
    assert main(["teach", "skin", *out, "--images", "0"]) == 2
    assert "--images" in capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_some_minutes_teach_what_a_lesion_is(tmp_path):
    """From nothing, on synthetic images alone, ended once on the way: lesions of another generator are found."""
    file = tmp_path / "weights.safetensors"
    asked = ["teach", "skin", "-o", str(file), "--images", "640", "--size", "64", "--passes", "8", "--batch", "16"]
    asked += ["--memory", "0.98", "--device", "cpu", "--workers", "1"]
    assert main([*asked, "--budget", "0.5"]) == 0
    assert main(asked) == 0
    network, card = load_weights(file)
    assert card.taught["done"] == 320
    samples = [phantom.dermoscopy(seed=seed, shape=(192, 256)) for seed in range(6)]
    found = [predict(network, card, sample.image.array)[0] > 0.5 for sample in samples]
    assert np.mean([dice(one, sample.mask) for one, sample in zip(found, samples, strict=True)]) > 0.75
