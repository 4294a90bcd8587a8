"""Hairs on photographs of skin."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from napari_s3net.preprocessing.window import over_channels


@dataclass(frozen=True)
class HairConstants:
    """What counts as a hair. Chosen on the development photographs; what other values give is in `docs/method.md`.

    Parameters
    ----------
    width : float
        A hair is narrower than this share of the image's longer side.
    contrast : float
        How much darker than its sides it is at least, in intensities from 0 to 1.
    deviations : float
        And in standard deviations of all such differences.
    least : float
        A photograph with a smaller share of such pixels is not hairy, and is left as it is.
    most : float
        With a larger share covered by hairs and their rims, too little is seen to fill them from.
    smoothed : int
        Side, in pixels, of the square over which what is filled in is smoothed.
    """

    width: float = 0.04
    contrast: float = 0.1
    deviations: float = 3.0
    least: float = 0.04
    most: float = 0.5
    smoothed: int = 5


HAIR = HairConstants()


def remove_hair(unit: NDArray[np.float32]) -> NDArray[np.float32]:
    """Fill the hairs of a photograph from what lies beside them; one with few is left as it is.

    Dark lines stand out where the darkest channel is closed across and down (after Lee et al. 1997, "DullRazor").
    Dots and streaks of a lesion look alike, so only where such lines cover much of the image are they taken for hairs.
    Lines on more than about an eighth of the pixels no longer stand out from their own spread, and stay.

    Parameters
    ----------
    unit : numpy.ndarray
        (H, W, 3) in [0, 1].

    Returns
    -------
    numpy.ndarray
        (H, W, 3) float32; `unit` itself where nothing was filled.
    """
    hair = find_hair(unit)
    if hair.mean() < HAIR.least:
        return unit
    hair = ndimage.binary_dilation(hair)
    if hair.mean() > HAIR.most:
        return unit
    near = ndimage.distance_transform_edt(hair, return_distances=False, return_indices=True)
    filled = unit[near[0], near[1]]
    smooth = np.stack([ndimage.uniform_filter(filled[..., c], HAIR.smoothed) for c in range(3)], axis=-1)
    return np.where(hair[..., None], smooth, unit).astype(np.float32)


def find_hair(unit: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Find thin dark lines of a photograph.

    Parameters
    ----------
    unit : numpy.ndarray
        (H, W, 3) in [0, 1].

    Returns
    -------
    numpy.ndarray
        (H, W) bool.
    """
    dark = over_channels(np.minimum, unit)
    length = 2 * round(HAIR.width * max(dark.shape) / 2) + 1
    across, down = (ndimage.grey_closing(dark, size=size) for size in ((1, length), (length, 1)))
    darker = np.maximum(across, down) - dark
    return np.asarray(darker > max(HAIR.contrast, HAIR.deviations * float(darker.std())))
