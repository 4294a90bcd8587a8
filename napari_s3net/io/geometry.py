"""Between SimpleITK's order of axes (x, y, z; any orientation) and ours (z, y, x; slices upright)."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray

from napari_s3net.image import Geometry

#: Columns run to the patient's left, rows to the back, slices to the head: axial slices as they are read.
UPRIGHT = "LPS"
#: A volume that is one slice thick along x (sagittal) or y (coronal) is turned so that the head is up.
_ONE_SLICE = {0: "PIL", 1: "LIP"}


def to_array_order(image: sitk.Image, unit: Literal["mm", "pixel"] = "mm") -> tuple[NDArray[Any], Geometry]:
    """Turn a 2-D or 3-D image upright by flips and swaps of axes alone; nothing is resampled.

    Parameters
    ----------
    image : SimpleITK.Image
        As it was read. What is left of an oblique direction stays in the geometry.
    unit : {"mm", "pixel"}
        Whether the spacing means something.

    Returns
    -------
    array : numpy.ndarray
        (Z, H, W), or (H, W) for a 2-D image and for a volume of one slice; colours in a last axis.
    geometry : Geometry
        Of that array; knows the orientation that the file had.
    """
    flat = image.GetDimension() == 2
    volume = sitk.JoinSeries(image) if flat else image
    orientation = sitk.DICOMOrientImageFilter.GetOrientationFromDirectionCosines(volume.GetDirection())
    upright = sitk.DICOMOrient(volume, UPRIGHT)
    thin = [axis for axis, n in enumerate(upright.GetSize()) if n == 1]
    if len(thin) == 1 and thin[0] in _ONE_SLICE:
        upright = sitk.DICOMOrient(upright, _ONE_SLICE[thin[0]])
    if flat:
        upright = upright[:, :, 0]
    array, geometry = sitk.GetArrayFromImage(upright), _geometry(upright, orientation, unit)
    return (array[0], geometry.plane(0)) if not flat and upright.GetSize()[2] == 1 else (array, geometry)


def _geometry(image: sitk.Image, orientation: str, unit: Literal["mm", "pixel"]) -> Geometry:
    """Spacing, origin and direction in array order."""
    n = image.GetDimension()
    direction = np.reshape(image.GetDirection(), (n, n))[::-1, ::-1]
    return Geometry(
        tuple(image.GetSpacing()[::-1]),
        tuple(image.GetOrigin()[::-1]),
        tuple(tuple(row) for row in direction.tolist()),
        unit,
        orientation,
    )


def to_file_order(array: NDArray[Any], geometry: Geometry) -> sitk.Image:
    """The inverse of `to_array_order`: an image on the voxel grid of the file that the geometry came from.

    Parameters
    ----------
    array : numpy.ndarray
        (Z, H, W) or (H, W), as many axes as the geometry.
    geometry : Geometry
        That of the image.
    """
    if geometry.volume is not None:
        array, geometry = array[np.newaxis], geometry.volume
    image = sitk.GetImageFromArray(array)
    image.SetSpacing(geometry.spacing[::-1])
    image.SetOrigin(geometry.origin[::-1])
    image.SetDirection(np.asarray(geometry.direction)[::-1, ::-1].ravel().tolist())
    if not geometry.orientation:
        return image
    if image.GetDimension() == 2:
        return sitk.DICOMOrient(sitk.JoinSeries(image), geometry.orientation)[:, :, 0]
    return sitk.DICOMOrient(image, geometry.orientation)
