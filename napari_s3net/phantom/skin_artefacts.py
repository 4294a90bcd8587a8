"""What lies on the skin or before the lens: hairs, ink, stickers, gel, bubbles, glare, rulers, and dark frames."""

from __future__ import annotations

import colorsys
import math

import numpy as np

from napari_s3net.phantom.paint import Field, Points
from napari_s3net.phantom.plane import PaintedPlane, bent_line, blur, over, soft_step
from napari_s3net.phantom.skin_record import SkinRecord

#: Share of the lesion that one sticker, ruler or stroke of ink may hide.
MOST_HIDDEN = 0.3


def paint_hairs(plane: PaintedPlane, record: SkinRecord, colour: Field) -> tuple[Field, Field]:
    """Paint hairs of one colour, mostly combed one way.

    Parameters
    ----------
    plane : PaintedPlane
        Of S × S pixels; its randomness is used.
    record : SkinRecord
        How many hairs there are, how wide and how light.
    colour : numpy.ndarray
        (S, S, 3) in 0..1, the picture without hairs.

    Returns
    -------
    colour : numpy.ndarray
        (S, S, 3), the picture with hairs.
    cover : numpy.ndarray
        (S, S) in 0..1: how far hairs cover each pixel.
    """
    rng, size = plane.rng, plane.size
    way, spread = rng.uniform(0, 2 * np.pi), rng.choice((0.15, 0.5, 1.5))
    unit = size / 128
    lines: list[Points] = []
    for _ in range(record.hairs):
        length = size * rng.uniform(0.15, 1.6)
        angle = way + rng.normal(0, spread)
        middle = rng.uniform(0, size, 2)
        start = middle - 0.5 * length * np.array([math.sin(angle), math.cos(angle)])
        lines.append(bent_line(rng, start, angle, length, rng.normal(0, 0.7)))
    widths = (record.hair_width * unit * np.exp(rng.normal(0, 0.25, len(lines)))).tolist()
    cover = plane.lines(lines, widths)
    light = record.hair_lightness
    tint = np.array([1.0, 1.0 - 0.25 * (1 - light), 1.0 - 0.45 * (1 - light)]) * (0.03 + 0.85 * light)
    if rng.random() < 0.25:  # what is under the gel is a shadow rather than a line
        cover = blur(cover, rng.uniform(0.3, 1.2)) * rng.uniform(0.4, 1)
    shown = over(colour, cover * rng.uniform(0.6, 1), tint * rng.uniform(0.7, 1.1))
    return shown, cover


def paint_artefacts(plane: PaintedPlane, record: SkinRecord, colour: Field, lesion: Field) -> tuple[Field, Field]:
    """Paint a pen's marks around the lesion, other ink, stickers, rulers, bubbles, gel and glare.

    Marks, ink, stickers, rulers and bubbles are left out, each by itself, where one would hide more than `MOST_HIDDEN`
    of the lesion: nobody photographs that.

    Parameters
    ----------
    plane : PaintedPlane
        Of S × S pixels; its randomness is used.
    record : SkinRecord
        How many of each there are.
    colour : numpy.ndarray
        (S, S, 3) in 0..1, the picture without them.
    lesion : numpy.ndarray
        (S, S) in 0..1: where the lesion is.

    Returns
    -------
    colour : numpy.ndarray
        (S, S, 3), the picture with them.
    covered : numpy.ndarray
        (S, S) in 0..1: how far they cover each pixel; gel covers nothing.
    """
    all_of_it = max(float(lesion.sum()), 1e-6)
    covered = np.zeros((plane.size, plane.size), np.float32)
    for amount, make in (
        (min(record.marks, 1), lambda plane: _marks(plane, record.marks, lesion)),
        (record.ink, _ink),
        (record.stickers, _sticker),
        (record.rulers, _ruler),
        (record.bubbles, _bubble),
    ):
        for _ in range(amount):
            cover, paint = make(plane)
            if float((cover * lesion).sum()) > MOST_HIDDEN * all_of_it:
                continue
            colour = over(colour, cover, paint)
            covered = np.maximum(covered, cover)
    if record.gel > 0:
        colour = colour * (1 + record.gel * _gel(plane))[..., None]
    if record.glare > 0:
        cover = _glare(plane, record.glare)
        colour, covered = over(colour, cover, (1.1, 1.1, 1.08)), np.maximum(covered, cover)
    return colour, covered


def _vivid(rng: np.random.Generator) -> Field:
    """Any colour: half of them strong, the others dull; dark to light."""
    saturation = rng.uniform(0.4, 1) if rng.random() < 0.65 else rng.uniform(0, 0.4)
    return np.array(colorsys.hsv_to_rgb(rng.random(), saturation, rng.uniform(0.1, 1)), np.float32)


def _ink(plane: PaintedPlane) -> tuple[Field, Field]:
    """A stroke, a dotted line, a ring or a scribble of a surgeon's pen, patchy as ink on skin is."""
    rng, size = plane.rng, plane.size
    way = rng.choice(4, p=(0.4, 0.25, 0.15, 0.2))
    angle = rng.uniform(0, 2 * np.pi)
    place = size * (0.5 + rng.uniform(0.25, 0.65) * np.array([math.sin(angle), math.cos(angle)]))
    width = size * rng.uniform(0.008, 0.06)
    if way == 0:
        line = bent_line(rng, place, rng.uniform(0, 2 * np.pi), size * rng.uniform(0.1, 0.7), rng.normal(0, 1.2), 24)
        cover = plane.lines([line], [width])
    elif way == 1:
        cover = plane.dots(int(rng.integers(1, 9)), (0.01 * size, 0.05 * size))
    elif way == 2:
        turn = np.linspace(0, rng.uniform(2, 2 * np.pi), 60)
        reach = size * rng.uniform(0.3, 0.6)
        ring = size / 2 + reach * np.stack([np.sin(turn + angle), np.cos(turn + angle)], axis=1)
        cover = plane.lines([ring + rng.normal(0, 0.004 * size, ring.shape)], [width])
    else:
        scribble = place + np.cumsum(rng.normal(0, 0.04 * size, (18, 2)), axis=0)
        cover = plane.lines([scribble], [width * 0.6])
    return _in_ink(plane, cover)


def _marks(plane: PaintedPlane, n: int, lesion: Field) -> tuple[Field, Field]:
    """`n` dots, dashes, crosses or arcs of one pen around the lesion, near to it or farther off."""
    rng, size = plane.rng, plane.size
    inside = lesion > 0.5
    middle = np.argwhere(inside).mean(axis=0) if inside.any() else np.full(2, size / 2)
    radius = max(math.sqrt(inside.sum() / math.pi), 0.06 * size)
    around = 2 * np.pi * (np.arange(n) + rng.uniform(-0.25, 0.25, n)) / n + rng.uniform(0, 2 * np.pi)
    reach = radius * rng.uniform(1.2, 2.4) * rng.uniform(0.85, 1.15, n)
    way = rng.choice(("dot", "along", "outwards", "cross", "arc"), p=(0.35, 0.15, 0.15, 0.1, 0.25))
    length = size * rng.uniform(0.03, 0.12)
    lines: list[Points] = []
    for angle, away in zip(around.tolist(), reach.tolist(), strict=True):
        outwards = np.array([math.sin(angle), math.cos(angle)])
        along, at = outwards[::-1] * (1, -1), middle + away * outwards
        if way == "arc":
            turn = angle + np.linspace(-0.5, 0.5, 24) * 2 * np.pi / n * rng.uniform(0.4, 1.0)
            lines.append(middle + away * np.stack([np.sin(turn), np.cos(turn)], axis=1))
        elif way == "dot":
            lines.append(at + rng.normal(0, 0.006 * size, (6, 2)))
        else:
            if way != "outwards":
                lines.append(np.stack([at - length / 2 * along, at + length / 2 * along]))
            if way != "along":
                lines.append(np.stack([at - length / 2 * outwards, at + length / 2 * outwards]))
    width = size * (rng.uniform(0.02, 0.07) if way == "dot" else rng.uniform(0.006, 0.03))
    cover = plane.lines(lines, (width * np.exp(rng.normal(0, 0.2, len(lines)))).tolist())
    return _in_ink(plane, cover)


def _in_ink(plane: PaintedPlane, cover: Field) -> tuple[Field, Field]:
    """What is covered, patchy as ink on skin is, and the colour of the ink."""
    rng = plane.rng
    patchy = soft_step(plane.fractal(24, 3) + rng.uniform(-0.5, 2.5), 1.0)
    inks = (
        (0.25, 0.1, 0.55),
        (0.1, 0.15, 0.6),
        (0.05, 0.05, 0.1),
        (0.1, 0.45, 0.25),
        (0.45, 0.25, 0.6),
        (0.6, 0.1, 0.2),
    )
    paint = np.array(inks[rng.choice(len(inks), p=(0.3, 0.2, 0.15, 0.1, 0.2, 0.05))], np.float32)
    return blur(cover, rng.uniform(0, 1.2)) * patchy * rng.uniform(0.35, 0.95), paint + rng.normal(0, 0.04, 3)


def _sticker(plane: PaintedPlane) -> tuple[Field, Field]:
    """A round or square sticker of any colour, or a strip of tape; mostly cut by the image's border."""
    rng = plane.rng
    angle, away = rng.uniform(0, 2 * np.pi), rng.uniform(0.6, 1.25)
    cy, cx = away * math.sin(angle), away * math.cos(angle) * plane.aspect
    radius = rng.uniform(0.12, 0.6)
    turn = rng.uniform(0, np.pi)
    u = (plane.y - cy) * math.sin(turn) + (plane.x - cx) * math.cos(turn)
    v = (plane.y - cy) * math.cos(turn) - (plane.x - cx) * math.sin(turn)
    way = rng.choice(3, p=(0.65, 0.2, 0.15))
    if way == 0:
        depth = radius - np.hypot(u, v * rng.uniform(0.85, 1.15))
    elif way == 1:
        depth = np.minimum(radius - np.abs(u), radius * rng.uniform(0.3, 1) - np.abs(v))
    else:
        depth = u * np.sign(rng.uniform(-1, 1)) - rng.uniform(-0.1, 0.1)
    cover = soft_step(depth, rng.uniform(0.01, 0.06))
    if rng.random() < 0.1:  # a ring rather than a disc
        cover = cover * soft_step(0.3 * radius - depth, 0.03)
    light = 1 + 0.12 * plane.cloud(2) + rng.uniform(0, 0.1) * plane.fractal(30, 2)
    rim = 1 - rng.uniform(0, 0.5) * np.exp(-np.square(depth / 0.04))
    return cover * rng.uniform(0.85, 1), _vivid(rng) * (light * rim)[..., None]


def _ruler(plane: PaintedPlane) -> tuple[Field, Field]:
    """A scale: its ticks along a line, with or without the line, numbers, and the strip that they are printed on."""
    rng, size = plane.rng, plane.size
    way = rng.choice((0.0, math.pi / 2, rng.uniform(0, np.pi)), p=(0.5, 0.15, 0.35))
    along, across = np.array([math.sin(way), math.cos(way)]), np.array([math.cos(way), -math.sin(way)])
    away = size * rng.uniform(0.2, 0.48) * rng.choice((-1, 1))
    middle = size / 2 + away * across
    step, n = size * math.exp(rng.uniform(math.log(0.012), math.log(0.09))), int(rng.integers(8, 60))
    tick, width = size * rng.uniform(0.01, 0.08), size * rng.uniform(0.003, 0.012)
    if rng.random() < 0.15:
        width = 0.45 * step
    offsets = (np.arange(n) - n / 2) * step
    lines = [
        np.stack([middle + o * along, middle + o * along + across * tick * (1.7 if i % 5 == 0 else 1)])
        for i, o in enumerate(offsets.tolist())
    ]
    if rng.random() < 0.6:
        lines.append(np.stack([middle + offsets[0] * along, middle + offsets[-1] * along]))
    for o in offsets[::10].tolist():  # numbers, as small crosses
        at = middle + o * along + across * tick * 2.6
        lines += [np.stack([at, at + (rng.uniform(-0.5, 0.5, 2)) * tick]) for _ in range(3)]
    cover = plane.lines(lines, [width] * len(lines))
    dark = np.full(3, rng.uniform(0.0, 0.35)) if rng.random() < 0.8 else np.full(3, rng.uniform(0.7, 1.0))
    paint = np.broadcast_to(dark.astype(np.float32), (size, size, 3))
    if rng.random() < 0.15:  # printed on a strip
        strip = soft_step(((np.stack([plane.y, plane.x / plane.aspect], -1) + 1) * size / 2 - middle) @ across, 1.0)
        paint = over(np.broadcast_to(np.float32(rng.uniform(0.7, 1)), (size, size, 3)), cover, dark)
        return np.maximum(strip, cover), paint
    return cover * rng.uniform(0.5, 1), paint


def _bubble(plane: PaintedPlane) -> tuple[Field, Field]:
    """A bubble of air in the gel: a thin rim that is dark on one side and bright on the other."""
    rng, size = plane.rng, plane.size
    radius = size * math.exp(rng.uniform(math.log(0.01), math.log(0.15)))
    centre = rng.uniform(0, size, 2)
    y, x = (plane.y + 1) * size / 2 - centre[0], (plane.x / plane.aspect + 1) * size / 2 - centre[1]
    distance = np.hypot(y, x)
    rim = np.exp(-np.square((distance - radius) / rng.uniform(0.5, 1.6)))
    angle = rng.uniform(0, 2 * np.pi)
    lit = (y * math.sin(angle) + x * math.cos(angle)) / np.maximum(distance, 1)
    shade = np.where(lit > 0, 1.0, 0.25)[..., None].astype(np.float32)
    return rim * np.abs(lit) * rng.uniform(0.2, 0.9), shade * np.array([1.0, 0.97, 0.93], np.float32)


def _gel(plane: PaintedPlane) -> Field:
    """Shade of the edge of a drop of gel, and a slightly other light beyond it."""
    edge = plane.fractal(plane.rng.uniform(1, 3), 3, 0.45)
    line = np.exp(-np.square(edge / plane.rng.uniform(0.02, 0.08)))
    shade: Field = plane.rng.choice((-0.35, 0.3)) * line + plane.rng.uniform(-0.1, 0.1) * soft_step(edge, 0.1)
    return shade


def _glare(plane: PaintedPlane, n: int) -> Field:
    """Light thrown back: flecks, crowded in places, and broad shine."""
    rng, size = plane.rng, plane.size
    near = plane.blobs(rng.uniform(0.1, 0.6), rng.uniform(1.5, 5))
    flecks = blur(plane.dots(n, (0.3, 0.014 * size), near), rng.uniform(0.2, 0.8))
    shine = plane.blobs(rng.uniform(0.01, 0.12), rng.uniform(2, 6), 0.6) * rng.uniform(0.1, 0.6)
    bright: Field = flecks * rng.uniform(0.5, 1)
    return np.maximum(bright, shine) if rng.random() < 0.4 else bright


def paint_frame(plane: PaintedPlane, record: SkinRecord, colour: Field, lesion: Field) -> tuple[Field, Field]:
    """Darken what the rim of the lens, or bars beside the image, hide.

    A frame that would hide more than `MOST_HIDDEN` of the lesion is left out.

    Parameters
    ----------
    plane : PaintedPlane
        Of S × S pixels; its randomness is used.
    record : SkinRecord
        Its `frame` says which kind.
    colour : numpy.ndarray
        (S, S, 3) in 0..1, the picture without a frame.
    lesion : numpy.ndarray
        (S, S) in 0..1: where the lesion is.

    Returns
    -------
    colour : numpy.ndarray
        (S, S, 3), the picture with the frame.
    hidden : numpy.ndarray
        (S, S) in 0..1: how far the frame hides each pixel.
    """
    rng, nothing = plane.rng, np.zeros((plane.size, plane.size), np.float32)
    if record.frame == "none":
        return colour, nothing
    off = rng.normal(0, 0.05, 2)
    y, x = plane.y - off[0], plane.x - off[1]
    if record.frame in ("bars", "one side"):
        sides = 1 if record.frame == "one side" else 2
        inner = rng.uniform(0.55, 0.97)
        upright = rng.random() < 0.5
        position = plane.y if upright else plane.x / plane.aspect
        position = position * rng.choice((-1, 1)) if sides == 1 else np.abs(position)
        if rng.random() < 0.3:
            position = position + 0.15 * (plane.x if upright else plane.y)
        depth = inner - position
    else:
        low, high = {"small lens": (0.6, 0.95), "lens": (0.9, 1.15), "soft lens": (0.85, 1.3)}.get(
            record.frame, (1.05, 1.35)
        )
        radius = rng.uniform(low, high) * (1 + 0.35 * (plane.aspect - 1))
        power = rng.choice((2.0, 2.0, 2.0, 4.0, 8.0))
        stretch = rng.uniform(0.9, 1.1)
        depth = radius - (np.abs(y * stretch) ** power + np.abs(x / stretch) ** power) ** (1 / power)
    softness = rng.uniform(0.15, 0.6) if record.frame == "soft lens" else rng.uniform(0.01, 0.15)
    seen = soft_step(depth, softness)
    hidden = float(((1 - seen) * lesion).sum()) / max(float(lesion.sum()), 1e-6)
    if hidden > MOST_HIDDEN:
        return colour, nothing
    dark = np.abs(rng.normal(0, 0.07)) * np.array([1.0, 0.9, 0.85]) + rng.uniform(0, 0.02, 3)
    if rng.random() < 0.08:
        dark = _vivid(rng) if rng.random() < 0.5 else np.full(3, rng.uniform(0.6, 1))
    if rng.random() < 0.3:  # the light falls off before the rim
        colour = (
            colour * (1 - rng.uniform(0.1, 0.6) * np.exp(-np.maximum(depth, 0) / rng.uniform(0.05, 0.4)))[..., None]
        )
    if rng.random() < 0.15:  # a bright ring along the rim
        colour = colour * (1 + rng.uniform(0.1, 0.5) * np.exp(-np.square(depth / rng.uniform(0.02, 0.1))))[..., None]
    return over(colour, 1 - seen, dark), 1 - seen
