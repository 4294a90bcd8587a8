"""What the network is given to see."""

import numpy as np
import pytest
import torch

from napari_s3net.errors import InvalidImageError
from napari_s3net.image import Geometry, Image, as_image
from napari_s3net.preprocess import (
    check_plane,
    remove_hair,
    suggest_preset,
    to_features,
    to_unit,
    working_shape,
)
from napari_s3net.recipes import to_tensor
from napari_s3net.settings import Settings, preset

RNG = np.random.default_rng(0)
SETTINGS = Settings()


@pytest.mark.parametrize(("scale", "offset"), [(2.0, 0.0), (1.0, 300.0), (0.01, -5.0)])
def test_brightness_and_contrast_do_not_change_the_input(scale, offset):
    array = RNG.uniform(0, 100, (40, 50))
    plain = to_tensor(to_features(Image(array, Geometry.identity(2), "grey"), SETTINGS), "cpu")
    other = to_tensor(to_features(Image(array * scale + offset, Geometry.identity(2), "grey"), SETTINGS), "cpu")
    torch.testing.assert_close(plain, other, atol=1e-4, rtol=1e-4)


def test_ct_keeps_its_unit_through_the_window():
    hu = np.array([[-2000, -1000], [200, 3000]], np.int16).repeat(16, 0).repeat(16, 1)
    unit = to_unit(Image(hu, Geometry.identity(2), "ct"), preset("ct-lung"))
    assert unit[0, 0, 0] == unit[0, -1, 0] == 0
    assert unit[-1, 0, 0] == unit[-1, -1, 0] == 1


@pytest.mark.parametrize(
    ("shape", "expected"), [((100, 50), (100, 50)), ((512, 256), (128, 64)), ((2000, 20), (128, 8))]
)
def test_working_shape_keeps_the_aspect_and_never_enlarges(shape, expected):
    assert working_shape(shape, Settings(working_size=128)) == expected


def test_tensor_has_zero_mean_and_unit_variance_and_survives_a_constant_channel():
    features = RNG.random((20, 30, 3)).astype(np.float32)
    features[..., 1] = 0.5
    x = to_tensor(features, "cpu")
    assert x.shape == (1, 3, 20, 30)
    assert x.dtype == torch.float32
    assert torch.isfinite(x).all()
    assert x[:, 0].mean().abs() < 1e-5
    assert abs(float(x[:, 0].std(correction=0)) - 1) < 1e-4


@pytest.mark.parametrize(
    ("array", "words"),
    [
        (np.full((20, 20), 7.0), "nothing to tell apart"),
        (np.where(np.eye(20) > 0, np.nan, 1.0), "20 values are NaN"),
        (np.arange(16.0).reshape(4, 4), "at least 16"),
        (np.zeros((3, 20, 20)), "Choose a slice"),
        (np.ones((20, 20), complex), "Expected numbers"),
    ],
)
def test_what_cannot_be_segmented_is_told(array, words):
    with pytest.raises(InvalidImageError, match=words):
        check_plane(Image(array, Geometry.identity(array.ndim), "grey"))


def test_hairs_are_filled_from_the_skin_beside_them():
    skin = np.full((96, 128, 3), 0.8, np.float32)
    hairy = skin.copy()
    hairy[:, 40:42] = 0.1
    hairy[60:62] = 0.1
    assert np.abs(remove_hair(hairy, 7) - skin).max() < 0.02
    blob = skin.copy()
    blob[30:60, 50:90] = 0.2
    assert np.abs(remove_hair(blob, 7) - blob)[35:55, 55:85].max() == 0


@pytest.mark.parametrize(
    ("array", "kind", "name"),
    [
        (np.zeros((20, 20, 3), np.uint8), None, "skin"),
        (np.zeros((20, 20)), "mr", "mri"),
        (np.zeros((20, 20)), "grey", "generic"),
        (np.pad(np.full((20, 20), -800), 20, constant_values=40), "ct", "ct-lung"),
        (np.pad(np.full((20, 20), -1000), 20, constant_values=40), "ct", "ct-soft"),
        (np.pad(np.full((20, 20), 40), 20, constant_values=-800), "ct", "ct-soft"),
        (np.where(np.eye(20) > 0, -1000, 40), "ct", "ct-soft"),
    ],
)
def test_suggested_preset(array, kind, name):
    assert suggest_preset(as_image(array, kind=kind)) == name


@pytest.mark.parametrize("shape", [(700, 1000), (1001, 703)])
def test_a_large_image_is_shrunk_to_the_means_of_where_it_is(shape):
    """A large image goes through means of blocks; it must neither move nor change its intensities."""
    y, x = np.mgrid[: shape[0], : shape[1]]
    image = as_image(((x / shape[1] + 2 * y / shape[0]) * 80).astype(np.float32))
    large = to_features(image, Settings(working_size=128))
    small = to_features(image, Settings(working_size=512))
    from skimage.transform import resize

    np.testing.assert_allclose(large, resize(small, large.shape, anti_aliasing=True), atol=0.01)
