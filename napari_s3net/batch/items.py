"""Which files and DICOM series a batch works on, and what their results are called."""

from __future__ import annotations

import fnmatch
import hashlib
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from napari_s3net.batch.plan import KINDS, Plan
from napari_s3net.errors import ReadError
from napari_s3net.io.listing import (
    data_files,
    files_in,
    images_among,
    is_hidden,
    left_out_text,
    others_among,
    sort_dicom,
    unique_stems,
)

#: Folders of ours inside the output, which are never an input.
OURS = (*KINDS[:3], "thumbnails", "settings", "corrected")


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
    files : tuple of str
        The names of the series' files.
    is_whole : bool
        Whether the path names this image alone; False for one of several series in a folder.
    """

    file: str
    path: Path
    stem: str
    series: str | None = None
    files: tuple[str, ...] = ()
    is_whole: bool = True


def find_items(plan: Plan) -> list[Item]:
    """List what there is to do, by name. What cannot be read is listed too, so that its row tells the reason.

    Parameters
    ----------
    plan : Plan
        Source, output, pattern, and whether folders within count.

    Returns
    -------
    list of Item
        Folder by folder, files before DICOM series; hidden files and folders of results are left out.

    Raises
    ------
    ReadError
        If the source is no folder, lies inside the results, is the output folder itself, or holds nothing to read.
    """
    source, output = Path(os.path.abspath(plan.source)), plan.output.resolve()  # noqa: PTH100 - a link keeps its name
    if not source.is_dir():
        raise ReadError(f"The input {plan.source} is not a folder.")
    if source.resolve() == output or any(source.resolve().is_relative_to(output / name) for name in OURS):
        raise ReadError(f"The output folder {plan.output} has to be another one than the input.")
    items = [item for folder in _folders(source, output, plan.recursive) for item in _items_in(folder, source, plan)]
    if not items:
        where = f"{plan.source}{' and its folders' if plan.recursive else ''}"
        what = f"matches {plan.pattern}" if plan.pattern else "is an image that can be read"
        within = "" if plan.recursive else " Folders within are left out."
        others = what_is_left_out(plan)
        raise ReadError(f"Nothing in {where} {what}.{within}{f' Also {others}.' if others else ''}")
    return items


def what_is_left_out(plan: Plan) -> str:
    """Say of which formats a batch leaves files out, since nothing here reads them.

    Parameters
    ----------
    plan : Plan
        With a pattern, what it does not match was not asked for.

    Returns
    -------
    str
        "left out: 2 .heic, 1 .txt"; empty where there are none.
    """
    source, output = Path(os.path.abspath(plan.source)), plan.output.resolve()  # noqa: PTH100 - as in `find_items`
    if plan.pattern:
        return ""
    return left_out_text(path for folder in _folders(source, output, plan.recursive) for path in _others_in(folder))


def _others_in(folder: Path) -> list[Path]:
    """What is left out of one folder; of one that cannot be looked into its row tells."""
    with suppress(OSError):
        return others_among(files_in(folder))
    return []


def _folders(source: Path, output: Path, recursive: bool) -> Iterator[Path]:
    """The source, and where asked for its folders without hidden ones and without results; each before those in it.

    A link to a folder elsewhere is followed, once. One that leads to a folder within the source is not, for that folder
    has its turn; nor is one to a folder around the source, which would lead in a circle.
    """
    root = source.resolve()
    results = {output / name for name in OURS} if root.is_relative_to(output) else {output}
    seen = {root}

    def is_new(folder: Path) -> bool:
        real = folder.resolve()
        if real in results or real in seen:
            return False
        if folder.is_symlink() and (real.is_relative_to(root) or root.is_relative_to(real)):
            return False
        seen.add(real)
        return True

    for folder, names, _ in os.walk(source, followlinks=True):
        names[:] = sorted(n for n in names if recursive and not n.startswith(".") and is_new(Path(folder, n)))
        yield Path(folder)


def _items_in(folder: Path, source: Path, plan: Plan) -> list[Item]:
    """The images of one folder, and its DICOM series."""
    parent = folder.relative_to(source).as_posix()
    parent = "" if parent == "." else f"{parent}/"
    try:
        files = files_in(folder)
    except OSError:
        return [Item(parent.rstrip("/") or folder.name, folder, parent.rstrip("/") or folder.name)]
    if plan.pattern:
        files = [path for path in files if _matches(path, parent, plan.pattern)]
        images = [path for path in files if not is_hidden(path)]
    else:
        images = images_among(files)
    images, series = sort_dicom(images)
    found = [Item(f"{parent}{p.name}", p, f"{parent}{s}") for p, s in zip(images, unique_stems(images), strict=True)]
    # A series is called like its folder, beside which nothing else of that name can be.
    name = folder.name if folder == source else "series"
    taken = {item.stem.casefold() for item in found}
    for n, (identity, its_files) in enumerate(series.items(), 1):
        stem = f"{name}-{n}" if len(series) > 1 else name
        while f"{parent}{stem}".casefold() in taken:
            stem += "-dicom"
        names = tuple(path.name for path in its_files)
        found.append(Item(f"{parent}{stem}", folder, f"{parent}{stem}", identity, names, len(series) == 1))
    return found


def _matches(path: Path, parent: str, pattern: str) -> bool:
    """Whether the name, or for a pattern with a slash the path, is one that was asked for."""
    return fnmatch.fnmatch(f"{parent}{path.name}" if "/" in pattern else path.name, pattern)


#: What results end in; of further formats, see `export.formats`.
_ENDINGS = r"nii\.gz|png|jpg|seg\.dcm|rtstruct\.dcm|seg\.nrrd|coco\.json|stl|ply"


def stem_of(path: str) -> str:
    """Return the stem of an item, from the path of one of its results.

    Parameters
    ----------
    path : str
        Path below the output folder, such as "labels/a/b.nii.gz".

    Returns
    -------
    str
        Without the first folder and without .nii.gz, .png, .jpg or the ending of a further format: "a/b".
    """
    return re.sub(rf"\.({_ENDINGS})$", "", path.partition("/")[2])


def input_digest(path: Path, files: Sequence[str] = ()) -> str:
    """Check sum of an image: of all the files that it is made of.

    Parameters
    ----------
    path : Path
        Its file, or the folder of its series.
    files : sequence of str
        The names of the series' files.

    Returns
    -------
    str
        Of a file that stands alone a check sum of its content; else of names and contents.

    Raises
    ------
    OSError
        If something of it cannot be read.
    """
    if path.is_dir():
        return _joint_digest([path / name for name in files] or [p for p in path.iterdir() if p.is_file()])
    others = data_files(path)
    return _joint_digest([path, *others]) if others else _digest(path)


def _joint_digest(files: Iterable[Path]) -> str:
    """Check sum of names and contents."""
    total = hashlib.blake2b(digest_size=16)
    for file in sorted(files):
        total.update(os.fsencode(file.name) + b"\0" + _digest(file).encode())
    return total.hexdigest()


def _digest(path: Path) -> str:
    """Check sum of the content of a file."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, lambda: hashlib.blake2b(digest_size=16)).hexdigest()
