"""Uneven light is taken out, the object stays."""

import numpy as np
import pytest

from napari_s3net.foreground.illumination import flatten_illumination

H, W = 96, 128
Y, X = np.mgrid[:H, :W]
INSIDE = np.ones((H, W), bool)
DISC = (Y - 48) ** 2 + (X - 64) ** 2 < 20**2
LIGHT = 0.02 * X - 0.01 * Y + 0.0002 * (Y - 48) ** 2 + 0.0001 * (X - 30) ** 2 + 0.0001 * X * Y


@pytest.mark.parametrize("height", [1.0, 3.0])
def test_flattening_takes_a_quadratic_surface_out_and_leaves_the_object(height):
    noise = np.random.default_rng(0).normal(0, 0.01, (H, W))
    rest = flatten_illumination((LIGHT + height * DISC + noise)[None], INSIDE)[0]
    assert np.abs(rest[~DISC]).max() < 0.06
    assert np.abs(rest[DISC] - height).max() < 0.06


def test_the_object_is_bright():
    """Pixels above the surface lose their weight faster than those below it."""
    noise = np.random.default_rng(0).normal(0, 0.05, (H, W))
    many = (Y // 8 + X // 8) % 5 == 0
    above, below = (flatten_illumination((sign * 0.2 * many + noise)[None], INSIDE)[0] for sign in (1, -1))
    assert abs(np.median(above[~many])) < abs(np.median(below[~many]))


def test_channels_are_flattened_one_by_one():
    channels = np.stack([LIGHT + DISC, -2 * LIGHT + 5 * DISC])
    both = flatten_illumination(channels, INSIDE)
    assert both.shape == (2, H, W)
    for one, channel in zip(both, channels, strict=True):
        assert one == pytest.approx(flatten_illumination(channel[None], INSIDE)[0], abs=1e-9)


def test_only_what_is_inside_decides():
    outside = X > 100
    values = LIGHT + 1.0 * DISC
    values[outside] = -500 * (X - Y)[outside]
    rest = flatten_illumination(values[None], ~outside)[0]
    assert np.abs(rest[~outside & ~DISC]).max() < 0.05


def test_a_constant_becomes_zero():
    assert flatten_illumination(np.full((1, H, W), 7.0), INSIDE) == pytest.approx(0, abs=1e-5)
