"""Ids that stay the same from slice to slice."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment


def fit_ids(
    labels: NDArray[Any],
    meanings: Mapping[int, Hashable],
    known: Mapping[int, Hashable],
    beside: NDArray[Any] | None = None,
) -> dict[int, int]:
    """Number the clusters of a slice so that an id means the same in the whole stack.

    Parameters
    ----------
    labels : numpy.ndarray
        (H, W), the slice.
    meanings : mapping
        What each of its ids means, for example its name and whether it is the object.
    known : mapping
        What the stack's ids mean.
    beside : numpy.ndarray, optional
        (H, W), a slice beside it that has the stack's ids.

    Returns
    -------
    dict of int to int
        The stack's id for each of the slice's: of clusters that mean the same, the one that it overlaps most in the
        slice beside it; else one that the slice does not use; else its own where the stack has none such; else a new
        one.
    """
    given = {} if beside is None else _overlapping(labels, meanings, known, beside)
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


def _overlapping(
    labels: NDArray[Any], meanings: Mapping[int, Hashable], known: Mapping[int, Hashable], beside: NDArray[Any]
) -> dict[int, int]:
    """Pairs that mean the same and, all together, overlap most."""
    old, new = list(meanings), [i for i in np.unique(beside).tolist() if i in known]
    overlap = np.zeros((len(old), len(new)), int)
    for n, label in enumerate(old):
        there = beside[labels == label]
        overlap[n] = [np.count_nonzero(there == i) if known[i] == meanings[label] else 0 for i in new]
    rows, columns = linear_sum_assignment(overlap, maximize=True)
    return {old[r]: new[c] for r, c in zip(rows, columns, strict=True) if overlap[r, c]}


def renumber(labels: NDArray[Any], ids: Mapping[int, int]) -> NDArray[np.int32]:
    """Labels with other ids, of the same shape; 0 stays 0."""
    table: NDArray[np.int32] = np.zeros(int(labels.max(initial=0)) + 1, np.int32)
    for old, new in ids.items():
        table[old] = new
    renumbered: NDArray[np.int32] = table[labels]
    return renumbered
