"""Which files of a folder are images, and what their results are called."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

from napari_s3net.io.validation.headers import is_readable, stem

#: What is appended to a stem for results; in a folder, such files beside their image are not images.
RESULTS = ("_labels", "_mask", "_overlay")


def images_among(files: Iterable[Path]) -> list[Path]:
    """Those that can be read, without hidden files, and without results that lie beside their image.

    Parameters
    ----------
    files : iterable of Path
        Of one folder.
    """
    files = [path for path in files if not is_hidden(path) and is_readable(path)]
    stems = {stem(path) for path in files}
    return [p for p in files if not any(_base(stem(p), end) in stems for end in RESULTS) and not _is_second(p)]


def is_hidden(path: Path) -> bool:
    """Whether a name begins with one dot; with two it is merely odd."""
    return path.name.startswith(".") and not path.name.startswith("..")


def _base(name: str, end: str) -> str | None:
    """The name that an ending was appended to; None where it was not."""
    return name.removesuffix(end) if name.endswith(end) else None


def _is_second(path: Path) -> bool:
    """Whether this is the pixels of a header that stands beside it."""
    return path.suffix.lower() == ".img" and path.with_suffix(".hdr").exists()


def unique_stems(paths: Sequence[Path]) -> list[str]:
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
