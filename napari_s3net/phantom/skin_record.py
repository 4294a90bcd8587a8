"""What is drawn at random for one synthetic photograph of skin, before anything is painted."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

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
    rng = np.random.default_rng([seed, 0])

    def u(low: float, high: float) -> float:
        return float(rng.uniform(low, high))

    def often(share: float) -> bool:
        return bool(rng.random() < share)

    clean = often(_CLEAN)

    def seen(share: float) -> bool:
        return often(share) and not clean

    kind: LesionKind = get_args(LesionKind)[rng.choice(len(_KINDS), p=_KINDS)]
    pattern: Pattern = get_args(Pattern)[rng.choice(len(_PATTERNS), p=_PATTERNS)]
    frame: Frame = get_args(Frame)[0 if clean else rng.choice(len(_FRAMES), p=_FRAMES)]
    area = _area(rng)
    tone = rng.choice(4, p=(0.62, 0.2, 0.1, 0.08))  # light, tanned, brown, dark
    melanin = u(*((0.04, 0.26), (0.2, 0.5), (0.45, 0.8), (0.8, 1.3))[tone])
    return SkinRecord(
        seed=seed,
        has_object=not often(0.04),
        aspect=float(rng.choice((1.0, 4 / 3, u(1.0, 1.5)))),
        melanin=melanin,
        blood=u(0.03, 0.3) if often(0.65) else u(0.3, 0.95),
        roughness=float(rng.gamma(2.0, 0.4)),
        kind=kind,
        pattern=pattern,
        area=area,
        centre=_centre(rng, area),
        elongation=math.exp(abs(rng.normal(0, 0.35))),
        angle=u(0, math.pi),
        irregularity=float(rng.gamma(2.0, 0.16)),
        softness=u(0.01, 0.1) if often(0.45) else math.exp(u(math.log(0.08), math.log(0.5))),
        contrast=u(0, 1),
        halo=(u(-1, 1) if often(0.22) else 0.0),
        generosity=u(-0.05, 0.07) if often(0.82) else u(0.06, 0.32),
        smoothing=u(0.0, 0.06) if often(0.5) else u(0.05, 0.3),
        naevi=int(rng.integers(1, 7)) if often(0.2) else 0,
        freckles=int(rng.integers(3, 90)) if often(0.25) else 0,
        hairs=_hairs(rng, clean),
        hair_lightness=u(0.0, 0.3) if often(0.75) else u(0.3, 1.0),
        hair_width=math.exp(u(math.log(0.25), math.log(1.9))),
        ink=int(rng.integers(1, 6)) if seen(0.14) else 0,
        stickers=int(rng.integers(1, 4)) if seen(0.16) else 0,
        bubbles=int(rng.integers(1, 25)) if seen(0.2) else 0,
        glare=int(rng.integers(1, 40)) if seen(0.22) else 0,
        rulers=int(rng.integers(1, 3)) if seen(0.28) else 0,
        gel=u(0.2, 1.0) if seen(0.14) else 0.0,
        frame=frame,
        vignette=u(0, 0.7) ** 2 * (1.0 if often(0.7) else 1.8),
        unevenness=float(rng.gamma(1.5, 0.12)),
        white_balance=_white_balance(rng),
        gamma=math.exp(rng.normal(0, 0.22)),
        saturation=u(0.75, 1.25) if often(0.7) else u(0.4, 1.6),
        blur=u(0, 0.6) if often(0.75) else u(0.6, 2.2),
        noise=u(0, 0.012) if often(0.75) else u(0.01, 0.05),
        jpeg=int(rng.integers(12, 92)) if often(0.3) else 0,
        video=seen(0.05),
        marks=int(rng.integers(2, 10)) if seen(0.1) else 0,
    )


def _area(rng: np.random.Generator) -> float:
    low, high, _ = _AREAS[rng.choice(len(_AREAS), p=[often for *_, often in _AREAS])]
    return math.exp(rng.uniform(math.log(low), math.log(high)))


def _centre(rng: np.random.Generator, area: float) -> tuple[float, float]:
    """Mostly near the middle of the image; a sixth anywhere, the larger ones over its border too."""
    reach = 0.8 if area < 0.1 else 0.6
    y, x = rng.uniform(-reach, reach, 2) if rng.random() < 0.16 else rng.normal(0, 0.15, 2)
    return float(np.clip(y, -0.85, 0.85)), float(np.clip(x, -0.85, 0.85))


def _hairs(rng: np.random.Generator, clean: bool) -> int:
    few, some, many = (int(rng.integers(*limits)) for limits in ((1, 8), (8, 35), (35, 121)))
    shares = (0.7, 0.3, 0.0, 0.0) if clean else (0.38, 0.26, 0.25, 0.11)
    return int(rng.choice((0, few, some, many), p=shares))


def _white_balance(rng: np.random.Generator) -> tuple[float, float, float]:
    """Mostly slight; an eighth as far off as a photograph that is blue, green or orange all over."""
    spread = 0.07 if rng.random() < 0.88 else 0.22
    red, green, blue = np.exp(rng.normal(0, spread, 3) + rng.normal(0.08, 0.14)).tolist()
    return red, green, blue
