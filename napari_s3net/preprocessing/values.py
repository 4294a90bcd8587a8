"""Values that cannot be computed with: fill values, NaN, and numbers that single precision does not hold.

What leaves this module is finite in float32, so that nothing that is computed from it overflows.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_s3net.errors import InvalidImageError
from napari_s3net.image import Image

#: At or below this value, that of an int16 file without a measurement, the lowest value may be a fill value …
FILL_BELOW = -32768.0
#: … if it lies below all others by more than this share of their own range.
APART = 0.5
#: From this size on, a few values that occur beside smaller ones are fill values: ±FLT_MAX, ±DBL_MAX, −1e30, and
#: 9.97e36 of netCDF.
FILL_SIZE, FEW = 1e20, 4
#: No Hounsfield unit is larger than this, whatever the scanner does with metal.
LARGEST_HU = 1e6
#: What single precision holds with room for squares and sums: size of values, and their range as a share of it.
LARGEST, SMALLEST_RANGE, SMALLEST_SHARE = 1e15, 1e-15, 1e-5


@dataclass(frozen=True, eq=False)
class CompletePlane:
    """A plane with a number at every pixel.

    Parameters
    ----------
    image : Image
        With missing values replaced by the smallest that is there, and what float32 does not hold scaled to [0, 1];
        an image that needs neither is passed through.
    missing : numpy.ndarray or None
        (H, W) bool: where nothing was measured; None where that is nowhere.
    """

    image: Image
    missing: NDArray[np.bool_] | None

    @property
    def note(self) -> str:
        """What the user has to know, as a sentence; empty where nothing is missing."""
        return "" if self.missing is None else missing_note(int(self.missing.sum()), self.missing.size)


def missing_note(missing: int, pixels: int) -> str:
    """Say how many pixels of an image, or voxels of a volume, were not measured.

    Parameters
    ----------
    missing, pixels : int
        Their number, and that of all.

    Returns
    -------
    str
        A sentence for the user.
    """
    return (
        f"{missing} of {pixels} pixels hold a fill value or no number; "
        "they are left out of all statistics and have label 0."
    )


def complete(image: Image) -> CompletePlane:
    """Find missing values of a plane, replace them, and bring its values to what float32 holds.

    Parameters
    ----------
    image : Image
        One plane, as it was opened.

    Returns
    -------
    CompletePlane
        With finite values; the array itself where nothing had to be changed.

    Raises
    ------
    InvalidImageError
        If the array holds no real numbers, none that is finite, or for CT values that are no Hounsfield units.
    """
    array = image.array
    if array.dtype.kind not in "buif":
        raise InvalidImageError(f"Expected real numbers; got {array.dtype}.")
    if array.dtype.kind == "f" and array.dtype.itemsize > np.dtype(np.float64).itemsize:
        with np.errstate(over="ignore"):
            array = array.astype(np.float64)
    is_missing = find_missing(array)
    missing = None
    if is_missing is not None:
        if is_missing.all():
            raise InvalidImageError("No pixel holds a number: all are NaN, infinite or a fill value.")
        array = np.where(is_missing, array[~is_missing].min(), array)
        missing = np.asarray(is_missing.any(axis=-1)) if image.kind == "rgb" else is_missing
    if image.kind == "ct" and _size(array) > LARGEST_HU:
        raise InvalidImageError(
            f"Expected Hounsfield units; got values from {array.min():.3g} to {array.max():.3g}. "
            "If the image is no CT, open it as another kind."
        )
    array = array if image.kind == "ct" else _within_float32(array)
    return CompletePlane(image if array is image.array else replace(image, array=array), missing)


def find_missing(array: NDArray[Any]) -> NDArray[np.bool_] | None:
    """Find where an array of real numbers holds NaN, infinity or a fill value.

    Fill values are lone values far from all others: −32768 and below, and sizes from 1e20 on.

    Parameters
    ----------
    array : numpy.ndarray
        Of any shape.

    Returns
    -------
    numpy.ndarray or None
        bool, of the same shape; None where nothing is missing.
    """
    if array.dtype.kind not in "if":
        return None
    missing = ~np.isfinite(array) if array.dtype.kind == "f" else np.zeros(array.shape, bool)
    valid = array[~missing] if missing.any() else array
    if _size(valid) >= FILL_SIZE:
        huge = ~missing & ((array >= FILL_SIZE) | (array <= -FILL_SIZE))
        if len(np.unique(array[huge])) <= FEW and _varies(array[~(missing | huge)]):
            missing |= huge
            valid = array[~missing]
    if valid.size and float(lowest := valid.min()) <= FILL_BELOW:
        rest = valid[valid > lowest]
        if _varies(rest) and float(rest.min()) - float(lowest) > APART * (float(rest.max()) - float(rest.min())):
            missing |= array == lowest
    return missing if missing.any() else None


def _size(values: NDArray[Any]) -> float:
    """The largest absolute value; 0 of none."""
    return max(abs(float(values.min())), abs(float(values.max()))) if values.size else 0.0


def _varies(values: NDArray[Any]) -> bool:
    """Whether there are two different values."""
    return bool(values.size) and bool(values.min() < values.max())


def _within_float32(array: NDArray[Any]) -> NDArray[Any]:
    """Values that float32 holds are passed through; others are moved to [0, 1], which keeps their order.

    Every step keeps what it has: whole numbers are subtracted as such, and floats are first scaled by a power of two.
    """
    low, high, size = array.min(), array.max(), _size(array)
    spread = float(high) - float(low)
    fits = size <= LARGEST and spread >= SMALLEST_RANGE and spread >= SMALLEST_SHARE * size
    if fits or low == high:
        return array
    if array.dtype.kind in "iu":
        unsigned = array.astype(np.uint64) - np.uint64(int(low) % 2**64)  # exact, as both wrap around alike
        return np.asarray(unsigned / float(unsigned.max()), np.float32)
    scaled = np.ldexp(array.astype(np.float64), -int(np.frexp(size)[1]))
    scaled -= scaled.min()
    return np.asarray(scaled / scaled.max(), np.float32)
