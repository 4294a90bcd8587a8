"""Clusters that stay themselves: after another run on the same image, an id means what it meant before."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

#: Pairs less alike than this are not the same cluster: half of the best is likeness of features, half overlap.
ALIKE = 0.3
#: Distance of feature centroids, in standard deviations of the image, at which likeness falls to exp(−½).
SPREAD = 0.5


def same_ids(
    labels: NDArray[Any], before: NDArray[Any], features: NDArray[np.floating] | None = None
) -> dict[int, int]:
    """Which earlier id each new one continues.

    All pairs together are as alike as possible (Hungarian method), where likeness is the mean of the overlap
    (intersection over union) and, with `features`, of how close the mean features are.

    Parameters
    ----------
    labels : numpy.ndarray
        (H, W): the new result; 0 is no cluster.
    before : numpy.ndarray
        (H, W): the earlier one.
    features : numpy.ndarray, optional
        (H, W, C), for example the colours.

    Returns
    -------
    dict of int to int
        An id for each of the new clusters: that of the earlier cluster that it continues, else one that neither result
        has used.
    """
    new, old = (np.unique(array[array > 0]) for array in (labels, before))
    alike = _overlap(labels, before, new, old)
    if features is not None and new.size and old.size:
        a, b = _centroids(labels, new, features), _centroids(before, old, features)
        distance = ((a[:, None] - b[None]) ** 2).sum(axis=-1)
        alike = (alike + np.exp(-distance / (2 * SPREAD**2))) / 2
    rows, columns = linear_sum_assignment(alike, maximize=True)
    least = ALIKE if features is not None else ALIKE / 2
    given = {int(new[r]): int(old[c]) for r, c in zip(rows, columns, strict=True) if alike[r, c] >= least}
    free = max([0, *new.tolist(), *old.tolist()]) + 1
    for label in new.tolist():
        if label not in given:
            taken = label in old or label in given.values()
            given[label] = free if taken else label
            free += taken
    return given


def _overlap(labels: NDArray[Any], before: NDArray[Any], new: NDArray[Any], old: NDArray[Any]) -> NDArray[np.float64]:
    """Intersection over union of every pair."""
    counts = np.zeros((len(new), len(old)))
    both = (labels > 0) & (before > 0)
    np.add.at(counts, (np.searchsorted(new, labels[both]), np.searchsorted(old, before[both])), 1)
    sizes, sizes_before = (
        np.bincount(np.searchsorted(ids, array[array > 0]), minlength=len(ids))
        for ids, array in ((new, labels), (old, before))
    )
    union = sizes[:, None] + sizes_before[None] - counts
    return np.asarray(counts / np.maximum(union, 1))


def _centroids(labels: NDArray[Any], ids: NDArray[Any], features: NDArray[np.floating]) -> NDArray[np.float64]:
    """Mean features of each cluster (n, C), in standard deviations over the image."""
    values = features.reshape(-1, features.shape[-1]).astype(np.float64)
    values = (values - values.mean(axis=0)) / np.maximum(values.std(axis=0), 1e-9)
    flat = labels.ravel()
    index = np.searchsorted(ids, flat[flat > 0])
    sizes = np.maximum(np.bincount(index, minlength=len(ids)), 1)
    sums = [np.bincount(index, channel[flat > 0], minlength=len(ids)) for channel in values.T]
    return np.asarray(np.stack(sums, axis=-1) / sizes[:, None])
