"""Which part of the image is the object, without looking at any label."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from skimage.color import rgb2lab
from skimage.morphology import disk
from skimage.segmentation import clear_border
from skimage.transform import resize

from napari_s3net.foreground import candidates
from napari_s3net.foreground.voting import Ballot, hold_ballot
from napari_s3net.image import Image
from napari_s3net.preprocessing.features import over_channels, to_grey, to_unit
from napari_s3net.settings import Settings

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
#: Longer side, in pixels, at which candidates are made: their filters are sized for it.
CANDIDATE_SIZE = 128

#: Where less than this share of a photograph is neither lens nor sticker, it is dark or blue itself: all of it counts.
SMALLEST_VIEW = 0.05

#: Targets that are found by a vote of candidates.
VOTED_ON = ("lesion", "central")


@dataclass(frozen=True, eq=False)
class Proposal:
    """The proposed object.

    Parameters
    ----------
    object_probability : numpy.ndarray
        (h, w) float32, of the features' size, or (H, W) of the image's where the object was found there; the object is
        where it is above one half.
    names : tuple of str
        What to call the object, and what to call the rest.
    confidence : float
        0 to 1: how far the candidates agree, estimated without labels.
    """

    object_probability: NDArray[np.float32]
    names: tuple[str, str]
    confidence: float


def propose(clusters: NDArray[np.int64], features: NDArray[np.float32], image: Image, settings: Settings) -> Proposal:
    """Choose the object.

    Parameters
    ----------
    clusters : numpy.ndarray
        The cluster that the network gave each pixel, at the size at which it worked.
    features : numpy.ndarray
        (h, w, C) in [0, 1], as `preprocess.to_features` makes them.
    image : Image
        The plane itself: where HU decide, they do so at full size.
    settings : Settings
        `target` says what is looked for; the window turns intensities back into HU.
    """
    if settings.target == "lung":
        return _lung(_to_hu(to_unit(image, settings), settings))
    if settings.target == "body":
        return _body(to_unit(image, settings)[..., 0])
    return count(make_ballot(clusters, features, settings), features.shape[:2])


def make_ballot(clusters: NDArray[np.int64], features: NDArray[np.float32], settings: Settings) -> Ballot:
    """Guesses at the object with their votes, for a target that is voted on: a lesion, or whatever is central.

    Parameters
    ----------
    clusters : numpy.ndarray
        (h, w), as in `propose`.
    features : numpy.ndarray
        (h, w, C) in [0, 1].
    settings : Settings
        `target` says what is looked for.
    """
    if settings.target == "lesion" and features.shape[2] == 3:
        return _lesion(clusters, features)
    return _central(clusters, features)


def count(ballot: Ballot, shape: tuple[int, ...], favour: NDArray[np.floating] | float = 0.0) -> Proposal:
    """Count the votes, and bring the outcome to a size (h, w); see `Ballot.count`."""
    probability, confidence = ballot.count(favour)
    return Proposal(np.asarray(resize(probability, shape, order=1), np.float32), ballot.names, confidence)


def _lesion(clusters: NDArray[np.int64], features: NDArray[np.float32]) -> Ballot:
    """What is central, compact, well bounded and darker or more coloured than the skin around it."""
    small = _at_candidate_size(features)
    inside = ~(lens_shadow(small) | marker(small))
    if inside.mean() < SMALLEST_VIEW:
        inside[:] = True
    colours = rgb2lab(ndimage.gaussian_filter(small, (1, 1, 0)))
    channels = candidates.lesion_channels(small, inside)
    return hold_ballot(clusters, channels, colours, inside, ("Lesion", "Skin"))


def _central(clusters: NDArray[np.int64], features: NDArray[np.float32]) -> Ballot:
    """What is central, compact and well bounded, whether light or dark."""
    grey = to_grey(_at_candidate_size(features))
    inside = np.ones(grey.shape, bool)
    # Light objects are as welcome as dark ones: the first axis, lightness, is left empty, so that none counts as pale.
    colours = 100 * np.stack([np.zeros_like(grey), ndimage.gaussian_filter(grey, 1)], axis=2)
    channels = candidates.grey_channels(grey, inside)
    return hold_ballot(clusters, channels, colours, inside, ("Object", "Background"))


def _lung(hu: NDArray[np.floating]) -> Proposal:
    """Air inside the body: not connected to the image's border, and not the pure gas of windpipe or bowel.

    Thin slivers where lung and diaphragm share a voxel are left out: lung is what lies around a deep inside.
    """
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


def _body(grey: NDArray[np.floating]) -> Proposal:
    """Tissue: the largest part above the window's lower end, with its holes filled."""
    parts, n = ndimage.label(ndimage.binary_opening(grey > 0.02))
    if n == 0:
        return Proposal(np.zeros(parts.shape, np.float32), ("Tissue", "Air"), 0.0)
    largest = parts == 1 + int(np.argmax(np.bincount(parts.ravel())[1:]))
    return Proposal(np.asarray(ndimage.binary_fill_holes(largest), np.float32), ("Tissue", "Air"), 1.0)


def _to_hu(unit: NDArray[np.float32], settings: Settings) -> NDArray[np.float32]:
    """Intensities in [0, 1] back in Hounsfield units, (H, W)."""
    return settings.window_low + unit[..., 0] * (settings.window_high - settings.window_low)


def lens_shadow(rgb: NDArray[np.floating]) -> NDArray[np.bool_]:
    """Near-black parts (h, w) that hold a corner of the image: the rim of the dermoscope."""
    dark = ndimage.gaussian_filter(over_channels(np.maximum, rgb), 1) < 0.25
    parts, _ = ndimage.label(dark)
    corners = np.unique(parts[[0, 0, -1, -1], [0, -1, 0, -1]])
    return np.asarray(ndimage.binary_dilation(np.isin(parts, corners[corners > 0]), iterations=4))


def marker(rgb: NDArray[np.floating]) -> NDArray[np.bool_]:
    """Parts (h, w) far bluer than the rest of the image: stickers and ink."""
    bluer = rgb[..., 2] - rgb[..., 0]
    return np.asarray(ndimage.binary_dilation(bluer > np.median(bluer) + 0.25, iterations=2))


def _at_candidate_size(features: NDArray[np.float32]) -> NDArray[np.float32]:
    """Features with the longer side at most `CANDIDATE_SIZE`."""
    h, w, C = features.shape
    factor = CANDIDATE_SIZE / max(h, w)
    if factor >= 1:
        return features
    return np.asarray(resize(features, (max(8, round(h * factor)), max(8, round(w * factor)), C), order=1), np.float32)
