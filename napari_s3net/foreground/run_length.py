"""Masks as runs, the stretches of their rows, and the connected parts that these make up.

A mask has some hundred runs where it has ten thousand pixels, so that parts are found several times faster on runs than
on pixels. Many masks lie in one flat array, every row and every mask with a frame of False before it, so that nothing
of one touches anything of another; what is outside the masks, frames included, is one part.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components


@dataclass(frozen=True)
class Frame:
    """How n masks of h rows and w columns lie in the flat array.

    Parameters
    ----------
    shape : tuple of int
        (n, h, w).
    """

    shape: tuple[int, int, int]

    @property
    def wide(self) -> int:
        """From a pixel to the one below."""
        return self.shape[2] + 1

    @property
    def size(self) -> int:
        """From a mask to the next."""
        return (self.shape[1] + 1) * self.wide

    @property
    def length(self) -> int:
        """Of the flat array: the last mask, too, has a frame behind it."""
        return self.shape[0] * self.size + self.wide + 1

    def lay(self, masks: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """A new flat array with the masks (n, h, w)."""
        flat = np.zeros(self.length, bool)
        self.planes(flat)[:] = masks
        return flat

    def planes(self, flat: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """A view of the masks (n, h, w) in the flat array."""
        return self._framed(flat)[:, 1:, 1:]

    def clear(self, flat: NDArray[np.bool_]) -> None:
        """Let the frames be False again."""
        self._framed(flat)[:, 0] = self._framed(flat)[:, :, 0] = flat[self.shape[0] * self.size :] = False

    def _framed(self, flat: NDArray[np.bool_]) -> NDArray[np.bool_]:
        n, h, w = self.shape
        return flat[: n * self.size].reshape(n, h + 1, w + 1)


@dataclass(frozen=True, eq=False)
class Runs:
    """Runs in the order of the flat array, each from `starts` up to but not including `ends`."""

    starts: NDArray[np.int64]
    ends: NDArray[np.int64]
    frame: Frame

    def parts(self) -> NDArray[np.int32]:
        """Number of the connected part of each run, from 0; neighbours are left, right, above and below."""
        below = self.frame.wide
        first = np.searchsorted(self.ends, self.starts + below, "right")
        last = np.searchsorted(self.starts, self.ends + below, "left")
        met = np.maximum(last - first, 0)  # runs that touch this one from the next row
        bounds = np.concatenate([[0], np.cumsum(met)])
        others = np.arange(bounds[-1]) + np.repeat(first - bounds[:-1], met)
        touching = csr_array((np.ones(len(others), np.int8), others, bounds), shape=(len(met), len(met)))
        numbers: NDArray[np.int32] = connected_components(touching, directed=False)[1]
        return numbers

    def sums(self, weight: NDArray[np.floating]) -> NDArray[np.float64]:
        """The weight (h, w) that each run gathers in its mask."""
        running = np.concatenate([[0], np.cumsum(np.pad(weight, ((1, 0), (1, 0))), dtype=np.float64)])
        before = self.masks() * self.frame.size
        return np.asarray(running[self.ends - before] - running[self.starts - before])

    def masks(self) -> NDArray[np.int64]:
        """In which of the masks each run lies."""
        return self.starts // self.frame.size

    def only(self, which: NDArray[np.bool_]) -> Runs:
        """Some of the runs."""
        return Runs(self.starts[which], self.ends[which], self.frame)

    def filled(self) -> NDArray[np.bool_]:
        """The masks (n, h, w) of these runs without holes: with all that is not connected to the frame."""
        edges = np.empty(2 * len(self.starts) + 2, np.int64)
        edges[0], edges[1:-1:2], edges[2:-1:2], edges[-1] = 0, self.starts, self.ends, self.frame.length
        outside = Runs(edges[::2], edges[1::2], self.frame).parts()
        inside = np.ones(len(edges) - 1, bool)
        inside[::2] = outside != outside[0]
        return self.frame.planes(np.repeat(inside, np.diff(edges)))


def frame_of(masks: NDArray[np.bool_]) -> Frame:
    """The frame that masks (n, h, w) lie in."""
    return Frame((masks.shape[0], masks.shape[1], masks.shape[2]))


def runs_of(masks: NDArray[np.bool_]) -> Runs:
    """The runs of masks (n, h, w)."""
    frame = frame_of(masks)
    flat = frame.lay(masks)
    edges = np.flatnonzero(flat[1:] != flat[:-1]) + 1
    return Runs(edges[::2], edges[1::2], frame)
