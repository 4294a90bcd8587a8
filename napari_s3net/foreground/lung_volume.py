"""The lungs of a whole CT: what is lung is decided in three dimensions, and drawn slice by slice.

In one slice an emphysematous lung looks like bowel gas and a bronchus like a small lung. Their neighbours tell them
apart: components of air are followed from slice to slice, and what belongs together is judged together.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from napari_s3net.foreground.lung import LUNG, deep_inside, lung_around, medians
from napari_s3net.foreground.morphology import dilate_mask, erode_mask, open_mask
from napari_s3net.foreground.stack_components import SliceComponents, StackComponents, overlaps
from napari_s3net.preprocessing.millimetres import disc_footprint


@dataclass(frozen=True)
class LungVolumeConstants:
    """What tells lungs from other air in a volume. Chosen on the three development volumes and changed copies of them.

    Parameters
    ----------
    like_gas, like_gas_small : float
        Two components that overlap belong together if their shares of gas differ by no more; where one is small, by no
        more than the second, so that bronchi do not lead from a lung to the windpipe.
    small_area : float
        mm²: a smaller component is small.
    overlap : float
        They overlap if they share this part of the smaller one.
    same_place : float
        Intersection over union at which gas lies where the lung beside it lies.
    gas_share : float
        What is gas to a larger share is windpipe, stomach or bowel, even where it is as large as a lung; a lung with
        severe emphysema lies below.
    small : float
        ml: anything smaller is no lung if its share of gas is above `LUNG.gas_share`.
    share_of_largest : float
        What has a smaller part of the largest lung's volume is lung only with bone beside most of its slices.
    smallest : float
        ml: nothing smaller is lung.
    body_step : int
        Every n-th row and column is enough to see where the body is.
    """

    like_gas: float = 0.35
    like_gas_small: float = 0.15
    small_area: float = 2000.0
    overlap: float = 0.3
    same_place: float = 0.5
    gas_share: float = 0.75
    small: float = 200.0
    share_of_largest: float = 0.05
    smallest: float = 0.5
    body_step: int = 4


LUNG_VOLUME = LungVolumeConstants()


@dataclass(frozen=True, eq=False)
class AirOfSlice(SliceComponents):
    """The components of air inside the body in one slice.

    Parameters
    ----------
    packed, shape
        As in `SliceComponents`.
    pixels, inside, gas : numpy.ndarray
        (n + 1,), of each component from 1: all pixels, those away from mixed voxels, and those of these that are gas.
    near_bone : numpy.ndarray
        (n + 1,) bool: bone lies beside it.
    has_bone : bool
        Whether the slice shows any.
    """

    pixels: NDArray[np.int64]
    inside: NDArray[np.int64]
    gas: NDArray[np.int64]
    near_bone: NDArray[np.bool_]
    has_bone: bool

    @property
    def gas_share(self) -> NDArray[np.float64]:
        """(n + 1,), 0 to 1."""
        return np.asarray(self.gas / np.maximum(self.inside, 1))


def air_of_slice(hu: NDArray[np.floating], spacing: tuple[float, float]) -> AirOfSlice:
    """Find the components of air inside the body and measure what tells lungs from other air.

    Parameters
    ----------
    hu : numpy.ndarray
        (H, W) Hounsfield units.
    spacing : tuple of float
        Height and width of a pixel in mm.

    Returns
    -------
    AirOfSlice
        Room air and foam are left out; windpipe, stomach and bowel are not.
    """
    air = hu < LUNG.lung_below
    deep = deep_inside(air, hu, spacing)
    components, n = ndimage.label(deep)
    pixels = np.bincount(components.ravel(), minlength=n + 1)
    keep = (pixels * spacing[0] * spacing[1] > LUNG.smallest_deep) & _in_body(components, n, hu)
    keep[0] = False
    components, n = ndimage.label(keep[components])
    found = components > 0
    inner = found & erode_mask(air, disc_footprint(LUNG.mixed, spacing))
    pixels, inside, gas = (
        np.bincount(components[where], minlength=n + 1) for where in (found, inner, inner & (hu < LUNG.gas_below))
    )
    near_bone, has_bone = _near_bone(components, n, hu, spacing)
    return AirOfSlice(np.packbits(found), hu.shape, pixels, inside, gas, near_bone, has_bone)


def choose_lungs(slices: Sequence[AirOfSlice], spacing: tuple[float, float, float]) -> list[NDArray[np.bool_]]:
    """Decide which components of air are lung.

    Parameters
    ----------
    slices : sequence of AirOfSlice
        Of all slices, in order.
    spacing : tuple of float
        Depth, height and width of a voxel in mm.

    Returns
    -------
    list of numpy.ndarray
        For each slice (n + 1,) bool: which of its components are lung.
    """
    groups = _followed(slices, spacing[1] * spacing[2])
    n = 1 + max((int(group.max(initial=0)) for group in groups), default=0)
    total = _Totals(n)
    for part, group in zip(slices, groups, strict=True):
        total.add(part, group)
    ml = total.pixels * float(np.prod(spacing)) / 1000
    share = total.gas / np.maximum(total.inside, 1)
    is_gas = (share > LUNG_VOLUME.gas_share) | ((share > LUNG.gas_share) & (ml < LUNG_VOLUME.small))
    lung = ~is_gas & (ml >= LUNG_VOLUME.smallest)
    lung[0] = False
    small = ml < LUNG_VOLUME.share_of_largest * ml[lung].max(initial=0.0)
    lung &= ~small | (2 * total.near_bone >= total.with_bone)
    lung |= _between_lungs(slices, groups, lung)
    return [lung[group] for group in groups]


def draw_lungs(
    part: AirOfSlice, chosen: NDArray[np.bool_], hu: NDArray[np.floating], spacing: tuple[float, float]
) -> NDArray[np.bool_]:
    """Draw the lungs of a slice around the components that were chosen.

    Parameters
    ----------
    part : AirOfSlice
        The slice's air.
    chosen : numpy.ndarray
        (n + 1,) bool, from `choose_lungs`.
    hu : numpy.ndarray
        (H, W) Hounsfield units.
    spacing : tuple of float
        Height and width of a pixel in mm.

    Returns
    -------
    numpy.ndarray
        (H, W) bool.
    """
    mask = np.zeros(part.shape, bool)
    if not chosen.any():
        return mask
    components = part.components
    deep, other = chosen[components], (components > 0) & ~chosen[components]
    margin = [int((LUNG.reach + 2 * LUNG.vessel_gap) / s) + 2 for s in spacing]
    box = tuple(
        slice(max(0, int(i[0]) - m), int(i[-1]) + m + 1)
        for i, m in zip((np.flatnonzero(deep.any(axis=1)), np.flatnonzero(deep.any(axis=0))), margin, strict=True)
    )
    deep, other, hu = deep[box], other[box], hu[box]
    pieces, n = ndimage.label((hu < LUNG.lung_below) & ~other)
    is_lung = np.bincount(pieces[deep], minlength=n + 1) > 0
    is_lung[0] = False
    mask[box] = lung_around(deep, is_lung[pieces], hu, spacing) & ~other
    return mask


def _in_body(components: NDArray[np.integer], n: int, hu: NDArray[np.floating]) -> NDArray[np.bool_]:
    """Which components lie inside the tissue mostly, or reach the image's border and are no foam, (n + 1,)."""
    step = LUNG_VOLUME.body_step
    tissue, n_tissue = ndimage.label(hu[::step, ::step] > LUNG.rim_below)
    largest = tissue == 1 + np.argmax(np.bincount(tissue.ravel(), minlength=n_tissue + 1)[1:]) if n_tissue else tissue
    body = ndimage.binary_fill_holes(largest)
    seen = components[::step, ::step]
    within = np.bincount(seen[body], minlength=n + 1) * 2 > np.bincount(seen.ravel(), minlength=n + 1)
    frame = np.concatenate([components[[0, -1]].ravel(), components[:, [0, -1]].ravel()])
    at_border = np.setdiff1d(frame, [0])
    if at_border.size:
        within[at_border] = medians(hu, components, at_border) >= LUNG.foam_below
    return np.asarray(within)


def _near_bone(
    components: NDArray[np.integer], n: int, hu: NDArray[np.floating], spacing: tuple[float, float]
) -> tuple[NDArray[np.bool_], bool]:
    """Which components have bone within `LUNG.rib_distance` of their lung, (n + 1,), and whether there is any."""
    bone = open_mask(hu > LUNG.bone_above, disc_footprint(LUNG.rim, spacing, at_least_one_pixel=True))
    reach = LUNG.rib_distance + LUNG.mixed + max(spacing)
    near = dilate_mask(bone, disc_footprint(reach, spacing)) & (components > 0)
    return np.bincount(components[near], minlength=n + 1) > 0, bool(bone.any())


def _followed(slices: Sequence[AirOfSlice], pixel_area: float) -> list[NDArray[np.int64]]:
    """The group of each component: those that overlap in neighbouring slices and are gas to a like share."""
    stack = StackComponents()
    for before, part in zip((None, *slices), slices, strict=False):
        link = None if before is None else partial(_belongs, before, part, pixel_area)
        stack.add(part.components, len(part.pixels) - 1, link)
    return stack.groups()


def _belongs(
    before: AirOfSlice,
    part: AirOfSlice,
    pixel_area: float,
    a: NDArray[np.int64],
    b: NDArray[np.int64],
    pixels: NDArray[np.int64],
) -> NDArray[np.bool_]:
    """Which overlapping pairs of two neighbouring slices belong together."""
    smaller = np.minimum(before.pixels[a], part.pixels[b])
    small = smaller * pixel_area < LUNG_VOLUME.small_area
    most = np.where(small, LUNG_VOLUME.like_gas_small, LUNG_VOLUME.like_gas)
    alike = np.abs(before.gas_share[a] - part.gas_share[b]) <= most
    return np.asarray(alike & (pixels >= LUNG_VOLUME.overlap * smaller))


class _Totals:
    """What is added up over the components of each group."""

    def __init__(self, n: int) -> None:
        self.pixels, self.inside, self.gas, self.near_bone, self.with_bone = np.zeros((5, n))

    def add(self, part: AirOfSlice, group: NDArray[np.int64]) -> None:
        """Take in one slice."""
        ones = np.ones(len(group), bool)
        for sums, values in (
            (self.pixels, part.pixels),
            (self.inside, part.inside),
            (self.gas, part.gas),
            (self.near_bone, part.near_bone),
            (self.with_bone, ones & part.has_bone),
        ):
            np.add.at(sums, group[1:], values[1:])


def _between_lungs(
    slices: Sequence[AirOfSlice], groups: list[NDArray[np.int64]], lung: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """Groups of gas that continue a lung on both sides: slices of an emphysematous lung that lost their neighbours."""
    sides = np.zeros((2, len(lung)), bool)
    for first, second in ((k, k + 1) for k in range(len(slices) - 1)):
        a, b, pixels = overlaps(slices[first].components, slices[second].components)
        union = slices[first].pixels[a] + slices[second].pixels[b] - pixels
        same = pixels >= LUNG_VOLUME.same_place * union
        one, other = groups[first][a[same]], groups[second][b[same]]
        sides[0, other[lung[one] & ~lung[other]]] = True
        sides[1, one[lung[other] & ~lung[one]]] = True
    return np.asarray(sides.all(axis=0))
