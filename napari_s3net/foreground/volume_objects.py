"""Objects that are found in a whole volume at once, from its Hounsfield units."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_s3net.foreground import body, lung_volume


@dataclass(frozen=True)
class VolumeObject:
    """How an object is found: every slice is looked at, all are judged together, and each is drawn.

    Parameters
    ----------
    names : tuple of str
        What to call the object, and what to call the rest.
    look : callable
        From Hounsfield units (H, W) and the pixel's height and width in mm to what is known of a slice.
    choose : callable
        From what is known of all slices and the voxel's size in mm to what belongs to the object in each.
    draw : callable
        From what is known of a slice, what was chosen, its Hounsfield units and the pixel's size to its mask (H, W).
    """

    names: tuple[str, str]
    look: Callable[[NDArray[np.floating], tuple[float, float]], Any]
    choose: Callable[[Sequence[Any], tuple[float, float, float]], list[NDArray[np.bool_]]]
    draw: Callable[[Any, NDArray[np.bool_], NDArray[np.floating], tuple[float, float]], NDArray[np.bool_]]


#: The targets that are found in a volume at once; the others are proposed slice by slice.
VOLUME_OBJECTS: Mapping[str, VolumeObject] = {
    "lung": VolumeObject(("Lung", "Other"), lung_volume.air_of_slice, lung_volume.choose_lungs, lung_volume.draw_lungs),
    "body": VolumeObject(body.NAMES, body.tissue_of_slice, body.choose_body, body.draw_body),
}
