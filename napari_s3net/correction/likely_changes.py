"""Which pixels of a correction look more like the label they get than like the one they had.

A stroke says what is wrong where it was drawn. What follows from it farther off is a guess, and in a volume a guess
goes through many slices: a border that moves a little too far in one is carried on by the next. So each change is asked
for its evidence, the ratio of how often its intensity occurs in the two labels (a likelihood ratio of histograms),
averaged over a few pixels; a change with more evidence against it than for it is dropped.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

#: Bins of a histogram over the intensity window.
BINS = 48
#: Standard deviation of the average, in pixels: a vessel in a lung is kept, a strip of another tissue is not.
SMOOTHING = 2.0


@dataclass(frozen=True, eq=False)
class LabelHistograms:
    """How often each intensity occurs in labels.

    Parameters
    ----------
    logarithms : mapping of int to numpy.ndarray
        (BINS,) float64 by label: the logarithm of the share of its pixels; one pixel more was counted in
        each bin.
    """

    logarithms: Mapping[int, NDArray[np.float64]]

    @classmethod
    def of(
        cls, plane: NDArray[np.float32], labels: NDArray[np.integer], near: NDArray[np.bool_] | None = None
    ) -> LabelHistograms:
        """Count the intensities of labels.

        Parameters
        ----------
        plane : numpy.ndarray
            (H, W) float32 in [0, 1].
        labels : numpy.ndarray
            (H, W) whole numbers.
        near : numpy.ndarray, optional
            (H, W) bool: the pixels that count.

        Returns
        -------
        LabelHistograms
            Of the labels that occur there.
        """
        bins, counted = _bins(plane), labels if near is None else labels[near]
        bins = bins if near is None else bins[near]
        logarithms = {}
        for label in np.unique(counted).tolist():
            counts = 1.0 + np.bincount(bins[counted == label].ravel(), minlength=BINS)
            logarithms[label] = np.log(counts / counts.sum())
        return cls(logarithms)

    def likely(self, plane: NDArray[np.float32], old: NDArray[np.int32], new: NDArray[np.int32]) -> NDArray[np.int32]:
        """Keep of a change what the intensities speak for.

        Parameters
        ----------
        plane : numpy.ndarray
            (H, W) float32 in [0, 1].
        old, new : numpy.ndarray
            (H, W) int32: labels before and after.

        Returns
        -------
        numpy.ndarray
            (H, W) int32: `new`, but `old` where the evidence is against the change. A label that was not counted has
            none, for or against it.
        """
        changed = new != old
        if not changed.any():
            return new
        bins, evidence = _bins(plane), np.zeros(new.shape, np.float32)
        for label, logarithms in self.logarithms.items():
            evidence += np.where(changed & (new == label), logarithms[bins], 0)
            evidence -= np.where(changed & (old == label), logarithms[bins], 0)
        against = ndimage.gaussian_filter(evidence, SMOOTHING) < 0
        return np.where(changed & against, old, new)


def _bins(plane: NDArray[np.float32]) -> NDArray[np.intp]:
    return np.clip((plane * BINS).astype(np.intp), 0, BINS - 1)
