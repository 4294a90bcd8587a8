"""Runs of masks: the parts, sums and fillings that pixels give."""

import numpy as np
import pytest
from scipy import ndimage

from napari_s3net.foreground.run_length import frame_of, runs_of

RNG = np.random.default_rng(0)


def blobs(blur, n=7, shape=(31, 43)):
    noise = ndimage.gaussian_filter(RNG.normal(size=(n, *shape)), (0, blur, blur))
    masks = noise > 0
    masks[2], masks[4] = False, True  # nothing, and everything
    return masks


MASKS = pytest.mark.parametrize(
    "masks", [blobs(0), blobs(1), blobs(3), np.ones((1, 1, 1), bool), np.zeros((2, 5, 6), bool)]
)


@MASKS
def test_parts_are_those_of_scipy(masks):
    runs = runs_of(masks)
    numbers = np.zeros(masks.shape, int)
    for start, end, number in zip(runs.starts, runs.ends, runs.parts(), strict=True):
        flat = np.zeros(runs.frame.length, bool)
        flat[start:end] = True
        numbers[runs.frame.planes(flat)] = number + 1
    assert np.array_equal(numbers > 0, masks)
    within = np.zeros((3, 3, 3), bool)
    within[1] = ndimage.generate_binary_structure(2, 1)
    expected, n = ndimage.label(masks, within)
    pairs = np.unique(np.stack([numbers[masks], expected[masks]]), axis=1)
    assert pairs.shape[1] == n == len(set(numbers[masks].tolist()))


@MASKS
def test_holes_are_those_of_scipy(masks):
    assert np.array_equal(runs_of(masks).filled(), [ndimage.binary_fill_holes(mask) for mask in masks])


@MASKS
def test_sums_are_gathered_mask_by_mask(masks):
    weight, runs = RNG.random(masks.shape[1:]), runs_of(masks)
    sums = np.bincount(runs.masks(), runs.sums(weight), minlength=len(masks))
    assert sums == pytest.approx((masks * weight).sum(axis=(1, 2)))


def test_some_of_the_runs():
    masks = blobs(1)
    runs = runs_of(masks)
    assert np.array_equal(runs.only(runs.masks() == 3).filled()[3], ndimage.binary_fill_holes(masks[3]))
    assert not runs.only(np.zeros(len(runs.starts), bool)).filled().any()


def test_frames_can_be_cleared():
    masks = blobs(1)
    frame = frame_of(masks)
    flat = np.ones(frame.length, bool)
    frame.clear(flat)
    assert flat.sum() == masks.size
    assert frame.planes(flat).all()
