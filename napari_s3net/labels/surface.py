"""The surface of a region as triangles, in millimetres."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from napari_s3net.errors import InvalidImageError
from napari_s3net.image import Geometry


def surface_of(
    mask: NDArray[np.bool_], geometry: Geometry, *, step: int = 1
) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
    """Draw a surface around a region by marching cubes (Lewiner et al. 2003, as in scikit-image).

    Parameters
    ----------
    mask : numpy.ndarray
        (Z, H, W) bool.
    geometry : Geometry
        Where the voxels lie.
    step : int
        Take every n-th voxel only, for a coarser and faster surface.

    Returns
    -------
    vertices : numpy.ndarray
        (n, 3) float32, (z, y, x) in mm, or in voxels where the spacing is not known.
    faces : numpy.ndarray
        (m, 3) int32, indices of vertices, counterclockwise from outside as x, y, z have it; closed, also where the
        region touches the border of the volume.

    Raises
    ------
    InvalidImageError
        If the mask is no volume, or empty.
    """
    if mask.ndim != 3 or geometry.ndim != 3:
        raise InvalidImageError(f"A surface is drawn of a volume (Z, H, W); got a mask of shape {mask.shape}.")
    if not mask.any():
        raise InvalidImageError("There is no voxel of the object, so it has no surface.")
    from skimage.measure import marching_cubes

    coarse = np.pad(mask[::step, ::step, ::step], 1).astype(np.float32)
    vertices, faces, _, _ = marching_cubes(coarse, 0.5)
    index = (vertices - 1) * step * np.asarray(geometry.spacing)
    world = index @ np.asarray(geometry.direction).T + np.asarray(geometry.origin)
    if np.linalg.det(geometry.direction) < 0:  # a mirrored volume turns its triangles over
        faces = faces[:, ::-1]
    return world.astype(np.float32), faces.astype(np.int32)
