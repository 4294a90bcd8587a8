"""Stored numbers → the values that a header means: exact as whole numbers where they are whole, else as floats."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import DTypeLike, NDArray


class Scale(NamedTuple):
    """value = slope × stored + intercept."""

    slope: float = 1.0
    intercept: float = 0.0


UNSCALED = Scale()


class Stored(NamedTuple):
    """What the stored numbers of a plane may be."""

    dtype: np.dtype[Any]
    low: int | float
    high: int | float


def common_dtype(stored: Sequence[Stored], scales: Sequence[Scale]) -> np.dtype[Any]:
    """The type that holds every value exactly: as stored, or the smallest whole numbers, or 64-bit floats.

    Parameters
    ----------
    stored, scales : sequence
        Of each plane.
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
    """Values of an array; whole numbers wrap around on their way, and arrive, for they fit where they go."""
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
