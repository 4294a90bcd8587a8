"""Which files and DICOM series a batch works on, and what their results are called."""

from __future__ import annotations

import fnmatch
import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from napari_s3net.batch.plan import KINDS, Plan
from napari_s3net.errors import ReadError
from napari_s3net.io import series_in
from napari_s3net.io.listing import images_among, is_hidden, unique_stems
from napari_s3net.io.validation import headers

#: Folders of ours inside the output, which are never an input.
OURS = (*KINDS[:3], "thumbnails", "settings", "corrected")
_DICOM = (".dcm", ".dicom", ".ima", "")


@dataclass(frozen=True)
class Item:
    """A file, or a DICOM series.

    Parameters
    ----------
    file : str
        Its name in the report: the path below the source folder, with slashes; of one of several series in a folder
        with its number behind.
    path : Path
        Of the file or folder.
    stem : str
        Path of its results without suffix, different for each item.
    series : str or None
        Which series of the folder.
    """

    file: str
    path: Path
    stem: str
    series: str | None = None


def find_items(plan: Plan) -> list[Item]:
    """List what there is to do, by name. What cannot be read is listed too, so that its row tells the reason.

    Raises
    ------
    ReadError
        If the source is no folder, lies inside the results, is the output folder itself, or holds nothing to read.
    """
    source, output = plan.source.resolve(), plan.output.resolve()
    if not source.is_dir():
        raise ReadError(f"The input {plan.source} is not a folder.")
    if source == output or any(source.is_relative_to(output / name) for name in OURS):
        raise ReadError(f"The output folder {plan.output} has to be another one than the input.")
    items = [item for folder in _folders(source, output, plan.recursive) for item in _items_in(folder, source, plan)]
    if not items:
        where = f"{plan.source}{' and its folders' if plan.recursive else ''}"
        what = f"matches {plan.pattern}" if plan.pattern else "is an image that can be read"
        raise ReadError(f"Nothing in {where} {what}.{'' if plan.recursive else ' Folders within are left out.'}")
    return items


def _folders(source: Path, output: Path, recursive: bool) -> Iterator[Path]:
    """The source, and where asked for its folders without hidden ones and without results; each before those in it."""
    results = {output / name for name in OURS} if source.is_relative_to(output) else {output}
    for root, names, _ in os.walk(source):
        names[:] = sorted(n for n in names if recursive and not n.startswith(".") and Path(root, n) not in results)
        yield Path(root)


def _items_in(folder: Path, source: Path, plan: Plan) -> list[Item]:
    """The images of one folder, and its DICOM series."""
    parent = folder.relative_to(source).as_posix()
    parent = "" if parent == "." else f"{parent}/"
    try:
        files = sorted(path for path in folder.iterdir() if path.is_file())
    except OSError:
        return [Item(parent.rstrip("/") or folder.name, folder, parent.rstrip("/") or folder.name)]
    if plan.pattern:
        files = [path for path in files if _matches(path, parent, plan.pattern)]
        images = [path for path in files if not is_hidden(path)]
    else:
        images = images_among(files)
    slices = [path for path in images if _is_dicom(path)]
    series = _series(folder) if slices else []
    images = [path for path in images if path not in slices] if series else images
    found = [Item(f"{parent}{p.name}", p, f"{parent}{s}") for p, s in zip(images, unique_stems(images), strict=True)]
    # A series is called like its folder, beside which nothing else of that name can be.
    name = folder.name if folder == source else "series"
    taken = {item.stem.casefold() for item in found}
    for n, identity in enumerate(series, 1):
        stem = f"{name}-{n}" if len(series) > 1 else name
        while f"{parent}{stem}".casefold() in taken:
            stem += "-dicom"
        found.append(Item(f"{parent}{stem}", folder, f"{parent}{stem}", identity))
    return found


def _matches(path: Path, parent: str, pattern: str) -> bool:
    """Whether the name, or for a pattern with a slash the path, is one that was asked for."""
    return fnmatch.fnmatch(f"{parent}{path.name}" if "/" in pattern else path.name, pattern)


def _is_dicom(path: Path) -> bool:
    """Whether a file may be a slice of a series; looks into it only where its name does not tell otherwise."""
    if path.suffix.lower() not in _DICOM and headers.stem(path) != path.name:
        return False
    try:
        return headers.sniff(path) == "dicom"
    except (ReadError, OSError):
        return False


def _series(folder: Path) -> list[str]:
    """The ids of the series in a folder that holds DICOM."""
    try:
        return [identity for identity, _ in series_in(folder)]
    except ReadError:
        return []


def stem_of(path: str) -> str:
    """The stem of an item, from the path of one of its results."""
    return path.partition("/")[2].removesuffix(".nii.gz").removesuffix(".png").removesuffix(".jpg")


def input_digest(path: Path) -> str:
    """Check sum of a file, or of the names and contents of the files in a folder; `OSError` if it cannot be read."""
    total = hashlib.blake2b(digest_size=16)
    if path.is_dir():
        for file in sorted(p for p in path.iterdir() if p.is_file()):
            total.update(os.fsencode(file.name) + b"\0" + input_digest(file).encode())
    else:
        with path.open("rb") as stream:
            while block := stream.read(1 << 20):
                total.update(block)
    return total.hexdigest()
