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
        """Smooth random clouds, about `cells` of them along each side; mean about 0, variance about 1."""
        n = max(2, math.ceil(cells)) + 3
        grid = self.rng.standard_normal((n, n), dtype=np.float32)
        start = self.rng.uniform(0.5, n - max(cells, 1.0) - 0.5, 2)
        box = (start[1], start[0], start[1] + max(cells, 1.0), start[0] + max(cells, 1.0))
        return 1.35 * np.asarray(
            PIL.Image.fromarray(grid).resize((self.size, self.size), PIL.Image.Resampling.BICUBIC, box=box), np.float32
        )

    def fractal(self, cells: float, octaves: int = 4, fall: float = 0.6) -> Field:
        """Clouds within clouds: each octave has twice the detail and `fall` of the height; variance about 1."""
        heights = fall ** np.arange(octaves)
        heights = heights / np.sqrt(np.square(heights).sum())
        octave = (h * self.cloud(min(cells * 2**i, self.size / 2)) for i, h in enumerate(heights.tolist()))
        total: Field = np.sum(list(octave), axis=0)
        return total.astype(np.float32)

    def blobs(self, share: float, cells: float, softness: float = 0.3) -> Field:
        """Irregular patches that cover about this share of the plane, in [0, 1]."""
        f = self.fractal(cells, 3)
        return soft_step(f - np.quantile(f, 1 - min(max(share, 0.0), 1.0)), softness)

    def dots(self, n: int, radius: tuple[float, float], where: Field | None = None) -> Field:
        """So many round dots, radius in pixels of the plane, anywhere or where a field is true; in [0, 1]."""
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
        """Lines (n, 2) of (y, x) in pixels of the plane, each of a width in pixels; cover in [0, 1]."""
        canvas, brush = self._canvas()
        for line, width in zip(lines, widths, strict=True):
            w = max(1, round(width * FINE))
            strength = min(255, round(255 * width * FINE / w)) if width * FINE < 1 else 255
            brush.line([(x, y) for y, x in (line * FINE).tolist()], fill=strength, width=w, joint="curve")
        return self._reduced(canvas)

    def polygon(self, outline: Points) -> Field:
        """The inside of an outline (n, 2) of (y, x) in pixels of the plane; in [0, 1]."""
        canvas, brush = self._canvas()
        brush.polygon([(x, y) for y, x in (outline * FINE).tolist()], fill=255)
        return self._reduced(canvas)

    def pixels(self, points: Points) -> Points:
        """Scene coordinates (n, 2) as pixels of the plane."""
        scaled: Points = (np.asarray(points, float) / (1.0, self.aspect) + 1) * self.size / 2
        return scaled

    def _canvas(self) -> tuple[PIL.Image.Image, PIL.ImageDraw.ImageDraw]:
        canvas = PIL.Image.new("L", (self.size * FINE, self.size * FINE))
        return canvas, PIL.ImageDraw.Draw(canvas)

    @staticmethod
    def _reduced(canvas: PIL.Image.Image) -> Field:
        return np.asarray(canvas.reduce(FINE), np.float32) / 255


def soft_step(x: Field, softness: float) -> Field:
    """Rise from 0 to 1 where x crosses zero, within about ± `softness`."""
    step: Field = expit(np.clip(4 * x / max(softness, 1e-4), -30, 30))
    return step.astype(np.float32)


def blur(x: Field, sigma: float) -> Field:
    """Gaussian blur of a field (H, W) or of each channel of (H, W, C); none below a quarter pixel."""
    if sigma < 0.25:
        return x
    sigmas = (sigma, sigma, 0)[: x.ndim]
    blurred: Field = ndimage.gaussian_filter(x, sigmas, mode="nearest", truncate=3)
    return blurred


def over(colour: Field, cover: Field, paint: Field | Sequence[float]) -> Field:
    """Paint of one colour, or of one a pixel, over a picture (H, W, 3), as thick as `cover` (H, W) says."""
    painted: Field = colour + cover[..., None] * (np.asarray(paint, np.float32) - colour)
    return painted


def bent_line(rng: np.random.Generator, start: Points, way: float, length: float, bend: float, n: int = 14) -> Points:
    """A line (n, 2) from a start in a direction (radians), whose direction turns by `bend` radians, and wavers."""
    angle = way + bend * np.linspace(0, 1, n) + rng.normal(0, 0.08 * abs(bend) + 0.02, n).cumsum()
    steps = np.stack([np.sin(angle), np.cos(angle)], axis=1) * length / n
    line: Points = np.asarray(start) + steps.cumsum(axis=0)
    return line
