"""From constraints to new labels: at the size at which strokes spread, then at the image's own."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from napari_s3net.correction.constraints import Constraints
from napari_s3net.correction.propagation import CONSTANTS, PixelFeatures, propagate
from napari_s3net.correction.signed_distance import signed_distances_near
from napari_s3net.postprocessing.upsample import nearest

_EIGHT = np.ones((3, 3), bool)


def relabel(constraints: Constraints, features: PixelFeatures) -> NDArray[np.int32]:
    """Spread the strokes: first to the sides of the object's border, then to the labels of each side.

    Parameters
    ----------
    constraints : Constraints
        Of the image's size.
    features : PixelFeatures
        Of the size at which strokes spread.

    Returns
    -------
    numpy.ndarray
        (H, W) int32. Painted pixels have what they were painted with, locked ones what they had. Where the borders did
        not move, labels are those from before.
    """
    shape = features.colours.shape[:2]
    small, drawn = downsample_labels(constraints.labels, shape), downsample_drawn(constraints.drawn, shape)
    numbers = np.searchsorted(constraints.ids, small)
    on_object = constraints.on_object[numbers]
    sides = np.full(shape, -1)
    sides[drawn > 0] = (constraints.allowed(drawn[drawn > 0]) & constraints.on_object).any(axis=1)
    outside, inside = propagate(on_object.astype(np.intp), sides, features, 2)
    margin = inside - outside
    named = np.where(np.isin(drawn, constraints.ids) & (drawn > 0), np.searchsorted(constraints.ids, drawn), -1)
    if (named >= 0).any():
        distances = propagate(numbers, named, features, len(constraints.ids))
    else:
        limit = CONSTANTS.distance_limit * max(shape)
        distances = signed_distances_near((margin > 0) != on_object, numbers, len(constraints.ids), limit)
    return _at_full_size(constraints, small, margin, distances)


def downsample_labels(labels: NDArray[Any], shape: tuple[int, ...]) -> NDArray[Any]:
    """Bring labels, or a mask, to a smaller shape by nearest neighbour.

    Parameters
    ----------
    labels : numpy.ndarray
        (H, W).
    shape : tuple of int
        (h, w).

    Returns
    -------
    numpy.ndarray
        (h, w), of the same type.
    """
    rows, columns = (((np.arange(n) + 0.5) * m / n).astype(int) for n, m in zip(shape, labels.shape, strict=True))
    return np.asarray(labels[np.ix_(rows, columns)])


def downsample_drawn(drawn: NDArray[np.int32], shape: tuple[int, ...]) -> NDArray[np.int32]:
    """Bring drawn values to a smaller shape; no stroke is lost however thin it is.

    Parameters
    ----------
    drawn : numpy.ndarray
        (H, W) int32, 0 where nothing was drawn.
    shape : tuple of int
        (h, w).

    Returns
    -------
    numpy.ndarray
        (h, w) int32.
    """
    small = np.zeros(shape, np.int32)
    rows, columns = np.nonzero(drawn)
    at = [i * n // m for i, n, m in zip((rows, columns), shape, drawn.shape, strict=True)]
    small[tuple(at)] = drawn[rows, columns]
    return small


def _at_full_size(
    constraints: Constraints,
    small: NDArray[np.int32],
    margin: NDArray[np.float32],
    distances: NDArray[np.float32],
) -> NDArray[np.int32]:
    """Where something changed, labels by the interpolated distances; everywhere else those from before.

    `small` (h, w) are the previous labels, `margin` (h, w) is above 0 on the object, `distances` are (n, h, w).
    """
    c = constraints
    choices = c.is_open[:, None] & (c.on_object[:, None] == (margin > 0).ravel())
    new = c.ids[np.where(choices, distances.reshape(len(distances), -1), -np.inf).argmax(axis=0)].reshape(small.shape)
    closed = ~c.is_open[np.searchsorted(c.ids, small)]  # what is locked neither changes nor gives its rim to another
    touched = ndimage.binary_dilation((new != small) & ~closed, _EIGHT) & ~closed
    labels, drawn = c.labels.copy(), c.drawn
    rows, columns = np.nonzero((nearest(touched, labels.shape) | (drawn > 0)) & ~c.locked)
    at = [(i + 0.5) * n / m - 0.5 for i, n, m in zip((rows, columns), small.shape, labels.shape, strict=True)]
    on_object = ndimage.map_coordinates(margin, at, order=1, mode="nearest") > 0
    interpolated = np.stack([ndimage.map_coordinates(d, at, order=1, mode="nearest") for d in distances])
    painted = drawn[rows, columns] > 0
    choices = c.is_open[:, None] & (c.on_object[:, None] == on_object)
    choices[:, painted] = c.allowed(drawn[rows, columns][painted]).T
    chosen = c.ids[np.where(choices, interpolated, -np.inf).argmax(axis=0)]
    possible = choices.any(axis=0)
    labels[rows[possible], columns[possible]] = chosen[possible]
    return labels
