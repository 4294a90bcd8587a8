"""Which preset suits an image."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from skimage.segmentation import clear_border

from napari_s3net.image import Image

#: Median HU of a lung, deep breath to shallow; pure gas lies below.
LUNG_HU = (-930, -400)
#: From this share of lung on it is what is looked for: in a plane by itself, and in the middle of a stack.
SMALLEST_CHEST = (0.0006, 0.01)


def suggest_preset(image: Image) -> str:
    """Name the preset that suits an image: by its kind, and for CT by how much lung the body holds."""
    if image.kind == "rgb":
        return "skin"
    if image.kind == "mr":
        return "mri"
    if image.kind == "ct":
        plane = image.array[len(image.array) // 2] if image.is_stack else image.array
        return "ct-lung" if _share_of_lung(plane) > SMALLEST_CHEST[image.is_stack] else "ct-soft"
    return "generic"


def _share_of_lung(hu: NDArray[Any]) -> float:
    """How much of a CT slice is air of a lung's density in large parts enclosed by the body: no gas, no blanket."""
    parts, n = ndimage.label(ndimage.binary_opening(clear_border(hu < LUNG_HU[1])))
    if n == 0:
        return 0.0
    numbers = np.arange(1, n + 1)
    is_lung = np.asarray(ndimage.median(hu, parts, numbers)) > LUNG_HU[0]
    return float(np.bincount(parts.ravel())[1:][is_lung].sum() / hu.size)
