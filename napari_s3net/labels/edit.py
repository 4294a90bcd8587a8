"""Tools that edit a label array: each takes whole numbers of any shape, and returns new ones of that shape and type.

A region is the union of some labels. What a tool adds to a region gets the nearest label of the region; what it takes
away gets the nearest label outside of it. 0 is a label like all others here. Stacks are edited slice by slice: pixels
of neighbouring slices are not connected, unless `in_3d` says so.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from napari_s3net.errors import InvalidImageError
from napari_s3net.labels.reshape import Labels, Mask, reshape_region


def merge(labels: Labels, ids: Collection[int], into: int | None = None) -> Labels:
    """Make one label of several.

    Parameters
    ----------
    labels : numpy.ndarray
        Whole numbers.
    ids : collection of int
        Which labels; at least one.
    into : int, optional
        What they become; the smallest of them when left out.

    Returns
    -------
    numpy.ndarray
        A copy.
    """
    new = labels.copy()
    new[np.isin(labels, list(ids))] = min(ids) if into is None else into
    return new


def swap(labels: Labels, first: int, second: int) -> Labels:
    """Exchange two labels.

    Parameters
    ----------
    labels : numpy.ndarray
        Whole numbers.
    first, second : int
        Either may have no pixel.

    Returns
    -------
    numpy.ndarray
        A copy.
    """
    new = labels.copy()
    new[labels == first], new[labels == second] = second, first
    return new


def split_components(labels: Labels, label: int, *, smallest: int = 1, used: int = 0) -> tuple[Labels, list[int]]:
    """Give every connected component of a label an id of its own; the largest keeps the label.

    Parameters
    ----------
    labels : numpy.ndarray
        Whole numbers.
    label : int
        Which one.
    smallest : int
        Components of fewer pixels keep the label as well.
    used : int
        Ids up to this one are in use elsewhere, such as in other slices.

    Returns
    -------
    labels : numpy.ndarray
        A copy; the new ids follow the largest one that there was, here or elsewhere.
    new : list of int
        The ids that were given, the largest component's first.
    """
    components, _ = ndimage.label(labels == label, _neighbours(labels.ndim))
    sizes = np.bincount(components.ravel())
    sizes[0] = 0
    order = [int(i) for i in np.argsort(-sizes, kind="stable") if sizes[i] >= smallest and sizes[i]]
    first = max(used, int(labels.max(initial=0))) + 1
    table = np.zeros(len(sizes), labels.dtype)
    given = list(range(first, first + len(order) - 1))
    table[order[1:]] = given
    return np.where(table[components] > 0, table[components], labels).astype(labels.dtype), given


def split_between(
    labels: Labels, first: tuple[int, ...], second: tuple[int, ...], *, used: int = 0
) -> tuple[Labels, int]:
    """Cut a connected component in two, where it is narrowest between two points: a watershed of its depth.

    Parameters
    ----------
    labels : numpy.ndarray
        Whole numbers.
    first, second : tuple of int
        Two pixels of one component; the half of the first keeps the label.
    used : int
        Ids up to this one are in use elsewhere, such as in other slices.

    Returns
    -------
    labels : numpy.ndarray
        A copy.
    new : int
        The id of the other half: one more than the largest that there was, here or elsewhere.

    Raises
    ------
    InvalidImageError
        If the points are not in one component, or are the same.
    """
    from skimage.segmentation import watershed

    component = component_at(labels, first)
    if not component[second] or first == second:
        raise InvalidImageError("Click two different places in one connected part.")
    box = ndimage.find_objects(component.astype(np.uint8))[0]
    depth = ndimage.distance_transform_edt(np.pad(component[box], 1))[(slice(1, -1),) * labels.ndim]
    seeds = np.zeros(depth.shape, np.int32)
    for number, point in enumerate((first, second), 1):
        seeds[tuple(p - side.start for p, side in zip(point, box, strict=True))] = number
    given = max(used, int(labels.max(initial=0))) + 1
    new = labels.copy()
    new[box][watershed(-depth, seeds, mask=component[box]) == 2] = given
    return new, given


def component_at(labels: NDArray[Any], point: tuple[int, ...]) -> Mask:
    """Find the connected component of a label under a pixel; diagonal neighbours are connected.

    Parameters
    ----------
    labels : numpy.ndarray
        Whole numbers.
    point : tuple of int
        The pixel, one index an axis.

    Returns
    -------
    numpy.ndarray
        bool, of the labels' shape.
    """
    components, _ = ndimage.label(labels == labels[point], _neighbours(labels.ndim))
    return np.asarray(components == components[point])


def assign_component(labels: Labels, point: tuple[int, ...], to: int) -> Labels:
    """Give the connected component under a pixel another label.

    Parameters
    ----------
    labels : numpy.ndarray
        Whole numbers.
    point : tuple of int
        The pixel, one index an axis.
    to : int
        The label that it becomes.

    Returns
    -------
    numpy.ndarray
        A copy.
    """
    new = labels.copy()
    new[component_at(labels, point)] = to
    return new


def smooth(labels: Labels, ids: Collection[int], radius: float = 2.0) -> Labels:
    """Round off the border of a region: what is narrower than about twice the radius goes.

    The region's mask is blurred by a Gaussian of standard deviation `radius`, and what is above one half remains.

    Parameters
    ----------
    labels : numpy.ndarray
        Whole numbers.
    ids : collection of int
        The labels of the region.
    radius : float
        In pixels.

    Returns
    -------
    numpy.ndarray
        A copy.
    """

    def rounded(mask: Mask) -> Mask:
        sigma = (0.0,) * (mask.ndim - 2) + (radius, radius)
        return np.asarray(ndimage.gaussian_filter(mask.astype(np.float32), sigma, truncate=3) > 0.5)

    return reshape_region(labels, ids, rounded, margin=round(3 * radius) + 1)


def fill_holes(labels: Labels, ids: Collection[int], *, in_3d: bool = False) -> Labels:
    """Add to a region what it encloses.

    Parameters
    ----------
    labels : numpy.ndarray
        Whole numbers.
    ids : collection of int
        The labels of the region.
    in_3d : bool
        Whether a hole has to be closed above and below as well; else within its slice.

    Returns
    -------
    numpy.ndarray
        A copy.
    """

    def filled(mask: Mask) -> Mask:
        # Twice as fast as ndimage.binary_fill_holes, which floods from the edges.
        parts, count = ndimage.label(~mask, _neighbours(mask.ndim, diagonal=False, in_3d=in_3d))
        enclosed = np.arange(count + 1) > 0
        for edge in (parts[..., 0, :], parts[..., -1, :], parts[..., :, 0], parts[..., :, -1]):
            enclosed[edge] = False
        if in_3d:
            enclosed[parts[0]] = enclosed[parts[-1]] = False
        return np.asarray(mask | enclosed[parts])

    return reshape_region(labels, ids, filled, margin=1)


def remove_small(labels: Labels, ids: Collection[int], smallest: float, *, in_3d: bool = False) -> Labels:
    """Take away the small connected components of a region.

    Parameters
    ----------
    labels : numpy.ndarray
        Whole numbers.
    ids : collection of int
        The labels of the region.
    smallest : float
        Pixels, or voxels: a component with fewer is small. A size in mm³ divided by the volume of a voxel.
    in_3d : bool
        Whether components go through the slices.

    Returns
    -------
    numpy.ndarray
        A copy.
    """

    def large(mask: Mask) -> Mask:
        components, _ = ndimage.label(mask, _neighbours(mask.ndim, in_3d=in_3d))
        keep = np.bincount(components.ravel()) >= smallest
        keep[0] = False
        return np.asarray(keep[components])

    return reshape_region(labels, ids, large, margin=1)


def keep_largest(labels: Labels, ids: Collection[int], *, in_3d: bool = False) -> Labels:
    """Take away all but the largest connected component of a region.

    Parameters
    ----------
    labels : numpy.ndarray
        Whole numbers.
    ids : collection of int
        The labels of the region.
    in_3d : bool
        Whether components go through the slices.

    Returns
    -------
    numpy.ndarray
        A copy. Of a stack one component remains; in one slice, unless `in_3d`.
    """

    def largest(mask: Mask) -> Mask:
        components, n = ndimage.label(mask, _neighbours(mask.ndim, in_3d=in_3d))
        return np.asarray(components == 1 + np.argmax(np.bincount(components.ravel())[1:])) if n else mask

    return reshape_region(labels, ids, largest, margin=1)


def dilate(labels: Labels, ids: Collection[int], pixels: int) -> Labels:
    """Dilate or erode a region by an octagon close to a disc.

    Parameters
    ----------
    labels : numpy.ndarray
        Whole numbers.
    ids : collection of int
        The labels of the region.
    pixels : int
        How far; a negative number erodes.

    Returns
    -------
    numpy.ndarray
        A copy.
    """
    cross, square = (_neighbours(labels.ndim, diagonal=diagonal) for diagonal in (False, True))
    n = abs(pixels)

    def moved(mask: Mask) -> Mask:
        mask = mask if pixels > 0 else ~mask
        for shape, times in ((cross, n - n // 2), (square, n // 2)):  # together an octagon
            mask = ndimage.binary_dilation(mask, shape, iterations=times) if times else mask
        return np.asarray(mask if pixels > 0 else ~mask)

    return reshape_region(labels, ids, moved, margin=n + 1) if n else labels.copy()


def keep_locked(before: NDArray[Any], after: Labels, locked: Collection[int]) -> Labels:
    """Undo what a tool did to locked labels.

    Parameters
    ----------
    before, after : numpy.ndarray
        Labels before and after the tool.
    locked : collection of int
        Labels of which no pixel may be taken, and to which none may be given.

    Returns
    -------
    numpy.ndarray
        As `after`, but locked labels bit for bit as in `before`.
    """
    held = np.isin(before, list(locked)) | np.isin(after, list(locked))
    return np.where(held, before, after)


def _neighbours(ndim: int, *, diagonal: bool = True, in_3d: bool = False) -> Mask:
    """The neighbours in a slice, with or without the diagonal ones; in 3-D those straight above and below too."""
    plane = ndimage.generate_binary_structure(2, 2 if diagonal else 1)
    around = np.zeros((3,) * ndim, bool)
    around[(1,) * (ndim - 2)] = plane
    if in_3d:
        around |= ndimage.generate_binary_structure(ndim, 1)
    return around
