"""Brushes of the phantoms: fractal textures, cell networks, and shapes on a canvas finer than the image."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
import PIL.Image
import PIL.ImageDraw
from numpy.typing import ArrayLike, NDArray
from scipy import fft
from scipy.interpolate import CubicSpline

#: A canvas has this many pixels along each side of a pixel of the image; odd, so that one of them is its centre.
FINE = 3

#: Large clouds are made on a grid this much coarser: they have no detail that would be lost.
COARSE = 4

#: Values on the image's grid, (H, W).
Field = NDArray[np.floating[Any]]
#: Places (n, 2) as (y, x).
Points = NDArray[np.floating[Any]]


def texture(rng: np.random.Generator, shape: tuple[int, int], size: float, slope: float = 3.0) -> Field:
    """Draw isotropic random clouds of zero mean and unit variance.

    Parameters
    ----------
    rng : numpy.random.Generator
        Source of randomness.
    shape : tuple of int
        (H, W).
    size : float
        Size of the largest clouds, in pixels.
    slope : float
        How fast the amplitude falls for finer detail: 1.5 is rough, 3 is cloud-like, 8 is smooth.

    Returns
    -------
    numpy.ndarray
        (H, W) float32 with a von Kármán spectrum.
    """
    step = COARSE if size > 5 * COARSE else 1
    coarse = (-(-shape[0] // step), -(-shape[1] // step))
    clouds = filtered(rng, coarse, (1 + (size / step * _frequency(coarse)) ** 2) ** (-slope / 2))
    if step == 1:
        return clouds
    full = PIL.Image.fromarray(clouds).resize((coarse[1] * step, coarse[0] * step), PIL.Image.Resampling.BICUBIC)
    return np.asarray(full, np.float32)[: shape[0], : shape[1]]


def scanner_noise(rng: np.random.Generator, shape: tuple[int, int], cutoff: float = 0.28) -> Field:
    """Draw noise as filtered back-projection leaves it: none at low frequencies, most at medium ones.

    Parameters
    ----------
    rng : numpy.random.Generator
        Source of randomness.
    shape : tuple of int
        (H, W).
    cutoff : float
        Frequency in cycles a pixel at which the amplitude is 1/e of its rise, √frequency; larger is finer.

    Returns
    -------
    numpy.ndarray
        (H, W) float32 of zero mean and unit variance.
    """
    f = _frequency(shape)
    return filtered(rng, shape, np.sqrt(f) * np.exp(-((f / cutoff) ** 2)))


def filtered(rng: np.random.Generator, shape: tuple[int, int], amplitude: Field) -> Field:
    """Draw white noise and multiply its spectrum.

    Parameters
    ----------
    rng : numpy.random.Generator
        Source of randomness.
    shape : tuple of int
        (H, W).
    amplitude : numpy.ndarray
        (H, W // 2 + 1), a factor for each frequency as `scipy.fft.rfft2` orders them.

    Returns
    -------
    numpy.ndarray
        (H, W) of zero mean and unit variance.
    """
    spectrum = fft.rfft2(rng.standard_normal(shape, dtype=np.float32)) * amplitude
    spectrum[0, 0] = 0
    noise: Field = fft.irfft2(spectrum, s=shape)
    noise /= noise.std()
    return noise


@lru_cache(maxsize=4)
def _frequency(shape: tuple[int, int]) -> Field:
    """Cycles a pixel, (H, W // 2 + 1)."""
    return np.hypot(fft.fftfreq(shape[0])[:, None], fft.rfftfreq(shape[1])).astype(np.float32)


def cell_borders(rng: np.random.Generator, y: Field, x: Field, size: float, jitter: float = 0.35) -> Field:
    """Tell how near each point is to the border between irregular cells (a jittered Voronoi diagram).

    Parameters
    ----------
    rng : numpy.random.Generator
        Source of randomness.
    y, x : numpy.ndarray
        Where to look, both of one shape. Bend or stretch them to bend or stretch the cells.
    size : float
        Distance between neighbouring cells, in the units of y and x.
    jitter : float
        How irregular the cells are: 0 for squares, below 0.5.

    Returns
    -------
    numpy.ndarray
        Of the shape of y and x: 1 on a border, falling to 0 inside a cell.
    """
    y, x = (y - y.min()) / size, (x - x.min()) / size
    row, column = y.astype(np.intp), x.astype(np.intp)
    shift = rng.uniform(0.5 - jitter, 0.5 + jitter, (2, row.max() + 3, column.max() + 3)).astype(np.float32)
    nearest = np.full(y.shape, np.inf, np.float32)
    second = nearest.copy()
    for i, j in np.ndindex(3, 3):
        dy, dx = (shift[k, row + i, column + j] for k in (0, 1))
        distance = np.hypot(row + (i - 1) + dy - y, column + (j - 1) + dx - x).astype(np.float32)
        second = np.minimum(second, np.maximum(nearest, distance))
        nearest = np.minimum(nearest, distance)
    near: Field = np.exp(-(((second - nearest) / 0.28) ** 2))
    return near


def closed_curve(points: ArrayLike, n: int = 160) -> Points:
    """Lay a smooth closed outline through control points (a periodic cubic spline).

    Parameters
    ----------
    points : array-like
        (k, 2), in order around the outline.
    n : int
        How many points the outline gets.

    Returns
    -------
    numpy.ndarray
        (n, 2); the last point is not the first again.
    """
    points = np.asarray(points, float)
    around = np.vstack([points, points[:1]])
    length = np.concatenate([[0], np.cumsum(np.sqrt(np.hypot(*np.diff(around, axis=0).T)))])
    curve: Points = CubicSpline(length, around, bc_type="periodic")(np.linspace(0, length[-1], n, False))
    return curve


def open_curve(points: ArrayLike, n: int = 60) -> Points:
    """Lay a smooth line through control points (a cubic spline).

    Parameters
    ----------
    points : array-like
        (k, 2), from the start of the line to its end.
    n : int
        How many points the line gets.

    Returns
    -------
    numpy.ndarray
        (n, 2), both ends included.
    """
    points = np.asarray(points, float)
    curve: Points = CubicSpline(np.linspace(0, 1, len(points)), points)(np.linspace(0, 1, n))
    return curve


def ellipse(y: float, x: float, half_y: float, half_x: float) -> Points:
    """Return the outline of an ellipse.

    Parameters
    ----------
    y, x : float
        Its centre.
    half_y, half_x : float
        Its half axes, in the same units.

    Returns
    -------
    numpy.ndarray
        (72, 2) places as (y, x).
    """
    angle = np.linspace(0, 2 * np.pi, 72, endpoint=False)
    return np.stack([y + half_y * np.sin(angle), x + half_x * np.cos(angle)], axis=1)


def grown(outline: Points, by: float) -> Points:
    """Move an outline outwards or inwards along its normals.

    Parameters
    ----------
    outline : numpy.ndarray
        (n, 2) places as (y, x) of a closed outline, going round from the x axis towards the y axis as `ellipse` does.
    by : float
        How far, in the units of the outline; inwards where it is negative.

    Returns
    -------
    numpy.ndarray
        (n, 2).
    """
    along = np.roll(outline, -1, axis=0) - np.roll(outline, 1, axis=0)
    normal = np.stack([-along[:, 1], along[:, 0]], axis=1) / np.hypot(*along.T)[:, None]
    moved: Points = outline + by * normal
    return moved


class Canvas:
    """Values on a grid `FINE` times finer than the image, painted with shapes given in units of the image.

    Parameters
    ----------
    shape : tuple of int
        (H, W) of the image.
    value : float
        What it is filled with at first.
    spacing : float
        Size of one pixel of the image in the units of the shapes.
    centre : tuple of float
        Where (0, 0) of the shapes lies in the image: row, column in pixels.
    """

    def __init__(
        self,
        shape: tuple[int, int],
        value: float = 0.0,
        *,
        spacing: float = 1.0,
        centre: tuple[float, float] = (0.0, 0.0),
    ) -> None:
        self._fine = PIL.Image.new("F", (shape[1] * FINE, shape[0] * FINE), value)
        self._brush = PIL.ImageDraw.Draw(self._fine)
        self._spacing, self._centre = spacing, np.array(centre)

    def fill(self, outline: ArrayLike, value: float) -> None:
        """Paint the inside of an outline.

        Parameters
        ----------
        outline : array-like
            (n, 2) places as (y, x), in the units of the shapes.
        value : float
            What the inside gets.
        """
        place = (np.asarray(outline) / self._spacing + self._centre + 0.5) * FINE - 0.5
        self._brush.polygon(np.round(place[:, ::-1]).ravel().tolist(), fill=value)

    def stroke(self, line: ArrayLike, width: ArrayLike, value: float) -> None:
        """Paint a line.

        Parameters
        ----------
        line : array-like
            (n, 2) places as (y, x), in the units of the shapes; n is 2 or more.
        width : float or array-like
            In the same units; (n,) where it changes along the line.
        value : float
            What the line gets.
        """
        line = np.asarray(line, float)
        along = np.gradient(line, axis=0)
        across = np.stack([-along[:, 1], along[:, 0]], axis=1) / np.maximum(np.hypot(*along.T), 1e-9)[:, None]
        half = across * (np.broadcast_to(width, len(line)) / 2)[:, None]
        self.fill(np.vstack([line + half, (line - half)[::-1]]), value)

    def paste(self, other: Canvas, where: Canvas) -> None:
        """Take over what another canvas shows, wherever a third one is above zero.

        Parameters
        ----------
        other : Canvas
            Its values are taken.
        where : Canvas
            Says where; values below 1 count as zero. All three are of one size.
        """
        self._fine.paste(other._fine, mask=where._fine.convert("L").point(lambda value: 255 * (value > 0)))

    def image(self) -> Field:
        """Return the mean over each pixel of the image.

        Returns
        -------
        numpy.ndarray
            (H, W) float32.
        """
        return np.asarray(self._fine.reduce(FINE), np.float32)

    def mask(self) -> NDArray[np.bool_]:
        """Tell whether the value at the centre of each pixel is above zero.

        Returns
        -------
        numpy.ndarray
            (H, W) bool.
        """
        return np.asarray(self._fine)[FINE // 2 :: FINE, FINE // 2 :: FINE] > 0
