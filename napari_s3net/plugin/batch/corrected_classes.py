"""Classes that the Learn dock keeps as corrections of a batch's results: noted for the review, and read for it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_s3net.batch import FileRow
from napari_s3net.batch.items import input_digest
from napari_s3net.batch.report import light_rows
from napari_s3net.batch.review import Review
from napari_s3net.io.read import LabelImage
from napari_s3net.learning.files import CORRECTED, MASK_VALUES, REPORT, UNLABELLED, default_names


def batch_of(place: Path) -> Path | None:
    """Say whose corrections lie in a folder.

    Parameters
    ----------
    place : Path
        The folder.

    Returns
    -------
    Path or None
        The output folder of the batch; None where it is no folder of corrected classes of one.
    """
    output = place.parent.parent
    return output if place == output / CORRECTED[0] and (output / REPORT).is_file() else None


def row_of(output: Path, image: Path, images: Path | None) -> FileRow | None:
    """Find the result of an image.

    Parameters
    ----------
    output : Path
        The output folder of a batch.
    image : Path
        The image's file, as the batch has worked on it.
    images : Path, optional
        The folder of images.

    Returns
    -------
    FileRow or None
        None where the batch has no result of it; of images that are copies of each other that of the same name in the
        folder.
    """
    alike = [row for row in light_rows(output).values() if row.outputs and Path(row.file).name == image.name]
    found = [row for row in alike if row.input in ("", input_digest(image))]
    name = image.relative_to(images).as_posix() if images and image.is_relative_to(images) else image.name
    return next((row for row in found if row.file == name), found[0] if len(found) == 1 else None)


def note_correction(output: Path, row: FileRow, labels: NDArray[np.int32], names: dict[int, str]) -> None:
    """Let the review of a batch know that a result is corrected.

    Parameters
    ----------
    output : Path
        The output folder.
    row : FileRow
        Of the result.
    labels : numpy.ndarray
        Classes as they were written; 255 where nobody has looked.
    names : dict of int to str
        What the classes are called.

    Raises
    ------
    WriteError
        If it cannot be written.
    """
    is_whole = not (labels == UNLABELLED).any()
    share = float((labels > 0).mean()) if is_whole else None
    Review(output).take_classes(row, names, share)


def read_classes(
    row: FileRow, review: Review, own: NDArray[Any], read: LabelImage
) -> tuple[NDArray[np.int32], dict[int, str]]:
    """Take the classes that were corrected.

    Parameters
    ----------
    row : FileRow
        Of the result.
    review : Review
        Knows the names.
    own : numpy.ndarray
        What the batch says: holds where nobody has looked.
    read : LabelImage
        The corrected masks; both of them lie on the image.

    Returns
    -------
    labels : numpy.ndarray
        Classes.
    names : dict of int to str
        What they are called.
    """
    is_mask = set(np.unique(read.array).tolist()) <= MASK_VALUES
    unseen: Any = own if row.metadata.get("model") else np.isin(own, row.foreground)
    if is_mask:
        unseen = 1
    labels = np.where(read.array == UNLABELLED, unseen, read.array).astype(np.int32)
    values = [int(value) for value in np.unique(labels) if value]
    known = default_names(values) | read.names | dict(review.names(row) or {})
    return labels, {value: known[value] for value in sorted({*values, *(review.names(row) or {})})}
