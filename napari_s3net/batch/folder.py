"""The output folder: one run at a time, only our own files replaced, nothing written outside."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

from napari_s3net.batch.plan import FURTHER
from napari_s3net.errors import WriteError
from napari_s3net.learning.files import REPORT

#: Results, one folder each; what they hold has the input's tree.
TREES = ("labels", "masks", "overlays", "thumbnails", *FURTHER)
TABLE, PAGE, LOCK = "measurements.csv", "report.html", ".napari-s3net.lock"
#: A killed run's lock is gone at once, its workers a moment later.
LOCK_SECONDS = 2.0
_TEMPORARY = re.compile(r"\.[0-9a-f]{32}(\.[a-z.]+)?")


@contextmanager
def locked(output: Path) -> Iterator[None]:
    """Make the output folder, or take it where it is one of ours, and keep other runs out during the body.

    Parameters
    ----------
    output : Path
        The output folder; an empty one gets an empty report.

    Yields
    ------
    None
        While the folder is locked.

    Raises
    ------
    WriteError
        If it cannot be written, is in use by another run, or has results in it that are not of a batch.
    """
    try:
        output.mkdir(parents=True, exist_ok=True)
        lock = FileLock(output / LOCK)
        lock.acquire(timeout=LOCK_SECONDS, poll_interval=0.05)
    except Timeout:
        raise WriteError(
            f"Another run is writing to {output}. Wait for it, end it, or choose another output folder."
        ) from None
    except OSError as error:
        raise WriteError(f"Cannot write to the output folder {output}: {error.strerror or error}.") from error
    try:
        _check_ours(output)
        yield
    finally:
        lock.release()


def _check_ours(output: Path) -> None:
    """Refuse a folder in which results of somebody else would be replaced; begin the report of an empty one."""
    report = output / REPORT
    if report.is_file():
        return
    foreign = [name for name in (*TREES, "settings", TABLE, PAGE) if (output / name).exists()]
    if foreign:
        raise WriteError(
            f"Will not write to {output}: it holds {', '.join(foreign)} but no {REPORT}, so these are no earlier "
            "results of a batch. Choose another output folder, or move them away."
        )
    try:
        report.touch()
    except OSError as error:
        raise WriteError(f"Cannot write to the output folder {output}: {error.strerror or error}.") from error


def sweep(output: Path) -> None:
    """Remove what a killed run left under temporary names.

    Parameters
    ----------
    output : Path
        The output folder.
    """
    for folder in (output, *(output / name for name in (*TREES, "settings"))):
        for path in folder.glob(".*") if folder == output else folder.rglob(".*"):
            if _TEMPORARY.fullmatch(path.name):
                with suppress(OSError):
                    path.unlink()


def inside(output: Path, relative: str) -> Path:
    """Return a path below the output folder, and refuse one that leads out of it.

    Parameters
    ----------
    output : Path
        The output folder.
    relative : str
        Path below it, with slashes.

    Returns
    -------
    Path
        `output / relative`; it need not exist.

    Raises
    ------
    WriteError
        If it would lead out of the output folder: upwards, or through a link.
    """
    path = output / relative
    parent, root = os.path.realpath(path.parent), os.path.realpath(output)
    if ".." in path.parts[len(output.parts) :] or os.path.commonpath([parent, root]) != root:
        raise WriteError(f"Will not write {path.name}: it would lie outside the output folder.")
    return path


def remove(output: Path, paths: Iterable[str]) -> None:
    """Remove results that belong to nothing any more; what is gone already or lies outside is left alone.

    Parameters
    ----------
    output : Path
        The output folder.
    paths : iterable of str
        Paths below it.
    """
    for relative in paths:
        with suppress(OSError, WriteError):
            inside(output, relative).unlink(missing_ok=True)
