"""A square plane to paint synthetic images on: coordinates, random clouds, soft steps and drawn lines, all fast."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import PIL.Image
import PIL.ImageDraw
from scipy import ndimage
from scipy.special import expit

from napari_s3net.phantom.paint import Field, Points

#: Lines and outlines are drawn this much finer than the plane and then averaged.
FINE = 3


class PaintedPlane:
    """A plane of `size` × `size` pixels with its own source of randomness.

    Parameters
    ----------
    rng : numpy.random.Generator
        Source of randomness.
    size : int
        Pixels along each side.
    aspect : float
        How much wider than high the scene was before it was squeezed into a square: a circle of the scene is this much
        narrower than high on the plane.

    Attributes
    ----------
    y, x : numpy.ndarray
        (size, size) float32, from −1 to 1 down the plane and from −aspect to aspect across it.
    """

    def __init__(self, rng: np.random.Generator, size: int, aspect: float = 1.0) -> None:
        self.rng, self.size, self.aspect = rng, size, aspect
        axis = ((np.arange(size, dtype=np.float32) + 0.5) * 2 / size - 1).astype(np.float32)
        self.y = np.repeat(axis[:, None], size, axis=1)
        self.x = np.repeat(axis[None] * np.float32(aspect), size, axis=0)

    def cloud(self, cells: float) -> Field:
        """Draw smooth random clouds.

        Parameters
        ----------
        cells : float
            About how many clouds lie along each side.

        Returns
        -------
        numpy.ndarray
            (size, size) float32; mean about 0, variance about 1.
        """
        n = max(2, math.ceil(cells)) + 3
        grid = self.rng.standard_normal((n, n), dtype=np.float32)
        start = self.rng.uniform(0.5, n - max(cells, 1.0) - 0.5, 2)
        box = (start[1], start[0], start[1] + max(cells, 1.0), start[0] + max(cells, 1.0))
        return 1.35 * np.asarray(
            PIL.Image.fromarray(grid).resize((self.size, self.size), PIL.Image.Resampling.BICUBIC, box=box), np.float32
        )

    def fractal(self, cells: float, octaves: int = 4, fall: float = 0.6) -> Field:
        """Draw clouds within clouds.

        Parameters
        ----------
        cells : float
            About how many of the largest clouds lie along each side.
        octaves : int
            How many layers are added up, each with twice the detail of the one before.
        fall : float
            The height of each layer as a share of the one before.

        Returns
        -------
        numpy.ndarray
            (size, size) float32; mean about 0, variance about 1.
        """
        heights = fall ** np.arange(octaves)
        heights = heights / np.sqrt(np.square(heights).sum())
        octave = (h * self.cloud(min(cells * 2**i, self.size / 2)) for i, h in enumerate(heights.tolist()))
        total: Field = np.sum(list(octave), axis=0)
        return total.astype(np.float32)

    def blobs(self, share: float, cells: float, softness: float = 0.3) -> Field:
        """Draw irregular patches.

        Parameters
        ----------
        share : float
            About which part of the plane they cover, 0 to 1.
        cells : float
            About how many of the largest lie along each side.
        softness : float
            Width of their borders, in units of the height of `fractal`.

        Returns
        -------
        numpy.ndarray
            (size, size) float32 in 0..1.
        """
        f = self.fractal(cells, 3)
        return soft_step(f - np.quantile(f, 1 - min(max(share, 0.0), 1.0)), softness)

    def dots(self, n: int, radius: tuple[float, float], where: Field | None = None) -> Field:
        """Draw round dots at random places.

        Parameters
        ----------
        n : int
            How many.
        radius : tuple of float
            Least and largest radius in pixels of the plane, spread evenly over the logarithm.
        where : numpy.ndarray, optional
            (size, size): dots lie only where it is above 0.5, and there are none if it is nowhere; None is anywhere.

        Returns
        -------
        numpy.ndarray
            (size, size) float32 in 0..1.
        """
        places: Points = self.rng.uniform(0, self.size, (n, 2))
        if where is not None and n:
            inside = np.argwhere(where > 0.5)
            places = inside[self.rng.integers(0, len(inside), n)].astype(float) if len(inside) else places[:0]
        radii = np.exp(self.rng.uniform(np.log(radius[0]), np.log(radius[1]), len(places)))
        canvas, brush = self._canvas()
        for (y, x), r in zip((places * FINE).tolist(), (radii * FINE).tolist(), strict=True):
            brush.ellipse((x - r, y - r, x + r, y + r), fill=255)
        return self._reduced(canvas)

    def lines(self, lines: Sequence[Points], widths: Sequence[float]) -> Field:
        """Draw lines; where one is thinner than a pixel of the fine canvas it gets fainter instead.

        Parameters
        ----------
        lines : sequence of numpy.ndarray
            Each (n, 2) places as (y, x), in pixels of the plane.
        widths : sequence of float
            Of each line, in pixels of the plane.

        Returns
        -------
        numpy.ndarray
            (size, size) float32 in 0..1: how far each pixel is covered.

        Raises
        ------
        ValueError
            If there are not as many widths as lines.
        """
        canvas, brush = self._canvas()
        for line, width in zip(lines, widths, strict=True):
            w = max(1, round(width * FINE))
            strength = min(255, round(255 * width * FINE / w)) if width * FINE < 1 else 255
            brush.line([(x, y) for y, x in (line * FINE).tolist()], fill=strength, width=w, joint="curve")
        return self._reduced(canvas)

    def polygon(self, outline: Points) -> Field:
        """Draw the inside of an outline.

        Parameters
        ----------
        outline : numpy.ndarray
            (n, 2) places as (y, x), in pixels of the plane.

        Returns
        -------
        numpy.ndarray
            (size, size) float32 in 0..1: how far each pixel is covered.
        """
        canvas, brush = self._canvas()
        brush.polygon([(x, y) for y, x in (outline * FINE).tolist()], fill=255)
        return self._reduced(canvas)

    def pixels(self, points: Points) -> Points:
        """Turn the coordinates `y` and `x` of the scene into pixels of the plane.

        Parameters
        ----------
        points : numpy.ndarray
            (n, 2) as (y, x), from −1 to 1 and from −aspect to aspect.

        Returns
        -------
        numpy.ndarray
            (n, 2) as (row, column), from 0 to size.
        """
        scaled: Points = (np.asarray(points, float) / (1.0, self.aspect) + 1) * self.size / 2
        return scaled

    def _canvas(self) -> tuple[PIL.Image.Image, PIL.ImageDraw.ImageDraw]:
        canvas = PIL.Image.new("L", (self.size * FINE, self.size * FINE))
        return canvas, PIL.ImageDraw.Draw(canvas)

    @staticmethod
    def _reduced(canvas: PIL.Image.Image) -> Field:
        return np.asarray(canvas.reduce(FINE), np.float32) / 255


def soft_step(x: Field, softness: float) -> Field:
    """Rise from 0 to 1 where x crosses zero (a logistic function).

    Parameters
    ----------
    x : numpy.ndarray
        Of any shape.
    softness : float
        The step reaches 0.02 at −softness and 0.98 at +softness.

    Returns
    -------
    numpy.ndarray
        Of the same shape, float32 in 0..1.
    """
    step: Field = expit(np.clip(4 * x / max(softness, 1e-4), -30, 30))
    return step.astype(np.float32)


def blur(x: Field, sigma: float) -> Field:
    """Blur a field, or each channel of a picture, with a Gaussian.

    Parameters
    ----------
    x : numpy.ndarray
        (H, W) or (H, W, C).
    sigma : float
        Standard deviation in pixels; below 0.25 nothing is done.

    Returns
    -------
    numpy.ndarray
        Of the same shape.
    """
    if sigma < 0.25:
        return x
    sigmas = (sigma, sigma, 0)[: x.ndim]
    blurred: Field = ndimage.gaussian_filter(x, sigmas, mode="nearest", truncate=3)
    return blurred


def over(colour: Field, cover: Field, paint: Field | Sequence[float]) -> Field:
    """Lay paint over a picture.

    Parameters
    ----------
    colour : numpy.ndarray
        (H, W, 3), the picture.
    cover : numpy.ndarray
        (H, W) in 0..1: how thick the paint is.
    paint : numpy.ndarray or sequence of float
        (3,) one colour, or (H, W, 3) one for each pixel.

    Returns
    -------
    numpy.ndarray
        (H, W, 3), a new picture.
    """
    painted: Field = colour + cover[..., None] * (np.asarray(paint, np.float32) - colour)
    return painted


def bent_line(rng: np.random.Generator, start: Points, way: float, length: float, bend: float, n: int = 14) -> Points:
    """Draw a line that bends and wavers.

    Parameters
    ----------
    rng : numpy.random.Generator
        Source of randomness.
    start : numpy.ndarray
        (2,), where it begins, as (y, x).
    way : float
        Its first direction in radians: 0 is to the right, π/2 down.
    length : float
        In the units of `start`.
    bend : float
        By how many radians its direction turns from start to end.
    n : int
        How many points it gets.

    Returns
    -------
    numpy.ndarray
        (n, 2) places as (y, x).
    """
    angle = way + bend * np.linspace(0, 1, n) + rng.normal(0, 0.08 * abs(bend) + 0.02, n).cumsum()
    steps = np.stack([np.sin(angle), np.cos(angle)], axis=1) * length / n
    line: Points = np.asarray(start) + steps.cumsum(axis=0)
    return line
