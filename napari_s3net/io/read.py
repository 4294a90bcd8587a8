"""Open files and folders as records. What is decoded is decoded in a child process; see docs/reading.md."""

from __future__ import annotations

import os
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from napari_s3net.errors import ReadError, ReadWarning
from napari_s3net.geometry import UPRIGHT
from napari_s3net.image import Geometry, Image
from napari_s3net.io.reader_process import Ask, ask_about, ask_reader, geometry_of_json, warn_of
from napari_s3net.io.segments import segment_of_json
from napari_s3net.io.validation.headers import is_dicom
from napari_s3net.io.validation.limits import shown
from napari_s3net.runtime.child_process import Reply
from napari_s3net.runtime.child_server import Caller
from napari_s3net.segments import Code, Segment

#: Planes may differ by this share of a step or of a pixel from a straight, even stack.
UNEVEN = 0.02


def read_image(
    path: str | os.PathLike[str], *, series: str | None = None, files: Sequence[str] = (), time: int | None = None
) -> Image:
    """Open an image.

    Parameters
    ----------
    path : path-like
        A PNG, JPEG, BMP, TIFF, DICOM, NIfTI (.nii, .nii.gz, .hdr with .img), MetaImage or NRRD file, told by its
        content; or a folder with a DICOM series.
    series : str, optional
        Which series of a folder, by its id as `series_in` lists it.
    files : sequence of str, optional
        The names of its files, as `dicom_in` lists them: no other file of the folder is looked into.
    time : int, optional
        Which volume of a NIfTI, MetaImage or NRRD file that holds several, from 0; the first where it is left out.
        `read_times` opens all.

    Returns
    -------
    Image
        (H, W) or (Z, H, W), colours in a last axis of 3. CT is in Hounsfield units. A photograph is upright as its
        camera noted. A volume is turned by flips and swaps of axes so that slices run from feet to head, rows from
        front to back, columns from the patient's right to the left; its geometry remembers the file's own orientation,
        and the spacing is in mm. A volume of one slice becomes a plane.

    Raises
    ------
    ReadError
        With the file's name and the reason, whatever is wrong with it.
    UnsupportedFormatError
        If it is of a kind that is not read.
    AmbiguousSeriesError
        If a folder holds several series; its attribute `series` lists them.

    Warns
    -----
    ReadWarning
        If only a part is opened (the first of several volumes), or slices seem to be missing.
    """
    return _read(Path(path).absolute(), series, files, ask_reader, time)


class TimeSeries(NamedTuple):
    """Several volumes that lie in one place, one after the other.

    Parameters
    ----------
    array : numpy.ndarray
        (T, Z, H, W); (T, H, W) of single slices.
    first : Image
        The first volume; the others have its geometry.
    """

    array: NDArray[Any]
    first: Image


def read_times(path: str | os.PathLike[str]) -> Image | TimeSeries:
    """Open an image with all its moments; see `read_image` for errors and warnings.

    Parameters
    ----------
    path : path-like
        As in `read_image`.

    Returns
    -------
    Image or TimeSeries
        A time series of a NIfTI, MetaImage or NRRD file that holds several volumes, as far as they fit into memory
        together.

    Raises
    ------
    HoldsLabelsError
        If the file says that it holds labels: `read_labels` opens it.
    """
    path = Path(path).absolute()
    reply, array = ask_about(path, {"task": "times", "series": None}, ask_reader)
    assert array is not None  # noqa: S101 - an answer without an error has one
    warn_of(path, reply["notes"], 3)
    first = _image_of(reply, array[0] if reply.get("is_series") else array)
    return TimeSeries(array, first) if reply.get("is_series") else first


def read_image_here(
    path: str | os.PathLike[str], *, series: str | None = None, files: Sequence[str] = (), caller: Caller
) -> Image:
    """Open an image as `read_image` does, but decode it in this very process, which may die of it.

    For a process that is a child itself, such as a worker of a batch: the limits of memory and time are the same.

    Parameters
    ----------
    path, series, files
        As in `read_image`.
    caller : Caller
        The process that waits for this one. It is asked for the time that decoding may take, and told where this one is
        not to be used again.

    Returns
    -------
    Image
        As `read_image` gives it.

    Raises
    ------
    ReadError
        As `read_image` does, except where this process dies or is ended: why, `why_unread` tells its parent.
    """
    from napari_s3net.io.child import answer

    def ask(request: dict[str, Any], seconds: float) -> Reply:
        caller.allow(seconds)
        reply, array = answer(request, caller)
        return reply, None if array is None else np.ascontiguousarray(array, array.dtype.newbyteorder("="))

    return _read(Path(path).absolute(), series, files, ask)


def _read(path: Path, series: str | None, files: Sequence[str], ask: Ask, time: int | None = None) -> Image:
    """An image, from what a process tells that has read it."""
    reply, array = ask_about(path, {"task": "read", "series": series, "files": list(files), "time": time}, ask)
    assert array is not None  # noqa: S101 - an answer without an error has one
    warn_of(path, reply["notes"], 4)
    return _image_of(reply, array)


def _image_of(reply: Mapping[str, Any], array: NDArray[Any]) -> Image:
    """An image, from what a process tells of it."""
    return Image(array, geometry_of_json(reply["geometry"]), reply["kind"], reply["name"], reply["times"])


class Series(NamedTuple):
    """A DICOM series of a folder.

    Parameters
    ----------
    identity : str
        As `read_image` takes it.
    text : str
        A description without patient data: kind, series number, files, size.
    files : tuple of Path
        Its files, by name.
    """

    identity: str
    text: str
    files: tuple[Path, ...]


class DicomFolder(NamedTuple):
    """The DICOM images of a folder.

    Parameters
    ----------
    series : list of Series
        What belongs together.
    singles : list of Path
        Images that stand for themselves, such as photographs and radiographs: one file each.
    damaged : list of Path
        DICOM files that cannot be read.
    """

    series: list[Series]
    singles: list[Path]
    damaged: list[Path]


def dicom_in(folder: str | os.PathLike[str]) -> DicomFolder:
    """List the DICOM images of a folder.

    Parameters
    ----------
    folder : path-like
        Only its own files are looked at, not those of the folders inside. Each header is read once.

    Returns
    -------
    DicomFolder
        Its series, single images and damaged files.

    Raises
    ------
    ReadError
        If there is no such folder.
    """
    folder = Path(folder).absolute()
    if folder.exists() and not folder.is_dir():
        raise ReadError(f"Cannot read {shown(folder)}: it is not a folder.")
    reply, _ = ask_about(folder, {"task": "list"}, ask_reader)
    series = [Series(i, text, tuple(folder / name for name in names)) for i, text, names in reply["series"]]
    singles, damaged = ([folder / name for name in reply[key]] for key in ("singles", "damaged"))
    return DicomFolder(series, singles, damaged)


def series_in(folder: str | os.PathLike[str]) -> list[tuple[str, str]]:
    """List the DICOM image series of a folder, as `dicom_in` does and raises.

    Parameters
    ----------
    folder : path-like
        Only its own files are looked at.

    Returns
    -------
    list of (str, str)
        Id of each series, as `read_image` takes it, and a description without patient data.
    """
    return [(series.identity, series.text) for series in dicom_in(folder).series]


class LabelImage(NamedTuple):
    """Labels that were read from a file.

    Parameters
    ----------
    array : numpy.ndarray
        (H, W) or (Z, H, W) int32; 0 where nothing is labelled.
    geometry : Geometry
        Where they lie.
    segments : tuple of Segment
        Names, colours and codes of its labels; empty where the file tells of none.
    """

    array: NDArray[np.int32]
    geometry: Geometry
    segments: tuple[Segment, ...] = ()

    @property
    def names(self) -> dict[int, str]:
        """What the file calls each label; empty where it says nothing."""
        return {one.label: one.name for one in self.segments if one.name}

    @property
    def codes(self) -> dict[int, tuple[Code, Code]]:
        """Category and type that the file gives each label; empty where it says nothing."""
        return {one.label: one.codes for one in self.segments if one.codes}


def read_labels(path: str | os.PathLike[str], *, times: bool = False) -> LabelImage:
    """Open labels: a DICOM segmentation, or any file of whole numbers that `read_image` opens.

    Parameters
    ----------
    path : path-like
        The file.
    times : bool
        Of several volumes open all, (T, Z, H, W), not only the first.

    Returns
    -------
    LabelImage
        Upright, as `read_image` gives an image, with the names, colours and codes that the file gives them: a DICOM
        segmentation, Slicer's, or what `write_labels` wrote.

    Raises
    ------
    ReadError
        With the file's name and the reason.
    UnsupportedFormatError
        If it holds colours, fractions or negative numbers, or is a DICOM file without labels.

    Warns
    -----
    ReadWarning
        If segments overlap, or only a part is opened.
    """
    path = Path(path).absolute()
    reply, array = ask_about(path, {"task": "labels", "times": times}, ask_reader)
    assert array is not None  # noqa: S101 - an answer without an error has one
    warn_of(path, reply["notes"], 3)
    segments = tuple(segment_of_json(one) for one in reply["segments"])
    return LabelImage(array.astype(np.int32, copy=False), geometry_of_json(reply["geometry"]), segments)


def read_stack(paths: Sequence[str | os.PathLike[str]]) -> Image:
    """Open planes of one size and kind as one stack; DICOM slices by the checks that hold for a series.

    Parameters
    ----------
    paths : sequence of path-like
        Slices that know their place in space are sorted by it; others stay in the order given.

    Returns
    -------
    Image
        (Z, H, W), or (Z, H, W, 3) for colours.

    Raises
    ------
    ReadError
        If a file cannot be read, or the files do not make a stack.

    Warns
    -----
    ReadWarning
        As `read_image` does for a series: planes that are left out, or that had to be resampled.
    """
    files = [Path(path).absolute() for path in paths]
    if not files:
        raise ReadError("There are no files to open.")
    if all(path.is_file() and is_dicom(path) for path in files):
        reply, array = ask_about(files[0], {"task": "stack", "paths": [str(path) for path in files]}, ask_reader)
        if array is not None:
            warn_of(files[0], reply["notes"], 3)
            return _image_of(reply, array)
    images = [read_image(path) for path in files]
    first = images[0]
    for path, image in zip(files, images, strict=True):
        if image.is_stack or image.array.shape != first.array.shape or image.kind != first.kind:
            raise ReadError(
                f"Cannot open {len(images)} files as a stack: {shown(path)} is not a plane of "
                f"{' × '.join(map(str, first.shape))} pixels ({first.kind}) like the first. Open them one by one."
            )
    geometry, order = _stack_geometry([image.geometry for image in images])
    return Image(np.stack([images[i].array for i in order]), geometry, first.kind, first.name)


def _stack_geometry(planes: Sequence[Geometry]) -> tuple[Geometry, Sequence[int]]:
    """Geometry of planes one above the other, and their order.

    Raises
    ------
    ReadError
        If their pixels are of different sizes, or they know their places and do not lie evenly and straight one above
        the other.
    """
    first = planes[0]
    sizes = [plane.spacing for plane in planes if plane.unit == "mm"]
    if any(not np.allclose(size, sizes[0], rtol=UNEVEN, atol=0) for size in sizes):
        raise ReadError(
            f"Cannot open {len(planes)} files as a stack: their pixels are of different sizes. Open them one by one."
        )
    volumes = [plane.volume for plane in planes if plane.volume is not None]
    if len(planes) == len(volumes) == 1:
        return volumes[0], (0,)
    if len(volumes) < len(planes):
        if len(sizes) == len(planes):
            size = " × ".join(f"{length:.4g}" for length in first.spacing)
            text = f"the files do not tell how far apart they lie: sizes are in pixels, each {size} mm."
            warnings.warn(text, ReadWarning, stacklevel=3)
        noted = {plane.noted for plane in planes}
        return replace(Geometry.identity(3), noted=noted.pop() if len(noted) == 1 else UPRIGHT), range(len(planes))
    direction = np.array(volumes[0].direction)
    order = np.argsort([direction[:, 0] @ volume.origin for volume in volumes], kind="stable").tolist()
    places = np.array([volumes[i].origin for i in order]) @ direction
    steps = np.diff(places[:, 0])
    straight = np.ptp(places[:, 1:], axis=0) < UNEVEN * np.array(first.spacing)
    units = {volume.unit for volume in volumes}
    alike = len(units) == 1 and all(np.allclose(volume.direction, direction, atol=UNEVEN) for volume in volumes)
    if not alike or not straight.all() or steps.min() <= 0 or np.ptp(steps) > UNEVEN * steps.mean():
        raise ReadError(
            f"Cannot open {len(planes)} files as a stack: they know their places, and do not lie evenly and straight "
            "one above the other. Open them one by one."
        )
    lowest = volumes[order[0]]
    spacing = (float(steps.mean()), *first.spacing)
    stacked = Geometry(spacing, lowest.origin, lowest.direction, lowest.unit, lowest.orientation, shown=lowest.shown)
    return stacked, order
