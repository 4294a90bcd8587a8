"""Labels from a file on the voxels of an image: by their place in space where both have one, else by their size."""

from __future__ import annotations

import warnings
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_s3net.errors import InvalidImageError, ReadWarning
from napari_s3net.geometry import AS_SHOWN, LENGTHS, UPRIGHT
from napari_s3net.image import Geometry, Image, size_text
from napari_s3net.io.geometry import as_stored, turn_photograph
from napari_s3net.io.read import UNEVEN, LabelImage, read_labels
from napari_s3net.io.reader_process import warn_of

#: Labels are on the voxels of an image if none is further off than this share of a voxel.
NEAR = 0.25
#: How each note of a photograph has it turned (EXIF and TIFF 6.0, tag 274).
_HOW = {
    2: "mirrored left to right", 3: "turned by 180°", 4: "mirrored top to bottom", 5: "transposed",
    6: "turned by 90° clockwise", 7: "transposed across", 8: "turned by 90° anticlockwise",
}  # fmt: skip
_UPRIGHT = (
    "they do not know their place in space, and their image was turned upright (from {} to {}): they are taken to lie "
    "as it is shown, not as its file has it. Check the sides."
)
_EITHER_WAY = (
    "they are taken to lie as it is shown. If they were drawn by a program that does not follow such a note, they lie "
    "wrongly: save image and labels without it. Check the sides."
)
_ONE_WAY = "they have the size of its pixels as they are stored, and are turned as it is. Check the sides."


def read_labels_on(image: Image, image_path: Path, path: Path) -> LabelImage:
    """Read labels and lay them on their image.

    Parameters
    ----------
    image : Image
        What was labelled.
    image_path : path-like
        Its file, for what is said if the labels do not fit.
    path : path-like
        The labels' file.

    Returns
    -------
    LabelImage
        The labels of the image's shape, where the image lies, with what their file tells of them.

    Raises
    ------
    ReadError
        If the labels cannot be read.
    InvalidImageError
        If they do not fit; the message names both files.

    Warns
    -----
    ReadWarning
        As `labels_on` does, with the name of the labels' file.
    """
    read = read_labels(path)
    try:
        array, remark = lay_on(image, read.array, read.geometry)
    except InvalidImageError as error:
        raise InvalidImageError(f"{path.name} does not fit {image_path.name}. {error}") from error
    warn_of(path, [remark] if remark else [], 3)
    return read._replace(array=array, geometry=image.geometry)


def labels_on(image: Image, array: NDArray[Any], geometry: Geometry) -> NDArray[Any]:
    """Lay labels on an image; those of some of its slices get empty ones around them.

    Parameters
    ----------
    image : Image
        What was labelled.
    array : numpy.ndarray
        (H, W) or (Z, H, W) labels.
    geometry : Geometry
        Where they lie; a flat plane has a place where its file tells one (NIfTI, MetaImage, NRRD).

    Returns
    -------
    numpy.ndarray
        Of the image's shape.

    Raises
    ------
    InvalidImageError
        If both have a place and the labels lie on other voxels: they are of another image. If one of them has none and
        their shapes differ.

    Warns
    -----
    ReadWarning
        If they have no place, and count by their size on an image that was turned upright.
    """
    array, remark = lay_on(image, array, geometry)
    if remark:
        warnings.warn(remark, ReadWarning, stacklevel=2)
    return array


def lay_on(image: Image, array: NDArray[Any], geometry: Geometry) -> tuple[NDArray[Any], str]:
    """Lay labels on an image as `labels_on` does, for who tells himself what is to be said of it.

    Parameters
    ----------
    image, array, geometry
        As in `labels_on`.

    Returns
    -------
    array : numpy.ndarray
        Of the image's shape.
    remark : str
        A sentence of what is not certain; empty where everything is.

    Raises
    ------
    InvalidImageError
        As from `labels_on`.
    """
    mine, its = geometry.in_space(), image.geometry.in_space()
    if mine.ndim != its.ndim or not (is_placed(mine) and is_placed(its)):
        return _lay_by_size(image, array, geometry)
    volume = array.reshape((1,) * (mine.ndim - array.ndim) + array.shape)
    volume, mine = _turned_as(its, volume, _told_as(its, mine))
    shape = np.array((1, *image.shape)[-its.ndim :])
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
    return whole.reshape(image.shape), ""


def _lay_by_size(image: Image, array: NDArray[Any], geometry: Geometry) -> tuple[NDArray[Any], str]:
    """Labels as the image is shown where they are of its size, else as its file has it before its note turned it."""
    noted, its = image.geometry.noted, image.geometry.in_space()
    stored = _turned_like(array, geometry.noted, noted)
    if array.shape == image.shape:
        if not geometry.in_space().orientation and its.orientation not in ("", its.shown):
            return array, _UPRIGHT.format(its.orientation, its.shown)
        is_certain = stored.shape != image.shape or np.array_equal(stored, array)
        return array, "" if is_certain else f"{_notes(noted, geometry.noted)} {_EITHER_WAY}"
    if stored.shape == image.shape:
        return stored, f"{_notes(noted, geometry.noted)} {_ONE_WAY}"
    raise InvalidImageError(
        f"The labels are {size_text(array.shape)}, the image is {size_text(image.shape)}. Labels are of the size of "
        "their image, unless both know their place in space, as in NIfTI or MetaImage files."
    )


def _turned_like(array: NDArray[Any], noted: int, wanted: int) -> NDArray[Any]:
    """Labels on the stored pixels of a photograph, turned by its note and not by their own."""
    if AS_SHOWN in (noted, wanted) or noted == wanted:
        return array
    row = array.ndim - 2
    return turn_photograph(as_stored(array, noted, row), wanted, row)


def _notes(image: int, labels: int) -> str:
    """What the files of a photograph and of its labels note, by which programs turn them or not."""
    its, theirs = ("no note" if noted == UPRIGHT else f"a note to be {_HOW[noted]}" for noted in (image, labels))
    return f"their image's file has {its} (EXIF), theirs has {theirs}:"


def _told_as(its: Geometry, geometry: Geometry) -> Geometry:
    """Labels in the unit of their image's file: programs that take its numbers for millimetres save such numbers."""
    if its.file_unit == "mm" or geometry.file_unit != "mm":
        return geometry
    alike = np.allclose(sorted(geometry.spacing), sorted(its.in_file_unit().spacing), rtol=UNEVEN)
    return geometry.times(LENGTHS[its.file_unit]) if alike else geometry


def _turned_as(its: Geometry, array: NDArray[Any], geometry: Geometry) -> tuple[NDArray[Any], Geometry]:
    """Labels with their axes in the order and the directions of an image's: other programs turn what they save."""
    shares = np.array(its.direction).T @ np.array(geometry.direction)
    order = np.abs(shares).argmax(axis=1).tolist()
    if len(set(order)) < len(order):
        return array, geometry
    direction, spacing = np.array(geometry.direction)[:, order], [geometry.spacing[axis] for axis in order]
    array, origin = array.transpose(order), np.array(geometry.origin)
    for axis in np.flatnonzero(shares[range(len(order)), order] < 0).tolist():
        origin = origin + direction[:, axis] * spacing[axis] * (array.shape[axis] - 1)
        direction[:, axis] *= -1
        array = np.flip(array, axis)
    return array, replace(
        geometry, spacing=tuple(spacing), origin=tuple(origin.tolist()), direction=tuple(map(tuple, direction.tolist()))
    )


def is_placed(geometry: Geometry) -> bool:
    """Tell whether a file has told where its voxels lie; of a plane in two dimensions, where in that plane.

    A TIFF tells the size of its voxels alone: not from where they are counted, nor which side is which.

    Parameters
    ----------
    geometry : Geometry
        Of a volume, or of a flat plane; see `Geometry.in_space`.

    Returns
    -------
    bool
        Whether it has.
    """
    size_alone = replace(Geometry.identity(geometry.ndim), spacing=geometry.spacing, unit=geometry.unit)
    return geometry.unit == "mm" and (geometry.ndim == 3 or bool(geometry.orientation)) and geometry != size_alone


def _world(geometry: Geometry, places: NDArray[np.float64]) -> NDArray[np.float64]:
    """(d, n): where (n, d) places of an array lie in the world."""
    steps = np.array(geometry.direction) * geometry.spacing
    return np.asarray(steps @ places.T + np.array(geometry.origin)[:, None])
