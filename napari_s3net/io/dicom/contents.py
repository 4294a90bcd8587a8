"""What a DICOM folder or directory file holds: which files belong together, and which stand for themselves."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from napari_s3net.errors import ReadError
from napari_s3net.io.dicom.boxes import SLICES
from napari_s3net.io.dicom.header import Header, code, items, read_header, why_no_image, words
from napari_s3net.io.validation.dicom import find_pixels
from napari_s3net.io.validation.headers import is_dicom

#: What differs in the names of the slices of a series.
_NUMBERED = re.compile(r"\d+")
_NO_DICOM = "it is no DICOM file, though it is named as the others are. It was probably damaged while copying."
#: Numbers that tell series apart; free text such as the series' description may hold a name and is left out.
_NUMBERS = {"SliceThickness": "{} mm thick", "RepetitionTime": "TR {} ms", "EchoTime": "TE {} ms"}


@dataclass
class Contents:
    """What a folder or a directory file holds.

    Parameters
    ----------
    series : dict of str to list of Header
        Images that belong together, by their id, sorted by it.
    singles : list of Header
        Images that stand for themselves: photographs, radiographs, screens.
    damaged : dict of Path to ReadError
        DICOM files that cannot be read, and files that are named like slices and are none.
    others, folders : int
        How many more files and folders there are.
    missing : int
        How many files a directory file names that are not in its folder.
    """

    series: dict[str, list[Header]] = field(default_factory=dict)
    singles: list[Header] = field(default_factory=list)
    damaged: dict[Path, ReadError] = field(default_factory=dict)
    others: int = 0
    folders: int = 0
    missing: int = 0

    @property
    def loss(self) -> str:
        """What a directory file names and nobody will see; empty where nothing is missing."""
        return f"{self.missing} of the files that it names are not in its folder." if self.missing else ""


def look_into(path: Path, names: Sequence[str] = ()) -> Contents:
    """Read the header of each DICOM file once, and sort the files into series.

    Parameters
    ----------
    path : Path
        A folder, of which its own files are looked at, or a DICOMDIR, of which those that it names.
    names : sequence of str
        Of the files of the folder that are looked at; all where none are given.

    Returns
    -------
    Contents
        Series, single images and damaged files.
    """
    contents = Contents()
    found: dict[str, list[Header]] = {}
    strangers = []
    files, contents.missing = _files_of(path, names)
    for file in files:
        if file.is_dir():
            contents.folders += 1
            continue
        try:
            header = read_header(file) if is_dicom(file) else None
            if header is None or (why_no_image(header) and not is_cut_off(header)):
                contents.others += 1
                strangers += [file] if header is None else []
                continue
            _check_length(header)
        except ReadError as error:
            contents.damaged[file] = error
        else:
            found.setdefault(str(header.dataset.get("SeriesInstanceUID", "")), []).append(header)
    like_slices = {_NUMBERED.sub("#", header.path.name) for headers in found.values() for header in headers}
    for file in strangers:
        if not path.is_dir() or _NUMBERED.sub("#", file.name) in like_slices:
            contents.damaged[file] = ReadError(_NO_DICOM if file.stat().st_size else "it is empty (0 bytes).")
    for identity, headers in sorted(found.items()):
        if all(stands_alone(header) for header in headers):
            contents.singles += headers
        else:
            contents.series[identity] = headers
    return contents


def _files_of(path: Path, names: Sequence[str]) -> tuple[list[Path], int]:
    """The files of a folder, or some of them by name, or those that a DICOMDIR names; and how many are missing."""
    if not path.is_dir():
        return _named_in(path)
    return sorted(path / name for name in names) if names else sorted(path.iterdir()), 0


def is_cut_off(header: Header) -> bool:
    """Whether a header without pixels is one that has lost them.

    Parameters
    ----------
    header : Header
        Of the file.

    Returns
    -------
    bool
        By the reason why it is no image.
    """
    return "cut off" in why_no_image(header)


def _check_length(header: Header) -> None:
    """Refuse a file that ends within its pixels, as far as that can be told without reading them."""
    if reason := why_no_image(header):
        raise ReadError(reason)
    implicit, little = header.dataset.original_encoding
    if header.start is not None and not header.syntax.is_deflated:
        find_pixels(header.path, header.start, implicit=bool(implicit), little=bool(little))


def stands_alone(header: Header) -> bool:
    """Whether an image is no slice: one frame, without a place in space, and not of a modality that takes slices.

    Parameters
    ----------
    header : Header
        Of the file.

    Returns
    -------
    bool
        Whether it is shown by itself.
    """
    placed = words(header.dataset, "ImagePositionPatient") and words(header.dataset, "ImageOrientationPatient")
    return header.frames == 1 and not placed and header.modality not in SLICES


def _named_in(directory: Path) -> tuple[list[Path], int]:
    """The files that a DICOMDIR names and that are there, none outside its own folder; and how many are not."""
    root, paths, missing = directory.parent.resolve(), [], set()
    for record in items(read_header(directory).dataset, "DirectoryRecordSequence"):
        names = words(record, "ReferencedFileID")
        path = root.joinpath(*names).resolve()
        if path != root and path.is_relative_to(root) and path.is_file():
            paths.append(path)
        elif names:
            missing.add(path)
    return list(dict.fromkeys(paths)), len(missing)


def list_series(contents: Contents) -> list[tuple[str, str]]:
    """List the image series with a description that holds no patient data.

    Parameters
    ----------
    contents : Contents
        Of a folder or DICOMDIR.

    Returns
    -------
    list of (str, str)
        Id (its SeriesInstanceUID) and description of each, such as "CT, series 3, 120 files of 512 × 512".
    """
    return [(identity, _describe(headers)) for identity, headers in contents.series.items()]


def _describe(headers: Sequence[Header]) -> str:
    """Kind, number and size of a series."""
    first = headers[0]
    _, rows, columns, _ = first.shape
    number = code(first.dataset, "SeriesNumber")
    parts = [first.modality or "image", f"series {number}" if number else ""]
    parts += [f"{len(headers)} {'file' if len(headers) == 1 else 'files'} of {columns} × {rows}"]
    parts += [text.format(found) for tag, text in _NUMBERS.items() if (found := code(first.dataset, tag))]
    return ", ".join(filter(None, parts))
