"""A dermoscopy photograph: a pigmented lesion under oil, seen through a dermatoscope.

Colour is made as skin makes it: light that comes back is what melanin and blood have not absorbed.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.special import expit

from napari_s3net.image import Geometry, Image
from napari_s3net.phantom.paint import Canvas, Field, Points, cell_borders, open_curve, texture
from napari_s3net.phantom.simple import Phantom

#: Absorption of red, green and blue by one unit of pigment.
MELANIN = np.array([0.55, 0.95, 1.35], np.float32)
BLOOD = np.array([0.06, 0.75, 0.55], np.float32)
#: Colour of skin without pigment, from tan to pink and pale, red, green, blue from 0 to 1.
SKIN = np.array([[0.93, 0.70, 0.50], [0.93, 0.76, 0.64], [0.92, 0.80, 0.74]], np.float32)
#: Everything is drawn for a photograph of this height and grows with the shorter side.
HEIGHT = 576


@dataclass(frozen=True, eq=False)
class _Scene:
    """What every brush needs: randomness, coordinates in pixels, and the size of a drawn pixel."""

    rng: np.random.Generator
    shape: tuple[int, int]
    unit: float
    y: Field
    x: Field

    def cloud(self, size: float, slope: float = 3.0) -> Field:
        return texture(self.rng, self.shape, size * self.unit, slope)


def dermoscopy(seed: int = 0, shape: tuple[int, int] = (HEIGHT, 768)) -> Phantom:
    """Paint a dermoscopy photograph with hairs, dark corners, a ruler and glints.

    Parameters
    ----------
    seed : int
        The same seed gives the same photograph; another seed, another patient.
    shape : tuple of int
        (H, W).

    Returns
    -------
    Phantom
        (H, W, 3) uint8 colours, and the lesion as mask.
    """
    y, x = np.mgrid[: shape[0], : shape[1]].astype(np.float32)
    scene = _Scene(np.random.default_rng(seed), shape, min(shape) / HEIGHT, y, x)
    mask, melanin, blood = _lesion(scene)
    melanin += _skin_pigment(scene)
    blood += 0.16 + 0.03 * scene.cloud(70) + 0.03 * scene.cloud(30) + 0.02 * scene.cloud(8)
    tone = scene.rng.uniform(0, 2)
    base = SKIN[int(tone)] + (SKIN[int(tone) + 1] - SKIN[int(tone)]) * (tone % 1)
    colour = base * np.exp(-melanin[..., None] * MELANIN - blood[..., None] * BLOOD)
    colour = _over(colour, _hairs(scene), (0.16, 0.09, 0.06))
    colour *= _light(scene)[..., None]
    glints = _glints(scene)
    colour = _over(colour, 0.85 * glints, (1.0, 0.98, 0.94))
    colour = _over(colour, 0.8 * _ruler(scene), (0.10, 0.09, 0.12))
    colour = _dark_corners(scene, colour)
    return Phantom(Image(_photograph(scene, colour), Geometry.identity(2), "rgb", "dermoscopy"), mask)


def _lesion(scene: _Scene) -> tuple[NDArray[np.bool_], Field, Field]:
    """The lesion's mask, melanin and blood."""
    rng, (h, w), unit = scene.rng, scene.shape, scene.unit
    radius = rng.uniform(0.19, 0.28) * min(h, w)
    turn, stretch = rng.uniform(0, math.pi), rng.uniform(1.05, 1.45)
    dy, dx = scene.y - h * rng.uniform(0.43, 0.53), scene.x - w * rng.uniform(0.43, 0.57)
    cos, sin = math.cos(turn), math.sin(turn)
    along, across = dx * cos + dy * sin, dy * cos - dx * sin
    edge = np.hypot(along / stretch**0.5, across * stretch**0.5) / radius - 1
    edge += 0.12 * scene.cloud(110, 5) + 0.035 * scene.cloud(40, 4)
    parts, _ = ndimage.label(edge < 0)
    mask = ndimage.binary_fill_holes(parts == np.bincount(parts[parts > 0]).argmax())
    depth = (ndimage.distance_transform_edt(mask) - ndimage.distance_transform_edt(~mask)).astype(np.float32)
    fade = unit * (4.0 + 2.0 * np.clip(scene.cloud(70), -1.5, 2))
    cover = expit(depth / fade)
    # The darker tone lies to one side.
    side = (along * float(rng.choice([-0.5, 0.5])) + across * rng.uniform(-0.4, 0.4)) / radius
    dark = expit(4 * (side + 0.45 * scene.cloud(70, 4) - rng.uniform(0.1, 0.35)))
    dark *= np.clip(depth / (14 * unit), 0, 1)
    melanin = cover * (0.34 + 0.95 * dark + 0.08 * scene.cloud(14) * (1 - 0.5 * dark) + 0.04 * scene.cloud(3, 1.5))
    melanin += _network(scene, cover, dark, depth) + _dots(scene, mask, depth)
    melanin += 0.10 * np.exp(-np.maximum(-depth, 0) / (18 * unit))
    blood = cover * (0.02 + 0.05 * scene.cloud(40))
    return mask, melanin.astype(np.float32), blood.astype(np.float32)


def _network(scene: _Scene, cover: Field, dark: Field, depth: Field) -> Field:
    """The pigment network: brown lines around paler holes, clearest where the lesion is light and towards its rim."""
    rows, columns = (slice(a.min(), a.max() + 1) for a in np.nonzero(cover > 0.02))
    box = (rows, columns)
    bend = 4 * scene.unit
    y = scene.y[box] + bend * scene.cloud(40)[box]
    x = scene.x[box] + bend * scene.cloud(40)[box]
    lines = cell_borders(scene.rng, y, x, scene.rng.uniform(9, 12) * scene.unit)
    strength = np.clip(0.75 + 0.35 * scene.cloud(50), 0.15, 1.3) * (1 - 0.65 * dark)
    strength *= 0.7 + 0.3 * np.exp(-np.maximum(depth, 0) / (40 * scene.unit))
    result = np.zeros(scene.shape, np.float32)
    result[box] = cover[box] ** 0.7 * strength[box] * (0.5 * lines - 0.14)
    return result


def _dots(scene: _Scene, mask: NDArray[np.bool_], depth: Field) -> Field:
    """Dots and globules of pigment."""
    canvas = Canvas(scene.shape)
    places = np.argwhere(mask & (depth > 5 * scene.unit))
    for place in places[scene.rng.integers(0, len(places), scene.rng.integers(25, 60))]:
        canvas.fill(_blob(scene, place, scene.rng.uniform(1.2, 3.2) * scene.unit), 0.55)
    return ndimage.gaussian_filter(canvas.image(), 0.9 * scene.unit)


def _blob(scene: _Scene, place: Points, radius: float) -> Points:
    """Outline of a round thing that is not quite round."""
    angle = np.linspace(0, 2 * np.pi, 16, endpoint=False)
    reach = radius * (1 + 0.2 * np.sin(2 * angle + scene.rng.uniform(0, 6)) + 0.1 * scene.rng.uniform(-1, 1, 16))
    return place + np.stack([reach * np.sin(angle), reach * np.cos(angle)], axis=1)


def _skin_pigment(scene: _Scene) -> Field:
    """Melanin of the skin around: mottling, fine furrows, a few freckles."""
    small = (slice(None, None, 2), slice(None, None, 2))
    angle = scene.rng.uniform(0, np.pi)
    bend = 5 * scene.unit
    y = scene.y[small] + bend * scene.cloud(40)[small]
    x = scene.x[small] + bend * scene.cloud(40)[small]
    cos, sin = math.cos(angle), math.sin(angle)
    along, across = x * cos + y * sin, y * cos - x * sin
    lines = cell_borders(scene.rng, across * 1.5, along, 13 * scene.unit)
    furrows = np.kron(lines, np.ones((2, 2), np.float32))[: scene.shape[0], : scene.shape[1]]
    furrows = ndimage.gaussian_filter(furrows, 1.2 * scene.unit)
    visible = np.clip(0.5 + 0.4 * scene.cloud(80), 0.1, 1)
    freckles = np.maximum(scene.cloud(28, 5) - 1.9, 0)
    pigment: Field = 0.12 + 0.03 * scene.cloud(110) + 0.02 * scene.cloud(5, 2) + 0.17 * furrows * visible
    pigment += 0.09 * freckles
    return pigment


def _hairs(scene: _Scene) -> Field:
    """Curved hairs that taper to their tips; most grow the same way."""
    rng, (h, w) = scene.rng, scene.shape
    canvas = Canvas(scene.shape)
    way, bow = rng.uniform(0, 2 * np.pi), rng.choice([-1, 1]) * rng.uniform(0.04, 0.16)
    for _ in range(rng.integers(8, 18)):
        angle = way + rng.normal(0, 0.35)
        ahead = np.array([np.sin(angle), np.cos(angle)])
        aside = np.array([ahead[1], -ahead[0]])
        start = rng.uniform(-0.05, 1.05, 2) * (h, w)
        length, bend = rng.uniform(130, 380) * scene.unit, bow + rng.normal(0, 0.06)
        steps = np.array([0, 0.33, 0.66, 1.0])[:, None]
        wave = bend * np.sin(np.pi * steps) + rng.normal(0, 0.02, (4, 1))
        line = open_curve(start + length * (steps * ahead + wave * aside))
        canvas.stroke(
            line, scene.unit * rng.uniform(1.3, 2.5) * np.linspace(1, 0.25, len(line)), rng.uniform(0.7, 0.95)
        )
    return canvas.image()


def _light(scene: _Scene) -> Field:
    """Brighter in the middle, and more so to one side."""
    h, w = scene.shape
    y, x = scene.y / h - scene.rng.uniform(0.4, 0.6), scene.x / w - scene.rng.uniform(0.4, 0.6)
    tilt = scene.rng.uniform(-0.12, 0.12, 2).tolist()
    light: Field = 1.10 - 0.42 * (y**2 + x**2) + tilt[0] * y + tilt[1] * x
    return light + 0.012 * scene.cloud(150)


def _glints(scene: _Scene) -> Field:
    """Light thrown back by the oil: outlines of bubbles that are lit from one side, and flecks."""
    rng, (h, w) = scene.rng, scene.shape
    canvas = Canvas(scene.shape)
    for _ in range(rng.integers(4, 9)):
        place, radius = (
            rng.uniform(0.08, 0.92, 2) * (h, w),
            scene.unit * rng.choice([6, 9, 14, 24], p=[0.4, 0.3, 0.2, 0.1]),
        )
        outline = _bubble(rng, place, radius)
        canvas.stroke(np.vstack([outline, outline[:1]]), 0.9 * scene.unit, 0.22)
        for start in rng.uniform(0, len(outline), rng.integers(2, 4)).astype(int):
            arc = np.roll(outline, start, axis=0)[: rng.integers(20, 70)]
            canvas.stroke(arc, scene.unit * 1.3 * np.sin(np.linspace(0.2, np.pi - 0.2, len(arc))), rng.uniform(0.5, 1))
    way = rng.uniform(0, np.pi)
    for middle in rng.uniform(0.1, 0.9, (rng.integers(5, 10), 2)) * (h, w):
        for _ in range(rng.integers(4, 12)):
            place, angle = middle + rng.normal(0, 16 * scene.unit, 2), way + rng.normal(0, 0.25)
            reach = scene.unit * rng.uniform(1.5, 6) * np.array([np.sin(angle), np.cos(angle)])
            canvas.stroke(
                [place - reach, place, place + reach], scene.unit * np.array([0.4, 1.6, 0.4]), rng.uniform(0.3, 1)
            )
    return ndimage.gaussian_filter(canvas.image(), 0.5 * scene.unit)


def _bubble(rng: np.random.Generator, place: Points, radius: float) -> Points:
    """Outline of a bubble or a drop."""
    angle = np.linspace(0, 2 * np.pi, 120, endpoint=False)
    turn, long = rng.uniform(0, np.pi), rng.uniform(1, 1.5)
    along, across = radius * long * np.cos(angle), radius * np.sin(angle) * (1 + 0.2 * np.cos(angle))
    y, x = along * np.sin(turn) + across * np.cos(turn), along * np.cos(turn) - across * np.sin(turn)
    outline: Points = place + np.stack([y, x], axis=1)
    return outline


def _ruler(scene: _Scene) -> Field:
    """A millimetre scale along the lower rim, with the letters mm."""
    (h, w), unit = scene.shape, scene.unit
    canvas = Canvas(scene.shape)
    step, bottom = 26 * unit, h - 26 * unit
    left = w * scene.rng.uniform(0.28, 0.36)
    canvas.stroke([[bottom, left], [bottom, left + 10 * step]], 1.8 * unit, 1)
    for i in range(11):
        tick = unit * (17 if i % 5 == 0 else 10)
        canvas.stroke([[bottom, left + i * step], [bottom - tick, left + i * step]], 1.6 * unit, 1)
    for i in range(2):
        x = left + (10.5 + 0.62 * i) * step
        for stem in (0.0, 5.0, 10.0):
            canvas.stroke([[bottom, x + stem * unit], [bottom - 8 * unit, x + stem * unit]], 1.5 * unit, 1)
        canvas.stroke([[bottom - 8 * unit, x], [bottom - 8 * unit, x + 10 * unit]], 1.5 * unit, 1)
    return ndimage.gaussian_filter(canvas.image(), 0.5 * unit)


def _dark_corners(scene: _Scene, colour: Field) -> Field:
    """The rim of the dermatoscope's round field."""
    h, w = scene.shape
    y, x = h * scene.rng.uniform(0.48, 0.52), w * scene.rng.uniform(0.48, 0.52)
    radius = math.hypot(h, w) / 2 * scene.rng.uniform(0.84, 0.9)
    depth = (radius - np.hypot(scene.y - y, scene.x - x)) / scene.unit
    seen = expit(depth / 5)
    shade = np.clip(1 - 0.35 * np.exp(-np.maximum(depth, 0) / 28), 0, 1)
    rim = np.array([0.13, 0.115, 0.11], np.float32) * np.clip(1 + depth / 160, 0.35, 1)[..., None]
    seen_through: Field = colour * (seen * shade)[..., None] + rim * (1 - seen)[..., None]
    return seen_through


def _over(colour: Field, cover: Field, paint: tuple[float, float, float]) -> Field:
    """Paint of one colour over a picture, as thick as `cover` says."""
    return colour + cover[..., None] * (np.array(paint, np.float32) - colour)


def _photograph(scene: _Scene, colour: Field) -> NDArray[np.uint8]:
    """What the camera makes of it: a little blur, noise, 8 bits."""
    soft = ndimage.gaussian_filter(colour, (0.6 * scene.unit, 0.6 * scene.unit, 0))
    grain = 0.010 * texture(scene.rng, scene.shape, 1.5, 2)[..., None]
    noise = 0.006 * scene.rng.standard_normal((*scene.shape, 3), np.float32)
    array: NDArray[np.uint8] = np.clip(np.round(255 * (soft + grain + noise)), 0, 255).astype(np.uint8)
    return array
