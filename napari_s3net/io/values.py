"""Stored numbers → the values that a header means: exact as whole numbers where they are whole, else as floats."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import DTypeLike, NDArray


class Scale(NamedTuple):
    """How stored numbers become values: value = slope × stored + intercept."""

    slope: float = 1.0
    intercept: float = 0.0


UNSCALED = Scale()


class Stored(NamedTuple):
    """The type and the range of the stored numbers of a plane.

    Parameters
    ----------
    dtype : numpy.dtype
        Type in which they are stored.
    low, high : int or float
        The least and the largest number that can occur, by the bits that are used.
    """

    dtype: np.dtype[Any]
    low: int | float
    high: int | float


def common_dtype(stored: Sequence[Stored], scales: Sequence[Scale]) -> np.dtype[Any]:
    """Choose the type that holds every value of several planes exactly.

    Parameters
    ----------
    stored : sequence of Stored
        Type and range of the stored numbers of each plane.
    scales : sequence of Scale
        Slope and intercept of each plane.

    Returns
    -------
    numpy.dtype
        As stored where nothing is scaled; the smallest type of up to 32 bits where all values are whole; else float64.
    """
    together = np.result_type(*{item.dtype for item in stored})
    if all(scale == UNSCALED for scale in scales):
        return together
    whole = all(float(number).is_integer() for scale in scales for number in scale)
    if not whole or together.kind not in "iu":
        return np.dtype(np.float64)
    ends = [
        int(end) * int(slope) + int(intercept)
        for item, (slope, intercept) in zip(stored, scales, strict=True)
        for end in (item.low, item.high)
    ]
    wanted = [np.dtype(t) for t in ("u1", "u2", "u4") if min(ends) >= 0] + [np.dtype(t) for t in ("i1", "i2", "i4")]
    fits = (t for t in wanted if np.iinfo(t).min <= min(ends) and max(ends) <= np.iinfo(t).max)
    return next(fits, np.dtype(np.float64))


def scaled(array: NDArray[Any], scale: Scale, dtype: DTypeLike) -> NDArray[Any]:
    """Return the values that stored numbers mean.

    Parameters
    ----------
    array : numpy.ndarray
        Stored numbers, of any shape.
    scale : Scale
        Their slope and intercept.
    dtype : numpy dtype
        Of the result, as `common_dtype` chooses it. With whole numbers, slope and intercept are whole and every value
        fits; intermediate results may overflow, and are right in the end (two's complement).

    Returns
    -------
    numpy.ndarray
        Of the same shape; the array itself where nothing changes.
    """
    if scale == UNSCALED:
        return array.astype(dtype, copy=False)
    dtype = np.dtype(dtype)
    if dtype.kind == "f":
        values = array.astype(dtype)
        values *= scale.slope
        values += scale.intercept
        return values
    # Two's complement: modulo 2^n every sum and product is right whose result fits.
    n = np.iinfo(dtype).bits
    unsigned = np.dtype(f"u{dtype.itemsize}")
    values = array.astype(unsigned)
    values *= unsigned.type(int(scale.slope) % (1 << n))
    values += unsigned.type(int(scale.intercept) % (1 << n))
    return values.view(dtype)
