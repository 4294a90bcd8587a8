"""Signed distances to the border of each region, in pixels: positive inside the region, negative outside."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage


def signed_distances(labels: NDArray[np.integer], n: int, limit: float) -> NDArray[np.float32]:
    """Measure how deep each pixel lies in each of n regions.

    Parameters
    ----------
    labels : numpy.ndarray
        (h, w) from 0 to n − 1.
    n : int
        How many regions there are; some may have no pixel.
    limit : float
        Distances are clipped to plus and minus this many pixels.

    Returns
    -------
    numpy.ndarray
        (n, h, w), in pixels. A pixel beside the border lies half a pixel from it.
    """
    if n == 2:
        first = _signed_distance(labels == 0, limit)
        return np.stack([first, -first])
    return np.stack([_signed_distance(labels == k, limit) for k in range(n)])


def signed_distances_near(
    mask: NDArray[np.bool_], labels: NDArray[np.integer], n: int, limit: float
) -> NDArray[np.float32]:
    """Measure as `signed_distances` does, but only where a change of some pixels can matter.

    Parameters
    ----------
    mask : numpy.ndarray
        (h, w) bool: the pixels that changed.
    labels : numpy.ndarray
        (h, w) from 0 to n − 1.
    n : int
        How many regions there are.
    limit : float
        Pixels: distances are clipped to plus and minus this, and measured in a box that reaches this far around `mask`.

    Returns
    -------
    numpy.ndarray
        (n, h, w), in pixels. Outside of the box every pixel is said to lie half a pixel within its own region, and as
        far outside of all others.
    """
    distances = np.where(labels == np.arange(n)[:, None, None], np.float32(0.5), np.float32(-0.5))
    if mask.any():
        box = _box_around(mask, int(np.ceil(limit)) + 2)
        distances[:, *box] = [_signed_distance(labels[box] == k, limit) for k in range(n)]
    return distances


def _signed_distance(region: NDArray[np.bool_], limit: float) -> NDArray[np.float32]:
    """The signed distance (h, w) to one region; transformed only within a box, beyond which it is −limit anyhow."""
    distance = np.full(region.shape, -limit, np.float32)
    if not region.any():
        return distance
    box = _box_around(region, int(np.ceil(limit)) + 1)
    part = region[box]
    if part.all():
        return np.full_like(distance, limit)
    inside, outside = (ndimage.distance_transform_edt(mask) for mask in (part, ~part))
    distance[box] = np.clip(np.where(part, inside - 0.5, 0.5 - outside), -limit, limit)
    return distance


def _box_around(mask: NDArray[np.bool_], margin: int) -> tuple[slice, ...]:
    """The smallest box around a mask that is not empty, enlarged by a margin."""
    spans = [np.flatnonzero(mask.any(axis=axis)) for axis in (1, 0)]
    return tuple(slice(max(0, span[0] - margin), span[-1] + 1 + margin) for span in spans)
