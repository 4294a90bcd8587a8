"""Ids that stay the same: from one run to the next on an image, and from slice to slice of a stack."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_s3net.labels.ids import ids_in
from napari_s3net.labels.measure import label_index


@dataclass(frozen=True, kw_only=True)
class MatchingConstants:
    """Which clusters of two runs are the same. Round numbers that were tuned on nothing.

    Parameters
    ----------
    least_likeness : float
        Pairs with a likeness below this are not the same cluster; likeness, from 0 to 1, is the mean of overlap and
        likeness of features.
    feature_distance : float
        Distance of mean features, in standard deviations of the image, at which their likeness falls to exp(−½).
    """

    least_likeness: float = 0.3
    feature_distance: float = 0.5


MATCHING = MatchingConstants()


def match_to_previous(
    labels: NDArray[Any], previous: NDArray[Any], features: NDArray[np.floating] | None = None
) -> dict[int, int]:
    """Say which cluster of an earlier result each cluster of a new one continues.

    The pairs are chosen so that their likeness is largest in total (Hungarian method). The likeness of two clusters is
    the intersection over union of their pixels or, with `features`, the mean of that and of how close their mean
    features are.

    Parameters
    ----------
    labels : numpy.ndarray
        (H, W): the new result; 0 is no cluster.
    previous : numpy.ndarray
        (H, W): the earlier one.
    features : numpy.ndarray, optional
        (H, W, C), for example the colours.

    Returns
    -------
    dict of int to int
        An id for each of the new clusters: that of the earlier cluster that it continues; else its own, where no other
        cluster has it; else a number that neither result uses.
    """
    from scipy.optimize import linear_sum_assignment

    new, old = np.array(ids_in(labels), np.int64), np.array(ids_in(previous), np.int64)
    rows, columns = _places(labels, new), _places(previous, old)
    likeness = _pairwise_iou(rows, columns, new, old)
    if features is not None and new.size and old.size:
        spread = np.maximum(features.reshape(-1, features.shape[-1]).std(axis=0, dtype=np.float64), 1e-9)
        a, b = (_mean_features(at, ids, features, spread) for at, ids in ((rows, new), (columns, old)))
        distance = ((a[:, None] - b[None]) ** 2).sum(axis=-1)
        likeness = (likeness + np.exp(-distance / (2 * MATCHING.feature_distance**2))) / 2
    rows, columns = linear_sum_assignment(likeness, maximize=True)
    least = MATCHING.least_likeness if features is not None else MATCHING.least_likeness / 2
    given = {int(new[r]): int(old[c]) for r, c in zip(rows, columns, strict=True) if likeness[r, c] >= least}
    free = max([0, *new.tolist(), *old.tolist()]) + 1
    for label in new.tolist():
        if label not in given:
            taken = label in old or label in given.values()
            given[label] = free if taken else label
            free += taken
    return given


def match_to_stack(
    labels: NDArray[Any],
    meanings: Mapping[int, Hashable],
    known: Mapping[int, Hashable],
    beside: NDArray[Any] | None = None,
) -> dict[int, int]:
    """Give the clusters of a slice the ids that mean the same in the whole stack.

    Parameters
    ----------
    labels : numpy.ndarray
        (H, W), the slice.
    meanings : mapping of int to hashable
        What each of its ids means: whatever is equal means the same.
    known : mapping of int to hashable
        What the stack's ids mean.
    beside : numpy.ndarray, optional
        (H, W), a neighbouring slice that has the stack's ids.

    Returns
    -------
    dict of int to int
        The stack's id for each of the slice's. Of the ids that mean the same, it is the one that overlaps most in the
        neighbouring slice, all pairs together; else one that the slice does not use yet; else, where the stack has no
        such id, the cluster's own number or a new one.
    """
    given = {} if beside is None else _overlapping_pairs(labels, meanings, known, beside)
    for label, meaning in meanings.items():
        if label in given:
            continue
        same = [i for i, other in known.items() if other == meaning and i not in given.values()]
        if same:
            given[label] = label if label in same else same[0]
        else:
            taken = {0, *known, *given.values()}
            given[label] = max(taken) + 1 if label in taken else label
    return given


def renumber(labels: NDArray[Any], ids: Mapping[int, int]) -> NDArray[np.int32]:
    """Replace ids by others.

    Parameters
    ----------
    labels : numpy.ndarray
        Whole numbers from 0 on, of any shape.
    ids : mapping of int to int
        The new id of each; ids that are left out become 0.

    Returns
    -------
    numpy.ndarray
        Of the same shape.
    """
    present, index = label_index(labels)
    table = np.array([ids.get(label, 0) for label in present.tolist()], np.int32)
    return np.asarray(table[index].reshape(labels.shape), np.int32)


def _overlapping_pairs(
    labels: NDArray[Any], meanings: Mapping[int, Hashable], known: Mapping[int, Hashable], beside: NDArray[Any]
) -> dict[int, int]:
    """Pairs that mean the same and, all together, overlap most."""
    from scipy.optimize import linear_sum_assignment

    old, new = list(meanings), [i for i in ids_in(beside) if i in known]
    overlap = np.zeros((len(old), len(new)), int)
    for n, label in enumerate(old):
        there = beside[labels == label]
        overlap[n] = [np.count_nonzero(there == i) if known[i] == meanings[label] else 0 for i in new]
    rows, columns = linear_sum_assignment(overlap, maximize=True)
    return {old[r]: new[c] for r, c in zip(rows, columns, strict=True) if overlap[r, c]}


def _pairwise_iou(
    rows: NDArray[np.intp], columns: NDArray[np.intp], new: NDArray[Any], old: NDArray[Any]
) -> NDArray[np.float64]:
    """Intersection over union of each new cluster with each old one, (new, old); see `_places`."""
    shape = len(new) + 1, len(old) + 1
    counts = np.bincount(rows * shape[1] + columns, minlength=shape[0] * shape[1]).reshape(shape)
    union = counts[1:].sum(axis=1)[:, None] + counts[:, 1:].sum(axis=0)[None] - counts[1:, 1:]
    return np.asarray(counts[1:, 1:] / np.maximum(union, 1))


def _mean_features(
    places: NDArray[np.intp], ids: NDArray[Any], features: NDArray[np.floating], spread: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Mean features of each cluster (n, C), in standard deviations over the image; see `_places`."""
    sizes = np.bincount(places, minlength=len(ids) + 1)[1:]
    channels = features.reshape(-1, features.shape[-1]).T
    sums = [np.bincount(places, channel, minlength=len(ids) + 1)[1:] for channel in channels]
    return np.asarray(np.stack(sums, axis=-1) / np.maximum(sizes, 1)[:, None] / spread)


def _places(labels: NDArray[Any], ids: NDArray[Any]) -> NDArray[np.intp]:
    """Of each pixel, which of the ids (ascending, from 1 on) it has; 0 for no cluster."""
    flat = labels.ravel()
    if ids.size and int(ids[-1]) < 2**16:
        table = np.zeros(int(ids[-1]) + 1, np.intp)
        table[ids] = np.arange(1, len(ids) + 1)
        return np.asarray(table[np.maximum(flat, 0)], np.intp)
    return np.where(flat > 0, np.searchsorted(ids, flat) + 1, 0)
