"""What the network is given to see: planes at the working size, with intensities that are alike from image to image."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray

from napari_s3net.errors import InvalidImageError
from napari_s3net.image import Image
from napari_s3net.network.class_losses import IGNORED
from napari_s3net.preprocessing.values import complete
from napari_s3net.preprocessing.window import normalise, robust_range, with_channels


@dataclass(frozen=True)
class InputNormalisation:
    """From an image's values to the network's: (clip((v − low) / (high − low), 0, 1) − 0.5) / 0.25.

    Attributes
    ----------
    channels : int
        1, or 3 for colours.
    low, high : float or None
        One window for all images: of photographs with a byte a colour, and of CT in Hounsfield units. None takes the
        percentiles 0.5 and 99.5 of each plane: of MR, and of grey images without a unit.
    """

    channels: int
    low: float | None = None
    high: float | None = None

    def to_dict(self) -> dict[str, Any]:
        """Convert to plain values.

        Returns
        -------
        dict
            By name.
        """
        return asdict(self)

    def __call__(self, plane: Image) -> NDArray[np.float32]:
        """Normalise one plane.

        Returns
        -------
        numpy.ndarray
            (H, W, channels) float32.

        Raises
        ------
        InvalidImageError
            If it has colours and the others none, or the reverse.
        """
        array = with_channels(complete(plane).image.array)
        if array.shape[2] != self.channels:
            came, expected = ("colours" if n == 3 else "grey" for n in (array.shape[2], self.channels))
            raise InvalidImageError(f"{plane.name} is {came}; expected {expected}, as in the other images.")
        low, high = (self.low, self.high) if self.low is not None and self.high is not None else robust_range(array)
        normal: NDArray[np.float32] = normalise(array.astype(np.float32), low, high)
        return normal


def choose_normalisation(images: list[Image]) -> InputNormalisation:
    """Choose one normalisation for images of one kind.

    Parameters
    ----------
    images : list of Image
        Those that are learned from.

    Returns
    -------
    InputNormalisation
        Of photographs with a byte a colour from 0 to 255; of CT from the 1st to the 99th percentile of all; else plane
        by plane.

    Raises
    ------
    InvalidImageError
        If some have colours and some have not.
    """
    colours = {image.kind == "rgb" for image in images}
    if len(colours) > 1:
        grey = next(image.name for image in images if image.kind != "rgb")
        bright = next(image.name for image in images if image.kind == "rgb")
        raise InvalidImageError(
            f"The folder holds grey and colour images ({grey} is grey, {bright} has colours). Learn from one kind."
        )
    channels = 3 if colours == {True} else 1
    if channels == 3 and all(image.array.dtype == np.uint8 for image in images):
        return InputNormalisation(3, 0.0, 255.0)
    if all(image.kind == "ct" for image in images):
        ends = [np.percentile(image.array[..., ::4, ::4], (1, 99)) for image in images]
        low, high = np.mean(ends, axis=0)
        return InputNormalisation(1, float(low), float(max(high, low + 1)))
    return InputNormalisation(channels)


def fitted_shape(shape: tuple[int, ...], size: int) -> tuple[int, int]:
    """Return how large a plane is at the working size.

    Parameters
    ----------
    shape : tuple of int
        (H, W).
    size : int
        Of the longer side.

    Returns
    -------
    tuple of int
        (h, w), the longer one of which is `size`.
    """
    longer = max(shape[:2])
    h, w = (max(1, round(n * size / longer)) for n in shape[:2])
    return h, w


def to_square(array: NDArray[np.float32], size: int) -> NDArray[np.float16]:
    """Bring a plane to the working size, and fill it up to a square below and to the right.

    Parameters
    ----------
    array : numpy.ndarray
        (H, W, C) float32.
    size : int
        Of the square.

    Returns
    -------
    numpy.ndarray
        (C, size, size) float16; the filling repeats the plane's edge.
    """
    h, w = fitted_shape(array.shape, size)
    x = torch.from_numpy(np.ascontiguousarray(array)).permute(2, 0, 1)[None]
    small = F.interpolate(x, (h, w), mode="bilinear", align_corners=False, antialias=True)
    whole: NDArray[np.float16] = F.pad(small, (0, size - w, 0, size - h), mode="replicate")[0].half().numpy()
    return whole


def labels_to_square(labels: NDArray[np.integer[Any]], size: int) -> NDArray[np.int8]:
    """Bring labels to the working size as `to_square` does with their plane.

    Parameters
    ----------
    labels : numpy.ndarray
        (H, W), classes from 0 to 126, or `IGNORED`.
    size : int
        Of the square.

    Returns
    -------
    numpy.ndarray
        (size, size) int8; the filling is `IGNORED`.
    """
    h, w = fitted_shape(labels.shape, size)
    x = torch.from_numpy(labels.astype(np.float32))[None, None]
    small = F.interpolate(x, (h, w), mode="nearest-exact")
    square: NDArray[np.int8] = F.pad(small, (0, size - w, 0, size - h), value=IGNORED)[0, 0].to(torch.int8).numpy()
    return square


def from_square(probabilities: torch.Tensor, shape: tuple[int, int]) -> torch.Tensor:
    """Bring what the network says of a square back to the plane's size.

    Parameters
    ----------
    probabilities : torch.Tensor
        (N, K, size, size).
    shape : tuple of int
        (H, W) of the plane.

    Returns
    -------
    torch.Tensor
        (N, K, H, W).
    """
    h, w = fitted_shape(shape, probabilities.shape[-1])
    inside = probabilities[..., :h, :w]
    return F.interpolate(inside, shape, mode="bilinear", align_corners=False)
