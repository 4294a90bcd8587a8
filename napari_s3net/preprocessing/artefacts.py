"""What a photograph shows besides skin: the dark rim of the dermoscope, stickers and ink."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from napari_s3net.preprocessing.resize import shrink_to
from napari_s3net.preprocessing.window import over_channels


@dataclass(frozen=True)
class ArtefactConstants:
    """How artefacts look. Chosen on the development photographs.

    Parameters
    ----------
    size : int
        Longer side, in pixels, to which an image is shrunk for them; all lengths below are in pixels of that size.
    shadow_below : float
        The rim of the lens is darker than this in every channel, in intensities from 0 to 1.
    shadow_blur, shadow_margin : float
        Blur before that, and how far the half-shadow reaches beyond.
    bluer_by : float
        A sticker's blue less its red is larger than that of half the image by this much.
    marker_margin : int
        How far the blurred rim of a sticker reaches.
    """

    size: int = 128
    shadow_below: float = 0.25
    shadow_blur: float = 1.0
    shadow_margin: int = 4
    bluer_by: float = 0.25
    marker_margin: int = 2


ARTEFACT = ArtefactConstants()


def lens_shadow(rgb: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Find near-black components that hold a corner of the image: the rim of the dermoscope.

    Parameters
    ----------
    rgb : numpy.ndarray
        (h, w, 3) in [0, 1].

    Returns
    -------
    numpy.ndarray
        bool, of the shape of `rgb` shrunk to `ARTEFACT.size`; see `shrink_to`.
    """
    small = shrink_to(rgb, ARTEFACT.size)
    dark = ndimage.gaussian_filter(over_channels(np.maximum, small), ARTEFACT.shadow_blur) < ARTEFACT.shadow_below
    components, _ = ndimage.label(dark)
    corners = np.unique(components[[0, 0, -1, -1], [0, -1, 0, -1]])
    in_corner = np.isin(components, corners[corners > 0])
    return np.asarray(ndimage.binary_dilation(in_corner, iterations=ARTEFACT.shadow_margin))


def marker(rgb: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Find parts far bluer than the rest of the image: stickers and ink.

    Parameters
    ----------
    rgb : numpy.ndarray
        (h, w, 3) in [0, 1].

    Returns
    -------
    numpy.ndarray
        bool, of the shape of `rgb` shrunk to `ARTEFACT.size`; see `shrink_to`.
    """
    small = shrink_to(rgb, ARTEFACT.size)
    bluer = small[..., 2] - small[..., 0]
    is_blue = bluer > np.median(bluer) + ARTEFACT.bluer_by
    return np.asarray(ndimage.binary_dilation(is_blue, iterations=ARTEFACT.marker_margin))
