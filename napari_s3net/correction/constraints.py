"""What the user drew: constraints on single pixels, and what must not change.

Constraints are whole numbers on the image's own grid: 0 where nothing was drawn, else the id of a label, or `OBJECT` or
`BACKGROUND` where it only matters on which side a pixel lies.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_s3net.errors import InvalidConstraintsError
from napari_s3net.image import Segmentation

#: Drawn values that name a side and no label. The largest 16-bit numbers, so that every format can hold them.
OBJECT, BACKGROUND = 32767, 32766


@dataclass(frozen=True, eq=False)
class Task:
    """Labels, strokes and locks of one re-run, at the image's size.

    Parameters
    ----------
    labels : numpy.ndarray
        (H, W) int32: the previous result.
    constraints : numpy.ndarray
        (H, W) int32, without what lies on a lock.
    held : numpy.ndarray
        (H, W) bool: locked pixels.
    ids : numpy.ndarray
        Every label that the result may have, in ascending order.
    on_object : numpy.ndarray
        For each of `ids`, whether it is part of the object.
    open_ids : numpy.ndarray
        For each of `ids`, whether pixels may be given to it: not of locked ones.
    """

    labels: NDArray[np.int32]
    constraints: NDArray[np.int32]
    held: NDArray[np.bool_]
    ids: NDArray[np.int32]
    on_object: NDArray[np.bool_]
    open_ids: NDArray[np.bool_]

    @property
    def foreground(self) -> tuple[int, ...]:
        """The object's labels."""
        return tuple(int(i) for i in self.ids[self.on_object])

    def allowed(self, painted: NDArray[np.int32]) -> NDArray[np.bool_]:
        """Which of `ids` (m, n) each of m drawn values leaves open."""
        sides = np.where(painted == OBJECT, 1, np.where(painted == BACKGROUND, 0, -1))
        named = painted[:, None] == self.ids
        fits = np.where(sides[:, None] >= 0, self.on_object == (sides == 1)[:, None], named)
        return np.asarray(fits & self.open_ids)


def make_task(
    result: Segmentation,
    constraints: NDArray[Any],
    locked: Collection[int] = (),
    locked_region: NDArray[np.bool_] | None = None,
) -> Task:
    """Check strokes and locks, and bring them into one form. A lock is stronger than a stroke.

    Raises
    ------
    InvalidConstraintsError
        If they do not fit the result.
    """
    labels = result.labels
    drawn = checked(constraints, labels.shape)
    held = np.isin(labels, list(locked))
    if locked_region is not None:
        region = np.asarray(locked_region)
        if region.shape != labels.shape:
            raise InvalidConstraintsError(f"Expected a locked region of shape {labels.shape}; got {region.shape}.")
        held |= region.astype(bool)
    drawn[held | np.isin(drawn, list(locked))] = 0
    ids, foreground = _known_ids(result, drawn)
    on_object = np.isin(ids, foreground)
    return Task(labels, drawn, held, ids, on_object, ~np.isin(ids, list(locked)))


def checked(constraints: NDArray[Any], shape: tuple[int, ...]) -> NDArray[np.int32]:
    """Constraints as int32 of their own; `InvalidConstraintsError` where they do not fit labels of this shape."""
    array = np.asarray(constraints)
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
    """All ids, and the object's. Labels made elsewhere have no object: there it is all that is not 0.

    A side that was drawn and has no label yet gets one: 0 is the background, the first free number the object.
    """
    drawn_ids = np.unique(drawn)
    ids = np.union1d(np.unique(result.labels), drawn_ids[(drawn_ids > 0) & (drawn_ids < BACKGROUND)])
    foreground = np.array(sorted(result.foreground) or ids[ids > 0], np.int32)
    if OBJECT in drawn_ids and not np.isin(ids, foreground).any():
        new = foreground[:1] if foreground.size else np.array([ids.max(initial=0) + 1])
        ids, foreground = np.union1d(ids, new), np.union1d(foreground, new)
    if BACKGROUND in drawn_ids and np.isin(ids, foreground).all():
        ids = np.union1d(ids, [0])
    return ids.astype(np.int32), foreground
