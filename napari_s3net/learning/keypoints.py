"""Keypoints of planes: SIFT (Lowe 2004), by scikit-image."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from napari_s3net.network.keypoint_fusion import KeypointBatch

#: How many numbers SIFT describes a keypoint by.
DESCRIPTOR = 128
#: A plane with fewer pixels than this along a side has no keypoints.
SMALLEST = 16


@dataclass(frozen=True, eq=False)
class Keypoints:
    """Keypoints of one plane.

    Attributes
    ----------
    places : numpy.ndarray
        (P, 2) float32, x and y in pixels, pixel centres at halves.
    descriptors : numpy.ndarray
        (P, 128) uint8.
    """

    places: NDArray[np.float32]
    descriptors: NDArray[np.uint8]


def find_keypoints(grey: NDArray[np.floating], most: int) -> Keypoints:
    """Find the keypoints of a plane.

    Parameters
    ----------
    grey : numpy.ndarray
        (H, W), of any range.
    most : int
        Of more, this many are kept, spread evenly from the smallest to the largest.

    Returns
    -------
    Keypoints
        One a place, also where SIFT sees several orientations; none in a plane without structure.
    """
    from skimage.feature import SIFT

    empty = Keypoints(np.zeros((0, 2), np.float32), np.zeros((0, DESCRIPTOR), np.uint8))
    low, high = float(grey.min()), float(grey.max())
    if min(grey.shape) < SMALLEST or high <= low:
        return empty
    sift = SIFT(upsampling=1)
    try:
        sift.detect_and_extract(((grey - low) / (high - low)).astype(np.float32))
    except RuntimeError:  # what scikit-image raises where there are none
        return empty
    _, first = np.unique(np.round(sift.positions, 1), axis=0, return_index=True)
    first = first[np.argsort(sift.sigmas[first], kind="stable")]
    if len(first) > most:
        first = first[np.linspace(0, len(first) - 1, most).round().astype(int)]
    places = (sift.positions[first][:, ::-1] + 0.5).astype(np.float32)
    return Keypoints(np.ascontiguousarray(places), sift.descriptors[first].astype(np.uint8))


def pad_points(keypoints: Sequence[Keypoints], device: torch.device | None = None) -> KeypointBatch:
    """Pad the keypoints of several planes to one number.

    Parameters
    ----------
    keypoints : sequence of Keypoints
        Of each plane.
    device : torch.device, optional
        Where to; the CPU when left out.

    Returns
    -------
    KeypointBatch
        At least one padded place each.
    """
    longest = max(1, *(len(k.places) for k in keypoints)) if keypoints else 1
    places = np.zeros((len(keypoints), longest, 2), np.float32)
    real = np.zeros((len(keypoints), longest), bool)
    for n, one in enumerate(keypoints):
        places[n, : len(one.places)], real[n, : len(one.places)] = one.places, True
    return KeypointBatch(torch.from_numpy(places).to(device), torch.from_numpy(real).to(device))


def match_descriptors(
    first: Keypoints, second: Keypoints, farthest: float
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Match keypoints of two planes: each is the other's nearest by descriptor, and they lie near each other.

    Parameters
    ----------
    first, second : Keypoints
        Of two planes of one size, such as neighbouring slices.
    farthest : float
        In pixels, in the L1 norm: matches farther apart do not count.

    Returns
    -------
    tuple of numpy.ndarray
        Indices into the first and into the second.
    """
    if not len(first.places) or not len(second.places):
        none = np.zeros(0, np.int64)
        return none, none
    a, b = (k.descriptors.astype(np.float32) for k in (first, second))
    distance = (a**2).sum(1)[:, None] + (b**2).sum(1)[None] - 2 * a @ b.T
    apart = np.abs(first.places[:, None] - second.places[None]).sum(2)
    distance[apart >= farthest] = np.inf
    to_second, to_first = distance.argmin(1), distance.argmin(0)
    mutual = (to_first[to_second] == np.arange(len(a))) & np.isfinite(distance.min(1))
    return np.flatnonzero(mutual), to_second[mutual]
