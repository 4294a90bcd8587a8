"""What the network is given to see."""

from dataclasses import replace

import numpy as np
import pytest
from skimage.transform import resize

from napari_s3net.errors import InvalidImageError
from napari_s3net.image import as_image
from napari_s3net.preprocessing.hair import remove_hair
from napari_s3net.preprocessing.prepare import prepare, to_features
from napari_s3net.preprocessing.resize import block_means, shrink
from napari_s3net.settings import Settings, preset_settings

RNG = np.random.default_rng(0)
SETTINGS = Settings()


@pytest.mark.parametrize(
    ("shape", "expected"), [((100, 50), (100, 50)), ((512, 256), (128, 64)), ((2000, 20), (128, 8))]
)
def test_the_working_size_keeps_the_aspect_and_never_enlarges(shape, expected):
    assert to_features(as_image(RNG.random(shape)), SETTINGS).shape == (*expected, 1)
    assert to_features(as_image(RNG.random((*shape, 3))), SETTINGS).shape == (*expected, 3)


@pytest.mark.parametrize("shape", [(700, 1000), (1001, 703), (300, 200)])
def test_a_large_image_is_shrunk_to_the_means_of_where_it_is(shape):
    """A large image goes through means of blocks; it must neither move nor change its intensities."""
    y, x = np.mgrid[: shape[0], : shape[1]]
    image = as_image(((x / shape[1] + 2 * y / shape[0]) * 80).astype(np.float32))
    large = to_features(image, Settings(working_size=128))
    small = to_features(image, Settings(working_size=512))
    np.testing.assert_allclose(large, resize(small, large.shape, anti_aliasing=True), atol=0.01)


def test_a_plane_is_prepared_once():
    array = RNG.random((300, 200))
    array[5, 7] = np.nan
    plane = prepare(as_image(array), SETTINGS)
    assert np.argwhere(plane.missing).tolist() == [[5, 7]]
    assert plane.note.startswith("1 of 60000 pixels")
    assert np.array_equal(plane.features, to_features(as_image(array), SETTINGS))
    unit = plane.to_unit()
    assert unit.shape == (300, 200, 1)
    assert unit[..., 0] == pytest.approx(plane.window.apply(np.nan_to_num(array)))
    assert np.array_equal(plane.to_unit(step=4), unit[::4, ::4])


def hairy():
    rgb = np.full((128, 128, 3), 0.8, np.float32)
    rgb[:, 3::16] = 0.1
    rgb[0, 0] = 1
    return rgb


def test_hairs_are_filled_where_the_settings_ask_for_it_and_in_photographs_only():
    with_hair, without = (to_features(as_image(hairy()), SETTINGS.replace(remove_hair=r)) for r in (False, True))
    assert with_hair.min() == 0
    assert without[1:, 1:].min() > 0.5
    grey = [to_features(as_image(hairy()[..., 0]), SETTINGS.replace(remove_hair=r)) for r in (False, True)]
    assert np.array_equal(*grey)


def test_hairs_are_looked_for_at_twice_the_working_size():
    large = hairy().repeat(4, axis=0).repeat(4, axis=1)
    seen = to_features(as_image(large), SETTINGS.replace(remove_hair=True))
    twice = remove_hair(prepare(as_image(large[::2, ::2]), SETTINGS.replace(working_size=256)).features)
    assert seen[2:, 2:] == pytest.approx(resize(twice, (128, 128, 3), order=1, anti_aliasing=True)[2:, 2:], abs=1e-5)


def test_a_target_that_needs_hounsfield_units_is_checked_here():
    image = as_image(RNG.random((40, 40)))
    with pytest.raises(InvalidImageError, match="expects CT"):
        prepare(image, preset_settings("ct-lung"))
    assert to_features(image, preset_settings("ct-lung")).shape == (40, 40, 1)
    prepare(replace(image, kind="ct"), preset_settings("ct-lung"))


@pytest.mark.parametrize(("side", "by_blocks"), [(256, False), (257, True), (320, True)])
def test_from_more_than_twice_the_working_size_on_means_of_blocks_come_first(side, by_blocks):
    array = RNG.random((side, side), dtype=np.float32)
    plane = prepare(as_image(array), SETTINGS)
    first = block_means(array, (256, 256)) if by_blocks else array
    assert plane.features == pytest.approx(shrink(plane.window.apply(first)[..., None], (128, 128)), abs=1e-6)
