"""Where a layer lies in the world: its whole transform, read here and nowhere else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

import numpy as np
import pint
from napari.utils.transforms import CompositeAffine
from numpy.typing import NDArray

from napari_s3net.image import Geometry

#: Where everything of ours is kept in a layer's metadata.
KEY = "napari_s3net"
#: The attributes of a layer that place it.
TRANSFORM = ("scale", "translate", "rotate", "shear", "affine", "units")
#: Axes count as orthogonal where their cosines stay below this, about 0.06 degrees; spacings are equal within it.
TOLERANCE = 1e-3
SHEARED = "its axes are sheared in napari, so it is measured in pixels, and saved without a place in space"
MIXED = "its time axis is mixed with space in napari, so it is measured in pixels, and saved without a place in space"


@dataclass(frozen=True)
class Placement:
    """Geometry of a layer.

    Parameters
    ----------
    geometry : Geometry
        Of the layer's last two or three axes, in mm; in "pixel" where a unit is no length.
    problem : str
        What of the layer's transform cannot be honoured, and what that means; empty where all of it is.
    """

    geometry: Geometry
    problem: str = ""


def transform_of(layer: Any) -> dict[str, Any]:
    """The attributes that place a layer, to place another one of its shape on it.

    Parameters
    ----------
    layer : napari.layers.Layer
        Any layer.

    Returns
    -------
    dict
        Scale, translate, rotate, shear, affine and units, as napari's layers take them.
    """
    return {name: getattr(layer, name) for name in TRANSFORM}


def placement_of(attributes: Mapping[str, Any], shape: Sequence[int], full: Sequence[int] | None = None) -> Placement:
    """Where a layer lies.

    What the image's file said holds as long as the layer's spacing is that of the file: a layer that was moved or
    turned in napari still has the voxels of its file. Where the user has given another spacing, or there is no such
    file, the layer's own transform holds: scale, rotate, shear, translate, affine and units.

    Parameters
    ----------
    attributes : mapping
        A layer's attributes, as `transform_of` or napari's writers give them, with its metadata.
    shape : sequence of int
        Of the array, without colours.
    full : sequence of int, optional
        Shape of the finest level where the array is a coarser one.

    Returns
    -------
    Placement
        Geometry of the last two or three axes. Where the axes are sheared, or time is mixed with space, it is 1 pixel
        an axis without a place in space, and `problem` says so.
    """
    ndim = len(shape)
    size = min(ndim, 3)
    matrix, offset = _matrix(attributes, ndim)
    if full is not None:
        matrix = matrix * (np.array(full[:ndim]) / np.array(shape))
    known = (attributes.get("metadata") or {}).get(KEY, {}).get("geometry")
    spacing = np.linalg.norm(matrix, axis=0)[-size:]
    if isinstance(known, Geometry) and known.ndim == size and np.allclose(known.spacing, spacing, rtol=TOLERANCE):
        return Placement(known)
    millimetres = [_millimetres(str(unit)) for unit in _units(attributes, ndim)][-size:]
    if ndim > size and (matrix[-size:, :-size].any() or matrix[:-size, -size:].any()):
        return Placement(Geometry.identity(size), MIXED)
    lengths = [length for length in millimetres if length is not None]
    unit: Literal["mm", "pixel"] = "mm" if len(lengths) == size else "pixel"
    factors = np.array(lengths if unit == "mm" else [1.0] * size)
    space = factors[:, None] * matrix[-size:, -size:]
    if not _is_orthogonal(space):
        return Placement(Geometry.identity(size), SHEARED)
    spacing = np.linalg.norm(space, axis=0)
    direction = tuple(tuple(float(value) for value in row) for row in space / spacing + 0.0)
    origin = factors * offset[-size:]
    return Placement(Geometry(tuple(spacing.tolist()), tuple(origin.tolist()), direction, unit))


def lies_on(attributes: Mapping[str, Any], shape: Sequence[int], image: Any, image_shape: Sequence[int]) -> bool:
    """Whether the pixels of an array lie exactly on those of an image layer: same shape, same place.

    Parameters
    ----------
    attributes : mapping
        The transform of the array's layer, as `transform_of` or napari's writers give it.
    shape : sequence of int
        Of the array.
    image : napari.layers.Image
        The image layer.
    image_shape : sequence of int
        Its shape without colours.

    Returns
    -------
    bool
        Whether it does.
    """
    if tuple(shape) != tuple(image_shape):
        return False
    (matrix, offset), (wanted, place) = _matrix(attributes, len(shape)), _matrix(transform_of(image), len(shape))
    near = TOLERANCE * float(np.abs(wanted).max())
    return np.allclose(matrix, wanted, atol=near) and np.allclose(offset, place, atol=near)


def _matrix(attributes: Mapping[str, Any], ndim: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Matrix (world axes, array axes) and offset from pixels to napari's world."""
    scale = np.broadcast_to(attributes.get("scale", 1.0), ndim)
    translate = np.broadcast_to(attributes.get("translate", 0.0), ndim)
    rotate, shear = attributes.get("rotate"), attributes.get("shear")
    if _is_upright(attributes, ndim):  # as nearly always; napari's own way takes a millisecond, and many ask
        return np.diag(np.asarray(scale, float)), np.array(translate, float)
    own = CompositeAffine(
        scale,
        translate,
        rotate=None if rotate is None else np.asarray(rotate, float),
        shear=None if shear is None else np.asarray(shear, float),
        ndim=ndim,
    )
    affine = attributes.get("affine")
    outer = np.eye(ndim + 1) if affine is None else np.asarray(getattr(affine, "affine_matrix", affine), float)
    whole = outer[-ndim - 1 :, -ndim - 1 :] @ np.asarray(own.affine_matrix, float)
    return whole[:-1, :-1], whole[:-1, -1]


def _is_upright(attributes: Mapping[str, Any], ndim: int) -> bool:
    """Whether an array is scaled and moved, and nothing else."""
    rotate, shear, affine = (attributes.get(name) for name in ("rotate", "shear", "affine"))
    affine = getattr(affine, "affine_matrix", affine)
    return (
        (rotate is None or np.array_equal(rotate, np.eye(ndim)))
        and (shear is None or not np.any(shear))
        and (affine is None or np.array_equal(affine, np.eye(ndim + 1)))
    )


def _is_orthogonal(matrix: NDArray[np.float64]) -> bool:
    """Whether the columns stand at right angles, so that a spacing along each describes them."""
    columns = matrix / np.linalg.norm(matrix, axis=0)
    return bool(np.allclose(columns.T @ columns, np.eye(len(columns)), atol=TOLERANCE))


def _units(attributes: Mapping[str, Any], ndim: int) -> list[Any]:
    """The unit of each axis; a pixel where none is given."""
    units = attributes.get("units")
    if units is None:
        return ["pixel"] * ndim
    return [units] * ndim if isinstance(units, str | pint.Unit) else list(units)


@cache
def _millimetres(unit: str) -> float | None:
    """Millimetres in one unit; None where it is no length. Pint takes half a millisecond, and each step asks."""
    try:
        return float(pint.Quantity(1, unit).to("mm").magnitude)
    except (pint.DimensionalityError, pint.UndefinedUnitError):
        return None
