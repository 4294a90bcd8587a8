"""A small set of images with masks: dark discs on skin."""

import numpy as np
import pytest

from napari_s3net.benchmark import methods, protocol
from napari_s3net.benchmark.baselines import BASELINES
from napari_s3net.io import write_png
from tests.benchmark.discs import skin


@pytest.fixture
def small_set(tmp_path):
    """Four images: two with a disc of another size, one mask with an ending, one in a size of its own."""
    folder = tmp_path / "discs"
    for i, (shape, radius, ending) in enumerate(
        [((60, 80), 14, ""), ((60, 80), 20, ""), ((48, 48), 12, "_mask"), ((60, 80), 9, "")]
    ):
        image, mask = skin(shape, (shape[0] // 2, shape[1] // 2), radius, seed=i)
        write_png(folder / "images" / f"d{i}.png", image)
        write_png(folder / "masks" / f"d{i}{ending}.png", mask.astype(np.uint8) * 255)
    return folder


@pytest.fixture
def quick_networks(monkeypatch):
    """Every network answers at once, with what Otsu says: for tests of what is around them."""

    def predict(method, image, seed, runs):
        return methods.run_method(method if method in BASELINES else "otsu", image, seed, runs)

    monkeypatch.setattr(protocol, "run_method", predict)
