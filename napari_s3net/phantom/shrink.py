"""From the finer plane that a scene is painted on to the size that it is given back in."""

from __future__ import annotations

import numpy as np
import PIL.Image
from numpy.typing import NDArray

from napari_s3net.phantom.paint import Field

#: The scene is painted this much finer than it is given back.
FINER = 1.25
#: Hounsfield units are written from the first to the second.
LEAST, MOST = -1024, 3071


def shrunk_mask(mask: NDArray[np.bool_], size: int) -> NDArray[np.bool_]:
    """Shrink a mask: a pixel is inside if at least half of it was.

    Parameters
    ----------
    mask : numpy.ndarray
        (n, n) bool, square.
    size : int
        Pixels along each side of the result.

    Returns
    -------
    numpy.ndarray
        (size, size) bool.
    """
    cover = PIL.Image.fromarray(mask.astype(np.uint8) * 255).resize((size, size), PIL.Image.Resampling.BOX)
    return np.asarray(cover) > 127


def shrunk_parts(parts: NDArray[np.uint8], size: int) -> NDArray[np.uint8]:
    """Shrink a map of parts; each pixel takes the part at its centre.

    Parameters
    ----------
    parts : numpy.ndarray
        (n, n) uint8, square.
    size : int
        Pixels along each side of the result.

    Returns
    -------
    numpy.ndarray
        (size, size) uint8.
    """
    return np.array(PIL.Image.fromarray(parts).resize((size, size), PIL.Image.Resampling.NEAREST))


def shrunk_field(hu: Field, size: int) -> NDArray[np.int16]:
    """Shrink Hounsfield units by averaging, and round them.

    Parameters
    ----------
    hu : numpy.ndarray
        (n, n), square.
    size : int
        Pixels along each side of the result.

    Returns
    -------
    numpy.ndarray
        (size, size) int16 from −1024 to 3071.
    """
    picture = PIL.Image.fromarray(hu.astype(np.float32)).resize((size, size), PIL.Image.Resampling.BOX)
    return np.clip(np.round(np.asarray(picture)), LEAST, MOST).astype(np.int16)
