"""Turn what the user named on the command line into single inputs, each with a name of its own for its results."""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from napari_s3net.io.listing import files_in, images_among, left_out_text, others_among, sort_dicom, unique_stems


@dataclass(frozen=True)
class Input:
    """A file or a DICOM folder.

    Parameters
    ----------
    path : Path
        Where it is.
    stem : str
        What its results are called.
    files : tuple of str
        The names of the files of a folder's only series, so that no other is looked into again; empty otherwise.
    """

    path: Path
    stem: str
    files: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """What the user calls it: the name of the file or link that was named, not of what a link leads to."""
        return self.path.name


def find_inputs(paths: Iterable[Path]) -> list[Input]:
    """List the inputs: files, folders that hold DICOM series, and the other images of a folder (not in folders within).

    Parameters
    ----------
    paths : iterable of Path
        Files and folders, as given on the command line.

    Returns
    -------
    list of Input
        In the order given, each path once, links under their own names. What cannot be read is listed too, so that
        reading it tells the reason.
    """
    found: dict[Path, tuple[str, ...]] = {}
    for named in paths:
        for path, files in _expand(named):
            found.setdefault(Path(os.path.abspath(path)), files)  # noqa: PTH100
    stems = unique_stems(list(found))
    return [Input(path, stem, files) for (path, files), stem in zip(found.items(), stems, strict=True)]


def left_out_of(paths: Iterable[Path]) -> list[str]:
    """Say which files of the folders that were named are left out, since nothing here reads their formats.

    Parameters
    ----------
    paths : iterable of Path
        As for `find_inputs`.

    Returns
    -------
    list of str
        "photos: left out: 2 .heic, 1 .txt" for each folder that holds such files.
    """
    found = []
    for folder in paths:
        with suppress(OSError):
            if folder.is_dir() and (words := left_out_text(others_among(files_in(folder)))):
                found.append(f"{folder}: {words}")
    return found


def _expand(path: Path) -> list[tuple[Path, tuple[str, ...]]]:
    """A folder as its images, itself for its DICOM series, with the files where it is one; anything else as it is."""
    try:
        if not path.is_dir():
            return [(path, ())]
        singles, series = sort_dicom(images_among(files_in(path)))
    except OSError:
        return [(path, ())]
    only = tuple(file.name for file in next(iter(series.values()))) if len(series) == 1 else ()
    return [*([(path, only)] if series or not singles else []), *((single, ()) for single in singles)]
