import math

import numpy as np
import pytest

from napari_s3net.phantom.draw import Draw


def test_a_seed_gives_the_same_numbers_again_and_another_seed_others():
    first, again, other = ([draw.between(0, 1) for _ in range(5)] for draw in (Draw(7, 1), Draw(7, 1), Draw(8, 1)))
    assert first == again
    assert first != other


@pytest.mark.parametrize(
    ("name", "limits", "kind"), [("between", (-2, 3), float), ("log_between", (0.1, 20), float), ("whole", (2, 6), int)]
)
def test_numbers_fill_their_range_and_are_plain(name, limits, kind):
    draw = Draw(0)
    values = [getattr(draw, name)(*limits) for _ in range(2000)]
    assert {type(value) for value in values} == {kind}
    assert limits[0] <= min(values) < limits[0] + 0.2
    assert limits[1] - 1 <= max(values) < limits[1]


def test_the_middle_of_what_is_even_over_the_logarithm_is_the_geometric_mean():
    draw = Draw(0)
    assert np.median([draw.log_between(1, 100) for _ in range(4000)]) == pytest.approx(math.sqrt(100), rel=0.1)


def test_things_are_drawn_as_often_as_their_shares_say():
    draw = Draw(0)
    counts = np.bincount([draw.one_of((0.7, 0.3, 0.0)) for _ in range(4000)], minlength=3) / 4000
    np.testing.assert_allclose(counts, (0.7, 0.3, 0.0), atol=0.03)
    assert np.mean([draw.often(0.2) for _ in range(4000)]) == pytest.approx(0.2, abs=0.03)
