"""NIfTI: the header by nibabel, the pixels as they stand in the file, and its volumes one after the other."""

from __future__ import annotations

import gzip
import io
import warnings
import zlib
from dataclasses import replace
from math import prod
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from napari_s3net.errors import ReadError, ReadWarning
from napari_s3net.geometry import NiftiForms
from napari_s3net.image import Geometry, Image, Kind, kind_of_grey
from napari_s3net.io.geometry import Grid, to_upright, to_upright_plane
from napari_s3net.io.nifti_placing import grid_of, placing, unit_of
from napari_s3net.io.validation.headers import is_packed
from napari_s3net.io.validation.limits import check_memory, check_promise, tell_surplus
from napari_s3net.io.validation.nifti import NiftiHeader, read_nifti_header
from napari_s3net.io.values import UNSCALED, Scale, Stored, common_dtype, scaled

_BLOCK = 1 << 20


def read_nifti(path: Path, name: str, time: int | None = None) -> Image:
    """Read a NIfTI-1 or NIfTI-2 file; of several volumes in it one, of several values a voxel the first.

    Parameters
    ----------
    path : Path
        A .nii or .nii.gz, or a .hdr with its .img.
    name : str
        Becomes the image's `name`.
    time : int, optional
        Which of its volumes, from 0; the first where it is left out.

    Returns
    -------
    Image
        (H, W) or (Z, H, W), upright, spacing in mm. Slope and intercept of the header are applied: whole numbers where
        they stay whole, else 64-bit floats; NaN stays.

    Raises
    ------
    ReadError
        If the file is damaged, too short for what its header promises, or holds no such volume.
    UnsupportedFormatError
        If its axes are not at right angles, or its pixels are of a type that is not read here.

    Warns
    -----
    ReadWarning
        If only a part is opened that was not asked for, or its two placings (qform, sform) disagree.
    """
    header = read_nifti_header(path)
    times = times_of(header)
    if time is not None and not 0 <= time < times:
        raise ReadError(f"it has no volume {time}: it holds {times}, counted from 0.")
    image, _ = _read_volumes(header, name, time or 0, 1)
    _tell_others(header, times if time is None else 1)
    return replace(image, times=times)


def read_nifti_series(path: Path, name: str) -> tuple[Image, NDArray[Any] | None]:
    """Read all volumes of a NIfTI file that lie in one place; see `read_nifti` for errors and warnings.

    Parameters
    ----------
    path : Path
        As in `read_nifti`.
    name : str
        Becomes the images' `name`.

    Returns
    -------
    first : Image
        The first volume.
    volumes : numpy.ndarray or None
        (T, Z, H, W), or (T, H, W) of single slices; None where there is but one volume, or they do not fit into memory
        together, which a `ReadWarning` says.
    """
    header = read_nifti_header(path)
    times = times_of(header)
    try:
        check_memory((*header.sizes[:3], times), header.dtype.itemsize if scale_of(header) == UNSCALED else 8)
    except ReadError:
        return read_nifti(path, name), None
    first, volumes = _read_volumes(header, name, 0, times)
    _tell_others(header, 1)
    return replace(first, times=times), volumes if times > 1 else None


def times_of(header: NiftiHeader) -> int:
    """Say how many volumes lie in one place, one after the other.

    Parameters
    ----------
    header : NiftiHeader
        That has been checked.

    Returns
    -------
    int
        1 where there is but one; of several values a voxel, the first is meant.
    """
    sizes = (*header.sizes, *(1,) * (7 - len(header.sizes)))
    return prod((sizes[3], *sizes[5:]))


def _tell_others(header: NiftiHeader, volumes: int) -> None:
    """Say what of a file is not opened: other volumes, and other values a voxel."""
    values = header.sizes[4] if len(header.sizes) > 4 else 1
    for n, what in ((volumes, "volumes"), (values, "values a voxel")):
        if n > 1:
            warnings.warn(f"it holds {n} {what}; the first is opened.", ReadWarning, stacklevel=3)


def _read_volumes(header: NiftiHeader, name: str, first: int, count: int) -> tuple[Image, NDArray[Any]]:
    """The first one of several volumes as an image, and all of them (count, …)."""
    affine, forms = placing(header)
    scale = scale_of(header)
    packed = header.pixels.stat().st_size if is_packed(header.pixels) else None
    sizes = (*header.sizes, 1, 1)[:3]
    check_memory((*sizes, count), header.dtype.itemsize if scale == UNSCALED else 8, packed)
    array = _stored_numbers(header, first, count).reshape((*sizes, count), order="F")
    colours = bool(array.dtype.names)
    if colours:
        array = np.stack([array[channel] for channel in "RGB"], axis=-1)
    else:
        bounds = np.iinfo(array.dtype) if array.dtype.kind in "iu" else None
        stored = Stored(array.dtype.newbyteorder("="), bounds.min if bounds else 0, bounds.max if bounds else 0)
        array = scaled(array, scale, common_dtype([stored], [scale]))
    grid, flat = grid_of(affine), len(header.sizes) < 3
    array = array.transpose([2, 1, 0, *range(3, array.ndim)])  # (Z, Y, X, count), or colours behind
    if flat and _is_axial(grid):
        array, geometry = to_upright_plane(array[0], grid, unit_of(header))
    else:
        array, geometry = to_upright(array, grid, unit_of(header))
        geometry = _with_forms(geometry, forms)
    volumes = np.moveaxis(array, geometry.ndim, 0)
    kind: Kind = "rgb" if colours else kind_of_grey(volumes[0])
    return Image(volumes[0], geometry, kind, name), volumes


def scale_of(header: NiftiHeader) -> Scale:
    """Return slope and intercept of the stored numbers.

    Parameters
    ----------
    header : NiftiHeader
        That has been checked.

    Returns
    -------
    Scale
        `UNSCALED` for Analyze files and where the slope is zero or not finite, as NIfTI has it.

    Raises
    ------
    ReadError
        If there is a slope, and the intercept is not finite.
    """
    slope, intercept = (float(header.nibabel[key]) for key in ("scl_slope", "scl_inter"))
    if header.analyze or not np.isfinite(slope) or slope == 0:
        return UNSCALED
    if not np.isfinite(intercept):
        raise ReadError("its header is damaged: the intercept of its values is not finite.")
    return Scale(slope, intercept)


def _is_axial(grid: Grid) -> bool:
    """Whether a plane lies at height zero and needs no third dimension to be placed."""
    return bool(np.allclose(np.abs(grid.direction[:, 2]), [0, 0, 1], atol=1e-6) and abs(grid.origin[2]) < 1e-6)


def _with_forms(geometry: Geometry, forms: NiftiForms | None) -> Geometry:
    """A geometry that remembers the forms of its file."""
    if geometry.volume is not None:
        return replace(geometry, volume=replace(geometry.volume, nifti_forms=forms))
    return replace(geometry, nifti_forms=forms)


def _stored_numbers(header: NiftiHeader, first: int, count: int) -> NDArray[Any]:
    """The stored numbers of several volumes in one row; a gzipped file is read to its end, where its checksum is."""
    volume = prod(header.sizes[:3]) * header.dtype.itemsize
    wanted, before = count * volume, first * volume
    content, present, packed = bytearray(wanted), 0, is_packed(header.pixels)
    try:
        with cast("io.BufferedIOBase", gzip.open(header.pixels)) if packed else header.pixels.open("rb") as source:
            source.seek(header.start + before)
            while present < wanted and (n := source.readinto(memoryview(content)[present : present + _BLOCK])):
                present += n
            while packed and (block := source.read(_BLOCK)):
                present += len(block)
    except EOFError:
        check_promise(header.pixel_bytes, min(before + present, header.pixel_bytes - 1))
    except (zlib.error, gzip.BadGzipFile):
        raise ReadError("its gzip packing is damaged. It was probably changed while copying.") from None
    check_promise(header.pixel_bytes if packed else before + wanted, before + present)
    tell_surplus(header.pixel_bytes, before + present if packed else header.pixels.stat().st_size - header.start)
    return np.frombuffer(content, header.dtype)
