"""What the values of an array are taken for."""

import numpy as np
import pytest

from napari_s3net.image import as_image
from napari_s3net.image_kind import guess_kind


@pytest.mark.parametrize(
    ("array", "kind"),
    [
        (np.zeros((8, 9, 3), np.uint8), "rgb"),
        (np.zeros((8, 9, 4), np.uint8), "rgb"),
        (np.zeros((5, 8, 9), np.uint8), "grey"),
        (np.full((8, 9), -1000, np.int16), "ct"),
        (np.zeros((8, 9), np.int16), "grey"),
        (np.random.default_rng(0).normal(size=(8, 9)), "grey"),
    ],
)
def test_guess_kind(array, kind):
    assert guess_kind(array) == kind
    assert as_image(array).kind == kind
