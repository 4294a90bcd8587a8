"""How well labels fit a mask that somebody drew: overlap, distance of the boundaries, and two columns that look at it.

`dice`, `dice_of_masks`, `hammoude`, `xor_ratio` and `mean_boundary_distance` compare two masks. `best_clusters` and
`published_clipping` choose or change the prediction by looking at the mask: an upper bound, and no score at all.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from napari_s3net.errors import InvalidImageError

#: The published scoring works on images of this many rows and columns …
CLIPPING_SIZE = 256
#: … and erases what lies farther than this from the mask, along rows or columns.
CLIPPING_MARGIN = 4


def dice(prediction: NDArray[np.bool_], mask: NDArray[np.bool_]) -> float:
    """Compute the Dice coefficient, 2 |A ∩ B| / (|A| + |B|).

    Parameters
    ----------
    prediction, mask : numpy.ndarray
        bool, of the same shape.

    Returns
    -------
    float
        0 to 1; 1 when both are empty.

    Raises
    ------
    InvalidImageError
        If the shapes differ.
    """
    both, _, size = _counts(prediction, mask)
    return 2 * both / size if size else 1.0


def dice_of_masks(masks: NDArray[np.bool_], others: NDArray[Any]) -> NDArray[np.float64]:
    """Compute the Dice coefficient of each of n masks with each of m others.

    Parameters
    ----------
    masks : numpy.ndarray
        (n, H, W) bool.
    others : numpy.ndarray
        (m, H, W) bool, or from 0 to 1: then a pixel counts by its value.

    Returns
    -------
    numpy.ndarray
        (n, m), 0 to 1; 1 where both are empty.
    """
    flat, flat_others = (each.reshape(len(each), -1).astype(np.float32) for each in (masks, others))
    sizes = flat.sum(axis=1, dtype=np.float64)[:, None] + flat_others.sum(axis=1, dtype=np.float64)
    both = (flat @ flat_others.T).astype(np.float64)
    return np.asarray(np.divide(2 * both, sizes, out=np.ones_like(both), where=sizes > 0))


def hammoude(prediction: NDArray[np.bool_], mask: NDArray[np.bool_]) -> float:
    """Compute the Hammoude distance, 1 − |A ∩ B| / |A ∪ B|.

    Parameters
    ----------
    prediction, mask : numpy.ndarray
        bool, of the same shape.

    Returns
    -------
    float
        0 for equal masks, two empty ones among them, to 1 for masks that share nothing.

    Raises
    ------
    InvalidImageError
        If the shapes differ.
    """
    both, either, _ = _counts(prediction, mask)
    return (either - both) / max(either, 1)


def xor_ratio(prediction: NDArray[np.bool_], mask: NDArray[np.bool_]) -> float:
    """Count the wrong pixels for each pixel of the mask, |A △ B| / |B|.

    Parameters
    ----------
    prediction, mask : numpy.ndarray
        bool, of the same shape: A and B.

    Returns
    -------
    float
        From 0, never below `hammoude`; the number of wrong pixels where the mask is empty.

    Raises
    ------
    InvalidImageError
        If the shapes differ.
    """
    both, either, _ = _counts(prediction, mask)
    return (either - both) / max(int(np.count_nonzero(mask)), 1)


def mean_boundary_distance(
    prediction: NDArray[np.bool_], mask: NDArray[np.bool_], spacing: tuple[float, ...] | None = None
) -> float:
    """Measure the average symmetric distance between the boundaries.

    Every boundary pixel of either mask counts once, by its distance to the nearest boundary pixel of the other.

    Parameters
    ----------
    prediction, mask : numpy.ndarray
        bool, of the same shape. A mask's boundary are its pixels with a neighbour, by an edge, that is outside it or
        outside the image.
    spacing : tuple of float, optional
        Distance between neighbouring pixels along each axis; 1 when left out.

    Returns
    -------
    float
        In the unit of `spacing`, else in pixels. 0 when both are empty; the diagonal of the image when one is.

    Raises
    ------
    InvalidImageError
        If the shapes differ.
    """
    _counts(prediction, mask)
    steps = np.asarray(spacing or (1.0,) * mask.ndim, float)
    if not mask.any() or not prediction.any():
        return 0.0 if mask.any() == prediction.any() else float(np.linalg.norm(steps * mask.shape))
    edges = [m & ~ndimage.binary_erosion(m) for m in (np.asarray(prediction, bool), np.asarray(mask, bool))]
    there, back = (
        ndimage.distance_transform_edt(~other, sampling=steps)[edge] for edge, other in (edges, reversed(edges))
    )
    return float(np.concatenate([there, back]).mean())


def best_clusters(labels: NDArray[Any], mask: NDArray[np.bool_]) -> tuple[int, ...]:
    """Choose, by looking at the mask, the labels whose union has the highest Dice: an upper bound, not a result.

    Dice of a union is 2 Σ hitᵢ / (Σ sizeᵢ + |mask|). It reaches a value d exactly when Σ (2 hitᵢ − d sizeᵢ) ≥ d |mask|,
    and the left side is largest for the labels with precision hitᵢ / sizeᵢ above d / 2. So the best union is one of
    the first k labels in order of precision for some k, and trying every k is enough.

    Parameters
    ----------
    labels : numpy.ndarray
        Whole numbers; 0 is unassigned and never chosen.
    mask : numpy.ndarray
        bool, of the same shape.

    Returns
    -------
    tuple of int
        Sorted ids; empty when no label meets the mask.

    Raises
    ------
    InvalidImageError
        If the shapes differ.
    """
    _counts(labels, mask)
    ids, index = np.unique(labels, return_inverse=True)
    sizes = np.bincount(index.ravel(), minlength=len(ids))
    hits = np.bincount(index.ravel(), weights=np.ravel(mask), minlength=len(ids))
    usable = np.flatnonzero((ids != 0) & (hits > 0))
    order = usable[np.argsort(-hits[usable] / sizes[usable], kind="stable")]
    if not order.size:
        return ()
    scores = 2 * np.cumsum(hits[order]) / (np.cumsum(sizes[order]) + np.count_nonzero(mask))
    return tuple(sorted(int(i) for i in ids[order[: np.argmax(scores) + 1]]))


def published_clipping(labels: NDArray[Any], mask: NDArray[np.bool_]) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """What published scoring of this family of methods does to labels before it takes Dice: not a segmentation score.

    At 256 × 256 pixels everything farther than four pixels outside the mask is erased; then the cluster that fits the
    mask best is kept. One label everywhere comes out with a Dice above 0.9 for any mask that is not small.

    Parameters
    ----------
    labels : numpy.ndarray
        (H, W) whole numbers; 0 is unassigned.
    mask : numpy.ndarray
        (H, W) bool.

    Returns
    -------
    clipped, mask : numpy.ndarray
        (256, 256) bool: what is left of the best cluster, and the mask at that size.

    Raises
    ------
    InvalidImageError
        If the shapes differ.
    """
    _counts(labels, mask)
    rows, columns = (np.arange(CLIPPING_SIZE) * n // CLIPPING_SIZE for n in mask.shape)
    labels, mask = labels[np.ix_(rows, columns)], np.asarray(mask, bool)[np.ix_(rows, columns)]
    near = ndimage.binary_dilation(mask, np.ones((2 * CLIPPING_MARGIN + 1,) * 2, bool))
    candidates = [near & (labels == i) for i in np.unique(labels[near]) if i != 0]
    return max(candidates, key=lambda c: dice(c, mask), default=np.zeros_like(mask)), mask


def _counts(prediction: NDArray[Any], mask: NDArray[np.bool_]) -> tuple[int, int, int]:
    """Pixels in both, pixels in either, and the sum of both sizes."""
    if np.shape(prediction) != np.shape(mask):
        raise InvalidImageError(
            f"Expected a prediction of the mask's shape {np.shape(mask)}; got {np.shape(prediction)}. Resize it first."
        )
    size = int(np.count_nonzero(prediction)) + int(np.count_nonzero(mask))
    both = int(np.count_nonzero(np.logical_and(prediction, mask)))
    return both, size - both, size
