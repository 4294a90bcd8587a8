"""What is drawn at random for one synthetic slice of a chest CT, before anything is painted."""

from __future__ import annotations

import math
from dataclasses import dataclass

from napari_s3net.phantom.draw import Draw


@dataclass(frozen=True, kw_only=True)
class ChestRecord:
    """The numbers behind one synthetic slice. Lengths are shares of half the image's side before `zoom`.

    Attributes
    ----------
    seed : int
        Seed of all that is drawn at random.
    level : float
        Height of the slice: 0 is the tip of the lungs, 1 their lowest recess; below 0 is neck, above 1 is belly.
    has_object : bool
        Whether the level has lungs.
    zoom, turn, shift : float, float, tuple of float
        Field of view, rotation of the patient in radians, and where the middle lies.
    prone, mirrored : bool
        Lying on the belly; left for right.
    half_width, half_depth, squareness : float
        Of the body: half axes and the power of its superellipse.
    fat, wall : float
        Thickness of the fat below the skin, and of the chest wall within it.
    breasts : float
        Height, 0 for none.
    arms : bool
        Beside the body.
    heart : float
        Size, 1 is usual.
    asymmetry : float
        How much larger one lung is than the other.
    lung : float
        Hounsfield units of the lung's tissue: −900 breathed in, −650 breathed out.
    gradient : float
        How much denser the lung is where it lies lowest, in HU.
    emphysema, haze, consolidation : float
        Share of the lung that is empty, hazy, or filled.
    effusion : float
        Depth of fluid behind the lung, 0 for none.
    tumours, nodules : int
        Masses at the wall, which are no lung, and small ones within it, which are.
    contrast : float
        HU that contrast medium adds to blood.
    bowel : int
        Pockets of gas below the diaphragm.
    table : bool
        Whether it is seen.
    metal : int
        Wires, clips and leads.
    noise, blur, sharpening : float
        Of the scanner, in HU and pixels of an image of 128.
    spacing : float
        Millimetres a pixel of an image of 512.
    """

    seed: int
    level: float
    has_object: bool
    zoom: float
    turn: float
    shift: tuple[float, float]
    prone: bool
    mirrored: bool
    half_width: float
    half_depth: float
    squareness: float
    fat: float
    wall: float
    breasts: float
    arms: bool
    heart: float
    asymmetry: float
    lung: float
    gradient: float
    emphysema: float
    haze: float
    consolidation: float
    effusion: float
    tumours: int
    nodules: int
    contrast: float
    bowel: int
    table: bool
    metal: int
    noise: float
    blur: float
    sharpening: float
    spacing: float


def draw_chest_record(seed: int) -> ChestRecord:
    """Draw the numbers of one slice at random.

    Parameters
    ----------
    seed : int
        The same seed gives the same numbers.

    Returns
    -------
    ChestRecord
        6 % of them without lungs, above or below the chest.
    """
    draw = Draw(seed, 2)
    empty = draw.often(0.06)
    level = _level(draw, empty)
    half_width = draw.between(0.62, 0.9)
    zoom = math.exp(draw.rng.normal(0.02, 0.13))
    return ChestRecord(
        seed=seed,
        level=level,
        has_object=not empty,
        zoom=zoom,
        turn=float(draw.rng.normal(0, 0.06)),
        shift=(float(draw.rng.normal(-0.04, 0.07)), float(draw.rng.normal(0, 0.05))),
        prone=draw.often(0.05),
        mirrored=draw.often(0.05),
        half_width=half_width,
        half_depth=half_width * draw.between(0.55, 0.78),
        squareness=draw.between(2.0, 3.2),
        fat=draw.between(0.015, 0.05) if draw.often(0.6) else draw.between(0.05, 0.14),
        wall=draw.between(0.04, 0.09),
        breasts=draw.between(0.05, 0.25) if draw.often(0.35) else 0.0,
        arms=draw.often(0.2),
        heart=math.exp(draw.rng.normal(0, 0.15)),
        asymmetry=float(draw.rng.normal(0, 0.12)),
        lung=draw.between(-900, -760) if draw.often(0.7) else draw.between(-800, -550),
        gradient=draw.between(0, 150) if draw.often(0.6) else 0.0,
        emphysema=draw.between(0.1, 0.7) if draw.often(0.2) else 0.0,
        haze=draw.between(0.1, 0.6) if draw.often(0.2) else 0.0,
        consolidation=draw.between(0.02, 0.2) if draw.often(0.15) else 0.0,
        effusion=draw.between(0.03, 0.25) if draw.often(0.15) else 0.0,
        tumours=draw.whole(1, 3) if draw.often(0.12) else 0,
        nodules=draw.whole(1, 8) if draw.often(0.15) else 0,
        contrast=draw.between(40, 300) if draw.often(0.5) else 0.0,
        bowel=draw.whole(0, 6),
        table=draw.often(0.9),
        metal=draw.whole(1, 6) if draw.often(0.15) else 0,
        noise=draw.log_between(4, 70),
        blur=draw.between(0, 0.9),
        sharpening=draw.between(0, 1.0) if draw.often(0.3) else 0.0,
        spacing=0.78 / zoom,
    )


def _level(draw: Draw, empty: bool) -> float:
    """Anywhere along the lungs; without them in the neck or the belly."""
    if not empty:
        return draw.between(0.0, 1.0)
    return draw.between(-0.25, -0.03) if draw.often(0.4) else draw.between(1.05, 1.3)
