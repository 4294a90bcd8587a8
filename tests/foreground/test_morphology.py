"""Many masks at once: the same as scipy and scikit-image make of each."""

import numpy as np
import pytest
from scipy import ndimage
from skimage.measure import perimeter

from napari_s3net.foreground import morphology


def blobs(density):
    noise = ndimage.gaussian_filter(np.random.default_rng(0).normal(size=(6, 40, 53)), (0, 1.5, 1.5))
    return noise > np.quantile(noise, 1 - density)


DENSITIES = [0.02, 0.5, 0.97]


@pytest.mark.parametrize("density", DENSITIES)
def test_perimeters_are_those_of_scikit_image(density):
    masks = blobs(density)
    assert morphology.perimeters(masks).tolist() == [perimeter(mask, 8) for mask in masks]


@pytest.mark.parametrize("density", DENSITIES)
def test_opening_is_that_of_scipy(density):
    masks = blobs(density)
    np.testing.assert_array_equal(morphology.open_masks(masks), [ndimage.binary_opening(mask) for mask in masks])


@pytest.mark.parametrize("steps", [1, 3])
def test_dilation_is_that_of_scipy(steps):
    masks = blobs(0.1)
    one_by_one = [ndimage.binary_dilation(mask, iterations=steps) for mask in masks]
    np.testing.assert_array_equal(morphology.dilate_masks(masks, steps), one_by_one)


@pytest.mark.parametrize("density", DENSITIES)
def test_central_components_are_those_found_one_by_one(density):
    masks = blobs(density)
    masks[2] = False
    weight = np.random.default_rng(1).random(masks.shape[1:])
    for mask, found in zip(masks, morphology.central_components(masks, weight), strict=True):
        parts, n = ndimage.label(mask)
        sums = [weight[parts == i].sum() for i in range(1, n + 1)]
        part = parts == 1 + np.argmax(sums) if n else mask
        np.testing.assert_array_equal(found, ndimage.binary_fill_holes(part))


def test_no_masks():
    none = np.zeros((0, 8, 9), bool)
    assert morphology.dilate_masks(none).shape == morphology.open_masks(none).shape == (0, 8, 9)
    assert morphology.perimeters(none).shape == (0,)
    assert morphology.central_components(none, np.ones((8, 9))).shape == (0, 8, 9)


def test_holes_are_filled_as_by_scipy():
    masks = np.concatenate([blobs(0.6), ~blobs(0.1)])
    np.testing.assert_array_equal(morphology.fill_holes(masks), [ndimage.binary_fill_holes(mask) for mask in masks])


def test_nothing_of_one_mask_reaches_the_next():
    masks = np.zeros((3, 5, 6), bool)
    masks[1] = True
    np.testing.assert_array_equal(morphology.dilate_masks(masks, 2), masks)
    np.testing.assert_array_equal(morphology.fill_holes(masks), masks)
    np.testing.assert_array_equal(morphology.central_components(masks, np.ones((5, 6))), masks)


def test_the_weight_of_the_middle():
    weight = morphology.centre_weight((41, 61))
    assert weight[20, 30] == 1
    assert weight[0, 30] == weight[20, 0] == pytest.approx(np.exp(-((0.5 / 0.35) ** 2)))
    assert weight[0, 0] == pytest.approx(np.exp(-2 * (0.5 / 0.35) ** 2))
    with pytest.raises(ValueError, match="read-only"):
        weight[0, 0] = 2
