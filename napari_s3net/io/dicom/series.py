"""A DICOM file, or one series of a folder, as an image."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from napari_s3net.errors import AmbiguousSeriesError, HoldsLabelsError, ReadError, ReadWarning, UnsupportedFormatError
from napari_s3net.image import Geometry, Image, Kind, kind_of_grey
from napari_s3net.io.dicom.boxes import Box, file_names, main_box, resample
from napari_s3net.io.dicom.contents import Contents, is_cut_off, list_series, look_into, stands_alone
from napari_s3net.io.dicom.header import DIRECTORY, LABELS, Header, items, read_header, why_no_image
from napari_s3net.io.dicom.pixels import decode_frames
from napari_s3net.io.dicom.planes import DicomPlane, planes_of
from napari_s3net.io.dicom.value_scale import stored_range
from napari_s3net.io.geometry import Grid, to_upright
from napari_s3net.io.validation.limits import check_memory, shown
from napari_s3net.io.values import UNSCALED, Stored, common_dtype, scaled

_KINDS: dict[str, Kind] = {"CT": "ct", "MR": "mr"}


def read_series(path: Path, series: str | None, name: str, files: Sequence[str] = ()) -> Image:
    """Read the only series of a folder or DICOMDIR, or the one that was asked for.

    Parameters
    ----------
    path : Path
        The folder, or the DICOMDIR.
    series : str or None
        The id of one, as `list_series` gives it; None takes the only one.
    name : str
        Becomes the image's `name`.
    files : sequence of str
        Names of the series' files, where they are known already, so that no other file is looked into.

    Returns
    -------
    Image
        As `read_headers` gives it; the only single image where there is no series.

    Raises
    ------
    UnsupportedFormatError
        If there are no DICOM images.
    AmbiguousSeriesError
        If there are several series and none was chosen.
    ReadError
        If there is no such series, one of the files is damaged, or they do not make a volume.
    """
    contents = look_into(path, files)
    for file, error in contents.damaged.items():  # its slice would be missing without a word
        raise ReadError(f"in its file {shown(file)} {error}")
    chosen = contents.singles
    if contents.series or len(chosen) != 1:
        chosen = contents.series[_choose(path, contents, series)]
    if contents.loss:
        warnings.warn(contents.loss, ReadWarning, stacklevel=2)
    return read_headers(chosen, name)


def _choose(path: Path, contents: Contents, series: str | None) -> str:
    """The id of the only series, or of the one that was asked for."""
    found = dict(list_series(contents))
    if not found:
        raise UnsupportedFormatError(_nothing_in(path, contents))
    listing = "; ".join(f"{i or '(no id)'}: {text}" for i, text in found.items())
    if series is None and len(found) > 1:
        raise AmbiguousSeriesError(
            f"it holds {len(found)} series. Choose one by its id (series=…, or segment --series), "
            f"or give each its own folder. {listing}. {contents.loss}".rstrip(),
            tuple(found.items()),
        )
    if series is not None and series not in found:
        raise ReadError(f"it holds no series {series!r}. It holds {listing}.")
    return next(iter(found)) if series is None else series


def _nothing_in(path: Path, contents: Contents) -> str:
    """Why a folder or DICOMDIR has no series."""
    if contents.singles:
        n = len(contents.singles)
        return f"it holds {n} DICOM images that stand for themselves and no series. Open them one by one."
    if not path.is_dir():
        return "it is a DICOM directory (DICOMDIR), and no image that it names is there."
    return (
        f"this folder holds no DICOM images ({contents.others} other files, {contents.folders} folders). "
        "Open one of its files or folders instead."
    )


def read_file(path: Path, series: str | None, name: str) -> Image:
    """Read one DICOM file: a plane, its frames as a volume, or through a DICOMDIR a series.

    Parameters
    ----------
    path : Path
        The file.
    series : str or None
        The id of a series, for a DICOMDIR alone.
    name : str
        Becomes the image's `name`.

    Returns
    -------
    Image
        As `read_headers` gives it.

    Raises
    ------
    HoldsLabelsError
        If it holds labels (a segmentation) and not an image.
    UnsupportedFormatError
        If it holds neither.
    ReadError
        If it is damaged, its frames do not make a volume, or a series was chosen and it is no DICOMDIR.
    """
    header = read_header(path)
    if header.object_id == DIRECTORY:
        return read_series(path, series, name)
    if series is not None:
        raise ReadError("a series can be chosen in a folder or DICOMDIR only.")
    if header.object_id in LABELS:
        raise HoldsLabelsError("it holds labels (a DICOM segmentation), not an image. `read_labels` opens it.")
    if reason := why_no_image(header):
        raise (ReadError if is_cut_off(header) else UnsupportedFormatError)(reason)
    return read_headers([header], name)


def read_slices(paths: Sequence[Path], name: str) -> Image | None:
    """Read chosen files as one volume, by the same checks as a series.

    Parameters
    ----------
    paths : sequence of Path
        DICOM files.
    name : str
        Becomes the image's `name`.

    Returns
    -------
    Image or None
        As `read_headers` gives it; None where each file stands for itself, as photographs do.

    Raises
    ------
    ReadError
        If one of them is damaged or no image, or they do not make a volume.
    """
    headers = []
    for path in paths:
        header = read_header(path)
        if reason := why_no_image(header):
            raise ReadError(f"in its file {shown(path)}: {reason}")
        headers.append(header)
    return None if all(stands_alone(header) for header in headers) else read_headers(headers, name)


def read_headers(headers: Iterable[Header], name: str) -> Image:
    """Make a volume or plane of files whose headers have been parsed.

    Parameters
    ----------
    headers : iterable of Header
        Of the files of one series.
    name : str
        Becomes the image's `name`.

    Returns
    -------
    Image
        (H, W) or (Z, H, W), colours in a last axis of 3; slope and intercept applied, so that CT is in Hounsfield
        units. Upright and in mm where the files tell where they lie, else as stored.

    Raises
    ------
    ReadError
        If they do not make a volume, or their pixels are damaged.

    Warns
    -----
    ReadWarning
        If planes are left out or resampled, or a header is doubtful; once for all slices.
    """
    headers = list(headers)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        planes = [plane for header in headers for plane in planes_of(header)]
    for text in dict.fromkeys(str(warning.message) for warning in caught):  # once for all slices
        warnings.warn(text, ReadWarning, stacklevel=2)
    box = main_box(planes)
    _check_scales(box.planes)
    if box.step and box.planes[0].spacing is None:
        text = "it tells how far apart its slices lie and not how large its pixels are: sizes are in pixels."
        warnings.warn(text, ReadWarning, stacklevel=2)
    array = _read_planes(box.planes)
    if box.shifts is not None or box.heights is not None:
        array, offset = resample(array, box)
    else:
        offset = np.zeros(2)
    array, geometry = _placed(array, box, offset)
    first = box.planes[0].header
    colours = array.ndim > geometry.ndim
    kind: Kind = "rgb" if colours else _KINDS.get(first.modality) or kind_of_grey(array)
    return Image(array, geometry, kind, name)


def _check_scales(planes: Sequence[DicomPlane]) -> None:
    """Refuse planes of which some tell slope and intercept and some do not: their values do not compare."""
    usual = max((plane.scale_told for plane in planes), key=[plane.scale_told for plane in planes].count)
    if others := [plane for plane in planes if plane.scale_told != usual]:
        raise ReadError(
            f"slope and intercept of the values are not told alike in its {len(planes)} images, so that they do not "
            f"compare: look at {file_names(others)}. Correct them, or leave them out."
        )


def _read_planes(planes: Sequence[DicomPlane]) -> NDArray[Any]:
    """(n, rows, columns[, 3]): the values of planes, each by its own slope and intercept."""
    _, rows, columns, samples = planes[0].header.shape
    scaled_bytes = 8 if any(plane.scale != UNSCALED for plane in planes) else max(1, planes[0].header.bits // 8)
    check_memory((len(planes), rows, columns, samples), scaled_bytes)
    dtype: np.dtype[Any] | None = None
    decoded: dict[Path, NDArray[Any]] = {}
    values: NDArray[Any] | None = None
    for index, plane in enumerate(planes):
        path = plane.header.path
        if path not in decoded:
            decoded = {path: decode_frames(plane.header)}
        array = decoded[path][plane.frame]
        if values is None or dtype is None:
            stored = {header: _stored(header, array) for header in dict.fromkeys(other.header for other in planes)}
            dtype = common_dtype([stored[other.header] for other in planes], [other.scale for other in planes])
            whole = decoded[path]
            alone = len(whole) == len(planes) and all(plane.frame == n for n, plane in enumerate(planes))
            if alone and len(stored) == 1 and dtype == whole.dtype and whole.flags.writeable:
                values = whole  # each frame is read before its place is written to
            else:
                values = np.empty((len(planes), *array.shape), dtype)
        if plane.turned:
            low, high = stored_range(plane.header)
            array = (low + high - array.astype(np.int64)).astype(array.dtype)
        values[index] = scaled(array, plane.scale, dtype)
    assert values is not None  # noqa: S101 - a box holds a plane
    return values


def _stored(header: Header, decoded: NDArray[Any]) -> Stored:
    """What the stored numbers of a file may be, from its header; `decoded` is what came of the first one."""
    if decoded.dtype.kind not in "iu" or decoded.ndim == 3 or items(header.dataset, "ModalityLUTSequence"):
        return Stored(decoded.dtype, 0, 0)
    low, high = stored_range(header)
    bits = next(bits for bits in (8, 16, 32, 64) if header.bits <= bits or bits == 64)
    return Stored(np.dtype(f"{'i' if low < 0 else 'u'}{bits // 8}"), low, high)


def _placed(array: NDArray[Any], box: Box, offset: NDArray[np.float64]) -> tuple[NDArray[Any], Geometry]:
    """Where a box lies, upright; a plane without a place stays as it is."""
    first = box.planes[0]
    spacing = first.spacing or (1.0, 1.0)
    unit: Literal["mm", "pixel"] = "mm" if first.spacing else "pixel"
    if first.place is not None:
        rows, columns = first.place.axes
        origin = first.place.position + columns * offset[0] + rows * offset[1]
        step = box.step if len(array) > 1 and box.step else first.thickness
        axes = np.stack([rows, columns, first.place.normal], axis=1)
        return to_upright(array, Grid(np.array([spacing[1], spacing[0], step]), origin, axes), unit)
    if len(array) == 1:
        flat = Geometry.identity(2)
        return array[0], Geometry(spacing, flat.origin, flat.direction, unit)
    return array, Geometry.identity(3)
