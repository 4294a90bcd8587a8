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

#: What networks are given: values between 0 and 1, less the first, divided by the second.
MEAN, SD = 0.5, 0.25


@dataclass(frozen=True, kw_only=True)
class WindowConstants:
    """How the window of an image without a unit is chosen.

    Parameters
    ----------
    percentiles : tuple of float
        In per cent of the pixels: between these two, intensities are stretched. Chosen on the development photographs:
        a few dead or shining pixels do not count.
    sampled_size : int
        Rows and columns, in pixels, that are enough for percentiles and means of an image. For the sake of time; tuned
        on nothing.
    """

    percentiles: tuple[float, float] = (0.5, 99.5)
    sampled_size: int = 512


WINDOW = WindowConstants()


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
        """Bring intensities to [0, 1]; values outside the window are clipped.

        Parameters
        ----------
        array : numpy.ndarray
            In the window's unit, of any shape.

        Returns
        -------
        numpy.ndarray
            float32, of the same shape.
        """
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

    Returns
    -------
    Window
        Lowest and highest value where the two percentiles are the same.
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
    """Look at an image through the window that suits it; see `choose_window`.

    Parameters
    ----------
    image : Image
        One plane, as it was opened.
    settings : Settings
        The window of CT.
    step : int, optional
        Take every n-th row and column only.

    Returns
    -------
    numpy.ndarray
        (H, W, C) float32 in [0, 1], with H and W divided by `step` and C = 1 or 3.
    """
    plane = complete(image)
    return with_channels(choose_window(plane, settings).apply(plane.image.array[::step, ::step]))


def with_channels(unit: NDArray[np.float32]) -> NDArray[np.float32]:
    """Give intensities an axis of one channel.

    Parameters
    ----------
    unit : numpy.ndarray
        (H, W), or colours (H, W, 3), which are passed through.

    Returns
    -------
    numpy.ndarray
        (H, W, 1) or (H, W, 3); a view.
    """
    return unit if unit.ndim == 3 else unit[..., None]


def to_grey(unit: NDArray[np.floating]) -> NDArray[np.floating]:
    """Average the channels.

    Parameters
    ----------
    unit : numpy.ndarray
        (H, W, C).

    Returns
    -------
    numpy.ndarray
        (H, W).
    """
    return np.asarray(over_channels(np.add, unit) / unit.shape[-1])


def over_channels(ufunc: np.ufunc, values: NDArray[np.floating]) -> NDArray[np.floating]:
    """Reduce the last axis, that of the channels: numpy itself is many times slower on so short an axis.

    Parameters
    ----------
    ufunc : numpy.ufunc
        Such as `numpy.add` or `numpy.minimum`.
    values : numpy.ndarray
        (…, C).

    Returns
    -------
    numpy.ndarray
        Of the shape without the last axis.
    """
    return np.asarray(reduce(ufunc, np.moveaxis(values, -1, 0)))


def sampling_step(shape: tuple[int, ...]) -> int:
    """Say every how many rows and columns are enough for means and percentiles of an image.

    Parameters
    ----------
    shape : tuple of int
        (H, W) of the image.

    Returns
    -------
    int
        1 below `WindowConstants.sampled_size` pixels, 2 below twice as many, and so on.
    """
    return 1 + max(shape) // WINDOW.sampled_size


def normalise(values: Any, low: float, high: float, *, mean: float = MEAN, sd: float = SD) -> Any:
    """Bring values to what a network takes: (clip((v − low) / (high − low), 0, 1) − mean) / sd.

    Parameters
    ----------
    values : numpy.ndarray or torch.Tensor
        Of any shape, of a floating type.
    low, high : float
        What becomes 0 and 1, in the unit of the values.
    mean, sd : float
        What is subtracted from the values between 0 and 1, and what they are divided by then.

    Returns
    -------
    numpy.ndarray or torch.Tensor
        Of the same shape and type.
    """
    return (((values - low) / max(high - low, 1e-6)).clip(0, 1) - mean) / sd


def robust_range(values: NDArray[Any]) -> tuple[float, float]:
    """Compute the robust percentiles of an array; those of bytes are counted, which takes a tenth of the time.

    Parameters
    ----------
    values : numpy.ndarray
        Not empty.

    Returns
    -------
    tuple of float
        Low and high, interpolated linearly as by `numpy.percentile`.
    """
    if values.dtype != np.uint8:
        low, high = np.percentile(values.astype(np.float32), WINDOW.percentiles)
        return float(low), float(high)
    ranks = np.asarray(WINDOW.percentiles) / 100 * (values.size - 1)
    up_to = np.cumsum(np.bincount(values.ravel(), minlength=256))
    below, above = (np.searchsorted(up_to, whole, "right") for whole in (np.floor(ranks), np.ceil(ranks)))
    low, high = below + (ranks % 1) * (above - below)
    return float(low), float(high)
