"""Folders of small images, and children that end with the tests."""

import numpy as np
import PIL.Image
import pytest

from napari_s3net.batch import Plan, open_executor
from napari_s3net.runtime import child_pool


@pytest.fixture(scope="module", autouse=True)
def executor():
    """One process for all tests of a module, for it takes a moment to start."""
    with open_executor() as executor:
        yield executor
    child_pool.close_all()


def picture(seed=0, shape=(24, 32)):
    """A bright image with a dark disc."""
    rng = np.random.default_rng(seed)
    rows, columns = np.mgrid[: shape[0], : shape[1]]
    array = np.full((*shape, 3), (220, 180, 160)) + rng.normal(0, 4, (*shape, 3))
    array[(rows - shape[0] / 2) ** 2 + (columns - shape[1] / 2) ** 2 < rng.integers(20, 90)] -= 100
    return np.clip(array, 0, 255).astype(np.uint8)


@pytest.fixture
def save():
    """Writes a picture, and its folder."""

    def save(path, seed=0, **more):
        path.parent.mkdir(parents=True, exist_ok=True)
        PIL.Image.fromarray(picture(seed, **more)).save(path)
        return path

    return save


@pytest.fixture
def folder(tmp_path, save):
    """Three pictures."""
    for seed, name in enumerate(("a.png", "b.png", "c.jpg")):
        save(tmp_path / "in" / name, seed)
    return tmp_path / "in"


@pytest.fixture
def plan(folder, tmp_path):
    return Plan(source=folder, output=tmp_path / "out", device="cpu")
