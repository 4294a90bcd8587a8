"""MetaImage and NRRD through SimpleITK, one file each."""

from __future__ import annotations

import warnings
from math import prod
from pathlib import Path
from typing import Literal

import SimpleITK as sitk

from napari_s3net.errors import ReadWarning, UnsupportedFormatError
from napari_s3net.image import Image, Kind, guess_kind
from napari_s3net.io.geometry import to_array_order
from napari_s3net.io.itk import Decoder, open_reader, plain_path, value_bytes
from napari_s3net.io.validation.limits import check_memory

_DECODERS: dict[str, Decoder] = {"meta": "MetaImageIO", "nrrd": "NrrdImageIO"}


def read_meta_or_nrrd(path: Path, file_format: Literal["meta", "nrrd"], name: str) -> Image:
    """Read one MetaImage or NRRD file; of several volumes in it the first.

    Parameters
    ----------
    path : Path
        A file whose header `check_meta` or `check_nrrd` has passed.
    file_format : {"meta", "nrrd"}
        As told by its content.
    name : str
        Becomes the image's `name`.

    Returns
    -------
    Image
        As `to_image` gives it.

    Raises
    ------
    ReadError
        If its pixels are of a kind that is not read here, or too many.
    RuntimeError
        From SimpleITK, where the file is damaged.

    Warns
    -----
    ReadWarning
        If it holds several volumes, or several values a voxel.
    """
    with plain_path(path) as readable:
        reader = open_reader(readable, _DECODERS[file_format])
        size = reader.GetSize()
        check_memory((*size[:3], reader.GetNumberOfComponents()), value_bytes(reader))
        if len(size) > 3:
            if (n := prod(size[3:])) > 1:
                warnings.warn(f"it holds {n} volumes; the first is opened.", ReadWarning, stacklevel=2)
            reader.SetExtractSize([*size[:3], *(0 for _ in size[3:])])
        image = reader.Execute()
    return to_image(image, name)


def to_image(image: sitk.Image, name: str) -> Image:
    """Make an image record of a SimpleITK image: upright, and with the kind of its values.

    Parameters
    ----------
    image : SimpleITK.Image
        Of 2 or 3 dimensions.
    name : str
        Becomes the image's `name`.

    Returns
    -------
    Image
        (H, W) or (Z, H, W). Three or four values of 8 or 16 bits a voxel are colours, the first three kept in a last
        axis.

    Raises
    ------
    UnsupportedFormatError
        If its pixels are complex numbers.

    Warns
    -----
    ReadWarning
        If it holds several values a voxel that are no colours.
    """
    kind_of_pixel = image.GetPixelIDTypeAsString()
    if "complex" in kind_of_pixel:
        raise UnsupportedFormatError("its pixels are complex numbers; save the magnitude.")
    channels = image.GetNumberOfComponentsPerPixel()
    colours = channels in (3, 4) and kind_of_pixel in (
        "vector of 8-bit unsigned integer",
        "vector of 16-bit unsigned integer",
    )
    if channels > 1 and not colours:
        warnings.warn(f"it holds {channels} values a voxel; the first is opened.", ReadWarning, stacklevel=2)
        image = sitk.VectorIndexSelectionCast(image, 0)
    array, geometry = to_array_order(image)
    kind: Kind = "rgb" if colours else guess_kind(array.ravel())
    return Image(array[..., :3] if colours else array, geometry, kind, name)
