"""A correction carried from one slice of a volume to the next, as long as the next slice looks alike.

What `slice_carrying` changes in the next slice is carried on from there. Everything else stays as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Generator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from napari_s3net.correction.slice_carrying import CONSTANTS, Appearance, blurred, border_reach, carry
from napari_s3net.errors import InvalidImageError
from napari_s3net.image import Image
from napari_s3net.preprocessing.values import complete
from napari_s3net.preprocessing.window import Window, choose_window
from napari_s3net.progress import Step
from napari_s3net.settings import Settings


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
    changed = known != before
    if not changed.any():
        raise InvalidImageError(
            f"Slice {start} is as the last run made it: there is no correction to carry. Correct it first."
        )
    correction = _Correction.of(image, start, known, changed, settings)
    last, reason = start, f"slice {end} was the last one asked for"
    for index in (at + way.step for at in way):
        if index in corrected:
            reason = f"slice {index} was corrected by hand"
            break
        old = now(index)
        new = correction.carried(index, known, changed, old)
        if isinstance(new, str):
            reason = new
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
class _Correction:
    """How what was corrected looks in its slice, through one window for all slices."""

    image: Image
    start: int
    window: Window
    looks: Appearance
    reach: int

    @classmethod
    def of(
        cls,
        image: Image,
        start: int,
        known: NDArray[np.int32],
        changed: NDArray[np.bool_],
        settings: Settings,
    ) -> _Correction:
        plane = complete(image.slice(start))
        window = choose_window(plane, settings)
        reach = border_reach(image)
        near = ndimage.binary_dilation(changed, iterations=3 * reach)
        return cls(image, start, window, Appearance.of(blurred(plane.image, window), known, near), reach)

    def carried(
        self, index: int, known: NDArray[np.int32], changed: NDArray[np.bool_], old: NDArray[np.int32]
    ) -> NDArray[np.int32] | str:
        """The labels of a slice after those of its neighbour; or, in words, why nothing is carried to it."""
        there = _read(self.image, index, self.window)
        if there is None:
            return f"slice {index} is empty"
        new, agreement = carry(known, changed, self.looks, there, old, self.reach)
        if agreement < CONSTANTS.least_agreement:
            return f"in slice {index} only {agreement:.0%} of what was corrected looks as in slice {self.start}"
        return new


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


def _read(image: Image, index: int, window: Window) -> NDArray[np.float32] | None:
    """A slice through the window, blurred; None of an empty one."""
    try:
        return blurred(complete(image.slice(index)).image, window)
    except InvalidImageError:
        return None
