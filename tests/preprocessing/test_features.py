"""What the network is given to see."""

import numpy as np
import pytest
import torch
from skimage.transform import resize

from napari_s3net.errors import InvalidImageError
from napari_s3net.image import Geometry, Image, as_image
from napari_s3net.preprocessing.check import check_plane
from napari_s3net.preprocessing.hair import remove_hair
from napari_s3net.preprocessing.prepare import to_features
from napari_s3net.preprocessing.resize import block_means, shrink
from napari_s3net.preprocessing.suggest import suggest_preset
from napari_s3net.preprocessing.window import robust_range, to_unit
from napari_s3net.settings import Settings, preset_settings
from napari_s3net.training.image import to_tensor

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
    unit = to_unit(Image(hu, Geometry.identity(2), "ct"), preset_settings("ct-lung"))
    assert unit[0, 0, 0] == unit[0, -1, 0] == 0
    assert unit[-1, 0, 0] == unit[-1, -1, 0] == 1


@pytest.mark.parametrize(
    ("shape", "expected"), [((100, 50), (100, 50)), ((512, 256), (128, 64)), ((2000, 20), (128, 8))]
)
def test_working_shape_keeps_the_aspect_and_never_enlarges(shape, expected):
    assert Settings(working_size=128).working_shape(shape) == expected


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


SKIN = np.full((192, 256, 3), 0.8, np.float32)


def with_hairs(image, every):
    """Thin dark lines across and aslant."""
    hairy = image.copy()
    hairy[10::every] = 0.1
    for start in range(0, 256, every):
        rows = np.arange(192)
        hairy[rows, (start + rows // 2) % 256] = 0.1
    return hairy


@pytest.mark.parametrize("every", [40, 20])
def test_hairs_are_filled_from_the_skin_beside_them(every):
    assert np.abs(remove_hair(with_hairs(SKIN, every)) - SKIN).max() < 0.02


@pytest.mark.parametrize("every", [8, 4])
def test_where_lines_are_nearly_everywhere_the_image_stays_as_it_is(every):
    light_grid = np.full((256, 256, 3), 0.1, np.float32)
    light_grid[::every] = 0.9
    for image in (with_hairs(SKIN, every), light_grid):
        assert np.array_equal(remove_hair(image), image)


def test_a_lesion_with_dots_and_few_hairs_is_left_as_it_is():
    lesion = SKIN.copy()
    lesion[60:130, 90:180] = 0.4
    lesion[70:120:12, 100:170:12] = 0.1
    for image in (lesion, with_hairs(lesion, 400)):
        assert np.array_equal(remove_hair(image), image)


def test_a_lesion_under_hairs_keeps_its_border():
    lesion = SKIN.copy()
    lesion[60:130, 90:180] = 0.3
    cleaned = remove_hair(with_hairs(lesion, 40))
    assert np.mean(np.abs(cleaned - lesion)[..., 0] > 0.1) < 0.01


@pytest.mark.parametrize("shape", [(64, 48), (100, 130)])
def test_means_of_blocks_are_plain_means(shape):
    array = RNG.integers(0, 255, (321, 402, 3), dtype=np.uint8)
    means = block_means(array, shape)
    lines = [np.round(np.linspace(0, n, m + 1)).astype(int) for n, m in zip(array.shape, shape, strict=False)]
    for i, j in [(0, 0), (shape[0] - 1, shape[1] - 1), (7, 31)]:
        block = array[lines[0][i] : lines[0][i + 1], lines[1][j] : lines[1][j + 1]]
        np.testing.assert_allclose(means[i, j], block.mean(axis=(0, 1)), rtol=1e-5)


@pytest.mark.parametrize("channels", [1, 3])
def test_half_the_size_is_what_scikit_image_makes_of_it(channels):
    unit = RNG.random((64, 90, channels), np.float32)
    expected = resize(unit, (32, 45, channels), order=1, anti_aliasing=True)
    np.testing.assert_allclose(shrink(unit, (32, 45)), expected, atol=1e-6)


@pytest.mark.parametrize("values", [RNG.integers(3, 250, (90, 70, 3)), np.r_[0, np.full(500, 7)]], ids=["many", "few"])
def test_percentiles_of_bytes_are_those_of_numpy(values):
    counted, plain = robust_range(values.astype(np.uint8)), robust_range(values.astype(np.float32))
    assert counted == pytest.approx(plain)


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
