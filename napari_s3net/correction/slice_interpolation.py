"""The shape of a region between two corrected slices: their signed distances, interpolated.

Shape-based interpolation: Raya and Udupa 1990, *Shape-based interpolation of multidimensional objects*, IEEE
Transactions on Medical Imaging 9(1).
"""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
from numpy.typing import NDArray

from napari_s3net.correction.signed_distance import signed_distances
from napari_s3net.errors import InvalidImageError
from napari_s3net.labels.reshape import replace_region


def fill_between(
    labels: NDArray[np.integer], first: int, second: int, ids: Collection[int]
) -> dict[int, NDArray[np.integer]]:
    """Give a region, in every slice between two, a shape between those that it has in the two.

    Parameters
    ----------
    labels : numpy.ndarray
        (Z, H, W) whole numbers; stay as they are.
    first, second : int
        The two slices, which stay as they are; in any order.
    ids : collection of int
        The labels of the region. What the region gains takes the label that the nearer of the two slices has there.

    Returns
    -------
    dict of int to numpy.ndarray
        New labels (H, W) of each slice between the two.

    Raises
    ------
    InvalidImageError
        If there is no slice between the two, or the region is missing in one of them.
    """
    first, second = sorted((first, second))
    if second - first < 2:
        raise InvalidImageError(f"There is no slice between {first} and {second}.")
    masks = {index: np.isin(labels[index], list(ids)) for index in (first, second)}
    for index, mask in masks.items():
        if not mask.any():
            raise InvalidImageError(f"Slice {index} has nothing of the region, so there is no shape to fill between.")
    deep = {index: _depth(mask) for index, mask in masks.items()}
    new = {}
    for index in range(first + 1, second):
        share = (index - first) / (second - first)
        mask = (1 - share) * deep[first] + share * deep[second] > 0
        nearer = first if 2 * share <= 1 else second
        plane = labels[index].copy()
        gained = mask & masks[nearer] & ~np.isin(plane, list(ids))
        plane[gained] = labels[nearer][gained]
        new[index] = replace_region(plane, ids, mask)
    return new


def _depth(mask: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Pixels that each pixel lies inside of the mask; negative outside."""
    return np.asarray(signed_distances(mask.astype(np.intp), 2, float(sum(mask.shape)))[1])
