"""The record of a phantom, and two phantoms that anyone can check by eye."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_s3net.image import Geometry, Image, Kind


@dataclass(frozen=True, eq=False)
class Phantom:
    """A synthetic image with its truth.

    Parameters
    ----------
    image : Image
        One plane.
    mask : numpy.ndarray
        (H, W) bool: the object, exactly as it was drawn.
    """

    image: Image
    mask: NDArray[np.bool_]


def quadrants(seed: int = 0, shape: tuple[int, int] = (96, 128), *, noise: float = 4.0, kind: Kind = "grey") -> Phantom:
    """Draw four quadrants of four tones; the object is the brightest, at the lower right.

    Parameters
    ----------
    seed : int
        Of the noise.
    shape : tuple of int
        (H, W).
    noise : float
        Standard deviation on a scale of 0 to 255.
    kind : {"grey", "rgb"}
        Grey, or colours that differ in hue as well.

    Returns
    -------
    Phantom
        (H, W) or (H, W, 3) uint8, and the object as mask.
    """
    lower, right = np.arange(shape[0]) >= shape[0] // 2, np.arange(shape[1]) >= shape[1] // 2
    quadrant = 2 * lower[:, None] + right
    colours = np.array([[40, 60, 110], [95, 120, 60], [160, 120, 110], [225, 210, 170]], float)
    return _noisy(colours[quadrant], quadrant == 3, seed, noise, kind, "quadrants")


def disc(
    seed: int = 0,
    shape: tuple[int, int] = (96, 128),
    *,
    radius: float = 0.25,
    noise: float = 4.0,
    kind: Kind = "grey",
) -> Phantom:
    """Draw one dark disc in the middle of a bright field: grey, or brown on skin.

    Parameters
    ----------
    seed : int
        Of the noise.
    shape : tuple of int
        (H, W).
    radius : float
        As a share of the shorter side.
    noise : float
        Standard deviation on a scale of 0 to 255.
    kind : {"grey", "rgb"}
        Grey or colours.

    Returns
    -------
    Phantom
        (H, W) or (H, W, 3) uint8, and the disc as mask.
    """
    y, x = np.ogrid[: shape[0], : shape[1]]
    mask = np.hypot(y - (shape[0] - 1) / 2, x - (shape[1] - 1) / 2) < radius * min(shape)
    colours = np.where(mask[..., None], [110.0, 70.0, 50.0], [225.0, 175.0, 150.0])
    return _noisy(colours, mask, seed, noise, kind, "disc")


def _noisy(
    colours: NDArray[np.float64], mask: NDArray[np.bool_], seed: int, noise: float, kind: Kind, name: str
) -> Phantom:
    """Colours (H, W, 3) with noise as an 8-bit image of this kind."""
    values = colours if kind == "rgb" else colours.mean(axis=-1)
    values = values + np.random.default_rng(seed).normal(0, noise, values.shape)
    array = np.clip(np.round(values), 0, 255).astype(np.uint8)
    return Phantom(Image(array, Geometry.identity(2), kind, name), mask)
