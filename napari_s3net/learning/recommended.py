"""Which method is recommended for so many labelled images, and on which figures of the benchmark that rests."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from napari_s3net.io.validation.headers import PHOTOGRAPHS
from napari_s3net.learning.settings import METHODS, LearnSettings

#: A mean of fewer draws of the labelled images ranks nothing.
FEWEST_DRAWS = 3


@dataclass(frozen=True, kw_only=True)
class Measured:
    """What the benchmark has found of a method.

    Attributes
    ----------
    method : str
        As in `LearnSettings`.
    labelled : int
        Labelled patients of ACDC.
    draws : int
        Of these patients.
    dice : float
        Mean over draws, test volumes and classes.
    least_gain : float
        How far above plain learning it was on the draw where it gained least, of those that both have.
    size, steps : int
        Working size, and updates.
    """

    method: str
    labelled: int
    draws: int
    dice: float
    least_gain: float
    size: int
    steps: int


#: The table in docs/learning/semi.csv, as `benchmark.semi_summary.measured` sums it up.
MEASURED: tuple[Measured, ...] = (
    Measured(method="plain", labelled=6, draws=3, dice=0.6417, least_gain=0.0, size=128, steps=500),
    Measured(method="ideal", labelled=6, draws=3, dice=0.6651, least_gain=-0.0204, size=128, steps=500),
    Measured(method="ideal", labelled=2, draws=3, dice=0.6462, least_gain=-0.0106, size=128, steps=500),
    Measured(method="plain", labelled=2, draws=3, dice=0.6017, least_gain=0.0, size=128, steps=500),
)


@dataclass(frozen=True)
class Recommendation:
    """A method, and why.

    Attributes
    ----------
    method : str
        As in `LearnSettings`.
    reason : str
        A sentence for the screen.
    """

    method: str
    reason: str


def are_photographs(images: Iterable[Path]) -> bool:
    """Guess whether images are photographs, from their names alone.

    Parameters
    ----------
    images : iterable of Path
        Files; a folder is a DICOM series.

    Returns
    -------
    bool
        Whether there are some, and all have a format of pictures.
    """
    suffixes = {path.suffix.lower() for path in images}
    return bool(suffixes) and suffixes <= set(PHOTOGRAPHS)


def recommend(labelled: int, measured: Sequence[Measured] = MEASURED, *, photographs: bool = False) -> Recommendation:
    """Recommend what was best with as many labelled images, or the next fewer that were measured.

    Parameters
    ----------
    labelled : int
        Images that have labels.
    measured : sequence of Measured
        Figures at less than the small size's pixels and steps, or of fewer than three draws, do not count.
    photographs : bool
        The table is of scans, learned from nothing. Photographs start from what synthetic ones taught; on those of ISIC
        2018 IDEAL was no better so (docs/learning-tried.md).

    Returns
    -------
    Recommendation
        A method that was better than plain learning on every draw; plain learning where none was, or none was compared.
    """
    if photographs:
        return Recommendation("plain", "The comparison is of scans; on photographs IDEAL was no better.")
    least = LearnSettings()
    known = [
        one for one in measured if one.draws >= FEWEST_DRAWS and one.size >= least.size and one.steps >= least.steps
    ]
    compared = {n for n in {one.labelled for one in known} if len({o.method for o in known if o.labelled == n}) > 1}
    if not compared:
        return Recommendation("plain", f"No methods were compared yet by {FEWEST_DRAWS} draws at the small size.")
    fewer = [n for n in compared if n <= labelled]
    at = max(fewer) if fewer else min(compared)
    here = sorted((one for one in known if one.labelled == at), key=lambda one: -one.dice)
    better = [one for one in here if one.method != "plain" and one.least_gain > 0]
    where = f"with {at} labelled patients of ACDC"
    if not better:
        return Recommendation("plain", f"No other was better every time {where}.")
    best = better[0]
    others = ", ".join(f"{METHODS[one.method]} {one.dice:.2f}" for one in here if one is not best)
    return Recommendation(best.method, f"Best {where}: Dice {best.dice:.2f}, mean of {best.draws} draws; {others}.")
