"""Which preset suits an image."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from napari_s3net.image import Image
from napari_s3net.preprocessing.millimetres import pixel_spacing


@dataclass(frozen=True, kw_only=True)
class ChestConstants:
    """How a chest is told from other CT. Chosen on the development slices and volumes.

    Parameters
    ----------
    lowest_lung, highest_lung : float
        Median HU of a lung, deep breath to shallow; pure gas lies below.
    lowest_at_border : float
        The first of an area that the image's border cuts, which may be the room, or foam in the table (−870 to −940).
    smallest_in_plane, smallest_in_stack : float
        From this area of lung on, in mm², it is what is looked for: in a plane by itself, and in the middle of a stack.
    """

    lowest_lung: float = -930.0
    highest_lung: float = -400.0
    lowest_at_border: float = -860.0
    smallest_in_plane: float = 88.0
    smallest_in_stack: float = 1475.0


CHEST = ChestConstants()


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
        smallest = CHEST.smallest_in_stack if image.is_stack else CHEST.smallest_in_plane
        return "ct-lung" if _area_of_lung(plane) > smallest else "ct-soft"
    return "generic"


def _area_of_lung(plane: Image) -> float:
    """How much of a CT slice, in mm², is air of a lung's density, cut by the border or not: no gas, room or blanket."""
    hu, spacing = plane.array, pixel_spacing(plane)
    components, n = ndimage.label(ndimage.binary_opening(hu < CHEST.highest_lung))
    if n == 0:
        return 0.0
    numbers = np.arange(1, n + 1)
    frame = np.concatenate([components[[0, -1]].ravel(), components[:, [0, -1]].ravel()])
    lowest = np.where(np.isin(numbers, frame), CHEST.lowest_at_border, CHEST.lowest_lung)
    is_lung = np.asarray(ndimage.median(hu, components, numbers)) > lowest
    return float(np.bincount(components.ravel())[1:][is_lung].sum() * spacing[0] * spacing[1])
