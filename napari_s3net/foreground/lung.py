"""The lungs in CT: air inside the body."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from skimage.morphology import disk
from skimage.segmentation import clear_border

from napari_s3net.foreground.proposal import Proposal
from napari_s3net.preprocessing.prepare import PreparedPlane

#: HU below which CT shows lung or gas; what a lung has somewhere in its inside; and up to where its rim reaches, half
#: way to the tissue beside it.
LUNG_BELOW_HU, DEEP_LUNG_BELOW_HU, LUNG_RIM_BELOW_HU = -320.0, -400.0, -250.0
#: A part whose inside is to this share below this HU is gas, as in windpipe, stomach and bowel.
GAS_BELOW_HU, SHARE_OF_GAS = -950.0, 0.35
#: Shares of the image: a part smaller than the first is no lung, nor one whose inside is smaller than the second; a
#: hole in a lung smaller than the third is a vessel, a larger one the heart or the dome of the liver.
SMALLEST_LUNG, SMALLEST_DEEP_LUNG, LARGEST_VESSEL = 0.0006, 0.0004, 0.0015
#: Shares of the image's longer side: how far a lung reaches around its inside, and the gaps that vessels leave in it.
LUNG_REACH, VESSEL_GAP = 1 / 128, 1 / 170
#: HU above which CT shows bone; a part smaller than this share of the image is lung only when its nearest bone is no
#: farther than this share of the longer side: pleura lies at ribs and spine, bowel in fat.
BONE_ABOVE_HU, SMALL_LUNG, RIB_DISTANCE = 150.0, 0.02, 1 / 100


def propose_lung(clusters: NDArray[np.int64], plane: PreparedPlane) -> Proposal:  # noqa: ARG001 - one signature for all
    """Air inside the body: not connected to the image's border, and not the pure gas of windpipe or bowel.

    Thin slivers where lung and diaphragm share a voxel are left out: lung is what lies around a deep inside.
    """
    hu = plane.image.array
    air = _without_gas(clear_border(hu < LUNG_BELOW_HU), hu)
    size = max(hu.shape)
    deep = ndimage.binary_opening(air & (hu < DEEP_LUNG_BELOW_HU), disk(2))  # nothing thinner than five pixels
    deep = _parts_above(deep, SMALLEST_DEEP_LUNG * hu.size)
    rim = ndimage.binary_dilation(air) & (hu < LUNG_RIM_BELOW_HU)
    lung = ndimage.binary_dilation(deep, disk(max(1, round(size * LUNG_REACH)))) & (air | rim)
    k = max(1, round(size * VESSEL_GAP))
    closed = ndimage.binary_closing(np.pad(lung, k + 1), disk(k))[k + 1 : -k - 1, k + 1 : -k - 1]
    mask = _at_ribs(closed | ~(closed | _parts_above(~closed, LARGEST_VESSEL * hu.size)), hu)
    return Proposal(mask.astype(np.float32), ("Lung", "Other"), float(mask.any()))


def _without_gas(air: NDArray[np.bool_], hu: NDArray[np.floating]) -> NDArray[np.bool_]:
    """Drop the parts that are tiny, and those with gas in them: what their inside, away from mixed voxels, is."""
    parts, n = ndimage.label(air)
    inside = ndimage.binary_erosion(air, iterations=2)
    sizes, insides, gas = (
        np.bincount(parts[where], minlength=n + 1) for where in (air, inside, inside & (hu < GAS_BELOW_HU))
    )
    return np.asarray(((sizes > SMALLEST_LUNG * hu.size) & (gas <= SHARE_OF_GAS * insides))[parts] & air)


def _at_ribs(lung: NDArray[np.bool_], hu: NDArray[np.floating]) -> NDArray[np.bool_]:
    """Drop small parts with no bone beside them, where bone is to be seen at all."""
    bone = ndimage.binary_opening(hu > BONE_ABOVE_HU)
    if not bone.any():
        return lung
    small = lung & ~_parts_above(lung, SMALL_LUNG * hu.size)
    parts, n = ndimage.label(small, np.ones((3, 3)))
    nearest_bone = ndimage.minimum(ndimage.distance_transform_edt(~bone), parts, np.arange(n + 1))
    nearest_bone[0] = 0
    return np.asarray(lung & (nearest_bone <= RIB_DISTANCE * max(hu.shape))[parts])


def _parts_above(mask: NDArray[np.bool_], size: float) -> NDArray[np.bool_]:
    """The connected parts, corners included, of more than this many pixels."""
    parts, _ = ndimage.label(mask, np.ones((3, 3)))
    return np.asarray((np.bincount(parts.ravel()) > size)[parts] & mask)
