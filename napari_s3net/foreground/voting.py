"""Candidate voting: the scored guesses at the object, joined to one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from skimage.transform import resize

from napari_s3net.foreground import candidates
from napari_s3net.foreground.constants import VotingConstants
from napari_s3net.foreground.proposal import Proposal, certainty_word, expected_dice
from napari_s3net.foreground.region_features import RegionFeatures, measure_candidates
from napari_s3net.labels.metrics import dice_of_masks

#: How far probabilities inside the object stay above one half, and outside below: enough that resizing cannot tip them.
MARGIN = 0.01


@dataclass(frozen=True, eq=False)
class ScoredCandidates:
    """Candidates for the object of one image with their scores.

    Parameters
    ----------
    masks : numpy.ndarray
        (n, h, w) bool.
    features : RegionFeatures
        What each looks like.
    log_scores : numpy.ndarray
        (n,), the logarithm of each one's score.
    inside : numpy.ndarray
        (h, w) bool: what is image.
    names : tuple of str
        What to call the object, and what to call the rest.
    constants : VotingConstants
        Those of the target.
    """

    masks: NDArray[np.bool_]
    features: RegionFeatures
    log_scores: NDArray[np.float64]
    inside: NDArray[np.bool_]
    names: tuple[str, str]
    constants: VotingConstants

    def elect(
        self,
        shape: tuple[int, ...],
        prior: NDArray[np.floating] | float = 0.0,
        views: NDArray[np.float32] | None = None,
    ) -> Proposal:
        """Vote, and bring the outcome to another size.

        Parameters
        ----------
        shape : tuple of int
            Rows and columns that are wanted; further numbers are ignored.
        prior : numpy.ndarray or float
            (n,), what to add to the logarithm of each candidate's score.
        views : numpy.ndarray, optional
            (m, rows, columns) of any size: the probability of the object that taught networks gave each of m views.

        Returns
        -------
        Proposal
            Its probability is enlarged bilinearly.
        """
        probability, confidence = self.vote(prior) if views is None else self.vote_with(views, prior)
        certainty = "" if views is None else self._certainty(confidence)
        enlarged = np.asarray(resize(probability, shape[:2], order=1), np.float32)
        return Proposal(enlarged, self.names, confidence, certainty=certainty)

    def vote(self, prior: NDArray[np.floating] | float = 0.0) -> tuple[NDArray[np.float64], float]:
        """Join the candidates to one object, each with the weight of its score.

        Parameters
        ----------
        prior : numpy.ndarray or float
            (n,), what to add to the logarithm of each candidate's score.

        Returns
        -------
        probability : numpy.ndarray
            (h, w); the object is one component, without holes, where it is above one half. All 0 without a candidate.
        confidence : float
            0 to 1: how far the weighted candidates agree with the object: the sum over the pixels of the smaller of
            vote and object, divided by the sum of the larger.
        """
        if not len(self.masks):
            return np.zeros(self.inside.shape), 0.0
        log_scores = self.log_scores + prior
        weights = np.exp(log_scores - log_scores.max())
        votes, chosen = self._outcome(weights)
        confidence = float(np.minimum(votes, chosen).sum() / np.maximum(votes, chosen).sum())
        if confidence < self.constants.split_below:
            votes, chosen = self._outcome(weights * self._consensus_group(weights))
        return _only(chosen, _around_half(votes, self.constants.threshold)), confidence

    def vote_with(
        self, views: NDArray[np.float32], prior: NDArray[np.floating] | float = 0.0
    ) -> tuple[NDArray[np.float64], float]:
        """Let taught networks say where the object is; candidates that agree with them lend it their borders.

        A candidate's score is multiplied by a power of its Dice with the object of the networks. Of the outcome of the
        vote and the mean probability of the networks, each with its threshold at one half, a weighted mean decides:
        networks know what the object is, candidates follow edges that are finer than a network sees.

        Parameters
        ----------
        views : numpy.ndarray
            (m, rows, columns), as in `elect`.
        prior : numpy.ndarray or float
            (n,), as in `vote`.

        Returns
        -------
        probability : numpy.ndarray
            (h, w), as from `vote`.
        confidence : float
            0 to 1: see `expected_dice`. Below `least_confidence` there is no clear object, and none is proposed.
        """
        constants = self.constants
        views = resize(views, (len(views), *self.inside.shape), order=1)
        network = views.mean(axis=0)
        joined = _around_half(network, constants.network_threshold)
        if len(self.masks):
            agreement = np.log(dice_of_masks(self.masks, network[None])[:, 0] + constants.network_floor)
            votes, _ = self.vote(prior + constants.network_weight * agreement)
            joined = constants.network_share * joined + (1 - constants.network_share) * votes
        chosen = candidates.central_component(joined > 0.5)
        confidence = expected_dice(network, chosen)
        return _only(chosen & (confidence >= constants.least_confidence), joined), confidence

    def _certainty(self, confidence: float) -> str:
        """What an expected Dice means for the user."""
        return "no clear object" if confidence < self.constants.least_confidence else certainty_word(confidence)

    def _outcome(self, weights: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        """Share of the votes of each pixel (h, w), and the component that is chosen."""
        votes = np.tensordot(weights / weights.sum(), self.masks.astype(np.float64), axes=1)
        return votes, candidates.central_component(votes > self.constants.threshold)

    def _consensus_group(self, weights: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Which candidates (n,) mean the same object as the one that agrees best with all of them, by their weights."""
        dice = dice_of_masks(self.masks, self.masks)
        return np.asarray(dice[int(np.argmax(dice @ weights))] > self.constants.same_object)


def _around_half(values: NDArray[np.floating], threshold: float) -> NDArray[np.float64]:
    """Bend values from 0 to 1 so that a threshold comes to lie at one half; 0 and 1 stay."""
    above, below = 0.5 + 0.5 * (values - threshold) / (1 - threshold), 0.5 * values / threshold
    return np.asarray(np.where(values > threshold, above, below), np.float64)


def _only(chosen: NDArray[np.bool_], probability: NDArray[np.floating]) -> NDArray[np.float64]:
    """Keep all but the chosen pixels below one half, and those above it."""
    bounded = np.where(chosen, np.maximum(probability, 0.5 + MARGIN), np.minimum(probability, 0.5 - MARGIN))
    return np.asarray(bounded, np.float64)


def score_candidates(
    clusters: NDArray[np.int64],
    channels: NDArray[np.floating],
    colours: NDArray[np.floating],
    inside: NDArray[np.bool_],
    names: tuple[str, str],
    constants: VotingConstants,
) -> ScoredCandidates:
    """Make candidates from thresholds of the channels and from unions of the network's clusters, and score each.

    Parameters
    ----------
    clusters : numpy.ndarray
        From the network, of any size; brought to (h, w).
    channels : numpy.ndarray
        (n, h, w); the object is bright. The first one orders the clusters for their unions.
    colours : numpy.ndarray
        (h, w, C): Lab, or intensities from 0 to 100.
    inside : numpy.ndarray
        (h, w) bool: what is image.
    names : tuple of str
        What to call the object, and what to call the rest.
    constants : VotingConstants
        Those of the target.

    Returns
    -------
    ScoredCandidates
        Those from thresholds first, then those from unions.
    """
    colours = colours / float(np.mean(colours[inside].T.copy().std(axis=1) + constants.flat_spread))
    small = resize(clusters, inside.shape, order=0, preserve_range=True, anti_aliasing=False).astype(np.int64)
    thresholds = candidates.make_candidates(channels, inside, constants)
    unions = candidates.cluster_unions(small, channels[0], inside, constants)
    masks = np.concatenate([thresholds, unions])
    features = measure_candidates(masks, colours, inside, constants)
    log_scores = features.log_scores(constants)
    log_scores[len(thresholds) :] -= constants.union_handicap
    return ScoredCandidates(masks, features, log_scores, inside, names, constants)
