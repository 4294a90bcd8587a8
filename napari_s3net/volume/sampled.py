"""What is read of a volume before its slices are done: which are not empty, their window, and a sample of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from napari_s3net.errors import InvalidImageError
from napari_s3net.image import Geometry, Image, size_text
from napari_s3net.preprocessing.check import SMALLEST_SIDE, check_target
from napari_s3net.preprocessing.prepare import PreparedPlane, prepare_through
from napari_s3net.preprocessing.values import CompletePlane, complete
from napari_s3net.preprocessing.window import Window, choose_window
from napari_s3net.settings import Settings

#: How many slices are fitted to: more take longer and change the development volumes' Dice by less than 0.001.
SAMPLED_SLICES = 6


def check_volume(image: Image, settings: Settings) -> None:
    """Check that an image can be segmented as one volume.

    Parameters
    ----------
    image : Image
        As it was opened.
    settings : Settings
        `target` and `variant` count.

    Raises
    ------
    InvalidImageError
        If it is a single plane, a stack of photographs, too small, or not of a kind in which the target can be found;
        or if the published network is asked for, which knows one image only.
    """
    if not image.is_stack:
        raise InvalidImageError(
            f"Expected a volume of shape (Z, H, W); got a single plane of {size_text(image.shape)}. "
            "Segment it as an image."
        )
    if image.kind == "rgb":
        raise InvalidImageError(
            f"Expected a volume with one intensity a voxel; got a stack of {len(image.array)} colour photographs, "
            "which are no slices of one object. Segment it slice by slice (mode 'slices')."
        )
    if min(image.shape[1:]) < SMALLEST_SIDE:
        raise InvalidImageError(
            f"Expected slices of at least {SMALLEST_SIDE} × {SMALLEST_SIDE} pixels; got {size_text(image.shape[1:])}. "
            "Open the volume at its full size."
        )
    if settings.variant != "s3net":
        raise InvalidImageError("The published network is made for one image. Segment slice by slice (mode 'slices').")
    check_target(image, settings)


def read_slice(image: Image, index: int) -> CompletePlane | None:
    """Read one slice; only then is it taken from the disk, where the volume lies there.

    Parameters
    ----------
    image : Image
        The volume; its array may be memory-mapped or computed when it is read.
    index : int
        Which slice, from 0.

    Returns
    -------
    CompletePlane or None
        None where it holds no number, or the same one everywhere.
    """
    plane = image.slice(index)
    plane = replace(plane, array=np.asarray(plane.array))
    try:
        complete_plane = complete(plane)
    except InvalidImageError:
        if plane.array.dtype.kind in "buif" and not np.isfinite(plane.array).any():
            return None
        raise
    array = complete_plane.image.array
    return None if array.min() == array.max() else complete_plane


def choose_sample(volume: Image, weights: NDArray[np.integer]) -> list[int]:
    """Choose the slices that the network is fitted to: evenly spaced among those that count.

    Parameters
    ----------
    volume : Image
        The volume.
    weights : numpy.ndarray
        (Z,): how many pixels of the object each slice has, or 1 where that is not known yet; 0 leaves it out.

    Returns
    -------
    list of int
        At most `SAMPLED_SLICES`, in order, none of them empty.

    Raises
    ------
    InvalidImageError
        If every slice is empty.
    """
    for candidates in (np.flatnonzero(weights), np.arange(len(weights))):
        places = (np.arange(SAMPLED_SLICES) + 0.5) / SAMPLED_SLICES * len(candidates)
        chosen = sorted({int(candidates[int(place)]) for place in places}) if len(candidates) else []
        if usable := [index for index in chosen if read_slice(volume, index) is not None]:
            return usable
    for index in range(len(weights)):
        if read_slice(volume, index) is not None:
            return [index]
    raise InvalidImageError(f"All {len(weights)} slices are empty: each holds no number, or the same one everywhere.")


@dataclass(frozen=True, eq=False)
class Sample:
    """The slices that the network is fitted to.

    Parameters
    ----------
    indices : list of int
        Which they are.
    window : Window
        The one window through which all slices are seen.
    planes : list of PreparedPlane
        The slices themselves.
    """

    indices: list[int]
    window: Window
    planes: list[PreparedPlane]

    @property
    def features(self) -> NDArray[np.float32]:
        """(N, h, w, C) in [0, 1]."""
        return np.stack([plane.features for plane in self.planes])

    @property
    def montage(self) -> PreparedPlane:
        """The slices below one another, as if they were one plane."""
        return montage(self.planes)


def take_sample(image: Image, indices: Sequence[int], settings: Settings) -> Sample:
    """Read the sampled slices and choose the window of the volume.

    Parameters
    ----------
    image : Image
        The volume.
    indices : sequence of int
        From `choose_sample`.
    settings : Settings
        Window of CT, and working size.

    Returns
    -------
    Sample
        The window is that of the settings for CT, else between robust percentiles of all sampled slices together.
    """
    slices = [read for index in indices if (read := read_slice(image, index)) is not None]
    window = choose_window(_below_one_another(slices), settings)
    return Sample(list(indices), window, [prepare_through(plane, window, settings) for plane in slices])


def montage(planes: Sequence[PreparedPlane]) -> PreparedPlane:
    """Put prepared slices below one another.

    Parameters
    ----------
    planes : sequence of PreparedPlane
        Of one shape, through one window.

    Returns
    -------
    PreparedPlane
        (N · H, W), for statistics over all of them.
    """
    whole = _below_one_another([CompletePlane(plane.image, plane.missing) for plane in planes])
    features = np.concatenate([plane.features for plane in planes])
    return PreparedPlane(whole.image, planes[0].window, features, whole.missing)


def _below_one_another(planes: Sequence[CompletePlane]) -> CompletePlane:
    array = np.concatenate([plane.image.array for plane in planes])
    missing = [np.zeros(plane.image.shape, bool) if plane.missing is None else plane.missing for plane in planes]
    any_missing = any(plane.missing is not None for plane in planes)
    whole = Image(array, Geometry.identity(2), planes[0].image.kind, planes[0].image.name)
    return CompletePlane(whole, np.concatenate(missing) if any_missing else None)
