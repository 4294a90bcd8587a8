"""Decode files. This runs in a process that may die of them: one of `READERS`, or a worker of a batch."""

from __future__ import annotations

import json
import re
import sys
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, Literal

from numpy.typing import NDArray

from napari_s3net.errors import AmbiguousSeriesError, HoldsLabelsError, ReadError, ReadWarning
from napari_s3net.geometry import AS_SHOWN, LENGTHS
from napari_s3net.image import Image
from napari_s3net.io.label_numbers import refuse_lossy, refuse_transparent, whole_numbers
from napari_s3net.io.segments import FILE_UNIT, GEOMETRY, LIES, PIXEL, is_layered, join_layers, of_fields
from napari_s3net.io.validation import headers
from napari_s3net.io.validation.limits import OnPromise, on_promise, reading_seconds
from napari_s3net.runtime.child_server import NOBODY, Caller, limited_memory, serve

#: What a decoder may allocate beside the copies of an image that its header promises.
SPARE_BYTES = 1 << 30
#: Of images that promise no more than this no time is asked for: asking takes as long as reading a small one.
SMALL_BYTES = 1 << 22
#: Decoders may take what the header accounts for: more, or more than there is, fails.
_MORE_MEMORY = "decoding it takes more memory than there is, or than its header accounts for; it may be damaged."
#: What a decoder's message means. Its own words are not passed on: they may quote the file, names included.
_REASONS = {
    r"orthonormal": "its axes are not at right angles (sheared), which is not read here.",
    r"domain axes": "its axes do not fit the space that its header describes.",
    r"Zero-valued spacing": "its header tells a spacing that is zero or no number. Write the size of its voxels there.",
    r"does not match the required size|Size mismatch": "its slices are not of one size.",
    r"bad.?alloc|allocat|out of memory": _MORE_MEMORY,
    r"(?i)unsupported|not support|can ?not handle|unknown (component|pixel)": "it is of a variant not read here.",
}
#: What goes into an answer as JSON, and the array that follows it.
Reply = tuple[dict[str, Any], NDArray[Any] | None]
_DAMAGED = "its header or its pixels are damaged, or it was cut off while copying."


def decode(
    path: Path,
    series: str | None = None,
    files: Sequence[str] = (),
    time: int | None = None,
    *,
    numbers: bool = False,
) -> Image:
    """Read a file or folder in this very process; `napari_s3net.io.read_image` does it in a child process.

    Parameters
    ----------
    path : Path
        A file of any format that is read here, told by its content, or a folder of DICOM files.
    series : str, optional
        The id of one DICOM series, for a folder or DICOMDIR; None takes the only one.
    files : sequence of str
        Names of the files of a folder that belong to the series, where they are known.
    time : int, optional
        Which volume of a NIfTI, MetaImage or NRRD file that holds several, from 0.
    numbers : bool
        Of a picture that may be one of labels give the stored numbers, not what they are shown as: those of a palette,
        and those of a TIFF whose white is zero.

    Returns
    -------
    Image
        As `read_image` gives it.

    Raises
    ------
    ReadError
        With the reason alone; the caller adds the file's name. Decoders may also raise errors of their own.
    UnsupportedFormatError
        If the content is none of the formats that are read here.
    AmbiguousSeriesError
        If there are several series and none was chosen.
    """
    name = path.name if path.is_dir() else headers.stem(path)
    if time is not None and _series_format(path) is None:
        raise ReadError("one of several volumes can be chosen in a NIfTI, MetaImage or NRRD file only.")
    if path.is_dir():
        from napari_s3net.io.dicom.series import read_series

        return read_series(path, series, name, files)
    path = _header_of(path)
    file_format = headers.sniff(path)
    if file_format == "dicom":
        from napari_s3net.io.dicom.series import read_file

        return read_file(path, series, name)
    if series is not None:
        raise ReadError("a series can be chosen in a folder or DICOMDIR only.")
    if file_format == "nifti":
        from napari_s3net.io.nifti import read_nifti

        return read_nifti(path, name, time)
    if file_format == "tiff":
        from napari_s3net.io.tiff import read_tiff

        return read_tiff(path, name, numbers=numbers)
    if file_format == "meta" or file_format == "nrrd":
        from napari_s3net.io.meta_nrrd import read_meta_or_nrrd

        return read_meta_or_nrrd(path, file_format, name, time)
    from napari_s3net.io.photograph import read_photograph

    return read_photograph(path, file_format, name, numbers=numbers)


def _header_of(path: Path) -> Path:
    """The .hdr that belongs to an .img; any other file itself."""
    if not re.search(r"(?i)\.img(\.gz)?$", path.name):
        return path
    wanted = re.compile(rf"{re.escape(headers.stem(path))}\.hdr(\.gz)?", re.IGNORECASE)
    header = next((p for p in path.parent.iterdir() if wanted.fullmatch(p.name)), None)
    if header is None:
        raise ReadError(f"its header is missing: {headers.stem(path)}.hdr should be in the same folder.")
    return header


def answer(request: Mapping[str, Any], caller: Caller = NOBODY) -> Reply:
    """Read files or list the series of a folder, within the memory and the time that its header accounts for.

    Parameters
    ----------
    request : mapping
        `task` ("read", "times", "stack", "labels" or "list"), `path`, and `series` to read or `paths` to stack.
    caller : Caller
        Is asked for the seconds that decoding may take, and told where this process is not to be used again.

    Returns
    -------
    reply : dict
        For JSON: what is known of the image and its `notes` (warnings), or `error`, the name of an exception, with its
        `reason`.
    array : numpy.ndarray or None
        The pixels, of any layout and order of bytes; None for a list, an error, or single images.

    Raises
    ------
    KeyError
        If the request has no `path`. Whatever is wrong with a file is no exception, but an `error` in the reply.
    """
    path = Path(request["path"])

    try:
        with (
            limited_memory(SPARE_BYTES) as limit,
            on_promise(_preparing(path, limit, caller)),
            warnings.catch_warnings(record=True) as caught,
        ):
            warnings.simplefilter("always")
            reply, array = _TASKS[request["task"]](path, request)
            if array is not None and not array.size:
                raise ReadError("it holds no pixels.")  # noqa: TRY301 - an answer like any other
    except AmbiguousSeriesError as error:
        return {"error": type(error).__name__, "reason": str(error), "series": error.series}, None
    except ReadError as error:
        return {"error": type(error).__name__, "reason": str(error)}, None
    except Exception as error:  # noqa: BLE001 - whatever a decoder thinks up has to become an answer
        # SimpleITK's errors; where it stumbled the heap may be in pieces, and this process is not to be used again.
        if isinstance(error, RuntimeError):
            caller.wear_out()
        return {"error": "ReadError", "reason": _reason(error)}, None
    if (itk := sys.modules.get("napari_s3net.io.itk")) is not None and itk.STUMBLED.is_set():
        caller.wear_out()
    notes = [str(w.message) for w in caught if issubclass(w.category, ReadWarning)]
    return {**reply, "notes": list(dict.fromkeys(notes))}, array


def _preparing(path: Path, limit: Callable[[int], None], caller: Caller) -> OnPromise:
    """What sets the limits once a header was checked; a series promises a volume first, and then each slice."""
    largest = 0

    def prepare(promised: int, needed: int) -> None:
        nonlocal largest
        if promised > largest:
            largest = promised
            limit(needed + SPARE_BYTES)
            if promised > SMALL_BYTES:
                caller.allow(reading_seconds(path, promised))

    return prepare


def _answer_read(path: Path, request: Mapping[str, Any]) -> Reply:
    """An image of a file or folder."""
    series, files, time = (request.get(key) for key in ("series", "files", "time"))
    return _reply(decode(path, series, files or (), time, numbers=request.get("numbers", False)))


def _answer_times(path: Path, request: Mapping[str, Any]) -> Reply:
    """All volumes of an image; the image where it is but one."""
    if _label_fields(path):
        raise HoldsLabelsError("it holds labels, not an image. `read_labels` opens it.")
    return _all_times(path, request)


def _all_times(path: Path, request: Mapping[str, Any]) -> Reply:
    """All volumes of a file, also of labels."""
    file_format = _series_format(path)
    if file_format is None:
        return _answer_read(path, request)
    path = _header_of(path)
    if file_format == "nifti":
        from napari_s3net.io.nifti import read_nifti_series

        first, volumes = read_nifti_series(path, headers.stem(path))
    else:
        from napari_s3net.io.meta_nrrd import read_meta_or_nrrd_series

        first, volumes = read_meta_or_nrrd_series(path, file_format, headers.stem(path))
    reply, array = _reply(first)
    return {**reply, "is_series": volumes is not None}, array if volumes is None else volumes


def _series_format(path: Path) -> Literal["nifti", "meta", "nrrd"] | None:
    """The format of a file that may hold several volumes in one place; None of any other."""
    file_format = None if path.is_dir() else headers.sniff(_header_of(path))
    return file_format if file_format in ("nifti", "meta", "nrrd") else None


def _answer_stack(path: Path, request: Mapping[str, Any]) -> Reply:
    """The volume that DICOM files make; nothing where they are photographs, one each."""
    from napari_s3net.io.dicom.series import read_slices

    image = read_slices([Path(one) for one in request["paths"]], headers.stem(path))
    return ({}, None) if image is None else _reply(image)


def _answer_labels(path: Path, request: Mapping[str, Any]) -> Reply:
    """Labels of a DICOM segmentation, or of a file of whole numbers; where it is asked for, of all times."""
    if path.is_file() and headers.is_dicom(path):
        from napari_s3net.io.dicom.segmentation import read_segmentation

        labels, geometry, segments = read_segmentation(path)
        return {"geometry": asdict(geometry), "segments": [asdict(one) for one in segments]}, labels
    if path.is_file():
        refuse_lossy(path, headers.sniff(_header_of(path)))
    fields = _label_fields(path)
    layered = is_layered(fields)
    reply, array = (_all_times if request["times"] or layered else _answer_read)(path, {**request, "numbers": True})
    assert array is not None  # noqa: S101 - only a stack may have none
    array = whole_numbers(reply["kind"], array)
    if path.is_file() and array.ndim == 2:
        refuse_transparent(_header_of(path), array)
    if layered and array.ndim == 4:
        array, segments, overlap = join_layers(array, fields)
        if overlap:
            warnings.warn(
                "some of its segments overlap; where they do, the later one is kept.", ReadWarning, stacklevel=1
            )
        return {**reply, "segments": [asdict(one) for one in segments]}, array
    if LIES in fields:
        reply["geometry"]["noted"] = AS_SHOWN
    placed = _told_geometry(fields, array.shape) or _in_told_unit(fields, reply["geometry"])
    return {**reply, **placed, "segments": [asdict(one) for one in of_fields(fields)]}, array


def _told_geometry(fields: Mapping[str, str], shape: tuple[int, ...]) -> dict[str, Any]:
    """The geometry that a picture of labels was written with; programs that crop or resize it leave it as it was."""
    if GEOMETRY not in fields:
        return {}
    told = json.loads(fields[GEOMETRY])
    written = told.pop("shape", shape)
    if tuple(written[-2:]) == shape[-2:]:
        return {"geometry": {**told, "noted": AS_SHOWN}}
    sizes = " and is ".join(" × ".join(map(str, size)) for size in (written[-2:], shape[-2:]))
    text = f"it was written with {sizes} pixels now (cropped or resized): where it lies in space is not known any more."
    warnings.warn(text, ReadWarning, stacklevel=2)
    return {}


def _in_told_unit(fields: Mapping[str, str], read: dict[str, Any]) -> dict[str, Any]:
    """The geometry of a volume in the unit that its fields name, where its format does not know that unit."""
    from napari_s3net.io.reader_process import geometry_of_json

    geometry, unit = geometry_of_json(read), fields.get(FILE_UNIT, "")
    if unit == PIXEL and set(geometry.spacing) == {1.0}:
        return {"geometry": asdict(replace(geometry, unit=PIXEL))}
    if unit not in LENGTHS or geometry.in_space().file_unit == unit:
        return {}
    return {"geometry": asdict(geometry.times(LENGTHS[unit]).told_in(unit))}


def _label_fields(path: Path) -> dict[str, str]:
    """What a header tells of labels; a damaged header tells nothing, and is refused as its pixels are read."""
    from napari_s3net.io.label_fields import label_fields

    try:
        return {} if path.is_dir() else label_fields(_header_of(path), headers.sniff(path))
    except Exception:  # noqa: BLE001 - whatever a decoder thinks up
        return {}


def _answer_list(path: Path, _: Mapping[str, Any]) -> Reply:
    """The DICOM images of a folder: series and single ones."""
    from napari_s3net.io.dicom.contents import list_series, look_into

    contents = look_into(path)
    files = [[header.path.name for header in contents.series[identity]] for identity in contents.series]
    return {
        "series": [(*item, names) for item, names in zip(list_series(contents), files, strict=True)],
        "singles": [header.path.name for header in contents.singles],
        "damaged": [path.name for path in contents.damaged],
    }, None


def _reply(image: Image) -> Reply:
    """An image as values for JSON, and its array."""
    known = {"geometry": asdict(image.geometry), "kind": image.kind, "name": image.name, "times": image.times}
    return known, image.array


_TASKS = {
    "read": _answer_read,
    "times": _answer_times,
    "stack": _answer_stack,
    "labels": _answer_labels,
    "list": _answer_list,
}


def _reason(error: Exception) -> str:
    """Plain words for an exception of a decoder or of the system."""
    if isinstance(error, PermissionError):
        return "there is no permission to read it."
    if isinstance(error, OSError) and error.strerror:
        return f"the system says: {error.strerror}."
    if isinstance(error, MemoryError):
        return _MORE_MEMORY
    if isinstance(error, ImportError):
        return f"a part of the installation is missing ({error.name}). Install napari-s3net again."
    return next((reason for pattern, reason in _REASONS.items() if re.search(pattern, str(error))), _DAMAGED)


if __name__ == "__main__":
    serve(answer)
