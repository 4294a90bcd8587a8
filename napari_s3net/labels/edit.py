"""Tools that change a label array: each takes labels, returns new ones of the same shape, and changes nothing else.

A region is the union of some labels. What a tool adds to a region takes the nearest label in it; what it takes away
takes the nearest label outside. 0 is a label like others here: what is not assigned.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from skimage.segmentation import watershed

from napari_s3net.errors import InvalidImageError

Labels = NDArray[Any]
Mask = NDArray[np.bool_]
Box = tuple[slice, ...]
#: Pixels that change side are filled from their neighbours up to this depth one ring after the other; deeper ones by
#: a distance transform, which takes longer for a few and less for many.
RINGS = 8


def merge(labels: Labels, ids: Collection[int], into: int | None = None) -> Labels:
    """Make one label of several.

    Parameters
    ----------
    labels : numpy.ndarray
        Whole numbers, of any shape.
    ids : collection of int
        Which labels.
    into : int, optional
        What they become; the smallest of them when left out.
    """
    new = labels.copy()
    new[np.isin(labels, list(ids))] = min(ids) if into is None else into
    return new


def swap(labels: Labels, first: int, second: int) -> Labels:
    """Exchange two labels."""
    new = labels.copy()
    new[labels == first], new[labels == second] = second, first
    return new


def split_parts(labels: Labels, label: int, *, smallest: int = 1) -> tuple[Labels, list[int]]:
    """Give every connected part of a label an id of its own; the largest keeps the label.

    Parameters
    ----------
    labels : numpy.ndarray
        Whole numbers.
    label : int
        Which one.
    smallest : int
        Parts of fewer pixels stay with the largest.

    Returns
    -------
    labels : numpy.ndarray
    new : list of int
        The ids that were given, for the larger parts first.
    """
    parts, _ = ndimage.label(labels == label, _around(labels.ndim))
    sizes = np.bincount(parts.ravel())
    sizes[0] = 0
    order = [int(i) for i in np.argsort(-sizes, kind="stable") if sizes[i] >= smallest and sizes[i]]
    first = int(labels.max(initial=0)) + 1
    table = np.zeros(len(sizes), labels.dtype)
    given = list(range(first, first + len(order) - 1))
    table[order[1:]] = given
    return np.where(table[parts] > 0, table[parts], labels).astype(labels.dtype), given


def split_between(labels: Labels, first: tuple[int, ...], second: tuple[int, ...]) -> tuple[Labels, int]:
    """Cut the part under two points in two, where it is narrowest between them.

    Parameters
    ----------
    labels : numpy.ndarray
        Whole numbers.
    first, second : tuple of int
        Two pixels of one connected part; that of the first keeps the label.

    Returns
    -------
    labels : numpy.ndarray
    new : int
        The id of the second half.

    Raises
    ------
    InvalidImageError
        If the points are not in one part, or are the same.
    """
    part = part_at(labels, first)
    if not part[second] or first == second:
        raise InvalidImageError("Click two different places in one connected part.")
    box = _box(part)
    depth = ndimage.distance_transform_edt(np.pad(part[box], 1))[(slice(1, -1),) * labels.ndim]
    seeds = np.zeros(depth.shape, np.int32)
    for number, point in enumerate((first, second), 1):
        seeds[tuple(p - side.start for p, side in zip(point, box, strict=True))] = number
    given = int(labels.max(initial=0)) + 1
    new = labels.copy()
    new[box][watershed(-depth, seeds, mask=part[box]) == 2] = given
    return new, given


def part_at(labels: NDArray[Any], point: tuple[int, ...]) -> Mask:
    """The connected part of one label under a pixel."""
    parts, _ = ndimage.label(labels == labels[point], _around(labels.ndim))
    return np.asarray(parts == parts[point])


def assign_part(labels: Labels, point: tuple[int, ...], to: int) -> Labels:
    """Give the connected part under a pixel another label."""
    new = labels.copy()
    new[part_at(labels, point)] = to
    return new


def smooth(labels: Labels, ids: Collection[int], radius: float = 2.0) -> Labels:
    """Round off the border of a region: what is narrower than about twice `radius` in pixels goes."""

    def rounded(mask: Mask) -> Mask:
        return np.asarray(ndimage.gaussian_filter(mask.astype(np.float32), radius, truncate=3) > 0.5)

    return _reshaped(labels, ids, rounded, margin=round(3 * radius) + 1)


def fill_holes(labels: Labels, ids: Collection[int]) -> Labels:
    """Make what is enclosed by a region part of it; of a stack, slice by slice."""

    def filled(mask: Mask) -> Mask:
        parts, n = ndimage.label(~mask, _around(mask.ndim, diagonal=False))
        open_parts = np.unique(np.concatenate([np.take(parts, i, axis).ravel() for axis in (-1, -2) for i in (0, -1)]))
        closed = np.ones(n + 1, bool)
        closed[open_parts] = False
        closed[0] = True
        return np.asarray(closed[parts])

    return _reshaped(labels, ids, filled, margin=1)


def remove_small(labels: Labels, ids: Collection[int], smallest: float) -> Labels:
    """Take away connected parts of a region with fewer pixels than `smallest`."""

    def large(mask: Mask) -> Mask:
        parts, _ = ndimage.label(mask, _around(mask.ndim))
        keep = np.bincount(parts.ravel()) >= smallest
        keep[0] = False
        return np.asarray(keep[parts])

    return _reshaped(labels, ids, large, margin=1)


def keep_largest(labels: Labels, ids: Collection[int]) -> Labels:
    """Take away all but the largest connected part of a region."""

    def largest(mask: Mask) -> Mask:
        parts, n = ndimage.label(mask, _around(mask.ndim))
        return np.asarray(parts == 1 + np.argmax(np.bincount(parts.ravel())[1:])) if n else mask

    return _reshaped(labels, ids, largest, margin=1)


def grow(labels: Labels, ids: Collection[int], pixels: int) -> Labels:
    """Move the border of a region outwards, or inwards where `pixels` is negative; of a stack, within the slices."""
    cross, square = (_around(labels.ndim, diagonal=diagonal) for diagonal in (False, True))
    n = abs(pixels)

    def moved(mask: Mask) -> Mask:
        mask = mask if pixels > 0 else ~mask
        for shape, times in ((cross, n - n // 2), (square, n // 2)):  # together an octagon, close to a disc
            mask = ndimage.binary_dilation(mask, shape, iterations=times) if times else mask
        return np.asarray(mask if pixels > 0 else ~mask)

    return _reshaped(labels, ids, moved, margin=n + 1) if n else labels.copy()


def guard(before: NDArray[Any], after: Labels, locked: Collection[int]) -> Labels:
    """What a tool made, but with locked labels bit for bit as they were."""
    held = np.isin(before, list(locked)) | np.isin(after, list(locked))
    return np.where(held, before, after)


def _reshaped(labels: Labels, ids: Collection[int], change: Callable[[Mask], Mask], *, margin: int) -> Labels:
    """Change a region's mask, and give what it gains and loses the nearest label of the other kind."""
    region = np.isin(labels, list(ids))
    new = labels.copy()
    if not region.any():
        return new
    box = _box(region, margin)
    before, part = region[box], new[box]
    # At the image's edge the region goes on, so that nothing is rounded off or worn away there.
    after = _padded(change, before, margin)
    for wrong, known in ((after & ~before, before & after), (before & ~after, ~before & ~after)):
        _fill(part, wrong, known)
    return new


def _padded(change: Callable[[Mask], Mask], mask: Mask, margin: int) -> Mask:
    """Apply to a mask continued beyond its edges along the last two axes."""
    pad = [(0, 0)] * (mask.ndim - 2) + [(margin, margin)] * 2
    inner = (..., slice(margin, -margin), slice(margin, -margin))
    return change(np.pad(mask, pad, mode="edge"))[inner]


def _fill(part: NDArray[Any], wrong: Mask, known: Mask) -> None:
    """Give the wrong pixels the nearest known label, in place; those with none at hand stay."""
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
    box = _box(rest, RINGS)
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


def _box(mask: Mask, margin: int = 0) -> Box:
    """The smallest box around a mask that is not empty, and a margin."""
    sides = []
    for axis, n in enumerate(mask.shape):
        used = np.flatnonzero(mask.any(axis=tuple(i for i in range(mask.ndim) if i != axis)))
        sides.append(slice(max(0, int(used[0]) - margin), min(n, int(used[-1]) + 1 + margin)))
    return tuple(sides)


def _around(ndim: int, *, diagonal: bool = True) -> Mask:
    """Neighbours within a plane, with or without the diagonal ones; slices of a stack are apart."""
    plane = ndimage.generate_binary_structure(2, 2 if diagonal else 1)
    around = np.zeros((3,) * ndim, bool)
    around[(1,) * (ndim - 2)] = plane
    return around
