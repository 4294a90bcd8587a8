"""What is expected of an object, and the word for it."""

import numpy as np
import pytest

from napari_s3net.foreground.proposal import certainty_word, expected_dice
from napari_s3net.labels.metrics import dice


def test_the_expected_dice_is_that_of_random_draws():
    rng = np.random.default_rng(0)
    p = rng.random((200, 200))
    chosen = p > 0.4
    drawn = [dice(rng.random(p.shape) < p, chosen) for _ in range(20)]
    assert expected_dice(p, chosen) == pytest.approx(np.mean(drawn), abs=0.005)
    assert expected_dice(np.zeros((4, 4)), np.zeros((4, 4), bool)) == 0


@pytest.mark.parametrize(("confidence", "word"), [(1.0, "sure"), (0.9, "sure"), (0.899, "look"), (0.0, "look")])
def test_from_nine_tenths_on_it_is_sure(confidence, word):
    assert certainty_word(confidence) == word
