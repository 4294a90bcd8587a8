"""Which preset suits an image."""

from dataclasses import replace

import numpy as np
import pytest

from napari_s3net.image import Geometry, as_image
from napari_s3net.preprocessing.suggest import suggest_preset


@pytest.mark.parametrize(
    ("array", "kind", "name"),
    [
        (np.zeros((20, 20, 3), np.uint8), None, "skin"),
        (np.zeros((20, 20)), "mr", "mri"),
        (np.zeros((20, 20)), "grey", "generic"),
        (np.pad(np.full((20, 20), -800), 20, constant_values=40), "ct", "ct-lung"),
        (np.pad(np.full((20, 20), -1000), 20, constant_values=40), "ct", "ct-soft"),
        (np.pad(np.full((20, 20), 40), 20, constant_values=-900), "ct", "ct-soft"),
        (np.where(np.eye(20) > 0, -1000, 40), "ct", "ct-soft"),
    ],
)
def test_suggested_preset(array, kind, name):
    assert suggest_preset(as_image(array, kind=kind)) == name


@pytest.mark.parametrize("crop", [np.s_[:, 30:70], np.s_[35:65], np.s_[35:65, 30:70], np.s_[35:65, 22:78], np.s_[:50]])
def test_a_crop_that_cuts_both_lungs_still_shows_lungs(crop):
    chest = np.full((100, 100), -1000)  # the room
    chest[10:90, 5:95] = 40
    chest[20:80, 15:45] = chest[20:80, 55:85] = -820
    chest[:, :3] = -900  # foam at the border
    assert suggest_preset(as_image(chest, kind="ct")) == "ct-lung"
    assert suggest_preset(as_image(chest[crop], kind="ct")) == "ct-lung"
    chest[20:80, 15:85] = 40
    assert suggest_preset(as_image(chest, kind="ct")) == "ct-soft"
    assert suggest_preset(as_image(chest[crop], kind="ct")) == "ct-soft"


@pytest.mark.parametrize(("spacing", "name"), [(0.4, "ct-soft"), (0.55, "ct-lung")])
def test_the_area_of_lung_counts_in_millimetres(spacing, name):
    image = as_image(np.pad(np.full((20, 20), -800), 20, constant_values=40), kind="ct")
    image = replace(image, geometry=replace(Geometry.identity(2), spacing=(spacing, spacing), unit="mm"))
    assert suggest_preset(image) == name


@pytest.mark.parametrize(("side", "name"), [(40, "ct-soft"), (60, "ct-lung")])
def test_of_a_stack_the_middle_counts_and_has_to_hold_more(side, name):
    stack = np.full((3, 100, 100), 40)
    stack[1, 20 : 20 + side, 20 : 20 + side] = -800
    stack[0, 20:80, 20:80] = -800
    assert suggest_preset(as_image(stack, kind="ct")) == name
    stack[1] = 40
    assert suggest_preset(as_image(stack, kind="ct")) == "ct-soft"
