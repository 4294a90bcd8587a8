"""A correction carried to one neighbouring slice.

What was corrected, and a little around it, is labelled anew in the next slice by random walks (Grady 2006, *Random
Walks for Image Segmentation*, IEEE TPAMI 28(11), in scikit-image): they begin at pixels that lie well inside a label of
the corrected slice and look like that label, and at the labels around, and stop at edges of the image.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from napari_s3net.image import Image
from napari_s3net.preprocessing.window import Window


@dataclass(frozen=True, kw_only=True)
class SlicePropagationConstants:
    """How far a correction is carried. Chosen on the chest scan v0 of the development data; see `docs/volumes.md`.

    Parameters
    ----------
    least_agreement : float
        Less than this share of the corrected pixels that look like their label ends it.
    reach : tuple of int
        Pixels around what was corrected in which borders may move: at least, and at most.
    spreads : float
        A pixel looks like a label within so many robust standard deviations of the label's median.
    least_spread : float
        The standard deviation is at least this, as a share of the intensity window.
    blur : float
        Standard deviation of the blur before pixels are compared, in pixels.
    least_change : int
        Fewer pixels than this are not carried on.
    """

    least_agreement: float = 0.6
    reach: tuple[int, int] = (3, 8)
    spreads: float = 3.0
    least_spread: float = 0.03
    blur: float = 1.0
    least_change: int = 12


CONSTANTS = SlicePropagationConstants()


@dataclass(frozen=True, eq=False)
class Appearance:
    """What labels look like in the corrected slice, near the correction.

    Parameters
    ----------
    ids : numpy.ndarray
        (n,) int32, the labels.
    middle, spread : numpy.ndarray
        (n,) float32: median and robust standard deviation of their intensities, as shares of the window.
    """

    ids: NDArray[np.int32]
    middle: NDArray[np.float32]
    spread: NDArray[np.float32]

    @classmethod
    def of(cls, plane: NDArray[np.float32], labels: NDArray[np.int32], near: NDArray[np.bool_]) -> Appearance:
        """Measure labels.

        Parameters
        ----------
        plane : numpy.ndarray
            (H, W) float32 in [0, 1].
        labels : numpy.ndarray
            (H, W) int32.
        near : numpy.ndarray
            (H, W) bool: the pixels that count.

        Returns
        -------
        Appearance
            Of the labels that occur there.
        """
        ids = np.unique(labels[near])
        values = [plane[near & (labels == label)] for label in ids]
        middle = np.array([np.median(one) for one in values], np.float32)
        spread = [1.4826 * np.median(np.abs(one - m)) for one, m in zip(values, middle, strict=True)]
        return cls(ids, middle, np.maximum(np.array(spread, np.float32), CONSTANTS.least_spread))

    def fits(self, plane: NDArray[np.float32]) -> NDArray[np.bool_]:
        """Say which labels each pixel looks like.

        Parameters
        ----------
        plane : numpy.ndarray
            (H, W) float32 in [0, 1].

        Returns
        -------
        numpy.ndarray
            (n, H, W) bool.
        """
        away = np.abs(plane - self.middle[:, None, None])
        return np.asarray(away <= CONSTANTS.spreads * self.spread[:, None, None])


def carry(
    known: NDArray[np.int32],
    changed: NDArray[np.bool_],
    looks: Appearance,
    there: NDArray[np.float32],
    target: NDArray[np.int32],
    reach: int,
) -> tuple[NDArray[np.int32], float]:
    """Carry a correction to one neighbouring slice.

    Parameters
    ----------
    known, target : numpy.ndarray
        (H, W) int32: labels of the corrected slice and of its neighbour.
    changed : numpy.ndarray
        (H, W) bool: what was corrected; at least one pixel.
    looks : Appearance
        Of the labels where the correction was made.
    there : numpy.ndarray
        (H, W) float32 in [0, 1]: the neighbour, blurred.
    reach : int
        Pixels by which borders may move.

    Returns
    -------
    labels : numpy.ndarray
        (H, W) int32, the neighbour's new labels.
    agreement : float
        Share of the corrected pixels, away from borders, that look like their label in the neighbour, 0 to 1.
    """
    box = _box(changed, 3 * reach)
    known, changed, there, old = known[box], changed[box], there[box], target[box]
    region = ndimage.binary_dilation(changed, iterations=reach)
    fits = looks.fits(there)
    place = np.searchsorted(looks.ids, known).clip(0, len(looks.ids) - 1)
    alike = np.take_along_axis(fits, place[None], 0)[0] & (looks.ids[place] == known)
    side = 2 * (reach // 2) + 1
    inside = ndimage.minimum_filter(known, side) == ndimage.maximum_filter(known, side)
    # What looks like one other label alone, over an area wider than the reach, is that label.
    other = ndimage.binary_opening(~alike & (fits.sum(axis=0) == 1), np.ones((2 * reach + 1,) * 2, bool))
    inner = np.where(inside & alike, known, np.where(other, looks.ids[fits.argmax(axis=0)], -1))
    seeds = np.where(region, inner, old)
    ids = np.unique(seeds[seeds >= 0])
    walked = _walk(there, np.where(seeds < 0, 0, 1 + np.searchsorted(ids, seeds)))
    new = target.copy()
    new[box] = np.where(region & (walked > 0), ids[np.maximum(walked, 1) - 1], old)
    compared = changed & inside if (changed & inside).any() else changed
    return new, float(alike[compared].mean())


def _walk(there: NDArray[np.float32], numbers: NDArray[np.integer]) -> NDArray[np.integer]:
    """Fill the pixels of number 0 by random walks from the others, which have numbers from 1."""
    used, dense = np.unique(numbers, return_inverse=True)
    if used[0] != 0 or len(used) == 1:  # nothing to fill, or nothing to fill it with
        return numbers
    if len(used) == 2:
        return np.full_like(numbers, used[1])
    from skimage.segmentation import random_walker

    walked = random_walker(there.astype(np.float64), dense.reshape(numbers.shape), mode="cg_j", tol=1e-3, prob_tol=1.0)
    return np.asarray(np.where(walked > 0, used[np.maximum(walked, 0)], 0))


def border_reach(image: Image) -> int:
    """Say by how many pixels a border may lie elsewhere in the next slice: a slope of 45° goes as far as slices lie.

    Parameters
    ----------
    image : Image
        Its spacing counts.

    Returns
    -------
    int
        Within `SlicePropagationConstants.reach`.
    """
    depth, row, column = image.geometry.spacing
    least, most = CONSTANTS.reach
    return int(np.clip(round(depth / max(row, column)), least, most))


def blurred(plane: Image, window: Window) -> NDArray[np.float32]:
    """Prepare a slice for its pixels to be compared.

    Parameters
    ----------
    plane : Image
        (H, W) intensities, all finite.
    window : Window
        The intensity window.

    Returns
    -------
    numpy.ndarray
        (H, W) float32 in [0, 1].
    """
    return np.asarray(ndimage.gaussian_filter(window.apply(np.asarray(plane.array)), CONSTANTS.blur))


def _box(mask: NDArray[np.bool_], margin: int) -> tuple[slice, slice]:
    """The smallest box around a mask that is not empty, enlarged by a margin."""
    rows, columns = (np.flatnonzero(mask.any(axis=axis)) for axis in (1, 0))
    return (
        slice(max(0, int(rows[0]) - margin), int(rows[-1]) + 1 + margin),
        slice(max(0, int(columns[0]) - margin), int(columns[-1]) + 1 + margin),
    )
