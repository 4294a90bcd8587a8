"""Small images with discs of two classes, and what is learned from them."""

from pathlib import Path

import numpy as np
import pytest

from napari_s3net.image import Geometry
from napari_s3net.io.write import write_labels, write_png
from napari_s3net.learning.settings import learn_settings

TINY = {"size": 32, "width": 8, "steps": 20, "batch": 4, "ramp": 0.5, "keypoint_width": 8, "most_keypoints": 16}


def disc(shape, centre, radius):
    y, x = np.ogrid[: shape[0], : shape[1]]
    return (y - centre[0]) ** 2 + (x - centre[1]) ** 2 <= radius**2


def scene(seed, shape=(40, 48)):
    """A bright disc (1) and a dark one (2) on grey noise."""
    rng = np.random.default_rng(seed)
    labels = np.zeros(shape, np.int32)
    labels[disc(shape, (rng.integers(10, 16), rng.integers(10, 16)), 7)] = 1
    labels[disc(shape, (rng.integers(26, 32), rng.integers(30, 36)), 6)] = 2
    grey = np.array([120, 220, 30])[labels] + rng.normal(0, 6, shape)
    return np.clip(grey, 0, 255).astype(np.uint8), labels


def write_partly_labelled(folder, n):
    """Write n images a0.png … to images/; in labels/ those of the first, whole, and of the second, in part."""
    for i in range(n):
        grey, labels = scene(i)
        write_png(folder / "images" / f"a{i}.png", grey)
        if i < 2:
            labels[:, 40:] = 255 if i else labels[:, 40:]
            write_labels(folder / "labels" / f"a{i}.png", labels, Geometry.identity(2))
    return folder


@pytest.fixture
def tiny():
    return learn_settings(**TINY)


@pytest.fixture
def folder(tmp_path) -> Path:
    """Eight grey photographs of differing sizes in images/, the labels of the first four in labels/."""
    for n in range(8):
        grey, labels = scene(n, (40 + 4 * (n % 3), 48))
        write_png(tmp_path / "images" / f"a{n}.png", grey)
        if n < 4:
            write_labels(tmp_path / "labels" / f"a{n}.png", labels, Geometry.identity(2))
    return tmp_path
