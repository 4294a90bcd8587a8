"""Which intensities become black and white."""

import numpy as np
import pytest

from napari_s3net.image import Geometry, Image, as_image
from napari_s3net.preprocessing.values import complete
from napari_s3net.preprocessing.window import (
    Window,
    choose_window,
    normalise,
    over_channels,
    robust_range,
    sampling_step,
    to_grey,
    to_unit,
    with_channels,
)
from napari_s3net.settings import Settings, preset_settings

RNG = np.random.default_rng(0)
SETTINGS = Settings()


def test_a_window_stretches_and_clips():
    unit = Window(100, 300).apply(np.array([0, 100, 150, 300, 400]))
    assert unit.dtype == np.float32
    assert unit == pytest.approx([0, 0, 0.25, 1, 1])


def test_ct_keeps_its_unit_through_the_window_of_the_settings():
    hu = np.array([[-2000, -1000], [200, 3000]], np.int16).repeat(16, 0).repeat(16, 1)
    image = Image(hu, Geometry.identity(2), "ct")
    assert choose_window(complete(image), preset_settings("ct-lung")) == Window(-1000, 200)
    unit = to_unit(image, preset_settings("ct-lung"))
    assert unit.shape == (32, 32, 1)
    assert unit[0, 0, 0] == unit[0, -1, 0] == 0
    assert unit[-1, 0, 0] == unit[-1, -1, 0] == 1


def test_others_are_stretched_between_robust_percentiles():
    values = np.arange(10_000, dtype=np.float32).reshape(100, 100)
    values[0, 0] = -1e6
    window = choose_window(complete(as_image(values, kind="grey")), SETTINGS)
    assert (window.low, window.high) == pytest.approx((50, 9949), abs=1)


def test_where_the_percentiles_are_alike_the_extremes_count():
    array = np.zeros((40, 40))
    array[3, 3] = 7
    assert choose_window(complete(as_image(array, kind="grey")), SETTINGS) == Window(0, 7)


def test_a_large_image_is_sampled():
    array = RNG.random((1030, 40), dtype=np.float32)
    array[1::3] += 1000  # in rows that every third one leaves out
    array[:, 1::3] += 1000
    array[2::3] += 1000
    array[:, 2::3] += 1000
    assert choose_window(complete(as_image(array, kind="grey")), SETTINGS).high < 1.01


def test_missing_values_do_not_count():
    array = RNG.random((40, 40))
    array[:8] = np.nan
    window = choose_window(complete(as_image(array, kind="grey")), SETTINGS)
    assert (window.low, window.high) == pytest.approx(np.percentile(array[8:].astype(np.float32), (0.5, 99.5)))


def test_where_all_sampled_values_are_missing_the_others_count():
    array = np.full((1030, 1030), np.nan)
    array[1::3, 1::3] = RNG.random(array[1::3, 1::3].shape)
    window = choose_window(complete(as_image(array, kind="grey")), SETTINGS)
    assert 0 <= window.low < 0.01
    assert 0.99 < window.high < 1


@pytest.mark.parametrize(("scale", "offset"), [(2.0, 0.0), (1.0, 300.0), (0.01, -5.0)])
def test_brightness_and_contrast_do_not_change_intensities(scale, offset):
    array = RNG.uniform(0, 100, (40, 50))
    plain, other = (to_unit(as_image(a, kind="grey"), SETTINGS) for a in (array, array * scale + offset))
    assert plain == pytest.approx(other, abs=1e-4)


def test_every_so_many_rows_and_columns():
    image = as_image(RNG.random((40, 50)), kind="grey")
    assert np.array_equal(to_unit(image, SETTINGS, step=3), to_unit(image, SETTINGS)[::3, ::3])


def test_channels():
    grey, rgb = np.zeros((4, 5), np.float32), np.zeros((4, 5, 3), np.float32)
    assert with_channels(grey).shape == (4, 5, 1)
    assert with_channels(rgb) is rgb
    colours = RNG.random((4, 5, 3))
    assert to_grey(colours) == pytest.approx(colours.mean(axis=2))
    assert np.array_equal(over_channels(np.maximum, colours), colours.max(axis=2))


@pytest.mark.parametrize(("side", "step"), [(511, 1), (512, 2), (1023, 2), (1024, 3)])
def test_at_least_half_of_512_rows_are_sampled(side, step):
    assert sampling_step((20, side)) == sampling_step((side, 20)) == step


@pytest.mark.parametrize("values", [RNG.integers(3, 250, (90, 70, 3)), np.r_[0, np.full(500, 7)]], ids=["many", "few"])
def test_percentiles_of_bytes_are_those_of_numpy(values):
    counted, plain = robust_range(values.astype(np.uint8)), robust_range(values.astype(np.float32))
    assert counted == pytest.approx(plain)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_normalised_values_are_clipped_and_centred(dtype):
    values = np.array([-2000, -1000, 0, 1000, 3000], dtype)
    found = normalise(values, -1000, 1000)
    assert found.tolist() == [-2.0, -2.0, 0.0, 2.0, 2.0]
    assert found.dtype == values.dtype
    assert normalise(values, -1000, 1000, mean=0, sd=1).max() == 1
    assert np.isfinite(normalise(values, 5.0, 5.0)).all()
