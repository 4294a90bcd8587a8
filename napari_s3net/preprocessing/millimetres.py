"""Lengths and areas of a plane in millimetres."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from napari_s3net.image import Image

#: Height and width in mm that are taken for a pixel of CT where the file does not say: those of a field of view of
#: 380 mm with 512 pixels, usual for a chest (0.6 to 0.9 mm).
TYPICAL_SPACING = 0.75


def pixel_spacing(image: Image) -> tuple[float, float]:
    """Return the size of a plane's pixels.

    Parameters
    ----------
    image : Image
        One plane.

    Returns
    -------
    tuple of float
        Height and width in mm; `TYPICAL_SPACING` where the image does not know.
    """
    if image.geometry.unit != "mm":
        return TYPICAL_SPACING, TYPICAL_SPACING
    y, x = image.geometry.spacing
    return y, x


def spacing_note(image: Image) -> str:
    """Tell the user where the size of a pixel was assumed.

    Parameters
    ----------
    image : Image
        One plane.

    Returns
    -------
    str
        A sentence; empty where the image knows its spacing.
    """
    if image.geometry.unit == "mm":
        return ""
    return f"The image does not say how large its pixels are: {TYPICAL_SPACING} mm were assumed, as usual for a chest."


def disc_footprint(
    radius: float, spacing: tuple[float, float], *, at_least_one_pixel: bool = False
) -> NDArray[np.bool_]:
    """Make a disc for `scipy.ndimage`: all pixels within a radius around the middle one.

    Parameters
    ----------
    radius : float
        In mm.
    spacing : tuple of float
        Height and width of a pixel in mm.
    at_least_one_pixel : bool
        Reach to the neighbours up, down, left and right however large the pixels are.

    Returns
    -------
    numpy.ndarray
        bool, with an odd number of rows and of columns; an ellipse in pixels where these are not square.
    """
    if at_least_one_pixel:
        radius = max(radius, *spacing)
    reach = [int(radius / s + 1e-6) for s in spacing]
    y, x = np.ogrid[-reach[0] : reach[0] + 1, -reach[1] : reach[1] + 1]
    return np.asarray((y * spacing[0]) ** 2 + (x * spacing[1]) ** 2 <= radius**2 * (1 + 1e-6))


def above_area(mask: NDArray[np.bool_], area: float, spacing: tuple[float, float]) -> NDArray[np.bool_]:
    """Keep the large connected components of a mask; pixels that share a corner are connected.

    Parameters
    ----------
    mask : numpy.ndarray
        (H, W) bool.
    area : float
        mm²: a component is kept if it has more.
    spacing : tuple of float
        Height and width of a pixel in mm.

    Returns
    -------
    numpy.ndarray
        (H, W) bool.
    """
    components, _ = ndimage.label(mask, np.ones((3, 3)))
    areas = np.bincount(components.ravel()) * (spacing[0] * spacing[1])
    return np.asarray((areas > area)[components] & mask)
