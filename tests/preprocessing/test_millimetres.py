"""Lengths and areas in millimetres."""

from dataclasses import replace

import numpy as np
import pytest
from skimage.morphology import disk

from napari_s3net.image import Geometry, as_image
from napari_s3net.preprocessing.millimetres import (
    TYPICAL_SPACING,
    above_area,
    disc_footprint,
    pixel_spacing,
    spacing_note,
)

UNKNOWN = as_image(np.zeros((20, 20)))
KNOWN = replace(UNKNOWN, geometry=replace(UNKNOWN.geometry, spacing=(0.5, 0.8), unit="mm"))


def test_spacing_is_that_of_the_image_or_a_typical_one_which_is_told():
    assert pixel_spacing(KNOWN) == (0.5, 0.8)
    assert spacing_note(KNOWN) == ""
    assert pixel_spacing(UNKNOWN) == (TYPICAL_SPACING, TYPICAL_SPACING)
    assert "0.75 mm were assumed" in spacing_note(UNKNOWN)
    assert Geometry.identity(2).unit == "pixel"


@pytest.mark.parametrize("pixels", [0, 1, 2, 3, 5])
@pytest.mark.parametrize("spacing", [0.75, 0.1, 1.3])
def test_a_disc_of_square_pixels_is_that_of_scikit_image(pixels, spacing):
    assert np.array_equal(disc_footprint(pixels * spacing, (spacing, spacing)), disk(pixels).astype(bool))


def test_a_disc_of_flat_pixels_is_as_wide_in_millimetres():
    flat = disc_footprint(4.0, (2.0, 1.0))
    assert flat.shape == (5, 9)
    assert flat[2].all()
    assert flat[:, 4].all()
    assert not flat[0, 3]
    assert flat[1, 1]
    assert not flat[1, 0]


def test_a_disc_smaller_than_a_pixel_is_one_pixel_or_a_cross():
    assert disc_footprint(0.5, (1.0, 1.0)).shape == (1, 1)
    assert np.array_equal(disc_footprint(0.5, (1.0, 1.0), at_least_one_pixel=True), disk(1).astype(bool))
    assert disc_footprint(0.5, (1.0, 2.0), at_least_one_pixel=True).shape == (5, 3)
    assert np.array_equal(disc_footprint(1.0, (0.5, 0.5), at_least_one_pixel=True), disk(2).astype(bool))


def test_areas_count_corners_and_square_millimetres():
    mask = np.zeros((20, 20), bool)
    mask[2:4, 2:4] = mask[4:6, 4:6] = True  # eight pixels that touch at a corner
    mask[12:14, 12:15] = True  # six
    assert np.array_equal(above_area(mask, 7, (1.0, 1.0)), mask & (np.arange(20) < 10))
    assert np.array_equal(above_area(mask, 2.9, (0.5, 1.0)), mask)
    assert np.array_equal(above_area(mask, 3.0, (0.5, 1.0)), mask & (np.arange(20) < 10))
    assert not above_area(mask, 8, (1.0, 1.0)).any()
