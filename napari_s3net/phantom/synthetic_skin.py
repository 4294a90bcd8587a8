"""Synthetic photographs of skin with their masks, drawn as widely at random as photographs differ: to learn from.

`dermoscopy` paints one handsome photograph for samples and docs; here it is the breadth that counts. Every number is
drawn into a `SkinRecord` first, and the picture is painted from that and the seed: the same seed, the same picture.
"""

from __future__ import annotations

import io
from dataclasses import dataclass

import numpy as np
import PIL.Image
from numpy.typing import NDArray
from scipy import ndimage

from napari_s3net.phantom.paint import Field, cell_borders
from napari_s3net.phantom.plane import PaintedPlane, blur, soft_step
from napari_s3net.phantom.shrink import FINER, shrunk_mask, shrunk_parts
from napari_s3net.phantom.skin_artefacts import paint_artefacts, paint_frame, paint_hairs
from napari_s3net.phantom.skin_record import SkinRecord, draw_skin_record
from napari_s3net.phantom.synthetic_lesion import (
    BLOOD,
    MELANIN,
    lesion_density,
    make_shape,
    outline_mask,
    paint_surface,
    vessels,
)

#: What `SyntheticSkin.parts` counts.
SKIN_PARTS = ("skin", "lesion", "second tone", "further naevus", "hair", "artefact", "frame")


@dataclass(frozen=True, eq=False)
class SyntheticSkin:
    """A synthetic photograph with its truth.

    Attributes
    ----------
    array : numpy.ndarray
        (S, S, 3) uint8, red, green and blue.
    mask : numpy.ndarray
        (S, S) bool: the lesion as a person would outline it, hairs and all; empty where there is none.
    parts : numpy.ndarray
        (S, S) uint8: what is seen in each pixel, an index into `SKIN_PARTS`.
    record : SkinRecord
        What was drawn.
    """

    array: NDArray[np.uint8]
    mask: NDArray[np.bool_]
    parts: NDArray[np.uint8]
    record: SkinRecord


def synthetic_skin(seed: int, size: int = 128, *, record: SkinRecord | None = None) -> SyntheticSkin:
    """Paint a synthetic photograph of skin.

    Parameters
    ----------
    seed : int
        The same seed gives the same photograph; another seed, another lesion, skin and camera.
    size : int
        Pixels along each side, S.
    record : SkinRecord, optional
        What to paint; drawn from the seed where it is left out.

    Returns
    -------
    SyntheticSkin
        The photograph, its mask and its parts, all (S, S).
    """
    record = record or draw_skin_record(seed)
    plane = PaintedPlane(np.random.default_rng([seed, 1]), round(size * FINER), record.aspect)
    shape = make_shape(plane, record)
    density, second = lesion_density(plane, record, shape)
    skin = _skin_density(plane, record)
    naevi, further = _further_naevi(plane, record, shape.depth)
    skin += naevi
    parts = np.where(further > 0.5, SKIN_PARTS.index("further naevus"), 0).astype(np.uint8)
    if record.has_object:
        skin += density
        skin += _halo(plane, record, shape.depth / shape.radius)[..., None] * BLOOD
        parts[shape.cover > 0.5] = SKIN_PARTS.index("lesion")
        parts[second > 0.5] = SKIN_PARTS.index("second tone")
    colour = np.exp(-skin)
    lesion = shape.cover if record.has_object else np.zeros_like(shape.cover)
    if record.has_object:
        colour = paint_surface(plane, record, shape, colour)
    colour, hairs = paint_hairs(plane, record, colour)
    colour, artefacts = paint_artefacts(plane, record, colour, lesion)
    colour *= _light(plane, record)[..., None]
    colour, frame = paint_frame(plane, record, colour, lesion)
    for name, cover in (("hair", hairs), ("artefact", artefacts), ("frame", frame)):
        parts[cover > 0.5] = SKIN_PARTS.index(name)
    mask = outline_mask(shape, record) if record.has_object else np.zeros(parts.shape, bool)
    mask &= frame < 0.5
    return SyntheticSkin(
        _photograph(plane, record, colour, size), shrunk_mask(mask, size), shrunk_parts(parts, size), record
    )


def _skin_density(plane: PaintedPlane, record: SkinRecord) -> Field:
    """Optical density (S, S, 3) of bare skin: its tone, mottling, lines, pores, freckles and fine vessels."""
    rng, rough = plane.rng, record.roughness
    melanin = record.melanin * np.exp(0.12 * rough * plane.fractal(rng.uniform(2, 10), 4, 0.7))
    blood = record.blood * np.exp(0.15 * rough * plane.fractal(rng.uniform(1.5, 6), 3))
    if rng.random() < 0.35:
        size = rng.uniform(4.0, 16.0) * 2 / plane.size
        wave = 0.05 * plane.cloud(5)
        lines = cell_borders(rng, plane.y * rng.uniform(0.5, 1.6) + wave, plane.x + wave, size, 0.45)
        melanin += 0.08 * rough * rng.choice((1, 1, -1)) * lines
    if rng.random() < 0.3:
        pores = blur(plane.dots(int(rng.integers(20, 300)), (0.4, 1.6)), 0.4)
        melanin += rng.uniform(-0.25, 0.35) * pores
    if record.freckles:
        dots = plane.dots(record.freckles, (0.6, 0.03 * plane.size))
        melanin += rng.uniform(0.05, 0.35) * blur(dots, rng.uniform(0.4, 2))
    if rng.random() < 0.2:
        blood += rng.uniform(0.1, 0.5) * blur(vessels(plane, int(rng.integers(5, 60))), rng.uniform(0.3, 1.2))
    if rng.random() < 0.15:  # a red or a tanned patch of skin
        patch = plane.blobs(rng.uniform(0.2, 0.7), rng.uniform(1.2, 3), 1.0)
        blood += rng.uniform(0, 0.3) * patch
        melanin += rng.uniform(-0.5, 0.5) * record.melanin * patch
    base = rng.uniform(0.02, 0.2)
    density: Field = base + melanin[..., None] * MELANIN + blood[..., None] * BLOOD
    return density.astype(np.float32)


def _further_naevi(plane: PaintedPlane, record: SkinRecord, depth: Field) -> tuple[Field, Field]:
    """Density (S, S, 3) of smaller lesions beside the one, and where they are."""
    rng = plane.rng
    density = np.zeros((plane.size, plane.size, 3), np.float32)
    where = np.zeros((plane.size, plane.size), np.float32)
    for _ in range(record.naevi):
        angle, away = rng.uniform(0, 2 * np.pi), rng.uniform(0.45, 1.1)
        y, x = plane.y - away * np.sin(angle), plane.x - plane.aspect * away * np.cos(angle)
        radius = rng.uniform(0.03, 0.22) * min(1.0, 0.4 + np.sqrt(record.area) * 2)
        turn, long = rng.uniform(0, np.pi), np.exp(rng.normal(0, 0.2))
        d = np.hypot((y * np.sin(turn) + x * np.cos(turn)) / long, (y * np.cos(turn) - x * np.sin(turn)) * long)
        shape = soft_step(1 - d / radius + 0.15 * plane.cloud(min(1.5 / radius, 30)), rng.uniform(0.1, 0.6))
        shape = shape * (depth < -2)
        amount = np.exp(rng.uniform(np.log(0.1), np.log(1.3)))
        density += (shape * amount)[..., None] * MELANIN + (shape * rng.uniform(0, 0.3))[..., None] * BLOOD
        where = np.maximum(where, shape * (depth < -2))
    return density, where


def _halo(plane: PaintedPlane, record: SkinRecord, depth: Field) -> Field:
    """More or less blood in a ring around the lesion, fading outwards."""
    if record.halo == 0:
        return np.zeros_like(depth)
    width = plane.rng.uniform(0.1, 0.6)
    ring: Field = 0.35 * record.halo * np.exp(-np.square(np.minimum(depth, 0) / width)) * (depth < 0.3)
    return ring


def _light(plane: PaintedPlane, record: SkinRecord) -> Field:
    """Light (S, S): it falls off to the corners and to one side, and wavers a little."""
    angle = plane.rng.uniform(0, 2 * np.pi)
    off = plane.rng.normal(0, 0.15, 2)
    r2 = np.square(plane.y - off[0]) + np.square(plane.x / plane.aspect - off[1])
    tilt = plane.y * np.sin(angle) + plane.x / plane.aspect * np.cos(angle)
    light: Field = np.exp(record.unevenness * (tilt + 0.3 * plane.cloud(2)) - 0.5 * record.vignette * r2)
    return light


def _photograph(plane: PaintedPlane, record: SkinRecord, colour: Field, size: int) -> NDArray[np.uint8]:
    """What the camera makes of the light: colours, blur, noise, lines, compression, 8 bits."""
    rng = plane.rng
    colour = np.clip(colour * np.asarray(record.white_balance, np.float32), 0, 1.6)
    grey = colour.mean(axis=2, keepdims=True)
    colour = grey + record.saturation * (colour - grey)
    if rng.random() < 0.3:  # highlights that are cut, or pressed together
        colour = colour / (1 + rng.uniform(0, 0.5) * colour)
    colour = np.clip(colour, 0, 1) ** record.gamma
    colour = rng.uniform(-0.02, 0.1 if rng.random() < 0.2 else 0.03) + colour * rng.uniform(0.8, 1.1)
    colour = blur(colour, record.blur * FINER)
    if rng.random() < 0.2:  # sharpened by the camera
        colour = colour + rng.uniform(0.3, 1.2) * (colour - blur(colour, rng.uniform(0.7, 2)))
    noise = rng.standard_normal(colour.shape, dtype=np.float32)
    noise = noise.mean(axis=2, keepdims=True) * 1.5 + rng.uniform(0, 1) * noise
    colour = colour + record.noise * FINER * blur(noise, rng.choice((0, 0.6)))
    if record.video:
        lines = np.arange(plane.size) % 2 == 0
        colour[lines] = np.roll(colour[lines], int(rng.integers(0, 3)), axis=1) * rng.uniform(0.85, 1)
        colour = ndimage.gaussian_filter1d(colour, rng.uniform(0.5, 1.5), axis=1)
    picture = PIL.Image.fromarray((np.clip(colour, 0, 1) * 255 + 0.5).astype(np.uint8))
    resample = PIL.Image.Resampling.BOX if rng.random() < 0.7 else PIL.Image.Resampling.BICUBIC
    picture = picture.resize((size, size), resample)
    if record.jpeg:
        file = io.BytesIO()
        picture.save(file, "JPEG", quality=record.jpeg)
        picture = PIL.Image.open(file)
    return np.array(picture, np.uint8)
