"""MetaImage and NRRD through SimpleITK, one file each."""

from __future__ import annotations

import bz2
import re
import tempfile
import warnings
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from math import prod
from pathlib import Path
from typing import Any, Literal

import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray

from napari_s3net.errors import ReadError, ReadWarning, UnsupportedFormatError
from napari_s3net.geometry import LENGTHS
from napari_s3net.image import Image, Kind, kind_of_grey
from napari_s3net.io.geometry import SHEARED, Grid, has_right_angles, to_array_order, to_upright
from napari_s3net.io.itk import Decoder, array_of, open_reader, plain_path, value_bytes
from napari_s3net.io.lengths import unit_named
from napari_s3net.io.validation.limits import check_memory, check_promise
from napari_s3net.io.validation.text_headers import TextHeader, check_meta, check_nrrd, is_true

#: What stands for a unit that is not known; most programs take it for the millimetre.
_NO_UNIT = ("", "?", "???", "unknown")
#: Spaces of an NRRD that say which side of the patient is left.
_SIDES = re.compile(r"(left|right)-(anterior|posterior)-superior|[LR][AP]S", re.IGNORECASE)
#: Fields of a MetaImage that place it in the patient, all three under names that mean the same.
_TURNED = ("TransformMatrix", "Rotation", "Orientation")
#: Said of a volume that is not placed; ITK, and with it most programs, takes the first axis so.
UNPLACED = "its header does not say which side is left; the first axis is taken to run to the left. Check the sides."
#: World axes and the letters of their two ends.
_WAYS = ((0, "LR"), (1, "PA"), (2, "SI"))
MetaOrNrrd = Literal["meta", "nrrd"]
_DECODERS: dict[str, Decoder] = {"meta": "MetaImageIO", "nrrd": "NrrdImageIO"}


def read_meta_or_nrrd(path: Path, file_format: MetaOrNrrd, name: str, time: int | None = None) -> Image:
    """Read one MetaImage or NRRD file; of several volumes in it one.

    Parameters
    ----------
    path : Path
        The file.
    file_format : {"meta", "nrrd"}
        As told by its content.
    name : str
        Becomes the image's `name`.
    time : int, optional
        Which of its volumes, from 0; the first where it is left out.

    Returns
    -------
    Image
        As `to_image` gives it.

    Raises
    ------
    ReadError
        If its header makes no sense, its pixels are missing, of a kind that is not read here, or too many, or it
        holds no such volume.
    RuntimeError
        From SimpleITK, where the file is damaged.

    Warns
    -----
    ReadWarning
        If it holds several volumes and none was chosen, or several values a voxel.
    """
    with _opened(path, file_format) as (reader, header):
        size, listed = reader.GetSize(), _listed(reader, header)
        check_memory((*size[:3], reader.GetNumberOfComponents()), value_bytes(reader))
        times = prod(size[3:]) * listed
        if time is not None and not 0 <= time < times:
            raise ReadError(f"it has no volume {time}: it holds {times}, counted from 0.")
        if times > 1 and time is None:
            warnings.warn(f"it holds {times} volumes; the first is opened.", ReadWarning, stacklevel=2)
        if len(size) > 3:
            reader.SetExtractSize([*size[:3], *(0 for _ in size[3:])])
            reader.SetExtractIndex([0, 0, 0, *_steps(time or 0, size)])
        _tell_scale(header.fields)
        image = reader.Execute()
        unit = _unit_of(image, header, file_format)
        image = image if listed == 1 else sitk.VectorIndexSelectionCast(image, time or 0)
    return replace(_in_millimetres(to_image(image, name, "mm" if unit else "pixel"), unit), times=times)


def read_meta_or_nrrd_series(path: Path, file_format: MetaOrNrrd, name: str) -> tuple[Image, NDArray[Any] | None]:
    """Read all volumes of a file that lie in one place; see `read_meta_or_nrrd` for errors and warnings.

    Parameters
    ----------
    path, file_format, name
        As in `read_meta_or_nrrd`.

    Returns
    -------
    first : Image
        The first volume.
    volumes : numpy.ndarray or None
        (T, Z, H, W), or (T, H, W) of single slices; None where there is but one volume, or they do not fit into memory
        together, which a `ReadWarning` says.
    """
    with _opened(path, file_format) as (reader, header):
        size, listed = reader.GetSize(), _listed(reader, header)
        times = prod(size[3:]) * listed
        try:
            check_memory((*size, reader.GetNumberOfComponents()), value_bytes(reader))
        except ReadError:
            times = 1
        if times == 1:
            return read_meta_or_nrrd(path, file_format, name), None
        whole = reader.Execute()
        nothing = [0 for _ in size[3:]]
        first_volume = sitk.Extract(whole, [*size[:3], *nothing], [0, 0, 0, *nothing]) if nothing else whole
        unit = _unit_of(first_volume, header, file_format)
        image = first_volume if listed == 1 else sitk.VectorIndexSelectionCast(first_volume, 0)
    first = _in_millimetres(to_image(image, name, "mm" if unit else "pixel"), unit)
    if listed > 1:
        volumes = np.moveaxis(array_of(whole), -1, 0)
        volumes = volumes if volumes.ndim == 4 else volumes[:, None]
    else:
        volumes = array_of(whole).reshape(times, *size[2::-1], -1)  # values of a voxel last
        volumes = volumes[..., :3] if first.kind == "rgb" else volumes[..., 0]
    grid = Grid.of(image.GetSpacing(), image.GetOrigin(), image.GetDirection())
    turned, _ = to_upright(np.moveaxis(volumes, 0, -1), grid)
    return replace(first, times=times), np.moveaxis(turned, -1, 0)


def _steps(time: int, size: Sequence[int]) -> list[int]:
    """Where a volume lies along the axes behind the third; along the first of these it goes on fastest."""
    return [int(step) for step in np.unravel_index(time, size[3:], order="F")]


def _listed(reader: sitk.ImageFileReader, header: TextHeader) -> int:
    """How many volumes lie along an axis that is no place in space: to SimpleITK they are values of a voxel; else 1."""
    values = reader.GetNumberOfComponents()
    if _list_axis(header.fields) is None or len(reader.GetSize()) > 3:
        return 1
    colours = len(reader.GetSize()) == 2 and values in (3, 4) and value_bytes(reader) == 1
    return 1 if colours else values


def _list_axis(fields: Mapping[str, str]) -> int | None:
    """Which axis of an NRRD holds volumes one after the other, as in sequences of 3D Slicer; None where none does."""
    axes = len(fields.get("sizes", "").split())
    kinds = fields.get("kinds", "").lower().split() or ["???"] * axes
    directions = re.findall(r"none|\([^)]*\)", fields.get("space directions", "").lower()) or ["none"] * axes
    named = [n for n, kind in enumerate(kinds) if kind in ("list", "time")]
    if "space directions" in fields and not named:
        named = [
            n for n, (kind, way) in enumerate(zip(kinds, directions, strict=False)) if kind == "???" and way == "none"
        ]
    return named[0] if len(named) == 1 else None


def _kinds_to_read(fields: Mapping[str, str]) -> str | None:
    """The kinds of an NRRD's axes as SimpleITK takes them, which knows lists of volumes but no axis of time.

    None where they can stay as they are, as in a space that has time for an axis of its own.
    """
    at, kinds = _list_axis(fields), fields.get("kinds", "").lower().split()
    directions = re.findall(r"none|\([^)]*\)", fields.get("space directions", "").lower())
    if at is None or kinds[at : at + 1] == ["list"] or (directions and directions[at] != "none"):
        return None
    return " ".join("list" if n == at else "domain" for n in range(len(fields["sizes"].split())))


@contextmanager
def _opened(path: Path, file_format: MetaOrNrrd) -> Iterator[tuple[sitk.ImageFileReader, TextHeader]]:
    """A reader that knows the header, and the header."""
    header = check_meta(path) if file_format == "meta" else check_nrrd(path)
    if re.search(r"(?i)\b(hsv|xyz)-color", header.fields.get("kinds", "")):
        raise UnsupportedFormatError("its colours are HSV or XYZ, not red, green and blue; save it as RGB.")
    with _readable(path, file_format, header) as readable:
        yield open_reader(readable, _DECODERS[file_format]), header


def _unit_of(image: sitk.Image, header: TextHeader, file_format: MetaOrNrrd) -> str | None:
    """The unit of an image's sizes, one of `LENGTHS`; None where its file tells no sizes. What is odd is said."""
    fields = header.fields
    if image.GetDimension() > 2 and not _tells_sides(fields, file_format):
        warnings.warn(UNPLACED, ReadWarning, stacklevel=3)
    elif image.GetDimension() == 3 and file_format == "meta":
        _tell_contradiction(fields.get("AnatomicalOrientation", ""), np.reshape(image.GetDirection(), (3, 3)))
    unit = _told_unit(fields, file_format, image.GetDimension())
    if unit not in (None, "mm"):
        warnings.warn("its sizes are in another unit; they are converted to millimetres.", ReadWarning, stacklevel=3)
    return unit


def _in_millimetres(image: Image, unit: str | None) -> Image:
    """An image whose sizes are still those of its file, in millimetres; it remembers the file's unit."""
    if unit in (None, "mm"):
        return image
    return replace(image, geometry=image.geometry.times(LENGTHS[unit]).told_in(unit))


def _tells_sides(fields: Mapping[str, str], file_format: str) -> bool:
    """Whether a header says how the axes lie in the patient; of four axes and more ITK writes no other than its own."""
    if file_format == "meta":
        return any(key in fields for key in _TURNED)
    return bool(_SIDES.match(fields.get("space", ""))) or fields.get("space dimension", "3") not in ("2", "3")


def _tell_contradiction(named: str, direction: NDArray[np.float64]) -> None:
    """Say that a MetaImage names an orientation that its matrix does not have, by either use of the three letters."""
    sides = [next((way for way, letters in _WAYS if letter in letters), None) for letter in named.upper()]
    known = [side for side in sides if side is not None]
    if len(known) != 3 or len(named) != 3:
        return
    signs = np.array([1 if letter in "LPS" else -1 for letter in named.upper()])
    along = direction[known, range(3)] * signs
    if not ((along > 0).all() or (along < 0).all()):
        text = (
            f"its header names the orientation {named.upper()}, and its matrix another, which holds. Check the sides."
        )
        warnings.warn(text, ReadWarning, stacklevel=4)


def _tell_scale(fields: Mapping[str, str]) -> None:
    """Say that a MetaImage names slope and offset of its values, which other programs do not apply either."""
    named = (("ElementToIntensityFunctionSlope", "1"), ("ElementToIntensityFunctionOffset", "0"))
    if any(float(fields.get(key, plain)) != float(plain) for key, plain in named):
        text = "its header names a scale of its values (ElementToIntensityFunction); it is not applied."
        warnings.warn(text, ReadWarning, stacklevel=3)


def _told_unit(fields: Mapping[str, str], file_format: str, axes: int) -> str | None:
    """The unit that a header uses; None where it tells no sizes. Without a unit they are millimetres."""
    if file_format == "meta":
        told, units = ("ElementSpacing" in fields or "ElementSize" in fields), [fields.get("DistanceUnits", "")]
    else:
        told = "spacings" in fields or "space directions" in fields
        units = re.findall(r'"([^"]*)"', fields.get("space units", fields.get("units", ""))) or [""]
    if not told:
        return None
    if "spacings" in fields and sum(_is_size(word) for word in fields["spacings"].split()) < axes:
        warnings.warn("its header tells no spacing that makes sense; sizes are in pixels.", ReadWarning, stacklevel=4)
        return None
    named = {"mm" if unit.strip().lower() in _NO_UNIT else unit_named(unit) for unit in units[:3]}
    unit = named.pop()
    if unit is None or named:
        raise UnsupportedFormatError(
            "its sizes are not in one unit that is known here (m, cm, mm, µm, nm); save it with sizes in millimetres."
        )
    return unit


def _is_size(word: str) -> bool:
    """Whether a word of a header is the distance between two voxels; an axis that is none of space has NaN."""
    with suppress(ValueError):
        return np.isfinite(float(word)) and float(word) != 0
    return False


@contextmanager
def _readable(path: Path, file_format: str, header: TextHeader) -> Iterator[Path]:
    """The file, or a plain copy of one that SimpleITK refuses or, worse, gets wrong."""
    fields = {key.lower(): value.lower() for key, value in header.fields.items()}
    if file_format == "meta":
        unsized = is_true(fields.get("compresseddata", "")) and not fields.get("compresseddatasize", "").isdigit()
        copied = unsized or not is_true(fields.get("binarydata", "true"))
    else:
        endless = header.pixels != path and not header.text.endswith(b"\n")
        copied = endless or fields.get("encoding") in ("bz2", "bzip2") or _kinds_to_read(fields) is not None
    if not copied:
        with plain_path(path) as readable:
            yield readable
        return
    with tempfile.TemporaryDirectory() as folder:
        plain = Path(folder, "plain.mha" if file_format == "meta" else "plain.nrrd")
        plain.write_bytes(_plain_meta(header) if file_format == "meta" else _plain_nrrd(header))
        yield plain


def _plain_meta(header: TextHeader) -> bytes:
    """A MetaImage whose pixels are neither packed nor text, header and all."""
    with header.pixels.open("rb") as file:
        file.seek(header.start)
        content = file.read()
    if is_true(header.fields.get("BinaryData", "true")):
        content = zlib.decompressobj(47).decompress(content, header.values * header.item_bytes)
        dropped = rb"CompressedData|CompressedDataSize|ElementDataFile"
    else:
        kind = header.fields["ElementType"].removeprefix("MET_").removesuffix("_ARRAY")
        dtype = {"FLOAT": "<f4", "DOUBLE": "<f8"}.get(kind, f"<{'u' if kind[0] == 'U' else 'i'}{header.item_bytes}")
        content = np.array(content.split()[: header.values]).astype(dtype).tobytes()
        dropped = rb"BinaryData|BinaryDataByteOrderMSB|ElementByteOrderMSB|ElementDataFile"
    check_promise(header.values * header.item_bytes, len(content))
    return _without(dropped, rb"=", header.text) + b"ElementDataFile = LOCAL\n" + content


def _plain_nrrd(header: TextHeader) -> bytes:
    """An NRRD with its pixels in the same file, and not packed as bzip2, header and all."""
    with header.pixels.open("rb") as file:
        file.seek(header.start)
        dropped = rb"data ?file"
        if header.fields.get("encoding", "").lower() in ("bz2", "bzip2"):
            for _ in range(int(header.fields.get("line skip", "0"))):
                file.readline()
            most = header.values * header.item_bytes + max(0, int(header.fields.get("byte skip", "0")))
            content = bz2.BZ2Decompressor().decompress(file.read(), most)
            check_promise(most, len(content))
            dropped = rb"data ?file|encoding|line skip"
        else:
            content = file.read()
    kinds = _kinds_to_read(header.fields)
    dropped += b"" if kinds is None else rb"|kinds"
    added = b"" if kinds is None else b"kinds: %s\n" % kinds.encode()
    added += b"encoding: raw\n" if b"encoding" in dropped else b""
    return _without(dropped, rb":", header.text) + added + b"\n" + content


def _without(names: bytes, separator: bytes, text: bytes) -> bytes:
    """The lines of a text header, those with some names left out, without an empty one at the end."""
    unwanted = re.compile(rb"\s*(" + names + rb")\s*" + separator)
    return b"".join(line + b"\n" for line in text.splitlines() if line.strip() and not unwanted.match(line))


def to_image(image: sitk.Image, name: str, unit: Literal["mm", "pixel"] = "mm") -> Image:
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
        If its pixels are complex numbers, or its axes are not at right angles.

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
    if not has_right_angles(Grid.of(image.GetSpacing(), image.GetOrigin(), image.GetDirection()).direction, unit=True):
        raise UnsupportedFormatError(SHEARED)
    array, geometry = to_array_order(image, unit)
    kind: Kind = "rgb" if colours else kind_of_grey(array)
    return Image(array[..., :3] if colours else array, geometry, kind, name)
