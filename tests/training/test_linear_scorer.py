"""A judge of candidates, learned without labels."""

from functools import lru_cache

import numpy as np
import pytest

from napari_s3net import phantom
from napari_s3net.foreground.propose import make_ballot
from napari_s3net.foreground.region_features import measure
from napari_s3net.foreground.voting import Ballot
from napari_s3net.labels.metrics import dice
from napari_s3net.preprocessing.features import to_features
from napari_s3net.settings import preset
from napari_s3net.training.linear_scorer import Lesson, describe, fit_judge, learn_from

SKIN = preset("skin")


@lru_cache
def ballot(seed):
    image = phantom.dermoscopy(seed=seed, shape=(108, 144)).image
    features = to_features(image, SKIN)
    return make_ballot(np.zeros(features.shape[:2], np.int64), features, SKIN)


def lesson(wanted, n=40, seed=0, noise=0.0):
    """Descriptions at random, of which the agreement is a known linear function."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, len(wanted)))
    return Lesson(x, 0.5 + x @ wanted + noise * rng.normal(size=n), 1.0)


def test_what_is_linear_is_learned():
    wanted = np.array([0.1, -0.05, 0.0])
    judge = fit_judge([lesson(wanted, seed=seed) for seed in range(50)])
    assert judge.weights / judge.scale == pytest.approx(wanted, abs=0.01)


def test_an_image_that_is_not_trusted_teaches_nothing():
    true, wrong = [lesson(np.array([0.1, 0.0]), seed=seed) for seed in range(20)], lesson(np.array([-5.0, 5.0]))
    unsure = Lesson(wrong.descriptions, wrong.agreement, 0.0)
    weights = fit_judge([*true, unsure]).weights
    assert weights[0] > 0.05
    assert abs(weights[1]) < 0.01


def test_few_images_make_it_careful():
    wanted = np.array([0.1, 0.0])
    few, many = (fit_judge([lesson(wanted, seed=s) for s in range(n)]).weights[0] for n in (1, 60))
    assert 0 < few < 0.5 * many


def test_agreement_is_the_dice_with_the_outcome():
    one = ballot(0)
    outcome = one.count()[0] > 0.5
    assert learn_from(one).agreement == pytest.approx([dice(mask, outcome) for mask in one.masks])


def test_descriptions_compare_the_candidates_of_one_image():
    described = describe(ballot(0))
    assert described.shape == (len(ballot(0).masks), 14 + 6 * 3)
    assert described[:, :-3].mean(axis=0) == pytest.approx(0, abs=1e-6)


def test_favour_moves_the_vote_to_what_the_folder_expects():
    """Where the other images say that the smaller candidate is right, it wins here as well."""
    one = ballot(1)
    sizes = one.masks.mean(axis=(1, 2))
    judge = fit_judge([Lesson(describe(b), -b.masks.mean(axis=(1, 2)), 1.0) for b in map(ballot, range(2, 8))])
    favour = judge.favour(one)
    assert np.corrcoef(favour, sizes)[0, 1] < -0.8
    assert (one.count(10 * favour)[0] > 0.5).sum() < (one.count()[0] > 0.5).sum()


def test_no_candidates():
    masks, inside = np.zeros((0, 8, 9), bool), np.ones((8, 9), bool)
    none = Ballot(masks, measure(masks, np.zeros((8, 9, 3)), inside), np.zeros(0), inside, ("a", "b"))
    judge = fit_judge([learn_from(ballot(seed)) for seed in range(4)])
    assert judge.knows(none)
    assert none.count(judge.favour(none))[1] == 0
