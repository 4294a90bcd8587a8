"""A lesion of the skin, from its record: its outline, how dense its pigments lie, and what is seen in it."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from napari_s3net.phantom.paint import Field, cell_borders
from napari_s3net.phantom.plane import PaintedPlane, bent_line, blur, over, soft_step
from napari_s3net.phantom.skin_record import SkinRecord

#: Optical density of red, green and blue for one unit of each: melanin of the epidermis, blood, and melanin that lies
#: deep, where scattering makes it look blue-grey.
MELANIN, BLOOD, DEEP = (np.array(c, np.float32) for c in ((0.36, 0.72, 1.1), (0.08, 0.58, 0.54), (1.0, 0.85, 0.62)))
#: Least and largest melanin, blood and deep melanin that each kind adds to the skin's.
_DENSITIES = {
    "brown": ((0.25, 1.0), (0.0, 0.3), (0.0, 0.0)),
    "dark": ((0.9, 2.4), (0.0, 0.4), (0.0, 0.5)),
    "pale": ((0.06, 0.3), (0.0, 0.12), (0.0, 0.05)),
    "red": ((0.0, 0.3), (0.25, 1.0), (0.0, 0.1)),
    "pink": ((0.0, 0.06), (0.08, 0.35), (0.0, 0.05)),
    "white": ((-0.25, -0.05), (-0.15, 0.15), (0.0, 0.05)),
    "blue": ((0.0, 0.6), (0.0, 0.3), (0.35, 1.3)),
    "two-toned": ((0.15, 0.7), (0.0, 0.3), (0.0, 0.1)),
    "regressing": ((0.2, 0.8), (0.0, 0.35), (0.0, 0.1)),
    "ulcerated": ((0.0, 0.3), (0.15, 0.7), (0.0, 0.1)),
}


@dataclass(frozen=True, eq=False)
class Shape:
    """Where a lesion lies.

    Attributes
    ----------
    depth : numpy.ndarray
        (S, S): pixels to the border, positive inside.
    radius : float
        Of a disc of the same area, in pixels.
    cover : numpy.ndarray
        (S, S) in [0, 1]: how much of the lesion there is, fading over the border.
    """

    depth: Field
    radius: float
    cover: Field


def make_shape(plane: PaintedPlane, record: SkinRecord) -> Shape:
    """Draw one connected region with lobes, notches and a soft border.

    Parameters
    ----------
    plane : PaintedPlane
        Of S × S pixels; its randomness is used.
    record : SkinRecord
        Area, centre, elongation, irregularity and softness of the lesion.

    Returns
    -------
    Shape
        Of about the record's area.
    """
    rng = plane.rng
    y, x = plane.y - record.centre[0], plane.x - record.centre[1] * plane.aspect
    along = (y * math.sin(record.angle) + x * math.cos(record.angle)) / math.sqrt(record.elongation)
    across = (y * math.cos(record.angle) - x * math.sin(record.angle)) * math.sqrt(record.elongation)
    scale = math.sqrt(4 * plane.aspect * record.area / math.pi)
    distance = np.hypot(along, across) / scale
    theta = np.arctan2(across, along)
    waves = np.arange(2, 9)
    lobes = np.sum(
        [rng.normal(0, 0.5 / k) * np.cos(k * theta + rng.uniform(0, 2 * np.pi)) for k in waves.tolist()], axis=0
    )
    rough = plane.fractal(min(1.2 / scale + 1, 24), 4, 0.65)
    if record.pattern == "streaks":
        k = rng.integers(14, 40)
        lobes = lobes + 0.35 * np.cos(k * theta + 3 * plane.cloud(4)) * (plane.cloud(3) > -0.3)
    shape = 1 - distance + record.irregularity * (0.7 * lobes + 0.5 * rough) * np.minimum(distance, 1.5)
    inside = _one_piece(shape > np.quantile(shape, 1 - record.area), shape)
    depth = (ndimage.distance_transform_edt(inside) - ndimage.distance_transform_edt(~inside)).astype(np.float32)
    radius = max(1.0, math.sqrt(inside.sum() / math.pi))
    softness = record.softness * radius * np.exp(0.5 * plane.cloud(3)) + 0.7
    cover: Field = 1 / (1 + np.exp(np.clip(-3 * depth / softness, -30, 30)))
    return Shape(depth, radius, cover.astype(np.float32))


def outline_mask(shape: Shape, record: SkinRecord) -> NDArray[np.bool_]:
    """Outline the lesion as a person would: a little outside the fading, and smoother than the border.

    Parameters
    ----------
    shape : Shape
        Where the lesion lies.
    record : SkinRecord
        Its `generosity`, `softness` and `smoothing` say how far outside and how smooth.

    Returns
    -------
    numpy.ndarray
        (S, S) bool, one connected region without holes.
    """
    outside = (record.generosity + min(0.3 * record.softness, 0.1)) * shape.radius
    smooth = blur(shape.depth, record.smoothing * shape.radius)
    return _one_piece(smooth > -outside, smooth)


def lesion_density(plane: PaintedPlane, record: SkinRecord, shape: Shape) -> tuple[Field, Field]:
    """Compute the optical density that the lesion adds to that of the skin.

    Parameters
    ----------
    plane : PaintedPlane
        Of S × S pixels; its randomness is used.
    record : SkinRecord
        Kind, pattern and contrast of the lesion.
    shape : Shape
        Where the lesion lies.

    Returns
    -------
    density : numpy.ndarray
        (S, S, 3) for red, green and blue; light that comes back is exp(−density). It can be negative, for pale lesions.
    second : numpy.ndarray
        (S, S) in 0..1: where the lesion's second tone lies; 0 everywhere if it has one tone.
    """
    rng, r = plane.rng, shape.radius
    if record.kind == "any colour":
        density = np.exp(plane.rng.normal(-0.9, 0.8, 3)) * rng.choice((1, 1, 1, -0.4)) * (0.4 + record.contrast)
        amounts = np.broadcast_to(density.astype(np.float32), (*shape.depth.shape, 3)).copy()
    else:
        ranges = _DENSITIES[record.kind]
        melanin = ranges[0][0] + (ranges[0][1] - ranges[0][0]) * record.contrast
        blood, deep = (rng.uniform(*limits) for limits in ranges[1:])
        amounts = np.broadcast_to(melanin * MELANIN + blood * BLOOD + deep * DEEP, (*shape.depth.shape, 3)).copy()
    cells = min(max(2.0, plane.size / r * rng.uniform(0.8, 3)), 50)
    mottled = np.exp(rng.uniform(0.05, 0.5) * plane.fractal(cells, 4, 0.75))
    inward = np.clip(shape.depth / r, -0.5, 1)
    profile = 1 + rng.choice((0, 0.8, -0.6)) * rng.uniform(0, 1) * (inward - 0.3)
    amounts *= (mottled * profile)[..., None]
    second = _second_tone(plane, record, shape)
    amounts += second[..., None] * _second_density(rng, record)
    if record.kind == "regressing" or rng.random() < 0.06:
        gone = plane.blobs(rng.uniform(0.15, 0.6), cells, rng.uniform(0.1, 1))
        amounts *= (1 - gone * rng.uniform(0.5, 1))[..., None]
        amounts += (gone * rng.uniform(0, 0.35))[..., None] * DEEP
    amounts *= _structure(plane, record, shape)[..., None]
    return amounts * shape.cover[..., None], second * (shape.cover > 0.5)


def _second_tone(plane: PaintedPlane, record: SkinRecord, shape: Shape) -> Field:
    """Where another colour lies within the lesion: a part off its middle, patches, or a rim."""
    rng = plane.rng
    if record.kind != "two-toned" and rng.random() > 0.25:
        return np.zeros_like(shape.depth)
    way = rng.choice(3, p=(0.5, 0.35, 0.15))
    inward = shape.depth / shape.radius
    if way == 0:
        angle, away = rng.uniform(0, 2 * np.pi), rng.uniform(0, 0.6)
        cy, cx = record.centre[0], record.centre[1] * plane.aspect
        reach = shape.radius * 2 / plane.size
        d = np.hypot(plane.y - cy - away * reach * np.sin(angle), plane.x - cx - away * reach * np.cos(angle)) / reach
        return soft_step(rng.uniform(0.2, 0.7) - d + 0.15 * plane.fractal(1.5 / reach + 1), rng.uniform(0.05, 0.6))
    if way == 1:
        return plane.blobs(rng.uniform(0.1, 0.5), min(2 * plane.size / shape.radius, 40), rng.uniform(0.05, 0.8))
    return soft_step(rng.uniform(0.1, 0.3) - inward + 0.05 * plane.cloud(6), rng.uniform(0.1, 0.3))


def _second_density(rng: np.random.Generator, record: SkinRecord) -> Field:
    """What the second tone adds: mostly more melanin, else blue-grey, blood, or a paler part."""
    way = rng.choice(4, p=(0.55, 0.2, 0.15, 0.1))
    if way == 0:
        return MELANIN * np.float32(rng.uniform(0.3, 1.8))
    if way == 1:
        return DEEP * np.float32(rng.uniform(0.2, 1.2))
    if way == 2:
        return BLOOD * np.float32(rng.uniform(0.2, 1.0))
    return MELANIN * np.float32(-0.3 * record.contrast)


def _structure(plane: PaintedPlane, record: SkinRecord, shape: Shape) -> Field:
    """Factor of the density, (S, S): net, globules, stripes or nothing."""
    rng, strength = plane.rng, plane.rng.uniform(0.15, 0.8)
    bend = 0.04 * plane.cloud(5)
    if record.pattern == "net":
        size = rng.uniform(3.0, 9.0) * 2 / plane.size
        net = cell_borders(rng, plane.y + bend, plane.x + 0.04 * plane.cloud(5), size, 0.4)
        return 1 + strength * (net - 0.45) * (1 if rng.random() < 0.85 else -1)
    if record.pattern in ("globules", "clods"):
        n, large = int(rng.integers(10, 160)), 2.2 if record.pattern == "globules" else 7.0
        dots = blur(plane.dots(n, (0.6, large), shape.cover), 0.4)
        return (1 - 0.3 * strength) + 1.8 * strength * dots
    if record.pattern == "stripes":
        way = rng.uniform(0, np.pi)
        phase = (plane.y * math.sin(way) + plane.x * math.cos(way) + bend * 2) * rng.uniform(15, 70)
        return 1 + 0.6 * strength * np.sin(phase)
    return np.ones_like(shape.depth)


def paint_surface(plane: PaintedPlane, record: SkinRecord, shape: Shape, colour: Field) -> Field:
    """Paint what lies on the lesion: crusts and blood, scales and pearls, vessels, a white veil.

    Parameters
    ----------
    plane : PaintedPlane
        Of S × S pixels; its randomness is used.
    record : SkinRecord
        Kind and pattern of the lesion.
    shape : Shape
        Where the lesion lies.
    colour : numpy.ndarray
        (S, S, 3) in 0..1, the picture so far.

    Returns
    -------
    numpy.ndarray
        (S, S, 3), the picture with them.
    """
    rng, inside = plane.rng, shape.cover
    cells = min(2.5 * plane.size / shape.radius, 50)
    if record.kind == "ulcerated":
        crust = plane.blobs(rng.uniform(0.05, 0.35), cells, 0.1) * inside
        colour = over(colour, crust * rng.uniform(0.5, 1), rng.uniform((0.2, 0.02, 0.0), (0.75, 0.4, 0.2)))
        wet = plane.blobs(rng.uniform(0.05, 0.25), cells, 0.15) * inside
        colour = over(colour, wet * rng.uniform(0.2, 0.8), rng.uniform((0.5, 0.1, 0.1), (0.95, 0.85, 0.6)))
    if record.pattern == "scales" or rng.random() < 0.05:
        flakes = plane.blobs(rng.uniform(0.04, 0.3), cells * 1.5, 0.15) * inside
        colour = over(colour, flakes * rng.uniform(0.2, 0.8), rng.uniform((0.75, 0.7, 0.6), (1, 1, 0.95)))
        pearls = plane.dots(int(rng.integers(0, 40)), (0.4, 1.8), inside)
        colour = over(colour, pearls * rng.uniform(0.2, 0.8), (0.95, 0.93, 0.85))
    if record.pattern == "vessels" or (record.kind in ("red", "pink") and rng.random() < 0.4):
        colour = over(colour, vessels(plane, int(rng.integers(3, 40)), shape) * inside * 0.6, (0.6, 0.1, 0.15))
    if rng.random() < 0.12:
        veil = plane.blobs(rng.uniform(0.1, 0.5), cells, 0.8) * inside
        colour = over(colour, veil * rng.uniform(0.1, 0.5), rng.uniform((0.5, 0.55, 0.6), (0.9, 0.9, 0.95)))
    return colour


def vessels(plane: PaintedPlane, n: int, shape: Shape | None = None) -> Field:
    """Draw thin, winding vessels.

    Parameters
    ----------
    plane : PaintedPlane
        Of S × S pixels; its randomness is used.
    n : int
        How many.
    shape : Shape, optional
        The lesion in which they begin; None is anywhere on the plane.

    Returns
    -------
    numpy.ndarray
        (S, S) float32 in 0..1: how far they cover each pixel.
    """
    rng = plane.rng
    places = np.argwhere(shape.cover > 0.5) if shape is not None else rng.uniform(0, plane.size, (200, 2))
    if not len(places):
        return np.zeros((plane.size, plane.size), np.float32)
    length = 0.6 * shape.radius if shape is not None else 0.25 * plane.size
    starts = places[rng.integers(0, len(places), n)]
    lines = [
        bent_line(rng, start, rng.uniform(0, 2 * np.pi), length * rng.uniform(0.2, 1), rng.normal(0, 1.5))
        for start in starts
    ]
    return plane.lines(lines, rng.uniform(0.3, 1.1, n).tolist())


def _one_piece(mask: NDArray[np.bool_], height: Field) -> NDArray[np.bool_]:
    """The largest connected part, without holes; the highest pixel where there is none."""
    parts, n = ndimage.label(mask)
    if n == 0:
        return np.asarray(height == height.max())
    if n > 1:
        mask = parts == np.bincount(parts.ravel())[1:].argmax() + 1
    filled: NDArray[np.bool_] = ndimage.binary_fill_holes(mask)
    return filled
