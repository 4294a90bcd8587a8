"""The shape of a region: its border, its longest diameter, how long and how lopsided it is."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

#: Asymmetry is looked at on a grid of this many points a side.
GRID = 100


def perimeter(mask: NDArray[np.bool_], spacing: Sequence[float]) -> float:
    """Length of the border of a region, holes included, by counting how often lines in four directions cross it.

    Parameters
    ----------
    mask : numpy.ndarray
        (H, W) bool; what lies outside the array is not the region.
    spacing : sequence of float
        (y, x).

    Returns
    -------
    float
        In the spacing's unit. A disc of 10 pixels or more comes out within 2 %, a straight border within 8 %.

    Notes
    -----
    The Cauchy–Crofton formula: the length is half the integral, over all lines of the plane, of the number of
    crossings. See Lehmann and Legland, Efficient N-dimensional surface estimation using Crofton formula and run-length
    encoding, Insight Journal 2012.
    """
    padded = np.pad(mask, 1)
    dy, dx = spacing
    diagonal = math.hypot(dx, dy)
    crossings = (
        np.count_nonzero(padded[:, 1:] != padded[:, :-1]),
        np.count_nonzero(padded[1:] != padded[:-1]),
        np.count_nonzero(padded[1:, 1:] != padded[:-1, :-1]),
        np.count_nonzero(padded[1:, :-1] != padded[:-1, 1:]),
    )
    # Distance between neighbouring lines, and the share of all directions that each of the four stands for.
    apart = (dy, dx, dx * dy / diagonal, dx * dy / diagonal)
    angle = math.atan2(dy, dx)
    share = (angle, math.pi / 2 - angle, math.pi / 4, math.pi / 4)
    return 0.5 * sum(n * d * s for n, d, s in zip(crossings, apart, share, strict=True))


def longest_diameter(mask: NDArray[np.bool_], spacing: Sequence[float]) -> float:
    """Largest distance between two corners of a region's pixels.

    Parameters
    ----------
    mask : numpy.ndarray
        (H, W) or (Z, H, W) bool, not empty.
    spacing : sequence of float
        Of each axis.

    Returns
    -------
    float
        In the spacing's unit.
    """
    from scipy.spatial import ConvexHull
    from scipy.spatial.distance import pdist

    # Corners of pixels are never all on one line, so that there always is a hull.
    corners = _row_corners(mask) * np.asarray(spacing, float)
    return float(pdist(corners[ConvexHull(corners).vertices]).max())


def _row_corners(mask: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Outer corners of the first and the last pixel of each row, in pixels."""
    rows = np.argwhere(mask.any(axis=-1))
    inside = mask[tuple(rows.T)]
    first = inside.argmax(axis=1)
    last = mask.shape[-1] - inside[:, ::-1].argmax(axis=1)
    points = np.concatenate([np.column_stack([rows, end]) for end in (first, last)]).astype(float)
    offsets = np.array(np.meshgrid(*[(0, 1)] * (mask.ndim - 1), indexing="ij")).reshape(mask.ndim - 1, -1).T
    return np.concatenate([points + np.array([*offset, 0]) for offset in offsets])


def second_moments(
    mask: NDArray[np.bool_], spacing: Sequence[float]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Compute centre and covariance of the points of a plane region.

    Parameters
    ----------
    mask : numpy.ndarray
        (H, W) bool, not empty.
    spacing : sequence of float
        (y, x).

    Returns
    -------
    centre : numpy.ndarray
        (2,): row and column, in pixels.
    covariance : numpy.ndarray
        (2, 2), in the square of the spacing's unit; pixels count as squares, not as points.
    """
    rows, columns = (np.count_nonzero(mask, axis=axis).astype(float) for axis in (1, 0))
    y, x = np.arange(mask.shape[0], dtype=float), np.arange(mask.shape[1], dtype=float)
    n = rows.sum()
    centre = np.array([rows @ y, columns @ x]) / n
    y, x = y - centre[0], x - centre[1]
    both = y @ (mask.astype(np.float32) @ x.astype(np.float32))
    # A pixel is a square and not a point.
    covariance = np.array([[rows @ y**2, both], [both, columns @ x**2]]) / n + np.eye(2) / 12
    return centre, covariance * np.outer(spacing, spacing)


def eccentricity(covariance: NDArray[np.float64]) -> float:
    """Compute the eccentricity of the ellipse with these second moments.

    Parameters
    ----------
    covariance : numpy.ndarray
        (2, 2), from `second_moments`.

    Returns
    -------
    float
        0 of a circle to 1 of a line.
    """
    small, large = np.linalg.eigvalsh(covariance)
    return float(math.sqrt(max(0.0, 1 - small / large)))


def asymmetry(mask: NDArray[np.bool_], spacing: Sequence[float]) -> float:
    """Measure how much of a plane region does not meet its mirror image; the mean of its two axes.

    The axes are the principal ones through the centre, as in the computer versions of the ABCD rule (for example
    Stolz et al. 1994, European Journal of Dermatology 4:521).

    Parameters
    ----------
    mask : numpy.ndarray
        (H, W) bool, not empty.
    spacing : sequence of float
        (y, x).

    Returns
    -------
    float
        0 of a symmetric region to 1.
    """
    centre, covariance = second_moments(mask, spacing)
    axes = np.linalg.eigh(covariance)[1]
    far = (_row_corners(mask) - 0.5 - centre) * spacing
    reach = math.sqrt(float(np.square(far).sum(axis=1).max()))
    steps = np.linspace(-reach, reach, GRID + 1)
    y, x = (
        np.round(np.add.outer(steps * along, steps * across) / step + middle).astype(int)
        for (along, across), step, middle in zip(axes, spacing, centre, strict=True)
    )
    ok = (y >= 0) & (y < mask.shape[0]) & (x >= 0) & (x < mask.shape[1])
    turned = np.zeros(ok.shape, bool)
    turned[ok] = mask[y[ok], x[ok]]
    size = max(1, int(turned.sum()))
    differs = [np.count_nonzero(turned != flipped) for flipped in (turned[::-1], turned[:, ::-1])]
    return float(sum(differs) / (4 * size))
