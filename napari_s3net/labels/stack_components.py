"""Connected components of a stack that need no more memory than two of its slices."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

#: Says which overlapping pairs of two neighbouring slices belong together: (first, second, pixels) → (n,) bool.
Link = Callable[[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]], NDArray[np.bool_]]


class StackComponents:
    """Joins the components of single slices where they overlap, slice by slice.

    Only the numbers of the components are kept, so a stack of any depth can be followed.
    """

    def __init__(self) -> None:
        self._before: NDArray[np.integer] | None = None
        #: The node of the first component of each slice; nodes are numbered through the stack.
        self._starts = [0]
        self._parent: list[int] = []

    def add(self, components: NDArray[np.integer], n: int, link: Link | None = None) -> None:
        """Take in the next slice.

        Parameters
        ----------
        components : numpy.ndarray
            (H, W), its components from 1, 0 where none is.
        n : int
            How many there are.
        link : callable, optional
            Which of the pairs that overlap are one; all when left out.
        """
        first, second = self._starts[-2] if len(self._starts) > 1 else 0, self._starts[-1]
        self._starts.append(second + n)
        self._parent.extend(range(second, second + n))
        if self._before is not None:
            a, b, pixels = overlaps(self._before, components)
            joined = np.ones(len(a), bool) if link is None else link(a, b, pixels)
            for one, other in zip(a[joined].tolist(), b[joined].tolist(), strict=True):
                self._join(first + one - 1, second + other - 1)
        self._before = components

    def groups(self) -> list[NDArray[np.int64]]:
        """Say to which component of the stack each component of a slice belongs.

        Returns
        -------
        list of numpy.ndarray
            For each slice (n + 1,): the stack's component, counted from 1 and without gaps; 0 stays 0.
        """
        roots = np.array([self._root(node) for node in range(len(self._parent))], np.int64)
        numbers = np.unique(roots, return_inverse=True)[1] + 1
        return [
            np.concatenate([[0], numbers[start:end]])
            for start, end in zip(self._starts, self._starts[1:], strict=False)
        ]

    def _root(self, node: int) -> int:
        while self._parent[node] != node:
            self._parent[node] = self._parent[self._parent[node]]
            node = self._parent[node]
        return node

    def _join(self, one: int, other: int) -> None:
        one, other = self._root(one), self._root(other)
        self._parent[max(one, other)] = min(one, other)


def overlaps(
    first: NDArray[np.integer], second: NDArray[np.integer]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Count the pixels that a component of one slice shares with a component of another.

    Parameters
    ----------
    first, second : numpy.ndarray
        (H, W), numbers from 0; 0 is no component.

    Returns
    -------
    tuple of numpy.ndarray
        (n,) each: the number in the first, that in the second, and how many pixels have both; at least one.
    """
    both = (first > 0) & (second > 0)
    wide = int(second.max(initial=0)) + 1
    counts = np.bincount(first[both].astype(np.int64) * wide + second[both])
    pairs = np.flatnonzero(counts)
    return pairs // wide, pairs % wide, counts[pairs]
