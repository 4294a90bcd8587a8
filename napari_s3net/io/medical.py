"""Volumes and slices through SimpleITK, one file each: DICOM, NIfTI, MetaImage, NRRD."""

from __future__ import annotations

import re
import shutil
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from math import prod
from pathlib import Path
from typing import Any, Literal

import SimpleITK as sitk
from numpy.typing import NDArray

from napari_s3net.errors import ReadWarning, UnsupportedFormatError
from napari_s3net.image import Image, Kind, guess_kind
from napari_s3net.io.geometry import to_array_order
from napari_s3net.io.validation.headers import Format, is_plain
from napari_s3net.io.validation.limits import check_memory
from napari_s3net.io.validation.nifti import as_plain_nifti

_DECODERS: dict[Format, str] = {
    "dicom": "GDCMImageIO",
    "nifti": "NiftiImageIO",
    "meta": "MetaImageIO",
    "nrrd": "NrrdImageIO",
    "png": "PNGImageIO",
    "tiff": "TIFFImageIO",
}
MODALITY = "0008|0060"
#: Pixel spacing, imager pixel spacing, nominal scanned pixel spacing, and the tag of a multi-frame file.
_SPACING_TAGS = ("0028|0030", "0018|1164", "0018|2010", "0028|0008")


def read_volume(path: Path, file_format: Format, name: str) -> Image:
    """Read one file; of several volumes in it the first.

    Parameters
    ----------
    path : Path
        A file that its header check has passed.
    file_format : str
        As told by its content.
    name : str
        For the record.

    Raises
    ------
    ReadError
        If its pixels are of a kind that is not read here, or too many.
    RuntimeError
        From SimpleITK, where the file is damaged.
    """
    with _readable(path, file_format) as readable:
        reader = open_reader(readable, file_format)
        size = reader.GetSize()
        check_memory((*size[:3], reader.GetNumberOfComponents()), value_bytes(reader))
        if len(size) > 3:
            if (n := prod(size[3:])) > 1:
                warnings.warn(f"it holds {n} volumes; the first is opened.", ReadWarning, stacklevel=2)
            reader.SetExtractSize([*size[:3], *(0 for _ in size[3:])])
        image = reader.Execute()
    known = file_format != "dicom" or any(reader.HasMetaDataKey(tag) for tag in _SPACING_TAGS)
    return to_image(image, name, tag_word(reader, MODALITY), "mm" if known else "pixel")


def open_reader(path: Path, file_format: Format) -> sitk.ImageFileReader:
    """A reader that has read the header alone, by the decoder that belongs to the format."""
    reader = sitk.ImageFileReader()
    reader.SetImageIO(_DECODERS[file_format])
    reader.SetFileName(str(path))
    reader.ReadImageInformation()
    return reader


def decode_pixels(path: Path, file_format: Format) -> NDArray[Any]:
    """Pixels of a photograph that the lighter decoders cannot read whole."""
    return sitk.GetArrayFromImage(open_reader(path, file_format).Execute())  # type: ignore[no-any-return]


def value_bytes(reader: sitk.ImageFileReader) -> int:
    """Bytes of one value, from names such as "vector of 16-bit signed integer"."""
    bits = re.search(r"(\d+)-bit", sitk.GetPixelIDValueAsString(reader.GetPixelID()))
    return int(bits[1]) // 8 if bits else 8


def tag_word(reader: sitk.ImageFileReader, tag: str) -> str:
    """A DICOM code or number; empty for anything that could be free text, which may hold a name."""
    text = reader.GetMetaData(tag).strip("\0 ") if reader.HasMetaDataKey(tag) else ""
    return text if re.fullmatch(r"[A-Z]{2,4}|[-+.\d]{1,16}", text) else ""


def to_image(image: sitk.Image, name: str, modality: str = "", unit: Literal["mm", "pixel"] = "mm") -> Image:
    """The record of a SimpleITK image: upright, and told what its values mean."""
    kind_of_pixel = image.GetPixelIDTypeAsString()
    if "complex" in kind_of_pixel:
        raise UnsupportedFormatError("its pixels are complex numbers; save the magnitude.")
    channels = image.GetNumberOfComponentsPerPixel()
    colours = channels in (3, 4) and "unsigned integer" in kind_of_pixel
    if channels > 1 and not colours:
        warnings.warn(f"it holds {channels} values a voxel; the first is opened.", ReadWarning, stacklevel=2)
        image = sitk.VectorIndexSelectionCast(image, 0)
    array, geometry = to_array_order(image, unit)
    kind: Kind = "rgb" if colours else _KINDS.get(modality) or guess_kind(array.ravel())
    return Image(array[..., :3] if colours else array, geometry, kind, name)


_KINDS: dict[str, Kind] = {"CT": "ct", "MR": "mr"}


@contextmanager
def _readable(path: Path, file_format: Format) -> Iterator[Path]:
    """The file itself, or a stand-in where SimpleITK would stumble over it or over its name."""
    if file_format == "nifti":
        with as_plain_nifti(path) as plain:
            yield plain
    elif is_plain(path):
        yield path
    else:
        with alias(path, "image" + "".join(path.suffixes[-2:]).encode("ascii", "ignore").decode()) as other:
            yield other


@contextmanager
def plain_folder(folder: Path) -> Iterator[Path]:
    """The folder under a name that can be handed to C++."""
    if is_plain(folder):
        yield folder
    else:
        with alias(folder, "folder") as other:
            yield other


@contextmanager
def alias(path: Path, name: str) -> Iterator[Path]:
    """Another name for a file or folder while it is in use; a copy of the file where links are not allowed."""
    with tempfile.TemporaryDirectory() as folder:
        other = Path(folder, name)
        try:
            other.symlink_to(path)
        except OSError:
            shutil.copyfile(path, other)
        yield other
