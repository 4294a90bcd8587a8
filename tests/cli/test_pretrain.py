import pytest

from napari_s3net.learning.model import load_model
from tests.cli.helpers import TINY, run


@pytest.mark.parametrize("method", ["ideal", "kaf"])
def test_pre_trained_learned_and_learned_again(folder, method):
    first, second = folder / "p.safetensors", folder / "m.safetensors"
    assert run("pretrain", folder / "images", "-o", first, "--method", method, *TINY, "steps=2") == 0
    start = ("learn", folder / "images", folder / "labels", "--method", method, *TINY, "steps=2")
    assert run(*start, "-o", second, "--init", first) == 0
    assert load_model(second).card.record["started from"] == "p.safetensors"
    assert run(*start, "-o", second, "--init", second) == 0
    assert run("predict", first, folder / "images" / "a0.png", "-o", folder / "out") == 2
