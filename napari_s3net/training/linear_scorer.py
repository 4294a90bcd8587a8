"""A linear scorer of candidates, fitted on many images without labels.

On each image the weighted candidates agree on an outcome. Over a whole folder the errors of single images average out:
how an object differs from the other candidates of its image is the same in most of them. So a ridge regression learns,
from the region features of all candidates of all images, how far each agrees with the outcome on its own image. What it
expects of a candidate is then added to the candidate's own score.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_s3net.foreground.region_features import LINEAR, RATIOS, RegionFeatures
from napari_s3net.foreground.voting import ScoredCandidates
from napari_s3net.labels.metrics import dice_of_masks


@dataclass(frozen=True, kw_only=True)
class ScorerConstants:
    """What is the same in every fit of the scorer.

    `weight` and `ridge` were chosen on development images of ISIC 2018; `docs/method.md`, "A whole folder", has the
    measurements. The others are round numbers; no measurement of other values is on record.

    Parameters
    ----------
    weight : float
        How much an expected agreement (Dice) of one adds to the logarithm of a candidate's score.
    ridge : float
        Strength of the ridge, in images: few images move the scorer little.
    clip : float
        Standardised region features are clipped to plus and minus this, in standard deviations.
    log_offset : float
        Added to `RATIOS`, which have no unit, so that their logarithms are finite.
    score_scale : float
        The difference of two logarithms of scores at which the own score of a candidate saturates.
    """

    weight: float = 8.0
    ridge: float = 2.0
    clip: float = 4.0
    log_offset: float = 0.01
    score_scale: float = 3.0


SCORER = ScorerConstants()


@dataclass(frozen=True, eq=False)
class TrainingSample:
    """What one image contributes to the fit.

    Parameters
    ----------
    features : numpy.ndarray
        (n, F), of its candidates; from `candidate_features`.
    agreement : numpy.ndarray
        (n,), the Dice of each candidate with the outcome on this image.
    weight : float
        How much the image counts, 0 to 1.
    """

    features: NDArray[np.float64]
    agreement: NDArray[np.float64]
    weight: float


@dataclass(frozen=True, eq=False)
class LinearScorer:
    """A linear function of a candidate's standardised features.

    Parameters
    ----------
    mean, scale : numpy.ndarray
        (F,), with which features are standardised.
    weights : numpy.ndarray
        (F,), expected agreement a standard deviation.
    """

    mean: NDArray[np.float64]
    scale: NDArray[np.float64]
    weights: NDArray[np.float64]

    def fits(self, candidates: ScoredCandidates) -> bool:
        """Whether it was fitted on candidates with as many colour channels as these.

        Parameters
        ----------
        candidates : ScoredCandidates
            Those to score.

        Returns
        -------
        bool
            Whether it can score them.
        """
        return len(self.weights) == n_features(candidates.features.inner.mean.shape[1])

    def score(self, candidates: ScoredCandidates) -> NDArray[np.float64]:
        """Say what each candidate's features are worth.

        Parameters
        ----------
        candidates : ScoredCandidates
            Of one image, of as many colour channels as it was fitted on.

        Returns
        -------
        numpy.ndarray
            (n,), what to add to the logarithm of each candidate's score.
        """
        if not len(candidates.masks):
            return np.zeros(0)
        return SCORER.weight * (_standardised(candidate_features(candidates), self.mean, self.scale) @ self.weights)


def candidate_features(candidates: ScoredCandidates) -> NDArray[np.float64]:
    """Describe each candidate by what distinguishes it from the other candidates of its image.

    Parameters
    ----------
    candidates : ScoredCandidates
        Of one image with C colour channels.

    Returns
    -------
    numpy.ndarray
        (n, F), F from `n_features`: logarithms of the region features in `RATIOS`, contact with the image's border,
        lightness, area, distance from the middle, and the colours inside and outside with their differences and
        spreads, each less its mean over the image's candidates; last, three powers of the candidate's own log score
        beside the largest.
    """
    features = np.concatenate([_scalar_features(candidates.features), _colour_features(candidates.features)], axis=1)
    own = np.tanh((candidates.log_scores - candidates.log_scores.max(initial=-np.inf)) / SCORER.score_scale)[:, None]
    return np.concatenate([features - features.mean(axis=0), own, own**2, own**3], axis=1)


def n_features(channels: int) -> int:
    """Count the numbers that `candidate_features` gives.

    Parameters
    ----------
    channels : int
        C, the image's colour channels: 3, or 1 for grey.

    Returns
    -------
    int
        F.
    """
    return len(RATIOS) + len(LINEAR) + 3 + 6 * channels + 3


def _scalar_features(p: RegionFeatures) -> NDArray[np.float64]:
    """The features that do not depend on the number of colour channels, (n, len(RATIOS) + len(LINEAR) + 3)."""
    ratios = np.log(np.stack([getattr(p, name) for name in RATIOS], axis=1) + SCORER.log_offset)
    linear = np.stack([getattr(p, name) for name in LINEAR], axis=1)
    log_area = ratios[:, RATIOS.index("area")]
    return np.concatenate([ratios, linear, np.stack([log_area**2, p.area, p.distance], axis=1)], axis=1)


def _colour_features(p: RegionFeatures) -> NDArray[np.float64]:
    """The features of each of C colour channels, (n, 6 C)."""
    gap = p.inner.mean - p.outer.mean
    return np.concatenate([gap, gap**2, p.inner.mean, p.outer.mean, p.inner.spread, p.outer.spread], axis=1)


def sample_from(candidates: ScoredCandidates, views: NDArray[np.float32] | None = None) -> TrainingSample:
    """Turn the outcome on one image into a training sample.

    Parameters
    ----------
    candidates : ScoredCandidates
        Of the image; at least one.
    views : numpy.ndarray, optional
        (m, rows, columns), what taught networks see of it; see `ScoredCandidates.elect`.

    Returns
    -------
    TrainingSample
        It counts by the square of the outcome's confidence.
    """
    probability, confidence = candidates.vote() if views is None else candidates.vote_with(views)
    agreement = dice_of_masks(candidates.masks, probability[None] > 0.5)[:, 0]
    return TrainingSample(candidate_features(candidates), agreement, confidence**2)


def fit_scorer(samples: Sequence[TrainingSample]) -> LinearScorer:
    """Fit a scorer by ridge regression (Hastie, Tibshirani and Friedman 2009, equation 3.44).

    Parameters
    ----------
    samples : sequence of TrainingSample
        At least one, all with the same number of features. An image counts by its weight, whatever the number of its
        candidates.

    Returns
    -------
    LinearScorer
        For images with as many colour channels as these.
    """
    everything = np.concatenate([sample.features for sample in samples])
    mean, scale = everything.mean(axis=0), everything.std(axis=0) + 1e-6
    F = everything.shape[1]
    gram, moment = SCORER.ridge * np.eye(F), np.zeros(F)
    for sample in samples:
        rows = _standardised(sample.features, mean, scale)
        weighted = rows.T * (sample.weight / max(len(rows), 1))
        gram += weighted @ rows
        moment += weighted @ (sample.agreement - sample.agreement.mean())
    return LinearScorer(mean, scale, np.asarray(np.linalg.solve(gram, moment), np.float64))


def _standardised(
    features: NDArray[np.float64], mean: NDArray[np.float64], scale: NDArray[np.float64]
) -> NDArray[np.float64]:
    return np.clip((features - mean) / scale, -SCORER.clip, SCORER.clip)
