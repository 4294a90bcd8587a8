"""What the user named on the command line, as single inputs, each with a name of its own for its results."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from napari_s3net.errors import ReadError
from napari_s3net.io import series_in
from napari_s3net.io.listing import images_among, unique_stems


@dataclass(frozen=True)
class Input:
    """A file or a DICOM folder.

    Parameters
    ----------
    path : Path
        Where it is.
    stem : str
        What its results are called.
    """

    path: Path
    stem: str


def find_inputs(paths: Iterable[Path]) -> list[Input]:
    """List the inputs: files, folders that hold DICOM, and the images in any other folder (not in folders within).

    What cannot be read is listed too, so that reading it tells the reason.
    """
    found = {path.resolve(): path for named in paths for path in _expand(named)}
    return [Input(path, name) for path, name in zip(found.values(), unique_stems(list(found)), strict=True)]


def _expand(path: Path) -> list[Path]:
    """A folder without DICOM as its images, anything else as it is."""
    try:
        if not path.is_dir() or series_in(path):
            return [path]
        return images_among(sorted(p for p in path.iterdir() if p.is_file())) or [path]
    except (ReadError, OSError):
        return [path]
