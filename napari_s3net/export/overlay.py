"""Draw the object's outline on its image, for reports and for a quick look."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from napari_s3net.image import Image
from napari_s3net.preprocessing.window import to_unit
from napari_s3net.settings import Settings

#: A blue that neither skin nor grey images contain, told apart from both by colour-blind people (as in the viewer).
ACCENT = (25, 195, 242)
#: Width of the outline as a share of the longer side, and its least width in pixels.
LINE, THINNEST = 0.004, 2.0


def draw_overlay(image: Image, mask: NDArray[np.bool_], *, settings: Settings | None = None) -> NDArray[np.uint8]:
    """Draw the outline of a region on an image; beyond the image's edge the region goes on, so no line is drawn there.

    Parameters
    ----------
    image : Image
        One plane.
    mask : numpy.ndarray
        (H, W) bool.
    settings : Settings, optional
        Whose window is used for CT.

    Returns
    -------
    numpy.ndarray
        (H, W, 3) uint8: the image with a line in `ACCENT` along the border, its width in proportion to the image.
    """
    picture = _shown(image, settings or Settings())
    drawn = np.round(picture).astype(np.uint8)
    if not mask.any() or mask.all():
        return drawn
    width = max(THINNEST, LINE * max(mask.shape))
    reach = int(width) + 2
    rows, columns = (np.flatnonzero(mask.any(axis=axis)) for axis in (1, 0))
    box = tuple(slice(max(0, i[0] - reach), i[-1] + reach + 1) for i in (rows, columns))
    region = np.pad(mask[box], 1, mode="edge")
    distance = ndimage.distance_transform_edt(region) + ndimage.distance_transform_edt(~region) - 0.5
    line = np.clip(width / 2 + 0.5 - distance[1:-1, 1:-1], 0, 1)[..., None]
    around = picture[box].astype(np.float32)
    drawn[box] = np.round(around + line * (np.array(ACCENT, np.float32) - around))
    return drawn


def _shown(image: Image, settings: Settings) -> NDArray[Any]:
    """The image as a photograph: (H, W, 3) from 0 to 255, float32; a photograph of 8 bits as it is."""
    if image.kind == "rgb" and image.array.dtype == np.uint8:
        return image.array
    unit = to_unit(image, settings)
    return np.repeat(unit, 3, axis=2) * 255 if unit.shape[2] == 1 else unit * 255


def fullest_plane(image: Image, mask: NDArray[np.bool_]) -> tuple[Image, NDArray[np.bool_]]:
    """Choose the plane that shows most of a region.

    Parameters
    ----------
    image : Image
        A plane, which is passed through, or a stack.
    mask : numpy.ndarray
        (H, W) or (Z, H, W) bool.

    Returns
    -------
    image : Image
        The plane with the most pixels of the region; the middle one where the region is empty.
    mask : numpy.ndarray
        (H, W) bool, its mask.
    """
    if not image.is_stack:
        return image, mask
    sizes = mask.sum(axis=(1, 2))
    index = int(sizes.argmax()) if sizes.any() else len(sizes) // 2
    return image.slice(index), mask[index]
