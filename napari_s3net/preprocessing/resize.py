"""Smaller copies of an image, with the means of where they are."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from skimage.transform import resize


def block_means(array: NDArray[Any], shape: tuple[int, int]) -> NDArray[np.float32]:
    """Means of an array over the blocks of a grid whose lines lie on whole pixels.

    Parameters
    ----------
    array : numpy.ndarray
        (H, W, …).
    shape : tuple of int
        (h, w) of the grid, not larger than the array.

    Returns
    -------
    numpy.ndarray
        (h, w, …) float32.
    """
    means = array
    for n in shape:  # rows first, then columns: each time along the first axis, where memory is contiguous
        edges = np.round(np.linspace(0, len(means), n + 1)).astype(int)
        blocks = np.empty((n, *means.shape[1:]), np.float32)
        for block, start, end in zip(blocks, edges, edges[1:], strict=False):
            np.add.reduce(means[start:end], axis=0, out=block, dtype=np.float32)
        blocks /= np.diff(edges).astype(np.float32).reshape(-1, *[1] * (array.ndim - 1))
        means = np.ascontiguousarray(blocks.swapaxes(0, 1))
    return means


def shrink(unit: NDArray[np.float32], shape: tuple[int, int]) -> NDArray[np.float32]:
    """Resize an image to a smaller size, smoothed against aliasing.

    Parameters
    ----------
    unit : numpy.ndarray
        (H, W, C).
    shape : tuple of int
        (h, w), not larger.

    Returns
    -------
    numpy.ndarray
        (h, w, C) float32.
    """
    if unit.shape[:2] == (2 * shape[0], 2 * shape[1]):
        return _halved(unit)
    return np.asarray(resize(unit, (*shape, unit.shape[2]), order=1, anti_aliasing=True), np.float32)


def shrink_to(features: NDArray[np.float32], size: int) -> NDArray[np.float32]:
    """Resize features so that the longer side has a given length; smaller ones are passed through.

    Parameters
    ----------
    features : numpy.ndarray
        (h, w, C).
    size : int
        Pixels of the longer side.

    Returns
    -------
    numpy.ndarray
        (h', w', C) float32, neither side below 8; `features` itself where it is small enough.
    """
    h, w, C = features.shape
    factor = size / max(h, w)
    if factor >= 1:
        return features
    return np.asarray(resize(features, (max(8, round(h * factor)), max(8, round(w * factor)), C), order=1), np.float32)


def _halved(unit: NDArray[np.float32]) -> NDArray[np.float32]:
    """What `resize` makes of an image (2h, 2w, C) at half its size, in a third of the time."""
    smooth = ndimage.gaussian_filter(unit, (0.5, 0.5, 0), mode="mirror")
    return np.asarray((smooth[::2, ::2] + smooth[1::2, ::2] + smooth[::2, 1::2] + smooth[1::2, 1::2]) / 4)
