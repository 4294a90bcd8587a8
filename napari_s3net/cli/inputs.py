"""What the user named on the command line, as single inputs, each with a name of its own for its results."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from napari_s3net.errors import ReadError
from napari_s3net.io import is_readable, series_in
from napari_s3net.io.headers import stem

#: What is appended to a stem for results; in a folder, such files beside their image are not images.
RESULTS = ("_labels", "_mask", "_overlay")


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
    return [Input(path, name) for path, name in zip(found.values(), _names(list(found)), strict=True)]


def _expand(path: Path) -> list[Path]:
    """A folder without DICOM as its images, anything else as it is."""
    try:
        if not path.is_dir() or series_in(path):
            return [path]
        files = sorted(p for p in path.iterdir() if p.is_file() and not p.name.startswith(".") and is_readable(p))
    except (ReadError, OSError):
        return [path]
    stems = {stem(p) for p in files}
    images = [p for p in files if not any(_base(stem(p), end) in stems for end in RESULTS) and not _is_second(p)]
    return images or [path]


def _base(name: str, end: str) -> str | None:
    """The name that an ending was appended to; None where it was not."""
    return name.removesuffix(end) if name.endswith(end) else None


def _is_second(path: Path) -> bool:
    """Whether this is the pixels of a header that stands beside it."""
    return path.suffix.lower() == ".img" and path.with_suffix(".hdr").exists()


def _names(paths: list[Path]) -> list[str]:
    """A name for each path, different even where letters differ only in case; no longer than it takes."""
    names = [stem(path) for path in paths]
    for longer in (
        lambda path: path.name.replace(".", "_"),
        lambda path: f"{path.parent.name}_{path.name.replace('.', '_')}",
        lambda path: f"{path.name.replace('.', '_')}_{paths.index(path) + 1}",
    ):
        count = Counter(name.casefold() for name in names)
        names = [longer(path) if count[name.casefold()] > 1 else name for path, name in zip(paths, names, strict=True)]
    return names
