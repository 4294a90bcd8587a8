"""The looks that learning takes: at whole planes, closer at volumes, and both once more in a second round."""

from __future__ import annotations

from dataclasses import dataclass

from napari_s3net.learning.agreement import unlabelled_volumes
from napari_s3net.learning.closer import is_worth_a_closer_look
from napari_s3net.learning.examples import ExampleSet
from napari_s3net.learning.settings import LearnSettings

#: Each look of the second round takes this share of the steps of the first round's. Chosen on the pool of ACDC
#: (docs/learning-tried.md).
SHORTER = 0.6
#: Below so many volumes without labels there is no second round. Set by hand.
FEWEST_UNLABELLED = 5
#: The number of the look with which the second round begins.
SECOND_ROUND = 2


@dataclass(frozen=True)
class Look:
    """One of the runs of which learning is made.

    Attributes
    ----------
    number : int
        From 0: the first look, the closer one, and in the second round both again.
    steps : int
        Of this look.
    before : int
        Steps of those before it.
    total : int
        Of all.
    """

    number: int
    steps: int
    before: int
    total: int

    @property
    def is_closer(self) -> bool:
        """Whether volumes are seen closer."""
        return self.number % 2 == 1

    @property
    def is_second_round(self) -> bool:
        """Whether volumes without labels on which the first round's looks agree are learned from as well."""
        return self.number >= SECOND_ROUND

    @property
    def name(self) -> str:
        """What is missing without it."""
        return "a second round" if self.is_second_round else "the closer look"

    @property
    def is_last(self) -> bool:
        """Whether nothing comes after it."""
        return self.before + self.steps == self.total


def plan_looks(data: ExampleSet, settings: LearnSettings) -> tuple[Look, ...]:
    """Say which looks learning takes, and how long.

    Parameters
    ----------
    data : ExampleSet
        Labelled and other planes.
    settings : LearnSettings
        Steps of a look, and whether there may be a closer one and a second round.

    Returns
    -------
    tuple of Look
        One; two where volumes are looked at closer; four where there are enough others without labels.
    """
    steps = [settings.steps]
    if settings.look_closer and is_worth_a_closer_look(data):
        steps += [settings.steps]
        if settings.second_round and len(unlabelled_volumes(data)) >= FEWEST_UNLABELLED:
            steps += [max(1, round(SHORTER * settings.steps))] * 2
    return tuple(Look(n, its, sum(steps[:n]), sum(steps)) for n, its in enumerate(steps))
