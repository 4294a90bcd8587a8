"""What the values of a file of labels mean to learning: classes, not looked at, or a mask."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from napari_s3net.errors import InvalidImageError
from napari_s3net.learning.files import MASK_VALUES, UNLABELLED

#: So far from its border interpolation and JPEG change the values of a mask, in pixels.
SOFT = 8


def class_values(labels: NDArray[np.integer]) -> NDArray[np.int64]:
    """Read the values of a file of labels; a mask of 0 and 255 has class 1.

    Parameters
    ----------
    labels : numpy.ndarray
        (H, W) or (Z, H, W) whole numbers from 0 on.

    Returns
    -------
    numpy.ndarray
        Of the same shape: 0 for background, classes, and `UNLABELLED` where nobody has looked.

    Raises
    ------
    InvalidImageError
        If they are a mask with soft edges, whose greys would each be a class.
    """
    numbers = np.asarray(labels, np.int64)
    if set(np.unique(numbers).tolist()) <= MASK_VALUES:
        return np.where(numbers == UNLABELLED, 1, 0)
    if any(_has_soft_edges(plane) for plane in numbers.reshape(-1, *numbers.shape[-2:])):
        raise InvalidImageError(
            "The labels are a mask with soft edges: beside 0 and 255 they hold greys along its border, as after "
            "resizing or JPEG, and each grey would be a class. Save it with 0 and 255 alone."
        )
    return numbers


def _has_soft_edges(plane: NDArray[np.int64]) -> bool:
    """Whether greys, bright ones among them, lie only where a region of 255 meets one of 0."""
    grey = (plane > 0) & (plane < UNLABELLED)
    if not (plane[grey] > UNLABELLED // 2).any() or (plane > UNLABELLED).any():
        return False
    near = [ndimage.maximum_filter(plane == value, 2 * SOFT + 1) for value in sorted(MASK_VALUES)]
    return bool((near[0] & near[1])[grey].all())
