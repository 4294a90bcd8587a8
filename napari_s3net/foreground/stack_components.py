"""Connected components of a stack that need no more memory than two of its slices."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

#: Says which overlapping pairs of two neighbouring slices belong together: (first, second, pixels) → (n,) bool.
Link = Callable[[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]], NDArray[np.bool_]]


@dataclass(frozen=True, eq=False)
class SliceComponents:
    """The connected components of one slice, kept small: as the bits of their pixels.

    Parameters
    ----------
    packed : numpy.ndarray
        The pixels that belong to one, from `numpy.packbits`.
    shape : tuple of int
        (H, W) of the slice.
    """

    packed: NDArray[np.uint8]
    shape: tuple[int, int]

    @property
    def components(self) -> NDArray[np.int32]:
        """(H, W), numbered from 1."""
        mask = np.unpackbits(self.packed, count=self.shape[0] * self.shape[1]).reshape(self.shape)
        return np.asarray(ndimage.label(mask)[0], np.int32)


class StackComponents:
    """Joins the components of single slices where they overlap, slice by slice.

    Only pairs of components that belong together are kept, so a stack of any depth can be followed.
    """

    def __init__(self) -> None:
        self._before: NDArray[np.integer] | None = None
        #: The node of the first component of each slice; nodes are numbered through the stack.
        self._starts = [0]
        #: (2, n) each: nodes of one slice, and those of the next that they belong to.
        self._pairs: list[NDArray[np.int64]] = []

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
        if self._before is not None:
            a, b, pixels = overlaps(self._before, components)
            joined = np.ones(len(a), bool) if link is None else link(a, b, pixels)
            first, second = self._starts[-2:]
            self._pairs.append(np.stack([first + a[joined], second + b[joined]]) - 1)
        self._starts.append(self._starts[-1] + n)
        self._before = components

    def groups(self) -> list[NDArray[np.int64]]:
        """Say to which component of the stack each component of a slice belongs.

        Returns
        -------
        list of numpy.ndarray
            For each slice (n + 1,): the stack's component, counted from 1 and without gaps; 0 stays 0.
        """
        n = self._starts[-1]
        # Of 32 bits: with indices of 64, scipy 1.11 finds nothing and says so in a warning only.
        rows, columns = np.concatenate([np.empty((2, 0), np.int32), *self._pairs], axis=1, dtype=np.int32)
        graph = coo_array((np.ones(len(rows), bool), (rows, columns)), shape=(n, n))
        numbers = connected_components(graph, directed=False)[1].astype(np.int64) + 1
        return [
            np.concatenate([[0], numbers[start:end]])
            for start, end in zip(self._starts, self._starts[1:], strict=False)
        ]


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
