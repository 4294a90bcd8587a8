"""What was tuned for the targets that are voted on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True)
class VotingConstants:
    """How candidates for one target are made, scored and joined.

    The defaults were chosen on the development images of PH2, ISIC 2018 and HAM10000, photographs of skin, as round
    numbers and once for all three. A target that does better with other numbers replaces them for itself.

    Parameters
    ----------
    size : int
        Longer side, in pixels, at which candidates are made; lengths in pixels are of this size.
    blur : float
        Standard deviation, in pixels, of the blur before thresholds.
    colour_blur : float
        That of the blur before colours are compared.
    otsu_shifts : tuple of float
        Thresholds, as shifts from Otsu's by this share of the distance between its two classes.
    otsu_bins : int
        Levels between which Otsu's threshold tells values apart.
    fewest_above : int
        With no more pixels in the upper class, Otsu's threshold within it says nothing.
    smallest_view : float
        Where less than this share of a photograph is neither lens nor sticker, it is dark or blue itself: all of it
        counts.
    smallest, largest : float
        Candidates smaller or larger than these shares of the image are no object.
    exponents : mapping of str to float
        What each of `region_features.RATIOS` is raised to in a candidate's score.
    floors : mapping of str to float
        Added to each of them, so that none alone makes a score 0; nothing to the area, for the smallest candidates were
        left out.
    rim : int
        Width, in pixels, of the rims at which the colours on both sides of a boundary are compared.
    fewest_in_rim : int
        A rim of fewer pixels tells nothing.
    spread_floor, background_spread_floor : float
        Added to spreads, in standard deviations of the image, so that flat regions do not divide by zero.
    flat_spread : float
        Added to the standard deviations of colours (of about 100 levels), so that a flat image is not blown up.
    border_contact, lightness_excess : float
        What these two features are multiplied by in the logarithm of the score.
    union_handicap : float
        How much less the logarithm of the score is for a union of clusters than for a threshold.
    threshold : float
        A pixel with this share of all scores is object; below one half, as dermatologists outline generously.
    split_below : float
        Below this confidence the candidates stand for different objects, and only one group of them decides.
    same_object : float
        Dice with the most typical candidate from which on another one belongs to its group.
    network_weight : float
        What the logarithm of a candidate's agreement (Dice) with the object of a network is multiplied by.
    network_threshold : float
        The network's probability from which on a pixel is object for it.
    network_share : float
        How much the network's probability counts in the outcome; the rest is that of the candidates that agree with it.
    network_floor : float
        Added to the agreement, so that none alone makes a score 0.
    least_confidence : float
        Where a network helps: below this expected Dice there is no clear object. Noise and bare skin stay at 0.2 or
        below; a small lesion in a haze of doubt does not.
    """

    size: int = 128
    blur: float = 1.5
    colour_blur: float = 1.0
    otsu_shifts: tuple[float, ...] = (0.1, 0.0, -0.12, -0.25)
    otsu_bins: int = 256
    fewest_above: int = 50
    smallest_view: float = 0.05
    smallest: float = 0.0025
    largest: float = 0.9
    exponents: Mapping[str, float] = field(
        default_factory=lambda: {
            "boundary": 1.0,
            "compactness": 2.0,
            "centrality": 2.0,
            "fisher_separation": 0.5,
            "area": 1.5,
            "background_uniformity": 0.5,
        }
    )
    floors: Mapping[str, float] = field(
        default_factory=lambda: {
            "boundary": 0.05,
            "compactness": 0.05,
            "centrality": 0.05,
            "fisher_separation": 0.05,
            "area": 0.0,
            "background_uniformity": 0.05,
        }
    )
    rim: int = 3
    fewest_in_rim: int = 5
    spread_floor: float = 0.1
    background_spread_floor: float = 0.05
    flat_spread: float = 2.0
    border_contact: float = -4.5
    lightness_excess: float = -1.0
    union_handicap: float = 1.0
    threshold: float = 0.3
    split_below: float = 0.4
    same_object: float = 0.5
    network_weight: float = 4.0
    network_threshold: float = 0.4
    network_share: float = 0.65
    network_floor: float = 0.05
    least_confidence: float = 0.22
