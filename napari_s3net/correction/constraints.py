"""What the user drew and locked, checked and in one form.

Drawn values are whole numbers on the image's own grid: 0 where nothing was drawn, else the id of a label, or `OBJECT`
or `BACKGROUND` where it only matters on which side of the object's border a pixel lies.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_s3net.errors import InvalidConstraintsError
from napari_s3net.result import Segmentation

#: Drawn values that name a side and no label: the two largest signed 16-bit numbers, which every file format can hold.
OBJECT, BACKGROUND = 32767, 32766


@dataclass(frozen=True, eq=False)
class Constraints:
    """What the labels of one plane may become; arrays are (H, W), the image's size.

    Parameters
    ----------
    labels : numpy.ndarray
        (H, W) int32: the previous labels.
    drawn : numpy.ndarray
        (H, W) int32: drawn values; 0 on locked pixels, since a lock is stronger than a stroke.
    locked : numpy.ndarray
        (H, W) bool: pixels that keep their label.
    ids : numpy.ndarray
        (n,) every label that the new labels may have, in ascending order.
    on_object : numpy.ndarray
        (n,) bool: which of `ids` are part of the object.
    is_open : numpy.ndarray
        (n,) bool: to which of `ids` pixels may be given, which are those that are not locked.
    """

    labels: NDArray[np.int32]
    drawn: NDArray[np.int32]
    locked: NDArray[np.bool_]
    ids: NDArray[np.int32]
    on_object: NDArray[np.bool_]
    is_open: NDArray[np.bool_]

    @property
    def foreground(self) -> tuple[int, ...]:
        """The object's labels."""
        return tuple(int(i) for i in self.ids[self.on_object])

    @property
    def violated(self) -> NDArray[np.bool_]:
        """The painted pixels, (H, W), whose label is another one than was drawn, though it could be that."""
        violated = self.drawn > 0
        allowed = self.allowed(self.drawn[violated])
        obeyed = allowed[np.arange(len(allowed)), np.searchsorted(self.ids, self.labels[violated])]
        violated[violated] = allowed.any(axis=1) & ~obeyed
        return violated

    def allowed(self, drawn: NDArray[np.int32]) -> NDArray[np.bool_]:
        """Say which labels each drawn value allows.

        Parameters
        ----------
        drawn : numpy.ndarray
            (m,) drawn values, above 0.

        Returns
        -------
        numpy.ndarray
            (m, n) bool, for each of the n `ids`. A label allows itself, `OBJECT` all labels of the object, and
            `BACKGROUND` all others; none allows a locked one.
        """
        sides = np.where(drawn == OBJECT, 1, np.where(drawn == BACKGROUND, 0, -1))
        named = drawn[:, None] == self.ids
        fits = np.where(sides[:, None] >= 0, self.on_object == (sides == 1)[:, None], named)
        return np.asarray(fits & self.is_open)


def make_constraints(
    result: Segmentation,
    drawn: NDArray[Any],
    locked: Collection[int] = (),
    locked_region: NDArray[np.bool_] | None = None,
) -> Constraints:
    """Check strokes and locks against a result, and bring them into one form.

    Parameters
    ----------
    result : Segmentation
        With labels (H, W).
    drawn : numpy.ndarray
        (H, W) whole numbers.
    locked : collection of int
        Labels that keep all their pixels and get no others.
    locked_region : numpy.ndarray, optional
        (H, W) bool: pixels that keep their label.

    Returns
    -------
    Constraints
        Strokes on locked pixels, of locked labels, or of a side all of whose labels are locked, are left out.

    Raises
    ------
    InvalidConstraintsError
        If they do not fit the result.
    """
    labels = result.labels
    drawn = check_drawn(drawn, labels.shape)
    held = np.isin(labels, list(locked))
    if locked_region is not None:
        region = np.asarray(locked_region)
        if region.shape != labels.shape:
            raise InvalidConstraintsError(f"Expected a locked region of shape {labels.shape}; got {region.shape}.")
        held |= region.astype(bool)
    drawn[held | np.isin(drawn, list(locked))] = 0
    ids, foreground = _known_ids(result, drawn)
    made = Constraints(labels, drawn, held, ids, np.isin(ids, foreground), ~np.isin(ids, list(locked)))
    painted = drawn > 0
    # A side that is locked as a whole is no evidence of the other.
    drawn[painted] *= made.allowed(drawn[painted]).any(axis=1)
    return made


def check_drawn(drawn: NDArray[Any], shape: tuple[int, ...]) -> NDArray[np.int32]:
    """Check drawn values.

    Parameters
    ----------
    drawn : numpy.ndarray
        Whole numbers from 0 (not drawn) to `OBJECT`.
    shape : tuple of int
        That of the labels.

    Returns
    -------
    numpy.ndarray
        int32, a copy.

    Raises
    ------
    InvalidConstraintsError
        If they have another shape than `shape`, are not whole numbers, or not from 0 to `OBJECT`.
    """
    array = np.asarray(drawn)
    if array.shape != shape:
        raise InvalidConstraintsError(
            f"Expected constraints of the labels' shape {shape}; got {array.shape}. Draw them on the same image."
        )
    if array.dtype.kind not in "iub":
        raise InvalidConstraintsError(f"Expected constraints as whole numbers; got {array.dtype}.")
    if array.size and (int(array.min()) < 0 or int(array.max()) > OBJECT):
        raise InvalidConstraintsError(
            f"Constraints lie between 0 (not drawn) and {OBJECT} (object); got {array.min()} to {array.max()}."
        )
    return array.astype(np.int32)


def _known_ids(result: Segmentation, drawn: NDArray[np.int32]) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """All ids, and the object's.

    A side that was drawn and has no label yet gets one: the background 0, the object a number above all others.
    """
    drawn_ids = np.unique(drawn)
    ids = np.union1d(np.unique(result.labels), drawn_ids[(drawn_ids > 0) & (drawn_ids < BACKGROUND)])
    foreground = np.array(ids[ids > 0] if result.is_all_object else sorted(result.foreground), np.int32)
    if OBJECT in drawn_ids and not np.isin(ids, foreground).any():
        new = foreground[:1] if foreground.size else np.array([1 + max([0, *ids, *result.names])])
        ids, foreground = np.union1d(ids, new), np.union1d(foreground, new)
    if BACKGROUND in drawn_ids and np.isin(ids, foreground).all():
        ids = np.union1d(ids, [0])
    return ids.astype(np.int32), foreground
