"""A region of labels gets another shape: pixels that change side take the nearest label of that side."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

Labels = NDArray[Any]
Mask = NDArray[np.bool_]
Slices = tuple[slice, ...]
#: Pixels that change side get the label of a neighbour, one ring after the other, up to this many rings; what lies
#: deeper gets its label by a distance transform, which is slower for few pixels and faster for many.
RINGS = 8


def reshape_region(labels: Labels, ids: Collection[int], change: Callable[[Mask], Mask], *, margin: int) -> Labels:
    """Change the mask of a region; what it gains and loses gets the nearest label of the side that it goes to.

    Parameters
    ----------
    labels : numpy.ndarray
        Whole numbers, (…, H, W).
    ids : collection of int
        The labels that are the region.
    change : callable
        Takes a mask and returns one of the same shape. It sees the region's box, enlarged by the margin, and beyond the
        image's edges the region goes on.
    margin : int
        How far, in pixels, a change may reach beyond the region; at least 1.

    Returns
    -------
    numpy.ndarray
        A copy. Pixels whose side holds no other label stay as they are.
    """
    region = np.isin(labels, list(ids))
    new = labels.copy()
    if not region.any():
        return new
    box = _bounding_box(region, margin)
    before, part = region[box], new[box]
    after = _beyond_the_edges(change, before, margin)
    _change_sides(part, before, after)
    return new


def replace_region(labels: Labels, ids: Collection[int], mask: Mask) -> Labels:
    """Give a region another mask; what it gains and loses gets the nearest label of the side that it goes to.

    Parameters
    ----------
    labels : numpy.ndarray
        Whole numbers, (H, W).
    ids : collection of int
        The labels that are the region.
    mask : numpy.ndarray
        (H, W) bool, the region from now on.

    Returns
    -------
    numpy.ndarray
        A copy. Pixels whose side holds no other label stay as they are.
    """
    new = labels.copy()
    _change_sides(new, np.isin(labels, list(ids)), mask)
    return new


def _change_sides(part: NDArray[Any], before: Mask, after: Mask) -> None:
    """Fill what a region has gained, and what it has lost, in place."""
    for wrong, known in ((after & ~before, before & after), (before & ~after, ~before & ~after)):
        _fill(part, wrong, known)


def _beyond_the_edges(change: Callable[[Mask], Mask], mask: Mask, margin: int) -> Mask:
    """Change a mask that goes on beyond the image's edges, so that nothing is rounded off or eroded there."""
    pad = [(0, 0)] * (mask.ndim - 2) + [(margin, margin)] * 2
    inner = (..., slice(margin, -margin), slice(margin, -margin))
    return change(np.pad(mask, pad, mode="edge"))[inner]


def _fill(part: NDArray[Any], wrong: Mask, known: Mask) -> None:
    """Give the wrong pixels the nearest known label, in place; where nothing is known they stay."""
    if not wrong.any() or not known.any():
        return
    values = np.unique(part[known])
    if len(values) == 1:
        part[wrong] = values[0]
        return
    known = known.copy()
    left = np.nonzero(wrong)
    for _ in range(RINGS):
        left = _fill_ring(part, known, left)
        if not left[0].size:
            return
    rest = np.zeros(part.shape, bool)
    rest[left] = True
    box = _bounding_box(rest, RINGS)
    box = box if known[box].any() else tuple(slice(0, n) for n in part.shape)
    near = ndimage.distance_transform_edt(~known[box], return_distances=False, return_indices=True)
    part[box][rest[box]] = part[box][tuple(near[:, rest[box]])]


def _fill_ring(part: NDArray[Any], known: Mask, left: tuple[NDArray[Any], ...]) -> tuple[NDArray[Any], ...]:
    """Fill pixels that have a known neighbour along a row or a column; returns the others."""
    values = np.zeros(left[0].size, part.dtype)
    found = np.zeros(left[0].size, bool)
    for axis in (-1, -2):
        for step in (-1, 1):
            at = list(left)
            at[axis] = np.clip(left[axis] + step, 0, part.shape[axis] - 1)
            fits = known[tuple(at)] & ~found
            values[fits] = part[tuple(i[fits] for i in at)]
            found |= fits
    done = tuple(i[found] for i in left)
    part[done], known[done] = values[found], True
    return tuple(i[~found] for i in left)


def _bounding_box(mask: Mask, margin: int = 0) -> Slices:
    """The smallest box around a mask that is not empty, enlarged by a margin."""
    sides = []
    for axis, n in enumerate(mask.shape):
        used = np.flatnonzero(mask.any(axis=tuple(i for i in range(mask.ndim) if i != axis)))
        sides.append(slice(max(0, int(used[0]) - margin), min(n, int(used[-1]) + 1 + margin)))
    return tuple(sides)
