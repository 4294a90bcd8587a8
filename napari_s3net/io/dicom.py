"""Folders of DICOM files: which series there are, and one series as a volume."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from napari_s3net.errors import AmbiguousSeriesError, ReadError, ReadWarning, UnsupportedFormatError
from napari_s3net.image import Image
from napari_s3net.io.medical import MODALITY, open_reader, plain_folder, read_volume, tag_word, to_image, value_bytes
from napari_s3net.io.validation.dicom import check_dicom
from napari_s3net.io.validation.limits import check_memory, shown

_POSITION = "0020|0032"
#: Numbers that tell series apart; free text such as the series' description may hold a name and is left out.
_NUMBERS = {"0018|0050": "{} mm thick", "0018|0080": "TR {} ms", "0018|0081": "TE {} ms"}
#: Distances between slices that differ by more than this share are worth a word.
_UNEVEN = 0.1


def list_series(folder: Path) -> list[tuple[str, str]]:
    """Ids of the image series in a folder, each with a description that holds no patient data."""
    with plain_folder(folder) as plain:
        found = [(i, _describe(_files(plain, i))) for i in sitk.ImageSeriesReader.GetGDCMSeriesIDs(str(plain))]
    return [(i, text) for i, text in found if text]


def read_series(folder: Path, series: str | None, name: str) -> Image:
    """Read the only series of a folder, or the one that was asked for.

    Raises
    ------
    UnsupportedFormatError
        If there are no DICOM images.
    AmbiguousSeriesError
        If there are several series and none was chosen.
    ReadError
        If there is no such series, or its files do not make a volume.
    """
    inside = list(folder.iterdir())
    for path in inside:
        if path.is_file():
            _check_whole(path)
    found = dict(list_series(folder))
    if not found:
        folders = sum(p.is_dir() for p in inside)
        raise UnsupportedFormatError(
            f"this folder holds no DICOM images ({len(inside) - folders} other files, {folders} folders). "
            "Open one of its files or folders instead."
        )
    listing = "; ".join(f"{i or '(no id)'}: {text}" for i, text in found.items())
    if series is None and len(found) > 1:
        raise AmbiguousSeriesError(
            f"it holds {len(found)} series. Choose one by its id (series=…), or give each its own folder. {listing}.",
            tuple(found.items()),
        )
    if series is not None and series not in found:
        raise ReadError(f"it holds no series {series!r}. It holds {listing}.")
    with plain_folder(folder) as plain:
        return _read_files(_files(plain, next(iter(found)) if series is None else series), name)


def _check_whole(path: Path) -> None:
    """Refuse a folder in which a file was cut off: its slice would be missing without a word."""
    try:
        check_dicom(path)
    except ReadError as error:
        raise ReadError(f"in its file {shown(path)} {error}") from None


def _files(folder: Path, series: str) -> tuple[str, ...]:
    """The files of a series, sorted by their place in space."""
    return tuple(sitk.ImageSeriesReader.GetGDCMSeriesFileNames(str(folder), series))


def _describe(files: tuple[str, ...]) -> str:
    """Kind, number and size of a series; empty where it holds no images (reports, structures)."""
    try:
        reader = open_reader(Path(files[0]), "dicom")
    except (IndexError, RuntimeError):
        return ""
    size = reader.GetSize()
    number = tag_word(reader, "0020|0011")
    parts = [tag_word(reader, MODALITY) or "image", f"series {number}" if number else ""]
    parts += [f"{len(files)} {'file' if len(files) == 1 else 'files'} of {size[0]} × {size[1]}"]
    parts += [text.format(tag_word(reader, tag)) for tag, text in _NUMBERS.items() if tag_word(reader, tag)]
    return ", ".join(filter(None, parts))


def _read_files(files: tuple[str, ...], name: str) -> Image:
    """The volume that the files of a series make."""
    if len(files) == 1:
        return read_volume(Path(files[0]), "dicom", name)
    first = open_reader(Path(files[0]), "dicom")
    check_memory((*first.GetSize(), len(files), first.GetNumberOfComponents()), value_bytes(first))
    reader = sitk.ImageSeriesReader()
    reader.SetImageIO("GDCMImageIO")
    reader.SetFileNames(files)
    reader.MetaDataDictionaryArrayUpdateOn()
    image = reader.Execute()
    _check_positions(reader, image, len(files))
    return to_image(image, name, tag_word(first, MODALITY))


def _check_positions(reader: sitk.ImageSeriesReader, image: sitk.Image, n: int) -> None:
    """Refuse slices that lie on one another; say so where some seem to be missing."""
    if not all(reader.HasMetaDataKey(i, _POSITION) for i in range(n)):
        return
    places = np.array([[float(x) for x in reader.GetMetaData(i, _POSITION).split("\\")] for i in range(n)])
    gaps = np.abs(np.diff(places @ np.array(image.GetDirection())[2::3]))
    if gaps.min() < 1e-3:
        raise ReadError(
            "several of its images lie at the same place (a time series, or several echoes); this is not read here."
        )
    if np.ptp(gaps) > _UNEVEN * np.median(gaps):
        warnings.warn(
            f"its slices are unevenly spaced, {gaps.min():.3g} to {gaps.max():.3g} mm: some may be missing.",
            ReadWarning,
            stacklevel=2,
        )
