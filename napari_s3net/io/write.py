"""Write results. Every file is whole or not there: it is written under another name and then renamed."""

from __future__ import annotations

import json
import os
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_s3net.errors import WriteError
from napari_s3net.geometry import UPRIGHT
from napari_s3net.image import Geometry, Image
from napari_s3net.io.segments import AS_IT_IS_SHOWN, FILE_UNIT, GEOMETRY, LIES, PIXEL, to_fields
from napari_s3net.io.validation.limits import shown
from napari_s3net.io.write_volume import NO_ONE_PLACE, lies_in_one_place, write_volume
from napari_s3net.segments import Segment

PICTURES = (".png", ".tif", ".tiff")
VOLUMES = (".nii.gz", ".nii", ".nrrd", ".mha")
#: TIFF tells the pixels a centimetre as a ratio of two numbers of 32 bits.
_MOST_RESOLUTION = 1 << 31
#: zlib's Z_RLE: after PNG's filters labels are long runs. Twice as fast as the default and smaller, photographs too.
_RUNS = 3


def write_labels(
    path: str | os.PathLike[str],
    labels: NDArray[Any],
    geometry: Geometry,
    *,
    mask: bool = False,
    segments: Sequence[Segment] = (),
) -> None:
    """Write labels in the smallest unsigned type that holds them; `read_labels` reads them again.

    Parameters
    ----------
    path : path-like
        Its suffix says the format: .tif, .tiff, .png, .nii, .nii.gz, .nrrd or .mha; a .seg.nrrd is what 3D Slicer opens
        as a segmentation. Its folder is made where missing.
    labels : numpy.ndarray
        (H, W), (Z, H, W) or, not as TIFF or PNG, (T, Z, H, W); whole numbers from 0 on, or bool.
    geometry : Geometry
        That of the image, of a series that of one volume. NIfTI, NRRD and MHA are turned back to the orientation of the
        image's file and lie exactly on its voxels; PNG and TIFF stay as they are shown, and only `read_labels` finds
        their geometry again.
    mask : bool
        Write only whether there is a label: 255 in PNG and TIFF, 1 in the others.
    segments : sequence of Segment
        Names, colours and codes of labels, of a mask those of its first one; every format holds them in its header.

    Raises
    ------
    WriteError
        If the place cannot be written, the suffix is unknown, or the labels do not fit the format or the geometry.
    """
    path = Path(path).absolute()
    suffix = _suffix(path)
    labels = np.asarray(labels)
    if reason := _why_not(path, suffix, labels, geometry, mask):
        raise WriteError(f"Cannot write {shown(path)}: {reason}")
    labels = labels > 0 if mask else labels
    labels = labels.astype(np.min_scalar_type(int(labels.max())))
    if mask and suffix in PICTURES:
        labels = labels * np.uint8(255)
    if mask:
        segments = [replace(one, label=255 if suffix in PICTURES else 1) for one in segments[:1]]
    fields = to_fields(segments, labels.shape[::-1])
    with replacing(path, suffix) as temporary:
        if suffix in VOLUMES:
            write_volume(temporary, labels, geometry, {**fields, **_not_in_volumes(geometry)})
        else:
            told = {GEOMETRY: json.dumps({**asdict(geometry), "shape": labels.shape}), **fields}
            if suffix == ".png":
                _write_png(temporary, labels, told)
            else:
                _write_tiff(temporary, labels, told, geometry)


def write_label_slices(
    folder: str | os.PathLike[str],
    labels: NDArray[Any],
    geometry: Geometry,
    *,
    mask: bool = False,
    segments: Sequence[Segment] = (),
    first: int = 0,
) -> list[Path]:
    """Write each slice of a stack as a PNG of its own.

    Parameters
    ----------
    folder : path-like
        Gets a file for each slice, "000.png" and so on; made where missing.
    labels : numpy.ndarray
        (Z, H, W), as in `write_labels`.
    geometry : Geometry
        That of the stack.
    mask, segments
        As in `write_labels`.
    first : int
        The number of the first file: which slice of the whole volume it is.

    Returns
    -------
    list of Path
        The files, in the order of the slices.

    Raises
    ------
    WriteError
        As from `write_labels`; also where the labels are no stack.
    """
    folder = Path(folder).absolute()
    if labels.ndim != 3 or geometry.ndim != 3:
        raise WriteError(f"Cannot write slices to {shown(folder)}: the labels have shape {labels.shape}, no (Z, H, W).")
    numbers = range(first, first + len(labels))
    digits = max(3, len(str(numbers.stop - 1)))
    paths = [folder / f"{n:0{digits}d}.png" for n in numbers]
    for n, path in enumerate(paths):
        write_labels(path, labels[n], geometry.plane(n, len(labels)), mask=mask, segments=segments)
    return paths


def _not_in_volumes(geometry: Geometry) -> dict[str, str]:
    """Fields for what volume formats do not know: labels in pixels, and those that lie as a photograph is shown."""
    fields: dict[str, str] = {FILE_UNIT: PIXEL} if geometry.unit == "pixel" else {}
    return fields if geometry.noted == UPRIGHT else {**fields, LIES: AS_IT_IS_SHOWN}


def _suffix(path: Path) -> str:
    """One of the suffixes that are written here, or empty."""
    return next((s for s in (*PICTURES, *VOLUMES) if path.name.lower().endswith(s)), "")


def _why_not(path: Path, suffix: str, labels: NDArray[Any], geometry: Geometry, mask: bool) -> str:
    """What keeps labels from being written; empty if nothing does."""
    if not suffix:
        return f"labels are written as one of {', '.join((*PICTURES, *VOLUMES))}; give it such a suffix."
    if labels.dtype.kind not in "iub":
        return f"labels are whole numbers; got {labels.dtype}."
    if labels.ndim not in (2, 3, 4) or min(labels.ndim, 3) != geometry.ndim or not labels.size:
        return f"the labels have shape {labels.shape}, the image has {geometry.ndim} axes."
    low, high = int(labels.min()), int(labels.max())
    if low < 0 or high > np.iinfo(np.int32).max:  # what `read_labels` returns
        return f"labels lie between 0 and {np.iinfo(np.int32).max}; got {low} to {high}."
    if path.name.lower().endswith(".seg.nrrd") and labels.ndim != 3:
        return f"a segmentation for 3D Slicer is a volume (Z, H, W), the labels have shape {labels.shape}."
    if suffix in (".tif", ".tiff") and labels.ndim > 3:
        return f"a TIFF of labels holds one volume, these are {len(labels)}. Use NIfTI, NRRD or MHA."
    if suffix == ".png" and labels.ndim > 2:
        return f"a PNG holds a single plane, these are {len(labels)}. Use TIFF, NIfTI or `write_label_slices`."
    if suffix in (".nrrd", ".mha") and not lies_in_one_place(labels, geometry):
        return NO_ONE_PLACE
    if suffix == ".png" and high > np.iinfo(np.uint16).max and not mask:
        return f"a PNG holds labels up to 65535, these reach {high}. Use TIFF or NIfTI."
    return ""


def write_png(path: str | os.PathLike[str], rgb: NDArray[np.uint8]) -> None:
    """Write a picture as PNG.

    Parameters
    ----------
    path : path-like
        The file; its folder is made where missing.
    rgb : numpy.ndarray
        (H, W, 3) colours or (H, W) grey, uint8.

    Raises
    ------
    WriteError
        If the place cannot be written, or the picture is of another shape or type.
    """
    path, rgb = Path(path).absolute(), _checked_picture(path, rgb)
    with replacing(path, ".png") as temporary:
        _write_png(temporary, rgb)


def write_jpeg(path: str | os.PathLike[str], rgb: NDArray[np.uint8]) -> None:
    """Write a small picture to look at, where a small file matters more than exact pixels (quality 80).

    Parameters
    ----------
    path : path-like
        The file; its folder is made where missing.
    rgb : numpy.ndarray
        (H, W, 3) colours or (H, W) grey, uint8.

    Raises
    ------
    WriteError
        If the place cannot be written, or the picture is of another shape or type.
    """
    import PIL.Image

    path, rgb = Path(path).absolute(), _checked_picture(path, rgb)
    with replacing(path, ".jpg") as temporary:
        PIL.Image.fromarray(rgb).save(temporary, "JPEG", quality=80)


def _checked_picture(path: str | os.PathLike[str], rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """A picture of 8 bits, grey or in colours, or `WriteError`."""
    rgb = np.asarray(rgb)
    if rgb.dtype != np.uint8 or not (rgb.ndim == 2 or (rgb.ndim == 3 and rgb.shape[2] == 3)):
        raise WriteError(f"Cannot write {shown(Path(path))}: expected (H, W, 3) uint8; got {rgb.shape} {rgb.dtype}.")
    return rgb


def write_image(path: str | os.PathLike[str], image: Image) -> None:
    """Write an image so that `read_image` opens it again.

    Parameters
    ----------
    path : path-like
        .png for 8-bit grey or colours; .nii, .nii.gz, .nrrd or .mha for grey of any type. Its folder is made where
        missing.
    image : Image
        A volume format keeps its spacing, origin and direction; PNG does not.

    Raises
    ------
    WriteError
        If the place cannot be written, or the format does not hold such an image.
    """
    path = Path(path).absolute()
    suffix = _suffix(path)
    if suffix == ".png":
        return write_png(path, image.array)
    if image.kind == "rgb" or suffix not in VOLUMES:
        raise WriteError(
            f"Cannot write {shown(path)}: colours are written as .png, grey as one of {', '.join(VOLUMES)}."
        )
    with replacing(path, suffix) as temporary:
        write_volume(temporary, image.array, image.geometry.told_in("mm"))
    return None


def write_json(path: str | os.PathLike[str], mapping: Mapping[str, Any], *, ascii_only: bool = False) -> None:
    """Write plain values as JSON.

    Parameters
    ----------
    path : path-like
        The file; its folder is made where missing.
    mapping : mapping
        Values that JSON knows, and numpy's numbers and arrays.
    ascii_only : bool
        Escape all other characters, so that names which are no valid text can be written too.

    Raises
    ------
    WriteError
        If the place cannot be written, or a value is not finite or of a type that JSON does not know.
    """
    path = Path(path).absolute()
    try:
        text = json.dumps(mapping, indent=2, ensure_ascii=ascii_only, allow_nan=False, default=_plain)
    except (TypeError, ValueError) as error:
        raise WriteError(f"Cannot write {shown(path)}: {error}") from error
    with replacing(path, ".json") as temporary:
        temporary.write_text(text + "\n", encoding="utf-8")


def _plain(value: Any) -> Any:
    """What JSON knows instead of a numpy value."""
    if isinstance(value, np.generic | np.ndarray):
        return value.tolist()
    raise TypeError(f"{type(value).__name__} cannot be kept as JSON.")


def _write_png(temporary: Path, array: NDArray[Any], fields: Mapping[str, str] | None = None) -> None:
    """Grey of 8 or 16 bits, or colours of 8."""
    import PIL.Image
    from PIL.PngImagePlugin import PngInfo

    text = PngInfo()
    for key, value in (fields or {}).items():
        text.add_itxt(key, value)
    PIL.Image.fromarray(array).save(temporary, "PNG", compress_level=6, compress_type=_RUNS, pnginfo=text)


def _write_tiff(temporary: Path, labels: NDArray[Any], fields: Mapping[str, str], geometry: Geometry) -> None:
    """Grey of any depth, several planes as pages; where the pixels' size is known, as pixels a centimetre too."""
    import tifffile

    down, along = (10 / length for length in geometry.spacing[-2:])
    told = geometry.unit == "mm" and max(down, along) < _MOST_RESOLUTION
    size: Any = {"resolution": (along, down), "resolutionunit": "CENTIMETER"} if told else {}
    tifffile.imwrite(temporary, labels, photometric="minisblack", compression="zlib", metadata=dict(fields), **size)


@contextmanager
def replacing(path: Path, suffix: str = "") -> Iterator[Path]:
    """Give a temporary name beside a file; what was written there takes the file's place when all went well.

    Parameters
    ----------
    path : Path
        Absolute; its folder is made where missing.
    suffix : str
        Of the temporary name, for writers that look at it.

    Yields
    ------
    Path
        The temporary name, in the same folder. If the body fails, it is removed and the file stays as it was.

    Raises
    ------
    WriteError
        If the place cannot be written.
    """
    temporary = path.parent / f".{uuid.uuid4().hex}{suffix}"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield temporary
        temporary.replace(path)
    except BaseException as error:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise WriteError(f"Cannot write {shown(path)} in {path.parent}: {error.strerror or error}.") from error
        raise
