"""Which method is recommended for so many labelled images, and on which figures of the benchmark that rests."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from napari_s3net.learning.settings import LearnSettings

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
    size, steps : int
        Working size, and updates.
    """

    method: str
    labelled: int
    draws: int
    dice: float
    size: int
    steps: int


#: The table in docs/learning/semi.csv, as `benchmark.semi.measured` sums it up.
MEASURED: tuple[Measured, ...] = (
    Measured(method="plain", labelled=1, draws=1, dice=0.2668, size=128, steps=500),
    Measured(method="plain", labelled=2, draws=3, dice=0.3196, size=128, steps=500),
    Measured(method="self-training", labelled=2, draws=3, dice=0.2959, size=128, steps=500),
    Measured(method="ideal", labelled=2, draws=3, dice=0.3449, size=128, steps=500),
    Measured(method="kaf", labelled=2, draws=3, dice=0.301, size=128, steps=500),
    Measured(method="plain", labelled=6, draws=3, dice=0.6129, size=128, steps=500),
    Measured(method="self-training", labelled=6, draws=3, dice=0.6129, size=128, steps=500),
    Measured(method="ideal", labelled=6, draws=2, dice=0.6218, size=128, steps=500),
    Measured(method="kaf", labelled=6, draws=3, dice=0.6047, size=128, steps=500),
    Measured(method="plain", labelled=2, draws=2, dice=0.461, size=96, steps=300),
    Measured(method="ideal", labelled=2, draws=2, dice=0.4794, size=96, steps=300),
    Measured(method="kaf", labelled=2, draws=1, dice=0.454, size=96, steps=300),
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


def recommend(labelled: int, measured: Sequence[Measured] = MEASURED) -> Recommendation:
    """Recommend what was best with as many labelled images, or the next fewer that were measured.

    Parameters
    ----------
    labelled : int
        Images that have labels.
    measured : sequence of Measured
        Figures at less than the small size's pixels and steps, or of fewer than three draws, do not count.

    Returns
    -------
    Recommendation
        Plain learning where no two methods were compared.
    """
    least = LearnSettings()
    known = [
        one for one in measured if one.draws >= FEWEST_DRAWS and one.size >= least.size and one.steps >= least.steps
    ]
    compared = {n for n in {one.labelled for one in known} if len({o.method for o in known if o.labelled == n}) > 1}
    if not compared:
        return Recommendation("plain", f"No methods were compared yet by {FEWEST_DRAWS} draws at the small size.")
    fewer = [n for n in compared if n <= labelled]
    here = [one for one in known if one.labelled == (max(fewer) if fewer else min(compared))]
    best, second, *_ = sorted(here, key=lambda one: -one.dice)
    return Recommendation(
        best.method,
        f"Best with {best.labelled} labelled patients of ACDC: Dice {best.dice:.2f}, the next {second.dice:.2f}, "
        f"means of {best.draws} draws.",
    )
