"""Labels are whole numbers, however a file stores them: as floats, as grey colours, as the numbers of a palette."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_s3net.errors import ReadWarning, UnsupportedFormatError
from napari_s3net.io.validation.headers import Format, sniff

#: Up to here floats of 32 bits hold every whole number.
EXACT = 1 << 24
#: Labels are numbers of 32 bits with a sign.
MOST_LABELS = (1 << 31) - 1


def refuse_lossy(path: Path, file_format: Format) -> None:
    """Refuse labels that were packed as JPEG, which changes numbers: along each edge there would be labels of its own.

    Of packings that may change them it is said.

    Parameters
    ----------
    path : Path
        The file.
    file_format : str
        As told by its content.

    Raises
    ------
    UnsupportedFormatError
        If it is a JPEG, or a TIFF that is packed as such.

    Warns
    -----
    ReadWarning
        If it is a TIFF in a packing of which there are kinds with and without loss.
    """
    from napari_s3net.io.tiff import may_lose

    loses = file_format == "jpeg" or (file_format == "tiff" and may_lose(path))
    if loses is None:
        text = "its packing (JPEG 2000, JPEG XL, WebP or LERC) may have changed its labels. Check them."
        warnings.warn(text, ReadWarning, stacklevel=2)
    if loses:
        raise UnsupportedFormatError(
            "labels are whole numbers, and it is packed as JPEG, which changes them. Save labels as PNG, or as TIFF "
            "without JPEG."
        )


def refuse_transparent(path: Path, labels: NDArray[Any]) -> None:
    """Refuse labels in a PNG whose transparency tells something that they do not: shapes may be drawn in it alone.

    Parameters
    ----------
    path : Path
        The file.
    labels : numpy.ndarray
        (H, W), as they were read without it.

    Raises
    ------
    UnsupportedFormatError
        If transparent pixels have labels, or there are no labels and not all of it is transparent.
    """
    if sniff(path) != "png":
        return
    from napari_s3net.io.photograph import transparency

    clear = transparency(path)
    if clear is not None and clear.any() and (labels[clear].any() or (not labels.any() and not clear.all())):
        raise UnsupportedFormatError(
            "labels are whole numbers, and its transparency does not go with them: transparent pixels have labels, or "
            "others have none. Save labels as grey PNG without transparency."
        )


def is_grey(array: NDArray[Any]) -> bool:
    """Tell whether colours are all grey.

    Parameters
    ----------
    array : numpy.ndarray
        Red, green and blue in its last axis.

    Returns
    -------
    bool
        True where the three are one everywhere.
    """
    return bool((array == array[..., :1]).all())


def whole_numbers(kind: str, array: NDArray[Any]) -> NDArray[Any]:
    """Return the labels of an image: whole numbers from 0 on.

    Parameters
    ----------
    kind : str
        Of the image, "rgb" for colours.
    array : numpy.ndarray
        Its values, which may be stored as floats or as colours that are all grey.

    Returns
    -------
    numpy.ndarray
        (H, W) or (Z, H, W).

    Raises
    ------
    UnsupportedFormatError
        If it holds colours, fractions, or numbers below zero or above `MOST_LABELS`.

    Warns
    -----
    ReadWarning
        If they are floats that do not hold all numbers of their size.
    """
    expected, holds = f"labels are whole numbers from 0 to {MOST_LABELS}", f"it holds {kind} {array.dtype}"
    if kind == "rgb" and is_grey(array):
        kind, array = "grey", array[..., 0]
    if kind == "rgb" or array.dtype.kind not in "iuf" or not (np.rint(array) == array).all():
        raise UnsupportedFormatError(f"{expected}; {holds}.")
    low, high = array.min(), array.max()
    if low < 0 or high > MOST_LABELS:
        raise UnsupportedFormatError(f"{expected}; {holds}, {low:.10g} to {high:.10g}.")
    if array.dtype == np.float32 and high >= EXACT:
        text = f"its labels are floats of 32 bits, which round numbers from {EXACT:,} on: some may be one. Check them."
        warnings.warn(text, ReadWarning, stacklevel=2)
    return array
