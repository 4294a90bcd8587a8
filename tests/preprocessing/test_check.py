"""What cannot be segmented is told before anything is computed."""

import numpy as np
import pytest

from napari_s3net.errors import InvalidImageError
from napari_s3net.image import Geometry, Image, as_image
from napari_s3net.preprocessing.check import check_plane, check_target
from napari_s3net.settings import presets


@pytest.mark.parametrize(
    ("array", "words"),
    [
        (np.full((20, 20), 7.0), "Every pixel has the value 7.0: there is nothing to tell apart"),
        (np.arange(20 * 15.0).reshape(20, 15), "at least 16 × 16 pixels; got 15 × 20 pixels\\. Open"),
        (np.arange(15 * 20.0).reshape(15, 20), "at least 16 × 16 pixels; got 20 × 15 pixels\\. Open"),
        (np.zeros((3, 20, 20)), r"got a stack of shape \(3, 20, 20\). Choose a slice"),
        (np.ones((20, 20), complex), "Expected real numbers; got complex128"),
        (np.ones((20, 20), object), "Expected real numbers; got object"),
        (np.full((20, 20), np.nan), "No pixel holds a number"),
        (np.where(np.eye(20) > 0, np.nan, 1.0), "Every pixel has the value 1.0"),
    ],
)
def test_what_cannot_be_segmented_is_told(array, words):
    with pytest.raises(InvalidImageError, match=words):
        check_plane(Image(array, Geometry.identity(array.ndim), "grey"))


def test_sixteen_rows_and_two_values_suffice():
    array = np.zeros((16, 16))
    array[0, 0] = 1
    image = as_image(array)
    assert check_plane(image).image is image


TARGETS = {"skin": "lesion", "ct-lung": "lung", "ct-soft": "body", "mri": "central", "generic": "central"}


@pytest.mark.parametrize("name", presets)
@pytest.mark.parametrize("kind", ["rgb", "ct", "mr", "grey"])
def test_only_ct_has_lungs_and_a_body(name, kind):
    image = as_image(np.zeros((20, 20, 3) if kind == "rgb" else (20, 20)), kind=kind)
    settings = presets[name].settings
    if kind == "ct" or TARGETS[name] in ("lesion", "central"):
        check_target(image, settings)
        return
    got = {"rgb": "a colour photograph", "mr": "an MR image", "grey": "a grey image without a unit"}[kind]
    other = {"rgb": "skin", "mr": "mri", "grey": "generic"}[kind]
    words = (
        f"The target '{TARGETS[name]}' expects CT in Hounsfield units; got {got}. "
        f"Choose another preset, for example '{other}'"
    )
    with pytest.raises(InvalidImageError, match=words):
        check_target(image, settings)
