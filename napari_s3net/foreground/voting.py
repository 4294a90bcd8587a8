"""The guesses at the object, joined by a weighted vote."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from skimage.transform import resize

from napari_s3net.foreground import candidates
from napari_s3net.foreground.region_features import Properties, measure

#: A pixel with this share of the votes is object. Below one half, because dermatologists outline generously.
ENOUGH = 0.3
#: How much less the logarithm of a union of clusters counts than that of a threshold.
UNION_HANDICAP = 1.0
#: Below this confidence the candidates stand for different objects, and one party of them decides: those that overlap
#: with its most typical member by more than this Dice.
SPLIT_BELOW, SAME_OBJECT = 0.4, 0.5


@dataclass(frozen=True, eq=False)
class Ballot:
    """Candidates with their votes.

    Parameters
    ----------
    masks : numpy.ndarray
        (n, h, w) bool.
    properties : Properties
        What each looks like.
    log_votes : numpy.ndarray
        (n,), the logarithm of each one's vote.
    inside : numpy.ndarray
        (h, w) bool: what is image.
    names : tuple of str
        What to call the object, and what to call the rest.
    """

    masks: NDArray[np.bool_]
    properties: Properties
    log_votes: NDArray[np.float64]
    inside: NDArray[np.bool_]
    names: tuple[str, str]

    def count(self, favour: NDArray[np.floating] | float = 0.0) -> tuple[NDArray[np.float64], float]:
        """How sure each pixel is part of the object, and how far the candidates agree.

        Parameters
        ----------
        favour : numpy.ndarray, optional
            (n,), what to add to the logarithm of each candidate's vote.

        Returns
        -------
        probability : numpy.ndarray
            (h, w); the object is one part, without holes, where it is above one half.
        confidence : float
            0 to 1.
        """
        if not len(self.masks):
            return np.zeros(self.inside.shape), 0.0
        log_votes = self.log_votes + favour
        weights = np.exp(log_votes - log_votes.max())
        votes, chosen = self._outcome(weights)
        confidence = float(np.minimum(votes, chosen).sum() / np.maximum(votes, chosen).sum())
        if confidence < SPLIT_BELOW:
            votes, chosen = self._outcome(weights * self._largest_party(weights))
        # Move the threshold from `ENOUGH` to one half, and keep all but the chosen part below it.
        above, below = 0.5 + 0.5 * (votes - ENOUGH) / (1 - ENOUGH), 0.5 * votes / ENOUGH
        return np.where(chosen, np.maximum(above, 0.51), np.minimum(below, 0.49)), confidence

    def _outcome(self, weights: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        """Share of the votes of each pixel (h, w), and the part that is chosen."""
        votes = np.tensordot(weights / weights.sum(), self.masks.astype(np.float64), axes=1)
        return votes, candidates.central_part(votes > ENOUGH)

    def _largest_party(self, weights: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Which candidates (n,) mean the same object as the one that agrees best with all the votes."""
        flat = self.masks.reshape(len(self.masks), -1).astype(np.float32)
        areas = flat.sum(axis=1)
        agreement = 2 * (flat @ flat.T) / (areas[:, None] + areas)  # Dice of each with each
        return np.asarray(agreement[int(np.argmax(agreement @ weights))] > SAME_OBJECT)


def hold_ballot(
    clusters: NDArray[np.int64],
    channels: NDArray[np.floating],
    colours: NDArray[np.floating],
    inside: NDArray[np.bool_],
    names: tuple[str, str],
) -> Ballot:
    """Let thresholds of the channels and unions of the network's clusters stand, and weigh each.

    Parameters
    ----------
    clusters : numpy.ndarray
        The network's, of any size.
    channels : numpy.ndarray
        (n, h, w); the object is bright.
    colours : numpy.ndarray
        (h, w, C): Lab, or intensities from 0 to 100.
    inside : numpy.ndarray
        (h, w) bool: what is image.
    names : tuple of str
        What to call the object, and what to call the rest.
    """
    colours = colours / float(np.mean(colours[inside].T.copy().std(axis=1) + 2))
    small = resize(clusters, inside.shape, order=0, preserve_range=True, anti_aliasing=False).astype(np.int64)
    found, unions = candidates.make_candidates(channels, inside), candidates.cluster_unions(small, channels[0], inside)
    masks = np.concatenate([found, unions])
    properties = measure(masks, colours, inside)
    log_votes = properties.log_votes()
    log_votes[len(found) :] -= UNION_HANDICAP
    return Ballot(masks, properties, log_votes, inside, names)
