"""What the objects of a folder have in common, learned without labels: a linear judge of candidates.

The votes on each image say which candidates agree with their outcome. Over a whole folder the errors of single images
average out: how an object differs from what else stood for election is the same in most of them. So a ridge regression
learns, from the descriptions of all candidates of all images, how far each agrees with the outcome on its own image;
what it expects of a candidate then goes into the count.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_s3net.foreground.voting import Ballot

#: How much an expected agreement (Dice) of one adds to the logarithm of a vote.
WEIGHT = 8.0
#: Strength of the ridge, in images: with fewer the judge is careful.
RIDGE = 2.0
#: Numbers in a description: plain ones, and those for each colour.
PLAIN, PER_COLOUR = 14, 6
#: Descriptions further away than so many standard deviations count as that far.
FARTHEST = 4.0


@dataclass(frozen=True, eq=False)
class Judge:
    """A linear function of a candidate's description.

    Parameters
    ----------
    mean, scale, weights : numpy.ndarray
        (F,): of the descriptions, and what each is worth.
    """

    mean: NDArray[np.float64]
    scale: NDArray[np.float64]
    weights: NDArray[np.float64]

    def knows(self, ballot: Ballot) -> bool:
        """Whether the ballot's candidates can be described to it: colour to colour, grey to grey."""
        return bool(len(self.weights) == PLAIN + PER_COLOUR * ballot.properties.inner.mean.shape[1])

    def favour(self, ballot: Ballot) -> NDArray[np.float64]:
        """What to add to the logarithm of each candidate's vote, (n,)."""
        if not len(ballot.masks):
            return np.zeros(0)
        return WEIGHT * (_standardised(describe(ballot), self.mean, self.scale) @ self.weights)


@dataclass(frozen=True, eq=False)
class Lesson:
    """What one image teaches: descriptions (n, F), agreement with the outcome (n,), and how sure the outcome is."""

    descriptions: NDArray[np.float64]
    agreement: NDArray[np.float64]
    trust: float


def describe(ballot: Ballot) -> NDArray[np.float64]:
    """Describe each candidate by what tells it from the others of its image.

    (n, F) with F = `PLAIN` + `PER_COLOUR` · C for C colours: the properties of its vote, area and distance from the
    middle, the colours inside and outside, their difference and their spreads, all less the mean over the image's
    candidates; and its own vote beside the largest.
    """
    p = ballot.properties
    inner, outer = p.inner, p.outer
    ratios = np.log(np.stack([p.boundary, p.compact, p.central, p.separate, p.area, p.even], axis=1) + 0.01)
    plain, gap = np.stack([p.touch, p.pale], axis=1), inner.mean - outer.mean
    scalars = np.stack([ratios[:, 4] ** 2, p.area, p.distance], axis=1)
    colours = [gap, gap**2, inner.mean, outer.mean, inner.spread, outer.spread]
    each = np.concatenate([ratios, plain, scalars, *colours], axis=1)
    vote = np.tanh((ballot.log_votes - ballot.log_votes.max(initial=-np.inf)) / 3)[:, None]
    return np.concatenate([each - each.mean(axis=0), vote, vote**2, vote**3], axis=1)


def learn_from(ballot: Ballot) -> Lesson:
    """Take the outcome of an image's votes as a lesson, trusted by its confidence; see `Ballot.count`."""
    probability, confidence = ballot.count()
    chosen = probability > 0.5
    common = (ballot.masks & chosen).sum(axis=(1, 2))
    agreement = 2 * common / (ballot.masks.sum(axis=(1, 2)) + chosen.sum())
    return Lesson(describe(ballot), agreement, confidence**2)


def fit_judge(lessons: Sequence[Lesson]) -> Judge:
    """Fit a judge by ridge regression on the lessons (n images, one F), each image as heavy as it is trusted."""
    all_of_them = np.concatenate([lesson.descriptions for lesson in lessons])
    mean, scale = all_of_them.mean(axis=0), all_of_them.std(axis=0) + 1e-6
    F = all_of_them.shape[1]
    gram, moment = RIDGE * np.eye(F), np.zeros(F)
    for lesson in lessons:
        rows = _standardised(lesson.descriptions, mean, scale)
        weighted = rows.T * (lesson.trust / max(len(rows), 1))
        gram += weighted @ rows
        moment += weighted @ (lesson.agreement - lesson.agreement.mean())
    return Judge(mean, scale, np.asarray(np.linalg.solve(gram, moment), np.float64))


def _standardised(
    descriptions: NDArray[np.float64], mean: NDArray[np.float64], scale: NDArray[np.float64]
) -> NDArray[np.float64]:
    return np.clip((descriptions - mean) / scale, -FARTHEST, FARTHEST)
