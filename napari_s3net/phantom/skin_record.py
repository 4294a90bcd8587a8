"""What is drawn at random for one synthetic photograph of skin, before anything is painted."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np

from napari_s3net.phantom.draw import Draw

LesionKind = Literal[
    "brown", "dark", "pale", "red", "pink", "white", "blue", "two-toned", "regressing", "ulcerated", "any colour"
]
Pattern = Literal["plain", "net", "globules", "streaks", "stripes", "scales", "vessels", "clods"]
Frame = Literal["none", "lens", "soft lens", "corners", "small lens", "bars", "one side"]

#: How often each is drawn, in the order of the words above.
_KINDS = (0.23, 0.12, 0.13, 0.09, 0.09, 0.02, 0.04, 0.13, 0.07, 0.04, 0.04)
_PATTERNS = (0.32, 0.21, 0.12, 0.09, 0.05, 0.06, 0.07, 0.08)
_FRAMES = (0.44, 0.08, 0.08, 0.27, 0.04, 0.05, 0.04)
#: Share of the image that lesions cover, as (least, largest, how often), spread evenly over the logarithm.
_AREAS = ((0.005, 0.03, 0.15), (0.03, 0.25, 0.51), (0.25, 0.65, 0.3), (0.65, 0.97, 0.04))
#: Share of the photographs that are clean: bare skin, a lesion, and at most a few hairs.
_CLEAN = 0.35


@dataclass(frozen=True, kw_only=True)
class SkinRecord:
    """The numbers behind one synthetic photograph.

    Attributes
    ----------
    seed : int
        Seed of all that is drawn at random.
    has_object : bool
        False: empty skin, whose mask is empty too.
    aspect : float
        Width by height of the scene before it was squeezed into a square.
    melanin, blood : float
        Optical density of the skin's two pigments: 0.05 is the lightest skin, 1.3 the darkest.
    roughness : float
        How strongly skin lines and mottling show.
    kind, pattern : str
        Colours of the lesion, and the structure seen in it.
    area : float
        Share of the image that the lesion covers, before it is outlined.
    centre : tuple of float
        Row and column of the lesion's middle, from −1 to 1.
    elongation, angle, irregularity : float
        Shape of the lesion: long by short axis, its direction in radians, and how far its outline wavers.
    softness : float
        Width of the border's fading, in radii of the lesion.
    contrast : float
        From 0 (as faint as this kind gets) to 1.
    halo : float
        Paler (below 0) or redder (above 0) ring around the lesion; 0 is none.
    generosity, smoothing : float
        How far outside the border the outline of the mask runs, and how smooth it is, in radii.
    naevi, freckles, hairs : int
        How many further ones there are.
    hair_lightness, hair_width : float
        0 is black, 1 is white; width in pixels of an image of 128.
    ink, stickers, bubbles, glare, rulers : int
        How many of each there are.
    gel : float
        Strength of the edges of gel, 0 is none.
    frame : str
        What the lens or the screen leaves dark.
    vignette, unevenness : float
        Fall of the light to the corners, and to one side.
    white_balance : tuple of float
        Factor of red, green and blue.
    gamma, saturation : float
        Of the camera.
    blur, noise : float
        Standard deviations in pixels and on a scale of 0 to 1.
    jpeg : int
        Quality, 0 for none.
    video : bool
        Lines of a video camera.
    marks : int
        What a surgeon's pen has drawn around the lesion to say which one is meant: dots, dashes, crosses or arcs.
    """

    seed: int
    has_object: bool
    aspect: float
    melanin: float
    blood: float
    roughness: float
    kind: LesionKind
    pattern: Pattern
    area: float
    centre: tuple[float, float]
    elongation: float
    angle: float
    irregularity: float
    softness: float
    contrast: float
    halo: float
    generosity: float
    smoothing: float
    naevi: int
    freckles: int
    hairs: int
    hair_lightness: float
    hair_width: float
    ink: int
    stickers: int
    bubbles: int
    glare: int
    rulers: int
    gel: float
    frame: Frame
    vignette: float
    unevenness: float
    white_balance: tuple[float, float, float]
    gamma: float
    saturation: float
    blur: float
    noise: float
    jpeg: int
    video: bool
    marks: int


def draw_skin_record(seed: int) -> SkinRecord:
    """Draw the numbers of one photograph at random.

    Parameters
    ----------
    seed : int
        The same seed gives the same numbers.

    Returns
    -------
    SkinRecord
        4 % of them without a lesion.
    """
    draw = Draw(seed, 0)
    clean = draw.often(_CLEAN)
    kind = draw.one_of(_KINDS)
    pattern = draw.one_of(_PATTERNS)
    frame = 0 if clean else draw.one_of(_FRAMES)
    area = _area(draw)
    # Each step draws its numbers in turn: in another order each seed would give another photograph.
    return SkinRecord(
        seed=seed,
        kind=get_args(LesionKind)[kind],
        pattern=get_args(Pattern)[pattern],
        frame=get_args(Frame)[frame],
        area=area,
        **_skin(draw),
        **_lesion(draw, area),
        **_beside_the_lesion(draw, clean),
        **_artefacts(draw, clean),
        **_camera(draw),
        video=draw.often(0.05) and not clean,
        marks=draw.whole(2, 10) if draw.often(0.1) and not clean else 0,
    )


def _area(draw: Draw) -> float:
    low, high, _ = _AREAS[draw.one_of(tuple(often for *_, often in _AREAS))]
    return draw.log_between(low, high)


def _skin(draw: Draw) -> dict[str, Any]:
    """Whose skin it is, and whether there is a lesion in it."""
    tone = draw.one_of((0.62, 0.2, 0.1, 0.08))  # light, tanned, brown, dark
    return {
        "melanin": draw.between(*((0.04, 0.26), (0.2, 0.5), (0.45, 0.8), (0.8, 1.3))[tone]),
        "has_object": not draw.often(0.04),
        "aspect": float(draw.rng.choice((1.0, 4 / 3, draw.between(1.0, 1.5)))),
        "blood": draw.between(0.03, 0.3) if draw.often(0.65) else draw.between(0.3, 0.95),
        "roughness": float(draw.rng.gamma(2.0, 0.4)),
    }


def _lesion(draw: Draw, area: float) -> dict[str, Any]:
    """Where the lesion lies, its shape and its border, and how it is outlined."""
    return {
        "centre": _centre(draw, area),
        "elongation": math.exp(abs(draw.rng.normal(0, 0.35))),
        "angle": draw.between(0, math.pi),
        "irregularity": float(draw.rng.gamma(2.0, 0.16)),
        "softness": draw.between(0.01, 0.1) if draw.often(0.45) else draw.log_between(0.08, 0.5),
        "contrast": draw.between(0, 1),
        "halo": draw.between(-1, 1) if draw.often(0.22) else 0.0,
        "generosity": draw.between(-0.05, 0.07) if draw.often(0.82) else draw.between(0.06, 0.32),
        "smoothing": draw.between(0.0, 0.06) if draw.often(0.5) else draw.between(0.05, 0.3),
    }


def _centre(draw: Draw, area: float) -> tuple[float, float]:
    """Mostly near the middle of the image; a sixth anywhere, the larger ones over its border too."""
    reach = 0.8 if area < 0.1 else 0.6
    y, x = draw.rng.uniform(-reach, reach, 2) if draw.often(0.16) else draw.rng.normal(0, 0.15, 2)
    return float(np.clip(y, -0.85, 0.85)), float(np.clip(x, -0.85, 0.85))


def _beside_the_lesion(draw: Draw, clean: bool) -> dict[str, Any]:
    """What else there is on the skin."""
    return {
        "naevi": draw.whole(1, 7) if draw.often(0.2) else 0,
        "freckles": draw.whole(3, 90) if draw.often(0.25) else 0,
        "hairs": _hairs(draw, clean),
        "hair_lightness": draw.between(0.0, 0.3) if draw.often(0.75) else draw.between(0.3, 1.0),
        "hair_width": draw.log_between(0.25, 1.9),
    }


def _hairs(draw: Draw, clean: bool) -> int:
    few, some, many = (draw.whole(*limits) for limits in ((1, 8), (8, 35), (35, 121)))
    shares = (0.7, 0.3, 0.0, 0.0) if clean else (0.38, 0.26, 0.25, 0.11)
    return (0, few, some, many)[draw.one_of(shares)]


def _artefacts(draw: Draw, clean: bool) -> dict[str, Any]:
    """What the examiner has put there, or the gel has brought."""

    def seen(share: float) -> bool:
        return draw.often(share) and not clean

    return {
        "ink": draw.whole(1, 6) if seen(0.14) else 0,
        "stickers": draw.whole(1, 4) if seen(0.16) else 0,
        "bubbles": draw.whole(1, 25) if seen(0.2) else 0,
        "glare": draw.whole(1, 40) if seen(0.22) else 0,
        "rulers": draw.whole(1, 3) if seen(0.28) else 0,
        "gel": draw.between(0.2, 1.0) if seen(0.14) else 0.0,
    }


def _camera(draw: Draw) -> dict[str, Any]:
    """The light, and what the camera makes of it."""
    return {
        "vignette": draw.between(0, 0.7) ** 2 * (1.0 if draw.often(0.7) else 1.8),
        "unevenness": float(draw.rng.gamma(1.5, 0.12)),
        "white_balance": _white_balance(draw),
        "gamma": math.exp(draw.rng.normal(0, 0.22)),
        "saturation": draw.between(0.75, 1.25) if draw.often(0.7) else draw.between(0.4, 1.6),
        "blur": draw.between(0, 0.6) if draw.often(0.75) else draw.between(0.6, 2.2),
        "noise": draw.between(0, 0.012) if draw.often(0.75) else draw.between(0.01, 0.05),
        "jpeg": draw.whole(12, 92) if draw.often(0.3) else 0,
    }


def _white_balance(draw: Draw) -> tuple[float, float, float]:
    """Mostly slight; an eighth as far off as a photograph that is blue, green or orange all over."""
    spread = 0.07 if draw.often(0.88) else 0.22
    red, green, blue = np.exp(draw.rng.normal(0, spread, 3) + draw.rng.normal(0.08, 0.14)).tolist()
    return red, green, blue
