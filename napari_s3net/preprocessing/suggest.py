"""Which preset suits an image."""

from __future__ import annotations

import numpy as np
from scipy import ndimage
from skimage.segmentation import clear_border

from napari_s3net.image import Image
from napari_s3net.preprocessing.millimetres import pixel_spacing

#: Median HU of a lung, deep breath to shallow; pure gas lies below.
LUNG_HU = (-930, -400)
#: From this area of lung on, in mm², it is what is looked for: in a plane by itself, and in the middle of a stack.
#: Chosen on the development slices and volumes.
SMALLEST_CHEST = (88.0, 1475.0)


def suggest_preset(image: Image) -> str:
    """Name the preset that suits an image: by its kind, and for CT by how much lung the body holds.

    Parameters
    ----------
    image : Image
        A plane, or a stack, of which the middle plane is looked at.

    Returns
    -------
    str
        A key of `settings.presets`.
    """
    if image.kind == "rgb":
        return "skin"
    if image.kind == "mr":
        return "mri"
    if image.kind == "ct":
        plane = image.slice(len(image.array) // 2) if image.is_stack else image
        return "ct-lung" if _area_of_lung(plane) > SMALLEST_CHEST[image.is_stack] else "ct-soft"
    return "generic"


def _area_of_lung(plane: Image) -> float:
    """How much of a CT slice, in mm², is air of a lung's density enclosed by the body: no gas, no blanket."""
    hu, spacing = plane.array, pixel_spacing(plane)
    components, n = ndimage.label(ndimage.binary_opening(clear_border(hu < LUNG_HU[1])))
    if n == 0:
        return 0.0
    numbers = np.arange(1, n + 1)
    is_lung = np.asarray(ndimage.median(hu, components, numbers)) > LUNG_HU[0]
    return float(np.bincount(components.ravel())[1:][is_lung].sum() * spacing[0] * spacing[1])
