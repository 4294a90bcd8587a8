"""Scores are joined to one object, and a prior tips them."""

import numpy as np
import pytest
from scipy import ndimage

from napari_s3net.foreground.lesion import LESION
from napari_s3net.foreground.region_features import measure_candidates
from napari_s3net.foreground.voting import ScoredCandidates, score_candidates

H, W = 40, 60
Y, X = np.mgrid[:H, :W]
LEFT, RIGHT = (Y - 20) ** 2 + (X - 20) ** 2 < 8**2, (Y - 20) ** 2 + (X - 40) ** 2 < 8**2
LARGER = (Y - 20) ** 2 + (X - 20) ** 2 < 12**2
INSIDE = np.ones((H, W), bool)
NAMES = ("Lesion", "Skin")


def scored(masks, log_scores):
    masks = np.array(masks, bool).reshape(-1, H, W)
    features = measure_candidates(masks, np.zeros((H, W, 3)), INSIDE, LESION)
    return ScoredCandidates(masks, features, np.array(log_scores), INSIDE, NAMES, LESION)


def test_the_larger_score_wins():
    probability, confidence = scored([LEFT, RIGHT], [2.0, 0.0]).vote()
    assert np.array_equal(probability > 0.5, LEFT)
    share = 1 / (1 + np.exp(-2))
    assert confidence == pytest.approx(share / (1 + (1 - share)))


def test_only_differences_of_scores_count():
    for offset in (-3000.0, 3000.0):
        moved = scored([LEFT, LARGER], [2.0 + offset, offset]).vote()
        plain = scored([LEFT, LARGER], [2.0, 0.0]).vote()
        assert moved[0] == pytest.approx(plain[0])
        assert moved[1] == pytest.approx(plain[1])


def test_the_order_of_probabilities_is_that_of_the_votes():
    probability, _ = scored([LEFT, LARGER], [0.0, 0.0]).vote()
    assert probability[20, 20] == 1
    assert probability[20, 30] == pytest.approx(0.5 + 0.5 * (0.5 - LESION.threshold) / (1 - LESION.threshold))
    assert probability[0, 0] == 0
    few = np.log([0.85, 0.15])
    below = scored([LEFT, LARGER], few).vote()[0]
    assert below[20, 30] == pytest.approx(0.5 * 0.15 / LESION.threshold)


def test_what_is_not_chosen_stays_clearly_below_one_half():
    """The right one has votes enough, but the left one is taken."""
    probability, _ = scored([LEFT, RIGHT], np.log([0.69, 0.31])).vote()
    assert probability[RIGHT].max() == pytest.approx(0.49)
    chosen, _ = scored([LEFT, LARGER], np.log([0.6999, 0.3001])).vote()
    assert chosen[20, 30] == pytest.approx(0.51)


def test_a_prior_tips_a_close_vote_and_no_other():
    close, clear = scored([LEFT, RIGHT], [1.0, 0.0]), scored([LEFT, RIGHT], [30.0, 0.0])
    prior = np.array([0.0, 4.0])
    assert np.array_equal(close.vote(prior)[0] > 0.5, RIGHT)
    assert np.array_equal(clear.vote(prior)[0] > 0.5, LEFT)
    assert close.vote(np.array([0.5, 0.5]))[1] == pytest.approx(close.vote()[1])


def test_where_votes_are_split_one_group_decides_and_confidence_stays_low():
    """A threshold of the mixture would give the large mask, with which few agree."""
    larger = (Y - 20) ** 2 + (X - 20) ** 2 < 9**2
    large = (Y > 2) & (Y < 37) & (X > 2) & (X < 57)
    votes = scored([LEFT, larger, large, RIGHT], np.log([1.0, 1.0, 1.3, 0.9]))
    probability, confidence = votes.vote()
    assert confidence < LESION.split_below
    assert np.array_equal(probability > 0.5, larger)


def test_agreement_is_confidence():
    assert scored([LEFT, LEFT], [0.0, 0.0]).vote()[1] == pytest.approx(1)
    assert scored([LEFT, RIGHT], [0.0, 0.0]).vote()[1] < 0.6


def test_no_candidate_is_no_object():
    probability, confidence = scored([], []).vote(np.zeros(0))
    assert probability.shape == (H, W)
    assert not probability.any()
    assert confidence == 0


def test_the_elected_object_is_brought_to_a_size():
    proposal = scored([LEFT, RIGHT], [2.0, 0.0]).elect((80, 120, 3))
    assert proposal.object_probability.shape == (80, 120)
    assert proposal.object_probability.dtype == np.float32
    assert np.mean((proposal.object_probability > 0.5) != LEFT.repeat(2, 0).repeat(2, 1)) < 0.01
    assert proposal.names == NAMES
    tipped = scored([LEFT, RIGHT], [2.0, 0.0]).elect((H, W), np.array([0.0, 5.0]))
    assert (tipped.object_probability > 0.5)[RIGHT].all()
    assert tipped.confidence == scored([LEFT, RIGHT], [2.0, 0.0]).vote(np.array([0.0, 5.0]))[1]


def blurred(mask, inside=0.9):
    return (inside * ndimage.gaussian_filter(mask.astype(np.float32), 2))[None]


def test_a_network_decides_which_object_is_meant():
    """The candidates' own scores are for the left one."""
    candidates = scored([LEFT, RIGHT], [3.0, 0.0])
    probability, confidence = candidates.vote_with(blurred(RIGHT))
    assert np.array_equal(probability > 0.5, RIGHT)
    assert confidence > 0.7
    assert candidates.vote_with(blurred(LEFT))[0][20, 20] > 0.9


def test_a_candidate_lends_its_border_where_it_agrees():
    shifted = (Y - 20) ** 2 + (X - 22) ** 2 < 8**2
    network = blurred(shifted)
    alone = scored([], []).vote_with(network)[0] > 0.5
    joined = scored([LEFT, RIGHT], [0.0, 0.0]).vote_with(network)[0] > 0.5
    assert np.mean(joined != LEFT) < 0.5 * np.mean(alone != LEFT)


def test_certainty_is_told_in_words_where_a_network_helps():
    candidates = scored([LEFT], [0.0])
    assert candidates.elect((H, W)).certainty == ""
    assert candidates.elect((H, W), views=LEFT[None].astype(np.float32)).certainty == "sure"
    assert candidates.elect((H, W), views=0.7 * LEFT[None].astype(np.float32)).certainty == "look"


def test_a_network_alone_is_enough():
    probability, confidence = scored([], []).vote_with(blurred(RIGHT, 1.0))
    assert np.mean((probability > 0.5) != RIGHT) < 0.02
    assert confidence > 0.8


def test_views_of_any_size_are_averaged():
    larger = blurred(RIGHT)[0].repeat(2, 0).repeat(2, 1)
    one, other = scored([RIGHT], [0.0]), np.stack([larger, 0 * larger])
    assert one.vote_with(other)[1] < one.vote_with(larger[None])[1]
    assert one.elect((80, 120, 3), views=other).object_probability.shape == (80, 120)


def test_where_a_network_sees_nothing_nothing_is_proposed():
    """However clear the candidates are."""
    proposal = scored([LEFT, LEFT], [0.0, 0.0]).elect((H, W), views=np.full((2, H, W), 0.02, np.float32))
    assert not (proposal.object_probability > 0.5).any()
    assert proposal.confidence < LESION.least_confidence
    assert proposal.certainty == "no clear object"
    faint = scored([LEFT], [0.0]).vote_with(blurred(LEFT, 0.45))
    assert faint[1] >= LESION.least_confidence
    assert (faint[0] > 0.5).any()


def test_a_small_clear_object_in_a_haze_of_doubt_is_proposed():
    """The doubt of many pixels together outweighs the object, but lies nowhere near it."""
    small = (Y - 20) ** 2 + (X - 20) ** 2 < 5**2
    proposal = scored([small], [0.0]).elect((H, W), views=np.where(small, 0.95, 0.1)[None].astype(np.float32))
    assert 0.2 < proposal.confidence < 0.5
    assert np.array_equal(proposal.object_probability > 0.5, small)
    assert proposal.certainty == "look"


def test_a_prior_counts_beside_the_network():
    candidates = scored([LEFT, LARGER], [0.0, 0.0])
    less, more = (candidates.vote_with(blurred(LARGER), np.array([0.0, p]))[0][20, 30] for p in (-4.0, 4.0))
    assert less < more


def scene():
    return 10.0 * LEFT + np.random.default_rng(0).normal(0, 0.5, (H, W))


def test_thresholds_and_unions_of_clusters_are_scored():
    clusters = LARGER.astype(np.int64).repeat(2, axis=0).repeat(2, axis=1)
    result = score_candidates(clusters, scene()[None], scene()[..., None], INSIDE, NAMES, LESION)
    assert any(np.mean(mask != LEFT) < 0.01 for mask in result.masks[:-1])
    assert np.mean(result.masks[-1] != LARGER) < 0.01
    raw = result.features.log_scores(LESION)
    assert result.log_scores[-1] == pytest.approx(raw[-1] - LESION.union_handicap)
    assert result.log_scores[:-1] == pytest.approx(raw[:-1])
    assert (result.names, result.constants) == (NAMES, LESION)
    assert result.inside is INSIDE


def test_colours_are_measured_in_deviations_of_what_is_inside():
    image = scene()
    inside = X < 50
    image[~inside] = 1000
    result = score_candidates(np.zeros((H, W), np.int64), image[None], image[..., None], inside, NAMES, LESION)
    gap = result.features.inner.mean - result.features.outer.mean
    closest = int(np.argmin([np.mean(mask != LEFT) for mask in result.masks]))
    assert gap[closest, 0] == pytest.approx(10 / (image[inside].std() + LESION.flat_spread), rel=0.03)
