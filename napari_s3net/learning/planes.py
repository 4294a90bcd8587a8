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
            came, expected = ("in colour", "grey") if array.shape[2] == 3 else ("grey", "colours")
            raise InvalidImageError(
                f"{plane.name} is {came}; expected {expected}, as in the images that are learned from. Images of each "
                "kind have a model of their own: keep them in folders of their own."
            )
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


def to_square(array: NDArray[np.float32], size: int) -> NDArray[np.float16]:
    """Squeeze a plane into a square, as `training.taught.predict` does.

    Squares that were filled up instead gave less (docs/learning-tried.md): in a network that normalises within the
    image the filling changes every feature.

    Parameters
    ----------
    array : numpy.ndarray
        (H, W, C) float32.
    size : int
        Of the square.

    Returns
    -------
    numpy.ndarray
        (C, size, size) float16.
    """
    x = torch.from_numpy(np.ascontiguousarray(array)).permute(2, 0, 1)[None]
    small = F.interpolate(x, (size, size), mode="bilinear", align_corners=False, antialias=True)
    square: NDArray[np.float16] = small[0].half().numpy()
    return square


def labels_to_square(labels: NDArray[np.integer[Any]], size: int) -> NDArray[np.int8]:
    """Squeeze labels into a square as `to_square` does with their plane.

    Parameters
    ----------
    labels : numpy.ndarray
        (H, W), classes from 0 to 126, or `IGNORED`.
    size : int
        Of the square.

    Returns
    -------
    numpy.ndarray
        (size, size) int8.
    """
    x = torch.from_numpy(labels.astype(np.float32))[None, None]
    small = F.interpolate(x, (size, size), mode="nearest-exact")
    square: NDArray[np.int8] = small[0, 0].to(torch.int8).numpy()
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
    return F.interpolate(probabilities, shape, mode="bilinear", align_corners=False)
