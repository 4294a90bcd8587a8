"""Hairs are filled where there are many, and nothing else is."""

import numpy as np
import pytest

from napari_s3net.preprocessing.hair import HAIR, find_hair, remove_hair

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
    filled = remove_hair(with_hairs(SKIN, every))
    assert filled.dtype == np.float32
    assert np.abs(filled - SKIN).max() < 0.02


def test_what_is_filled_has_the_colour_beside_it():
    colour = SKIN * np.array([1.0, 0.8, 0.6], np.float32)
    assert np.abs(remove_hair(with_hairs(colour, 20)) - colour).max() < 0.02


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
        assert remove_hair(image) is image


def test_a_lesion_under_hairs_keeps_its_border():
    lesion = SKIN.copy()
    lesion[60:130, 90:180] = 0.3
    cleaned = remove_hair(with_hairs(lesion, 40))
    assert np.mean(np.abs(cleaned - lesion)[..., 0] > 0.1) < 0.01


def test_a_pixel_that_no_hair_covers_keeps_its_value():
    hairy = with_hairs(SKIN, 20) * np.linspace(0.9, 1, 256, dtype=np.float32)[:, None]
    away = np.ones((192, 256), bool)
    lines = find_hair(hairy)
    for shift in (-1, 0, 1):
        for axis in (0, 1):
            away &= ~np.roll(lines, shift, axis=axis)
    away[[0, -1]] = away[:, [0, -1]] = False
    assert np.array_equal(remove_hair(hairy)[away], hairy[away])


@pytest.mark.parametrize(("width", "found"), [(4, True), (16, False)])
def test_a_hair_is_narrow(width, found):
    image = SKIN.copy()
    image[:, 100 : 100 + width] = 0.1
    assert find_hair(image)[:, 102].all() == found
    assert not find_hair(image)[:, :95].any()
    assert np.array_equal(find_hair(image.swapaxes(0, 1)), find_hair(image).T)


@pytest.mark.parametrize(("contrast", "found"), [(0.5, True), (0.08, False)])
def test_a_hair_is_much_darker_than_its_sides(contrast, found):
    image = SKIN.copy()
    image[:, 100] -= np.array([0, 0, contrast], np.float32)  # in one channel is enough
    assert find_hair(image)[:, 100].all() == found


def test_limits():
    assert HAIR.least < HAIR.most
