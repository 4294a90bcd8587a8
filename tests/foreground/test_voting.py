"""Votes are counted, and a prior tips them."""

import numpy as np
import pytest

from napari_s3net.foreground.lesion import LESION
from napari_s3net.foreground.region_features import measure
from napari_s3net.foreground.voting import ScoredCandidates

H, W = 40, 60
Y, X = np.mgrid[:H, :W]
LEFT, RIGHT = (Y - 20) ** 2 + (X - 20) ** 2 < 8**2, (Y - 20) ** 2 + (X - 40) ** 2 < 8**2
INSIDE = np.ones((H, W), bool)


def scored(masks, log_scores):
    masks = np.array(masks, bool).reshape(-1, H, W)
    return ScoredCandidates(
        masks, measure(masks, np.zeros((H, W, 3)), INSIDE), np.array(log_scores), INSIDE, ("Lesion", "Skin"), LESION
    )


def test_the_larger_vote_wins():
    probability, confidence = scored([LEFT, RIGHT], [2.0, 0.0]).vote()
    assert np.array_equal(probability > 0.5, LEFT)
    assert 0.7 < confidence < 1


def test_the_order_of_probabilities_is_that_of_the_votes():
    larger = (Y - 20) ** 2 + (X - 20) ** 2 < 12**2
    probability, _ = scored([LEFT, larger], [0.0, 0.0]).vote()
    assert probability[20, 20] > probability[20, 30] > 0.5 > probability[0, 0]
    assert probability[20, 30] == pytest.approx(0.5 + 0.5 * (0.5 - LESION.threshold) / (1 - LESION.threshold))


def test_a_prior_tips_a_close_vote_and_no_other():
    close, clear = scored([LEFT, RIGHT], [1.0, 0.0]), scored([LEFT, RIGHT], [30.0, 0.0])
    prior = np.array([0.0, 4.0])
    assert np.array_equal(close.vote(prior)[0] > 0.5, RIGHT)
    assert np.array_equal(clear.vote(prior)[0] > 0.5, LEFT)


def test_where_votes_are_split_one_group_decides_and_confidence_stays_low():
    """A threshold of the mixture would give the large mask, with which few agree."""
    larger = (Y - 20) ** 2 + (X - 20) ** 2 < 9**2
    large = (Y > 2) & (Y < 37) & (X > 2) & (X < 57)
    votes = scored([LEFT, larger, large, RIGHT], np.log([1.0, 1.0, 1.3, 0.9]))
    probability, confidence = votes.vote()
    assert confidence < LESION.split_below
    assert np.array_equal(probability > 0.5, larger)


def test_agreement_is_confidence():
    alike = scored([LEFT, LEFT], [0.0, 0.0]).vote()[1]
    split = scored([LEFT, RIGHT], [0.0, 0.0]).vote()[1]
    assert alike == pytest.approx(1)
    assert split < 0.6


def test_no_candidate_is_no_object():
    probability, confidence = scored([], []).vote(np.zeros(0))
    assert not probability.any()
    assert confidence == 0
