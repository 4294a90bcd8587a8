"""Intensity windows: which values of an image become black and which white."""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_s3net.image import Image
from napari_s3net.preprocessing.values import CompletePlane, complete
from napari_s3net.settings import Settings

#: Percentiles between which intensities without a unit are stretched. Chosen on the development photographs: a few dead
#: or shining pixels do not count.
ROBUST_PERCENTILES = (0.5, 99.5)
#: Rows and columns that are enough for percentiles and means of an image.
SAMPLED_SIZE = 512


@dataclass(frozen=True)
class Window:
    """The intensities that become 0 and 1.

    Parameters
    ----------
    low, high : float
        In the image's own unit (HU for CT), with `low` below `high`.
    """

    low: float
    high: float

    def apply(self, array: NDArray[Any]) -> NDArray[np.float32]:
        """Intensities between 0 and 1, of the array's shape; values outside the window are clipped."""
        unit: NDArray[np.float32] = np.subtract(array, self.low, dtype=np.float32)
        unit *= np.float32(1 / (self.high - self.low))
        return np.clip(unit, 0, 1, out=unit)


def choose_window(plane: CompletePlane, settings: Settings) -> Window:
    """Choose the window of a plane: that of the settings for CT, else its robust percentiles.

    So a change of brightness or contrast of an image without a unit leaves the result as it is.

    Parameters
    ----------
    plane : CompletePlane
        One plane with varying values; those that are missing do not count.
    settings : Settings
        `window_low` and `window_high`, in HU.
    """
    if plane.image.kind == "ct":
        return Window(settings.window_low, settings.window_high)
    array, step = plane.image.array, sampling_step(plane.image.shape)
    sampled = array[::step, ::step]
    if plane.missing is not None and not plane.missing[::step, ::step].all():
        sampled = sampled[~plane.missing[::step, ::step]]
    low, high = robust_range(sampled)
    if high <= low:
        low, high = float(array.min()), float(array.max())
    return Window(low, high)


def to_unit(image: Image, settings: Settings, *, step: int = 1) -> NDArray[np.float32]:
    """Intensities between 0 and 1, (H, W, C) with C = 1 or 3; see `choose_window`.

    Parameters
    ----------
    image : Image
        One plane.
    settings : Settings
        The window of CT.
    step : int, optional
        Take every so many rows and columns only.
    """
    plane = complete(image)
    return with_channels(choose_window(plane, settings).apply(plane.image.array[::step, ::step]))


def with_channels(unit: NDArray[np.float32]) -> NDArray[np.float32]:
    """Give intensities (H, W) an axis of one channel; colours (H, W, 3) are passed through."""
    return unit if unit.ndim == 3 else unit[..., None]


def to_grey(unit: NDArray[np.floating]) -> NDArray[np.floating]:
    """The mean of the channels (H, W, C), (H, W)."""
    return np.asarray(over_channels(np.add, unit) / unit.shape[-1])


def over_channels(ufunc: np.ufunc, values: NDArray[np.floating]) -> NDArray[np.floating]:
    """Reduce the last axis, that of the channels, by a ufunc: numpy itself is many times slower on so short an axis."""
    return np.asarray(reduce(ufunc, np.moveaxis(values, -1, 0)))


def sampling_step(shape: tuple[int, ...]) -> int:
    """Every how many rows and columns are enough for means and percentiles of an image of this shape."""
    return 1 + max(shape) // SAMPLED_SIZE


def robust_range(values: NDArray[Any]) -> tuple[float, float]:
    """The `ROBUST_PERCENTILES` of an array; those of bytes are counted, which takes a tenth of the time."""
    if values.dtype != np.uint8:
        low, high = np.percentile(values.astype(np.float32), ROBUST_PERCENTILES)
        return float(low), float(high)
    ranks = np.asarray(ROBUST_PERCENTILES) / 100 * (values.size - 1)
    up_to = np.cumsum(np.bincount(values.ravel(), minlength=256))
    below, above = (np.searchsorted(up_to, whole, "right") for whole in (np.floor(ranks), np.ceil(ranks)))
    low, high = below + (ranks % 1) * (above - below)
    return float(low), float(high)
