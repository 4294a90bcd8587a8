"""A linear scorer of candidates, fitted without labels."""

from dataclasses import replace
from functools import lru_cache

import numpy as np
import pytest

from napari_s3net import phantom
from napari_s3net.foreground.lesion import LESION, score_lesions
from napari_s3net.foreground.region_features import measure_candidates
from napari_s3net.foreground.voting import ScoredCandidates
from napari_s3net.labels.metrics import dice
from napari_s3net.preprocessing.prepare import to_features
from napari_s3net.settings import preset_settings
from napari_s3net.training.linear_scorer import (
    SCORER,
    LinearScorer,
    TrainingSample,
    candidate_features,
    fit_scorer,
    n_features,
    sample_from,
)

SKIN = preset_settings("skin")


@lru_cache
def candidates(seed):
    image = phantom.dermoscopy(seed=seed, shape=(108, 144)).image
    features = to_features(image, SKIN)
    return score_lesions(np.zeros(features.shape[:2], np.int64), features)


def sample(wanted, n=40, seed=0):
    """Features at random, of which the agreement is a known linear function."""
    features = np.random.default_rng(seed).normal(size=(n, len(wanted)))
    return TrainingSample(features, 0.5 + features @ wanted, 1.0)


def test_what_is_linear_is_learned():
    wanted = np.array([0.1, -0.05, 0.0])
    scorer = fit_scorer([sample(wanted, seed=seed) for seed in range(50)])
    assert scorer.weights / scorer.scale == pytest.approx(wanted, abs=0.01)


def test_the_ridge_regression_by_hand():
    """Two images of one feature, −1 and 1, each: Σ over images of w · mean(x²), plus the ridge."""
    samples = [TrainingSample(np.array([[-1.0], [1.0]]), np.array([0.2, 0.6]), weight) for weight in (1.0, 0.5)]
    scorer = fit_scorer(samples)
    assert scorer.mean == pytest.approx([0])
    assert scorer.scale == pytest.approx([1], abs=1e-5)
    assert scorer.weights == pytest.approx([1.5 * 0.2 / (SCORER.ridge + 1.5)], abs=1e-5)


def test_an_image_counts_alike_however_many_candidates_it_has():
    few, many = np.array([[-1.0], [1.0]]), np.array([[-1.0], [1.0]] * 50)
    scorers = [fit_scorer([TrainingSample(x, 0.5 + 0.1 * x[:, 0], 1.0)]) for x in (few, many)]
    assert scorers[0].weights == pytest.approx(scorers[1].weights)


def test_an_image_without_weight_teaches_nothing():
    true, wrong = [sample(np.array([0.1, 0.0]), seed=seed) for seed in range(20)], sample(np.array([-5.0, 5.0]))
    unsure = TrainingSample(wrong.features, wrong.agreement, 0.0)
    weights = fit_scorer([*true, unsure]).weights
    assert weights[0] > 0.05
    assert abs(weights[1]) < 0.01


def test_few_images_move_it_little():
    wanted = np.array([0.1, 0.0])
    few, many = (fit_scorer([sample(wanted, seed=s) for s in range(n)]).weights[0] for n in (1, 60))
    assert 0 < few < 0.5 * many


def test_a_feature_that_is_the_same_everywhere_is_no_division_by_zero():
    constant = TrainingSample(np.array([[3.0, -1.0], [3.0, 1.0]]), np.array([0.1, 0.9]), 1.0)
    weights = fit_scorer([constant]).weights
    assert weights[0] == 0
    assert weights[1] > 0


def test_a_sample_is_the_agreement_with_the_outcome_and_its_confidence():
    one = candidates(0)
    probability, confidence = one.vote()
    found = sample_from(one)
    assert found.agreement == pytest.approx([dice(mask, probability > 0.5) for mask in one.masks])
    assert found.weight == pytest.approx(confidence**2)
    np.testing.assert_array_equal(found.features, candidate_features(one))


def test_features_compare_the_candidates_of_one_image():
    one = candidates(0)
    features = candidate_features(one)
    assert features.shape == (len(one.masks), n_features(3)) == (len(one.masks), 32)
    assert n_features(1) == 20
    assert features[:, :-3].mean(axis=0) == pytest.approx(0, abs=1e-6)


def test_each_feature_is_what_it_says():
    rng, one = np.random.default_rng(0), candidates(0)
    touch, pale = rng.random((2, len(one.masks)))  # no candidate of this image has any
    one = replace(one, features=replace(one.features, border_contact=touch, lightness_excess=pale))
    p, features = one.features, candidate_features(one)

    def compared(values):
        return values - values.mean(axis=0)

    assert features[:, 0] == pytest.approx(compared(np.log(p.boundary + 0.01)))
    assert features[:, 5] == pytest.approx(compared(np.log(p.background_uniformity + 0.01)))
    assert features[:, 6] == pytest.approx(compared(p.border_contact))
    assert features[:, 7] == pytest.approx(compared(p.lightness_excess))
    assert features[:, 8] == pytest.approx(compared(np.log(p.area + 0.01) ** 2))
    assert features[:, 9] == pytest.approx(compared(p.area))
    assert features[:, 10] == pytest.approx(compared(p.distance))
    gap = p.inner.mean - p.outer.mean
    colours = [gap, gap**2, p.inner.mean, p.outer.mean, p.inner.spread, p.outer.spread]
    assert features[:, 11:29] == pytest.approx(compared(np.concatenate(colours, axis=1)))
    own = np.tanh((one.log_scores - one.log_scores.max()) / 3)
    assert features[:, 29:] == pytest.approx(np.stack([own, own**2, own**3], axis=1))


def test_the_score_is_the_expected_agreement_times_a_weight_and_outliers_are_clipped():
    one = candidates(0)
    features, F = candidate_features(one), n_features(3)
    weights = np.zeros(F)
    weights[9] = 0.25
    gentle = LinearScorer(np.zeros(F), np.ones(F), weights)
    assert gentle.score(one) == pytest.approx(SCORER.weight * 0.25 * features[:, 9])
    steep = LinearScorer(np.zeros(F), np.full(F, 1e-9), weights)
    assert set(np.round(steep.score(one), 6)) == {-SCORER.weight, SCORER.weight}


def test_scores_move_the_outcome_to_what_the_folder_expects():
    """Where the other images say that the smaller candidate is right, it wins here as well."""
    one = candidates(1)
    sizes = one.masks.mean(axis=(1, 2))
    others = [candidates(seed) for seed in range(2, 8)]
    scorer = fit_scorer([TrainingSample(candidate_features(c), -c.masks.mean(axis=(1, 2)), 1.0) for c in others])
    scores = scorer.score(one)
    assert np.corrcoef(scores, sizes)[0, 1] < -0.8
    assert (one.vote(10 * scores)[0] > 0.5).sum() < (one.vote()[0] > 0.5).sum()


def test_no_candidates():
    masks, inside = np.zeros((0, 8, 9), bool), np.ones((8, 9), bool)
    none = ScoredCandidates(
        masks, measure_candidates(masks, np.zeros((8, 9, 3)), inside, LESION), np.zeros(0), inside, ("a", "b"), LESION
    )
    scorer = fit_scorer([sample_from(candidates(seed)) for seed in range(4)])
    assert scorer.fits(none)
    assert scorer.score(none).shape == (0,)
    assert none.vote(scorer.score(none))[1] == 0


def test_grey_candidates_do_not_fit_a_scorer_of_colours():
    masks, inside = np.ones((1, 8, 9), bool), np.ones((8, 9), bool)
    grey = ScoredCandidates(
        masks, measure_candidates(masks, np.zeros((8, 9, 1)), inside, LESION), np.zeros(1), inside, ("a", "b"), LESION
    )
    assert not fit_scorer([sample_from(candidates(seed)) for seed in range(4)]).fits(grey)
