"""Uneven light: a smooth surface that lies under the object."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

#: Rounds of the robust fit; after the fourth the surface hardly moves.
ROUNDS = 4
#: Standard deviations in one median absolute deviation of normally distributed values.
DEVIATIONS_IN_MAD = 1.48


def flatten_illumination(channels: NDArray[np.floating], inside: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Take out of each channel a quadratic surface fitted robustly to the background.

    It stands for uneven light and the roundness of a limb. Pixels far above it, the object, lose their weight from
    round to round (iteratively reweighted least squares).

    Parameters
    ----------
    channels : numpy.ndarray
        (n, h, w); the object is bright.
    inside : numpy.ndarray
        (h, w) bool: what the surface is fitted to.

    Returns
    -------
    numpy.ndarray
        (n, h, w).
    """
    terms = _surface_terms((inside.shape[0], inside.shape[1]))
    used = inside[::2, ::2]  # every fourth pixel is plenty for six numbers
    points, wanted = terms[::2, ::2][used], channels[:, ::2, ::2][:, used]  # (pixels, 6), (n, pixels)
    products = (points[:, :, None] * points[:, None]).reshape(len(points), -1)
    weight = np.ones_like(wanted)
    fit = np.zeros((len(channels), terms.shape[2]))
    for _ in range(ROUNDS):
        gram = (weight @ products).reshape(-1, *fit.shape[1:] * 2)
        ridge = (1e-12 + 1e-9 * np.trace(gram, axis1=1, axis2=2))[:, None, None] * np.eye(fit.shape[1])
        fit = np.linalg.solve(gram + ridge, (weight * wanted @ points)[..., None])[..., 0]
        rest = wanted - fit @ points.T
        square = (rest / (DEVIATIONS_IN_MAD * np.median(np.abs(rest), axis=1, keepdims=True) + 1e-6)) ** 2
        weight = 1 / (1 + np.where(rest > 0, square * square, square / 4))
    return np.asarray(channels - np.moveaxis(terms @ fit.T, -1, 0))


@lru_cache(maxsize=8)
def _surface_terms(shape: tuple[int, int]) -> NDArray[np.float64]:
    """The six terms of a quadratic surface, (h, w, 6); not to be written to."""
    y, x = np.meshgrid(*(np.linspace(-1, 1, n) for n in shape), indexing="ij")
    terms = np.stack([np.ones_like(x), x, y, x * x, y * y, x * y], axis=-1)
    terms.flags.writeable = False
    return terms
