"""A correction carried from one slice of a volume to the next, as long as the next slice looks alike.

What was corrected, and a little around it, is labelled anew in the next slice by random walks (Grady 2006, *Random
Walks for Image Segmentation*, IEEE TPAMI 28(11), in scikit-image): they begin at pixels that lie well inside a label of
the corrected slice and look like that label, and at the labels around, and stop at edges of the image. What this
changes in the next slice is carried on from there. Everything else stays as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Generator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from skimage.segmentation import random_walker

from napari_s3net.errors import InvalidImageError
from napari_s3net.image import Image, Step
from napari_s3net.preprocessing.values import complete
from napari_s3net.preprocessing.window import Window, choose_window
from napari_s3net.settings import Settings


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
class Propagation:
    """What was carried, and why it ended.

    Parameters
    ----------
    start : int
        The corrected slice.
    labels : dict of int to numpy.ndarray
        New labels (H, W) of each slice that changed, in the order in which they were reached.
    last : int
        The last slice that was reached and looked alike; `start` where none was.
    reason : str
        Why it ended there, in words: a clause for the screen.
    """

    start: int
    labels: dict[int, NDArray[np.int32]] = field(default_factory=dict)
    last: int = 0
    reason: str = ""


def iter_propagate(
    image: Image,
    labels: NDArray[np.integer],
    before: NDArray[np.integer],
    start: int,
    end: int,
    settings: Settings,
    *,
    corrected: Collection[int] = (),
) -> Generator[Step, bool | None, Propagation]:
    """Carry the correction of one slice to its neighbours, one after the other; `send(True)` stops and keeps.

    Parameters
    ----------
    image : Image
        (Z, H, W) intensities; may be lazy, as one slice is read at a time.
    labels : numpy.ndarray
        (Z, H, W) whole numbers; stay as they are.
    before : numpy.ndarray
        (H, W): what slice `start` had before it was corrected. What differs from it is carried.
    start, end : int
        The corrected slice, and the one at which it ends at the latest.
    settings : Settings
        The window of CT.
    corrected : collection of int
        Slices that somebody has corrected: it ends before them.

    Yields
    ------
    Step
        One a slice that was reached.

    Returns
    -------
    Propagation
        The slices that changed, and why it ended.

    Raises
    ------
    InvalidImageError
        If it is no volume of intensities, its labels have another shape, the slice is not corrected, or is empty.
    """
    _check(image, labels, before, start, end)
    way = range(start, end, 1 if end > start else -1)
    return (yield from iter_carry(image, labels, before, way, settings, {}, corrected=corrected))


def iter_carry(
    image: Image,
    labels: NDArray[np.integer],
    before: NDArray[np.integer],
    way: range,
    settings: Settings,
    planes: dict[int, NDArray[np.int32]],
    *,
    settle: Callable[[int, NDArray[np.int32]], NDArray[np.int32]] | None = None,
    corrected: Collection[int] = (),
) -> Generator[Step, bool | None, Propagation]:
    """Carry what changed in one slice along a way of slices, which others may change meanwhile.

    Parameters
    ----------
    image, labels, before, settings
        As in `iter_propagate`.
    way : range
        `range(start, end, ±1)`, of the corrected slice and the one at which it ends at the latest.
    planes : dict of int to numpy.ndarray
        Labels (H, W) of slices that have changed since `labels`, as they are when a slice is reached; each slice that
        is reached and changes is put there.
    settle : callable, optional
        Called with the number of a slice and the labels it would get; returns those that it does get.
    corrected : collection of int
        As in `iter_propagate`.

    Yields
    ------
    Step
        One a slice that was reached, with its number.

    Returns
    -------
    Propagation
        As from `iter_propagate`; its labels are `planes`.

    Raises
    ------
    InvalidImageError
        If nothing was corrected, or the corrected slice is empty.
    """

    def now(index: int) -> NDArray[np.int32]:
        return planes[index] if index in planes else np.asarray(labels[index], np.int32)

    start, end, known = way.start, way.stop, now(way.start)
    plane = complete(image.slice(start))
    window = choose_window(plane, settings)
    changed = known != before
    if not changed.any():
        raise InvalidImageError(
            f"Slice {start} is as the last run made it: there is no correction to carry. Correct it first."
        )
    reach = border_reach(image)
    near = ndimage.binary_dilation(changed, iterations=3 * reach)
    looks = Appearance.of(_blurred(plane.image, window), known, near)
    last, reason = start, f"slice {end} was the last one asked for"
    for index in (at + way.step for at in way):
        if index in corrected:
            reason = f"slice {index} was corrected by hand"
            break
        there = _read(image, index, window)
        if there is None:
            reason = f"slice {index} is empty"
            break
        old = now(index)
        new, agreement = carry(known, changed, looks, there, old, reach)
        if agreement < CONSTANTS.least_agreement:
            reason = f"in slice {index} only {agreement:.0%} of what was corrected looks as in slice {start}"
            break
        new = new if settle is None else settle(index, new)
        changed, last = new != old, index
        if int(changed.sum()) < CONSTANTS.least_change:
            reason = f"slice {index} needs no change"
            break
        planes[index] = known = new
        if (yield Step(abs(index - start), len(way), {}, 0, slice=index, slices=len(image.array))):
            reason = "it was stopped"
            break
    return Propagation(start, planes, last, reason)


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
    walked = random_walker(there.astype(np.float64), dense.reshape(numbers.shape), mode="cg_j", tol=1e-3, prob_tol=1.0)
    return np.asarray(np.where(walked > 0, used[np.maximum(walked, 0)], 0))


def _check(image: Image, labels: NDArray[np.integer], before: NDArray[np.integer], start: int, end: int) -> None:
    if not image.is_stack or image.kind == "rgb":
        raise InvalidImageError(
            "Corrections are carried between slices of a volume with one intensity a voxel; "
            f"got {'colour photographs' if image.kind == 'rgb' else 'a single plane'}."
        )
    if labels.shape != image.shape or before.shape != image.shape[1:]:
        raise InvalidImageError(f"The labels are {labels.shape}, the volume is {image.shape}; expected the same shape.")
    outside = [index for index in (start, end) if not 0 <= index < len(labels)]
    if outside:
        raise InvalidImageError(f"There is no slice {outside[0]}: the volume has slices 0 to {len(labels) - 1}.")
    if start == end:
        raise InvalidImageError(f"There is no slice beyond {start} to carry the correction to.")


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


def _read(image: Image, index: int, window: Window) -> NDArray[np.float32] | None:
    """A slice through the window, blurred; None of an empty one."""
    try:
        return _blurred(complete(image.slice(index)).image, window)
    except InvalidImageError:
        return None


def _blurred(plane: Image, window: Window) -> NDArray[np.float32]:
    return np.asarray(ndimage.gaussian_filter(window.apply(np.asarray(plane.array)), CONSTANTS.blur))


def _box(mask: NDArray[np.bool_], margin: int) -> tuple[slice, slice]:
    """The smallest box around a mask that is not empty, enlarged by a margin."""
    rows, columns = (np.flatnonzero(mask.any(axis=axis)) for axis in (1, 0))
    return (
        slice(max(0, int(rows[0]) - margin), int(rows[-1]) + 1 + margin),
        slice(max(0, int(columns[0]) - margin), int(columns[-1]) + 1 + margin),
    )
