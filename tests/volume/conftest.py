"""A chest small enough for tests."""

import numpy as np
import pytest

from napari_s3net.image import Geometry, Image
from napari_s3net.settings import preset_settings


def make_chest(depth=8, n=64):
    """(Z, H, W) HU and the lungs' mask: a body with two lungs that move a little from slice to slice, and ribs."""
    z, y, x = np.mgrid[:depth, :n, :n]
    body = (y - 32) ** 2 + (x - 32) ** 2 < 30**2
    lungs = ((y - 30) ** 2 + (x - 20 - z / 4) ** 2 < 9**2) | ((y - 30) ** 2 + (x - 44 - z / 4) ** 2 < 9**2)
    hu = np.where(body, 40, -1000)
    hu[lungs] = -820
    hu[:, 28:32, 4:8] = hu[:, 28:32, 57:61] = 700
    noise = np.random.default_rng(0).normal(0, 10, hu.shape)
    return (hu + noise).astype(np.int16), lungs


def as_ct(array, spacing=(3.0, 4.0, 4.0)):
    return Image(array, Geometry(spacing, (0.0,) * 3, Geometry.identity(3).direction), "ct", "chest")


@pytest.fixture
def chest():
    array, lungs = make_chest()
    return as_ct(array), lungs


@pytest.fixture
def settings():
    return preset_settings("ct-lung").replace(working_size=64, clusters=4)
