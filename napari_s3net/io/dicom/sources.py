"""The slices of a DICOM series that labels refer to, with what the standard asks for; and no word of their patient."""

from __future__ import annotations

import logging
import re
import warnings
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_s3net.errors import ReadError, WriteError
from napari_s3net.io.dicom.boxes import main_box
from napari_s3net.io.dicom.header import Header, numbers, read_header, words
from napari_s3net.io.dicom.planes import planes_of
from napari_s3net.io.geometry import Grid
from napari_s3net.io.validation.headers import is_dicom
from napari_s3net.io.validation.limits import shown
from napari_s3net.segments import Segment

#: Slices of the series lie on the labels' grid if they are no further off than this, in mm.
SAME_PLACE = 0.05
#: By these other systems find what labels refer to; each has to be there.
_UIDS = ("StudyInstanceUID", "SeriesInstanceUID", "FrameOfReferenceUID", "SOPInstanceUID", "SOPClassUID")
#: Of patient and study these have to be there, and may be empty.
_MAY_BE_EMPTY = (
    "PatientName", "PatientID", "PatientBirthDate", "PatientSex", "StudyDate", "StudyTime", "StudyID",
    "AccessionNumber", "ReferringPhysicianName",
)  # fmt: skip
#: Letters that a short text of DICOM (LO) holds.
_MOST_LETTERS = 64


def slices_of(
    path: Path, labels: NDArray[Any], grid: Grid, segments: Sequence[Segment], source: Path
) -> tuple[list[Any], list[int]]:
    """Find the slices of a series that lie on a grid of labels.

    Parameters
    ----------
    path : Path
        What is to be written, for the message.
    labels : numpy.ndarray
        (Z, Y, X) as in a file.
    grid : Grid
        Where they lie.
    segments : sequence of Segment
        What is to be written of them.
    source : Path
        The folder of the series, or one of its files.

    Returns
    -------
    datasets : list of pydicom.Dataset
        Their headers, in the order of the planes, each with the UIDs and elements that objects of its study need.
    planes : list of int
        The plane of each.

    Raises
    ------
    WriteError
        If labels are negative, a plane has no slice or the slices of several series, it is not certain which of several
        slices at one place was segmented, or the slices lack the UIDs by which they are referred to.
    """
    if int(labels.min(initial=0)) < 0 or any(segment.label < 0 for segment in segments):
        raise WriteError(f"Cannot write {shown(path)}: labels are whole numbers from 0 on; got {int(labels.min())}.")
    shape = labels.shape
    files: dict[str, list[Header]] = {}
    for header in _headers(path, source):
        files.setdefault("".join(words(header.dataset, "SeriesInstanceUID")), []).append(header)
    if not files:
        raise WriteError(
            f"Cannot write {shown(path)}: it refers to the slices of the DICOM series that was segmented, and "
            f"{source.name} is none. Save NIfTI or .seg.nrrd, or open the DICOM series itself and segment that."
        )
    series = [_on_planes(path, headers, grid, shape, source) for headers in files.values()]
    found = max(series, key=len, default={})
    if len(found) == shape[0] and sum(len(one) == shape[0] for one in series) > 1:
        raise WriteError(
            f"Cannot write {shown(path)}: it refers to the DICOM series that was segmented, and {source.name} holds "
            f"{len(series)} series at the place of these labels. Put that series into a folder of its own."
        )
    if len(found) != shape[0]:
        raise WriteError(
            f"Cannot write {shown(path)}: it refers to the DICOM series that was segmented. Of {shape[0]} "
            f"slices of {shape[1]} × {shape[2]} pixels, {source.name} has {len(found)} at the place of these labels. "
            "Slices that were resampled (a tilted gantry, uneven distances) have none there: save NIfTI or .seg.nrrd."
        )
    rows = sorted(found)
    datasets = [_completed(found[row]) for row in rows]
    _check_uids(path, datasets, source)
    return datasets, rows


def _on_planes(
    path: Path, headers: Sequence[Header], grid: Grid, shape: tuple[int, ...], source: Path
) -> dict[int, Header]:
    """The slice of a series that lies at each plane of a grid; of several at one place the one that is opened."""
    placed = [(row, header) for header in headers if (row := _row(header, grid, shape)) is not None]
    if len({row for row, _ in placed}) < len(placed):
        itself = {header for _, header in placed if header.path == source}
        opened = itself if itself and shape[0] == 1 else _opened(path, headers, source)
        placed = [(row, header) for row, header in placed if header in opened]
    return dict(placed)


def _row(header: Header, grid: Grid, shape: tuple[int, ...]) -> int | None:
    """At which plane of a grid a slice lies; None where it lies at none, or is of another size."""
    position = np.asarray(numbers(header.dataset, "ImagePositionPatient", 3), float)
    place = np.linalg.solve(grid.direction, position - grid.origin) / grid.spacing
    row = round(float(place[2]))
    on_grid = np.abs(place - [0, 0, row]) @ np.abs(grid.spacing) <= SAME_PLACE
    return row if on_grid and 0 <= row < shape[0] and header.shape[1:3] == shape[1:] else None


def _opened(path: Path, headers: Sequence[Header], source: Path) -> set[Header]:
    """The slices that are opened of a series with several at one place (echoes, times): labels are of these."""
    planes = [plane for header in headers for plane in planes_of(header)]
    with suppress(ReadError):
        opened = {plane.header for plane in main_box(planes).planes}
        if source in {header.path for header in opened} or source not in {header.path for header in headers}:
            return opened
    raise WriteError(
        f"Cannot write {shown(path)}: it refers to the slices that were segmented, and of those in {source.name} "
        "several lie at one place (echoes, times), so that it is not certain which they were. Put them into a folder "
        "of their own."
    )


def _headers(path: Path, source: Path) -> Iterable[Header]:
    """Slices in a folder, or in the folder of a file, that say where they lie."""
    folder = source if source.is_dir() else source.parent
    for file in sorted(folder.iterdir()):
        try:
            if not file.is_file() or not is_dicom(file):
                continue
            header = read_header(file)
        except (ReadError, OSError):
            continue
        if file == source and header.frames > 1:
            raise WriteError(
                f"Cannot write {shown(path)}: it would refer to frames of one file (enhanced DICOM), which is not "
                "written here. Save NIfTI or .seg.nrrd."
            )
        if numbers(header.dataset, "ImagePositionPatient", 3) and words(header.dataset, "Rows"):
            yield header


def _completed(header: Header) -> Any:
    """A header with what some series say in the files' own header only, and with what may be empty."""
    dataset = header.dataset
    for name in ("SOPClassUID", "SOPInstanceUID"):
        if not any(words(dataset, name)):
            setattr(dataset, name, dataset.file_meta.get(f"MediaStorage{name}", ""))
    for name in _MAY_BE_EMPTY:
        if name not in dataset:
            setattr(dataset, name, "")
    if not set(words(dataset, "PatientSex")) <= {"M", "F", "O", ""}:
        dataset.PatientSex = ""
    for name, form in (("PatientBirthDate", r"(\d{8})?"), ("StudyDate", r"(\d{8})?"), ("StudyTime", r"[\d.]*")):
        if not re.fullmatch(form, "".join(words(dataset, name))):
            setattr(dataset, name, "")
    return dataset


def _check_uids(path: Path, datasets: Sequence[Any], source: Path) -> None:
    """Refuse slices that nothing can refer to: labels would belong to no image, or to another one."""
    uids = {name: ["".join(words(dataset, name)) for dataset in datasets] for name in _UIDS}
    lacking = [name for name, found in uids.items() if not all(re.fullmatch(r"[\d.]{1,64}", uid) for uid in found)]
    if len(set(uids["SOPInstanceUID"])) < len(datasets):
        lacking.append("a SOPInstanceUID of its own for each slice")
    if lacking:
        raise WriteError(
            f"Cannot write {shown(path)}: it refers to the slices of {source.name} by their UIDs, which are missing or "
            f"not valid there: {', '.join(dict.fromkeys(lacking))}. Save NIfTI or .seg.nrrd, or give the series UIDs."
        )


def numbered(array: NDArray[Any], segments: Sequence[Segment]) -> NDArray[np.uint16]:
    """Number the segments of a label array.

    Parameters
    ----------
    array : numpy.ndarray
        Labels of any size, which may be large numbers.
    segments : sequence of Segment
        At least one, at most 65535.

    Returns
    -------
    numpy.ndarray
        Of the same shape: 1 for the first segment's label, 2 for the second's and so on; 0 for all others.
    """
    labels = np.array([segment.label for segment in segments], np.int64)
    order = np.argsort(labels)
    places = np.minimum(np.searchsorted(labels, array, sorter=order), len(labels) - 1)
    return np.where(labels[order][places] == array, order[places] + 1, 0).astype(np.uint16)


def text_for_dicom(segment: Segment) -> str:
    """Return the name of a segment as an element of DICOM can hold it.

    Parameters
    ----------
    segment : Segment
        With any name.

    Returns
    -------
    str
        At most 64 letters, without backslashes and what cannot be printed; "Label 3" where nothing is left.
    """
    name = "".join(letter for letter in segment.name.replace("\\", "/") if letter.isprintable())
    return name[:_MOST_LETTERS].strip() or f"Label {segment.label}"


@contextmanager
def untold() -> Iterator[None]:
    """Keep libraries from printing what they complain about: their words quote headers, patients' names included.

    Yields
    ------
    None
        In the body neither pydicom nor highdicom warns or logs.
    """
    loggers = [logging.getLogger(name) for name in ("pydicom", "highdicom")]
    before = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL + 1)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for logger, level in zip(loggers, before, strict=True):
            logger.setLevel(level)
