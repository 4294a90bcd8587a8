"""Growth."""

import pytest

from napari_s3net.benchmark.speed.growth import photograph, slope


@pytest.mark.parametrize("power", [0.0, 1.0, 2.0])
def test_slope_is_the_power(power):
    points = [{"n": n, "seconds": 0.3 * n**power} for n in (1, 2, 4, 9)]
    assert slope(points, "seconds") == pytest.approx(power)


def test_photographs_have_the_size_that_was_asked_for():
    assert photograph(64, 96).array.shape == (64, 96, 3)
    assert photograph(900, 1200).array.shape == (900, 1200, 3)
