"""Which files of a folder are images, what belongs to each, and what their results are called."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from html import unescape
from pathlib import Path

from napari_s3net.errors import ReadError
from napari_s3net.io.read import dicom_in
from napari_s3net.io.validation.headers import is_readable, sniff, stem

#: What is appended to a stem for results; in a folder, such files beside their image are not images.
RESULTS = ("_labels", "_mask", "_overlay", ".seg", ".rtstruct")
#: Names that DICOM files have; any other file of a known format's name is not looked into.
_DICOM = (".dcm", ".dicom", ".ima", "")
#: Where headers name the files that hold their pixels: MetaImage, NRRD, OME-TIFF.
_NAMED = re.compile(
    rb"^[ \t]*(?:ElementDataFile[ \t]*=|data ?file:)[ \t]*([^\r\n]+?)[ \t\r]*$|FileName\s*=\s*[\"']([^\"']+)[\"']",
    re.MULTILINE,
)
_HEAD_BYTES = 1 << 20
#: The two files of an Analyze or a NIfTI pair.
_HEADER, _PIXELS = (re.compile(rf"(?i)\.{end}(\.gz)?$") for end in ("hdr", "img"))


def files_in(folder: Path) -> list[Path]:
    """List the files of a folder, not those of the folders inside.

    Parameters
    ----------
    folder : Path
        The folder.

    Returns
    -------
    list of Path
        By name. A link that leads nowhere is one of them: whoever reads it says so, and it is not left out in silence.

    Raises
    ------
    OSError
        If the folder cannot be looked into.
    """
    return sorted(path for path in folder.iterdir() if path.is_file() or not path.exists())


def images_among(files: Iterable[Path]) -> list[Path]:
    """Choose the images of a folder, without hidden files and without results that lie beside their image.

    Parameters
    ----------
    files : iterable of Path
        Of one folder.

    Returns
    -------
    list of Path
        In the order given, a .hdr with its .img as the .hdr alone. They are told by name or content, and may be
        damaged.
    """
    files = [path for path in files if not is_hidden(path) and is_readable(path)]
    stems = [stem(path) for path in files]
    known = set(stems)
    is_result = [any(_base(name, end) in known for end in RESULTS) for name in stems]
    headers = {name for name, path in zip(stems, files, strict=True) if _HEADER.search(path.name)}
    is_second = [name in headers and bool(_PIXELS.search(path.name)) for name, path in zip(stems, files, strict=True)]
    return [p for p, *left_out in zip(files, is_result, is_second, strict=True) if not any(left_out)]


def others_among(files: Iterable[Path]) -> list[Path]:
    """Choose the files of a folder that nothing here reads, so that it can be said that they are left out.

    Parameters
    ----------
    files : iterable of Path
        Of one folder.

    Returns
    -------
    list of Path
        In the order given, without hidden files and without those that belong to an image, such as the .raw of a .mhd.
    """
    files = [path for path in files if not is_hidden(path)]
    others = [path for path in files if not is_readable(path)]
    images = set(files).difference(others) if others else ()
    belonging = {part for image in images for part in data_files(image)}
    return [path for path in others if path not in belonging]


def left_out_text(others: Iterable[Path]) -> str:
    """Say of which formats files are left out.

    Parameters
    ----------
    others : iterable of Path
        From `others_among`, of one folder or many.

    Returns
    -------
    str
        "left out: 2 .heic, 1 .txt", the most frequent first; empty where there are none.
    """
    kinds = Counter(path.suffix.lower() or "without a suffix" for path in others)
    counts = ", ".join(f"{count:,} {kind}" for kind, count in kinds.most_common())
    return counts and f"left out: {counts}"


def sort_dicom(images: Sequence[Path]) -> tuple[list[Path], dict[str, tuple[Path, ...]]]:
    """Tell the images of one folder that stand for themselves from the slices of its DICOM series.

    Parameters
    ----------
    images : sequence of Path
        Files of one folder.

    Returns
    -------
    singles : list of Path
        Photographs, volumes, DICOM files of one image, and what cannot be read; in the order given. DICOM objects that
        are no image (reports, structures) are left out where there are images beside them.
    series : dict of str to tuple of Path
        The files of each series of several files, by its id.
    """
    dicom = {path for path in images if _may_be_dicom(path)}
    if not dicom:
        return list(images), {}
    try:
        found = dicom_in(images[0].parent)
    except ReadError:
        return list(images), {}
    named = {path.absolute(): path for path in images}  # as they were named; those of the list are absolute

    def given(files: Sequence[Path]) -> tuple[Path, ...]:
        return tuple(named.get(file, file) for file in files)

    alone = given([*found.singles, *(one.files[0] for one in found.series if len(one.files) == 1)])
    damaged = given(found.damaged)
    # A damaged file may belong to any series: with it each is refused, for its slice would be missing without a word.
    series = {
        one.identity: (*given(one.files), *damaged)
        for one in found.series
        if len(one.files) > 1 and not dicom.isdisjoint(given(one.files))
    }
    if alone or series:
        left_out = dicom - {*alone, *damaged}
        images = [path for path in images if path not in left_out]
    return list(images), series


def _may_be_dicom(path: Path) -> bool:
    """Whether a file is DICOM; looks into it only where its name does not tell otherwise."""
    if path.suffix.lower() not in _DICOM and stem(path) != path.name:
        return False
    try:
        return sniff(path) == "dicom"
    except (ReadError, OSError):
        return False


def data_files(path: Path) -> list[Path]:
    """The other files that an image consists of: the .raw of a .mhd, the .img of a .hdr, the neighbours of an OME-TIFF.

    Parameters
    ----------
    path : Path
        An image file.

    Returns
    -------
    list of Path
        Those that are there, in its own folder (no other is ever opened), by name.
    """
    if re.search(r"(?i)\.(hdr|img)(\.gz)?$", path.name):
        pair = re.compile(rf"{re.escape(stem(path))}\.(hdr|img)(\.gz)?", re.IGNORECASE)
        return sorted(p for p in path.parent.iterdir() if pair.fullmatch(p.name) and p != path)
    try:
        if sniff(path) not in ("meta", "nrrd", "tiff"):
            return []
    except ReadError:
        return []
    with path.open("rb") as file:
        named = _NAMED.findall(file.read(_HEAD_BYTES))
    names = {unescape((first or second).decode("utf-8", "replace")).removeprefix("./") for first, second in named}
    inside = {path.parent / name for name in names if not re.search(r"[/\\:\0]", name)}
    return sorted(p for p in inside if p != path and p.is_file())


def is_hidden(path: Path) -> bool:
    """Return whether a file is hidden: its name begins with one dot. A name that begins with two dots is not hidden.

    Parameters
    ----------
    path : Path
        Only its name counts.

    Returns
    -------
    bool
        Whether to leave it out of a folder's listing.
    """
    return path.name.startswith(".") and not path.name.startswith("..")


def _base(name: str, end: str) -> str | None:
    """The name that an ending was appended to; None where it was not."""
    return name.removesuffix(end) if name.endswith(end) else None


def unique_stems(paths: Sequence[Path]) -> list[str]:
    """Make a name for each path, different even where letters differ only in case.

    It is the file's stem; where several have the same, the suffix is added, then the folder, then a number.

    Parameters
    ----------
    paths : sequence of Path
        Files or folders, each once.

    Returns
    -------
    list of str
        One name a path, in the order given.
    """
    names = [stem(path) for path in paths]
    for longer in (
        lambda path: path.name.replace(".", "_"),
        lambda path: f"{path.parent.name}_{path.name.replace('.', '_')}",
        lambda path: f"{path.name.replace('.', '_')}_{paths.index(path) + 1}",
    ):
        count = Counter(name.casefold() for name in names)
        names = [longer(path) if count[name.casefold()] > 1 else name for path, name in zip(paths, names, strict=True)]
    return names
