"""Votes are counted, and a favour tips them."""

import numpy as np
import pytest

from napari_s3net.foreground.region_features import measure
from napari_s3net.foreground.voting import ENOUGH, SPLIT_BELOW, Ballot

H, W = 40, 60
Y, X = np.mgrid[:H, :W]
LEFT, RIGHT = (Y - 20) ** 2 + (X - 20) ** 2 < 8**2, (Y - 20) ** 2 + (X - 40) ** 2 < 8**2
INSIDE = np.ones((H, W), bool)


def ballot(masks, log_votes):
    masks = np.array(masks, bool).reshape(-1, H, W)
    return Ballot(masks, measure(masks, np.zeros((H, W, 3)), INSIDE), np.array(log_votes), INSIDE, ("Lesion", "Skin"))


def test_the_larger_vote_wins():
    probability, confidence = ballot([LEFT, RIGHT], [2.0, 0.0]).count()
    assert np.array_equal(probability > 0.5, LEFT)
    assert 0.7 < confidence < 1


def test_the_order_of_probabilities_is_that_of_the_votes():
    larger = (Y - 20) ** 2 + (X - 20) ** 2 < 12**2
    probability, _ = ballot([LEFT, larger], [0.0, 0.0]).count()
    assert probability[20, 20] > probability[20, 30] > 0.5 > probability[0, 0]
    assert probability[20, 30] == pytest.approx(0.5 + 0.5 * (0.5 - ENOUGH) / (1 - ENOUGH))


def test_a_favour_tips_a_close_vote_and_no_other():
    close, clear = ballot([LEFT, RIGHT], [1.0, 0.0]), ballot([LEFT, RIGHT], [30.0, 0.0])
    favour = np.array([0.0, 4.0])
    assert np.array_equal(close.count(favour)[0] > 0.5, RIGHT)
    assert np.array_equal(clear.count(favour)[0] > 0.5, LEFT)


def test_where_votes_are_split_one_party_decides_and_the_doubt_stays():
    """A threshold of the mixture would give the large mask, with which few agree."""
    larger = (Y - 20) ** 2 + (X - 20) ** 2 < 9**2
    large = (Y > 2) & (Y < 37) & (X > 2) & (X < 57)
    votes = ballot([LEFT, larger, large, RIGHT], np.log([1.0, 1.0, 1.3, 0.9]))
    probability, confidence = votes.count()
    assert confidence < SPLIT_BELOW
    assert np.array_equal(probability > 0.5, larger)


def test_agreement_is_confidence():
    alike = ballot([LEFT, LEFT], [0.0, 0.0]).count()[1]
    split = ballot([LEFT, RIGHT], [0.0, 0.0]).count()[1]
    assert alike == pytest.approx(1)
    assert split < 0.6


def test_no_candidate_is_no_object():
    probability, confidence = ballot([], []).count(np.zeros(0))
    assert not probability.any()
    assert confidence == 0
