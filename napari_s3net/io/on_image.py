"""Labels from a file on the voxels of an image: by their place in space where both have one, else by their size."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_s3net.errors import InvalidImageError
from napari_s3net.image import Geometry, Image

#: Labels are on the voxels of an image if none is further off than this share of a voxel.
NEAR = 0.25


def labels_on(image: Image, array: NDArray[Any], geometry: Geometry) -> NDArray[Any] | None:
    """Lay labels on an image; those of some of its slices get empty ones around them.

    Parameters
    ----------
    image : Image
        What was labelled.
    array : numpy.ndarray
        (H, W) or (Z, H, W) labels.
    geometry : Geometry
        Where they lie.

    Returns
    -------
    numpy.ndarray or None
        Of the image's shape. None where labels or image have no place in space and their shapes differ.

    Raises
    ------
    InvalidImageError
        If both have a place and the labels lie on other voxels: they are of another image.
    """
    mine, its = geometry.in_space(), image.geometry.in_space()
    if mine.ndim < 3 or its.ndim < 3 or "pixel" in (mine.unit, its.unit):
        return array if array.shape == image.shape else None
    volume = array.reshape((1,) * (3 - array.ndim) + array.shape)
    shape = np.array((1, 1, *image.shape)[-3:])
    corners = np.array(list(product(*((0, n - 1) for n in volume.shape))), float)
    places = np.linalg.solve(np.array(its.direction), _world(mine, corners) - np.array(its.origin)[:, None]).T
    places = places / its.spacing
    first = np.rint(places[0]).astype(int)
    if np.abs(places - corners - first).max() > NEAR or (first < 0).any() or (first + volume.shape > shape).any():
        away = np.linalg.norm(_world(mine, corners) - _world(its, corners), axis=0).max()
        raise InvalidImageError(
            f"The labels lie elsewhere in space than the image, by up to {away:.3g} mm: they are of another image, or "
            "another program has changed their place. Save them on the image's own grid, or as TIFF or PNG, which know "
            "no place and count by their size."
        )
    whole = np.zeros(shape, array.dtype)
    whole[tuple(slice(start, start + n) for start, n in zip(first, volume.shape, strict=True))] = volume
    return whole.reshape(image.shape)


def _world(geometry: Geometry, places: NDArray[np.float64]) -> NDArray[np.float64]:
    """(3, n): where (n, 3) places of an array lie in the world."""
    steps = np.array(geometry.direction) * geometry.spacing
    return np.asarray(steps @ places.T + np.array(geometry.origin)[:, None])
