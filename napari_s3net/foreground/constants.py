"""The record of what was tuned for a target that is voted on; each target fills it in for itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class VotingConstants:
    """How candidates for one target are made, scored and joined.

    Parameters
    ----------
    size : int
        Longer side, in pixels, at which candidates are made; lengths in pixels are of this size.
    blur : float
        Standard deviation, in pixels, of the blur before thresholds.
    otsu_shifts : tuple of float
        Thresholds, as shifts from Otsu's by this share of the distance between its two classes.
    smallest, largest : float
        Candidates smaller or larger than these shares of the image are no object.
    exponents : mapping of str to float
        What each of `region_features.RATIOS` is raised to in a candidate's score.
    floor : float
        Added to each of them but the area, so that none alone makes a score 0.
    border_contact, lightness_excess : float
        What these two features are multiplied by in the logarithm of the score.
    union_handicap : float
        How much less the logarithm of the score is for a union of clusters than for a threshold.
    threshold : float
        A pixel with this share of all scores is object.
    split_below : float
        Below this confidence the candidates stand for different objects, and only one group of them decides.
    same_object : float
        Dice with the most typical candidate from which on another one belongs to its group.
    """

    size: int
    blur: float
    otsu_shifts: tuple[float, ...]
    smallest: float
    largest: float
    exponents: Mapping[str, float]
    floor: float
    border_contact: float
    lightness_excess: float
    union_handicap: float
    threshold: float
    split_below: float
    same_object: float
