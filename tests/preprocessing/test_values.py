"""Whatever numbers come: what is computed from them is finite, and what is no measurement does not count."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_s3net.errors import InvalidImageError
from napari_s3net.image import as_image, guess_kind
from napari_s3net.preprocessing.check import HU_TARGETS
from napari_s3net.preprocessing.prepare import prepare
from napari_s3net.preprocessing.values import complete, find_missing
from napari_s3net.segmentation import segment
from napari_s3net.settings import presets

RNG = np.random.default_rng(0)
Y, X = np.mgrid[:24, :32]
DISC = (Y - 12) ** 2 + (X - 16) ** 2 < 7**2
PICTURE = np.round(60 + 100 * DISC + RNG.uniform(0, 20, DISC.shape))
HOLE = (Y < 4) & (X < 6)


@pytest.mark.parametrize(
    "array", [PICTURE, PICTURE.astype(np.uint8), PICTURE.astype(np.float16), PICTURE > 100, PICTURE * 1e6 - 3e7]
)
def test_ordinary_values_are_passed_through(array):
    image = as_image(array, kind="grey")
    plane = complete(image)
    assert plane.image is image
    assert plane.missing is None
    assert plane.note == ""


@pytest.mark.parametrize(
    "fill",
    [np.nan, np.inf, -np.inf, -32768.0, -33792.0, -(2.0**31), -1e30, 1e30, 9.96921e36]
    + [sign * float(np.finfo(kind).max) for sign in (-1, 1) for kind in (np.float32, np.float64)],
)
def test_a_fill_value_is_found_and_replaced_by_the_smallest(fill):
    plane = complete(as_image(np.where(HOLE, fill, PICTURE), kind="grey"))
    assert np.array_equal(plane.missing, HOLE)
    assert np.array_equal(plane.image.array[~HOLE], PICTURE[~HOLE])
    assert (plane.image.array[HOLE] == PICTURE[~HOLE].min()).all()
    assert plane.note.startswith("24 of 768 pixels hold a fill value or no number")


@pytest.mark.parametrize("dtype", [np.int16, np.int32, np.int64])
def test_fill_values_of_whole_numbers(dtype):
    plane = complete(as_image(np.where(HOLE, np.iinfo(dtype).min, PICTURE).astype(dtype), kind="grey"))
    assert np.array_equal(plane.missing, HOLE)
    assert plane.image.array.dtype == dtype


def test_several_fill_values_at_once():
    array = PICTURE.copy()
    array[0, :4] = np.nan, -1e30, np.finfo(np.float32).max, -32768
    assert np.array_equal(complete(as_image(array, kind="grey")).missing, (Y == 0) & (X < 4))


@pytest.mark.parametrize(
    "array",
    [
        np.linspace(-40000, 40000, 768),  # −32768 and below, with others nearby
        np.where(DISC, -32768.0, 0.0).ravel(),  # two values are a picture
        PICTURE.ravel() * 1e30,  # all are as large
        np.where(DISC, 1e30, 0.0).ravel(),
        np.r_[np.arange(764), np.arange(1, 5) * -12000.0],  # below the rest, but not by half of its range
    ],
)
def test_large_numbers_that_are_no_fill_values(array):
    assert find_missing(array.reshape(24, 32)) is None


def test_the_gap_below_the_rest_decides():
    for lowest, is_fill in ((-33_000.0, False), (-36_000.0, True)):
        array = np.r_[np.linspace(-10_000, 40_000, 767), lowest].reshape(24, 32)
        assert (find_missing(array) is not None) == is_fill


def test_few_huge_values_are_fills_and_many_are_a_picture():
    for n, is_fill in ((4, True), (5, False)):
        array = PICTURE.copy()
        array[0, :n] = np.arange(1, n + 1) * 1e25
        assert (find_missing(array) is not None) == is_fill
    assert find_missing(np.where(HOLE, 0.9e20, PICTURE)) is None


def test_unsigned_numbers_have_no_fill_values():
    assert find_missing(np.where(HOLE, 65535, PICTURE).astype(np.uint16)) is None


def test_a_colour_is_missing_where_one_channel_is():
    rgb = np.stack([PICTURE] * 3, axis=-1)
    rgb[2, 3, 1] = np.nan
    plane = complete(as_image(rgb))
    assert np.argwhere(plane.missing).tolist() == [[2, 3]]
    assert plane.image.array[2, 3].tolist() == [rgb[2, 3, 0], PICTURE.min(), rgb[2, 3, 2]]


def test_an_image_of_nothing_is_refused():
    with pytest.raises(InvalidImageError, match="No pixel holds a number: all are NaN"):
        complete(as_image(np.full((20, 20), np.inf), kind="grey"))


@pytest.mark.parametrize("dtype", [complex, object, "U3", "datetime64[s]"])
def test_what_is_no_number_is_refused(dtype):
    with pytest.raises(InvalidImageError, match="Expected real numbers; got"):
        complete(as_image(np.zeros((20, 20), dtype), kind="grey"))


def test_ct_is_in_hounsfield_units_or_refused():
    hu = as_image(np.where(DISC, 3e4, PICTURE - 1000), kind="ct")
    assert complete(hu).image is hu
    with pytest.raises(InvalidImageError, match=r"Expected Hounsfield units; got values from 6e\+08 to 1.8e\+09"):
        complete(as_image(PICTURE * 1e7, kind="ct"))
    with pytest.raises(InvalidImageError, match="Expected Hounsfield units"):
        complete(as_image(-1e5 * PICTURE, kind="ct"))
    filled = complete(as_image(np.where(HOLE, -32768, PICTURE - 1000).astype(np.int16), kind="ct"))
    assert np.array_equal(filled.missing, HOLE)
    small = as_image(PICTURE * 1e-20, kind="ct")
    assert complete(small).image is small, "Hounsfield units are never stretched"


@pytest.mark.parametrize("fill", [-32768.0, -1e30, float(-np.finfo(np.float64).max)])
def test_fill_values_make_no_ct_of_a_float_image(fill):
    array = np.where(DISC, fill, PICTURE)
    assert guess_kind(array) == "grey"
    assert guess_kind(np.where(DISC, fill, PICTURE - 1000)) == "ct"


@pytest.mark.parametrize("power", [-323, -310, -300, -40, -20, 14, 20, 37, 100, 305])
def test_a_picture_of_any_magnitude_is_the_same_picture(power):
    scaled = PICTURE * 10.0**power
    plane = complete(as_image(scaled, kind="grey"))
    values = plane.image.array
    assert plane.missing is None
    assert plane.image.array.astype(np.float32) == pytest.approx(
        (scaled - scaled.min()) / (scaled.max() - scaled.min()) if power >= 14 or power < -16 else scaled, rel=1e-5
    )
    assert np.isfinite(values.astype(np.float32)).all()


@pytest.mark.parametrize(
    "array",
    [
        PICTURE.astype(np.uint64) + np.uint64(2**64 - 300),
        PICTURE.astype(np.int64) + np.int64(-(2**63)),
        PICTURE.astype(np.int64) + np.int64(2**62),
        PICTURE * 1e-3 + 1e9,
    ],
)
def test_small_differences_of_large_numbers_are_kept(array):
    expected = (PICTURE - PICTURE.min()) / np.ptp(PICTURE)
    assert complete(as_image(array, kind="grey")).image.array == pytest.approx(expected, abs=1e-4)


def test_the_whole_range_of_whole_numbers():
    array = np.linspace(-(2**63), 2**63 - 1024, 768).astype(np.int64).reshape(24, 32)
    values = complete(as_image(array, kind="grey")).image.array
    assert values.ravel() == pytest.approx(np.linspace(0, 1, 768), abs=1e-6)


def test_a_constant_is_left_for_the_check():
    image = as_image(np.full((20, 20), 1e300), kind="grey")
    assert complete(image).image is image


@pytest.mark.skipif(np.finfo(np.longdouble).max == np.finfo(float).max, reason="long double is double here")
def test_long_doubles_beyond_double_are_missing():
    array = PICTURE.astype(np.longdouble)
    array[0, 0] = np.longdouble("1e4000")
    assert complete(as_image(array, kind="grey")).missing.sum() == 1


DTYPES = [np.bool_, np.uint8, np.int8, np.uint16, np.int16, np.uint32, np.int32, np.uint64, np.int64]
DTYPES += [np.float16, np.float32, np.float64, np.longdouble]


@settings(max_examples=150, deadline=None)
@given(
    dtype=st.sampled_from(DTYPES),
    power=st.integers(-330, 320),
    offset=st.floats(allow_nan=True, allow_infinity=True),
    special=st.lists(st.floats(allow_nan=True, allow_infinity=True), max_size=4),
    name=st.sampled_from(sorted(presets)),
    kind=st.sampled_from(["ct", "mr", "grey"]),
)
def test_features_are_finite_or_the_image_is_refused(dtype, power, offset, special, name, kind):
    """The gate before everything that is computed: for each dtype, magnitude, preset and kind."""
    with np.errstate(all="ignore"):
        array = PICTURE * np.float64(10.0) ** power + offset
        array[0, : len(special)] = special
        if np.dtype(dtype).kind in "iu":
            array = np.nan_to_num(array).clip(*(float(n) for n in (np.iinfo(dtype).min, np.iinfo(dtype).max)))
        array = array.astype(dtype)
    asked = presets[name].settings.replace(working_size=32)
    try:
        plane = prepare(as_image(array, kind=kind), asked)
    except InvalidImageError:
        return
    assert np.isfinite(plane.features).all()
    assert (plane.features >= 0).all()
    assert (plane.features <= 1).all()
    assert np.isfinite(plane.to_unit()).all()


@pytest.mark.parametrize("name", presets)
@pytest.mark.parametrize(
    "array",
    [PICTURE * 1e37, PICTURE * 1e-300, np.where(HOLE, np.nan, PICTURE), np.where(HOLE, -1e30, PICTURE - 1000)],
    ids=["huge", "tiny", "nan", "fill"],
)
def test_every_preset_segments_or_refuses(name, array):
    asked = presets[name].settings.replace(working_size=32, max_iter=1, clusters=3, channels=4)
    image = as_image(array)
    if asked.target in HU_TARGETS and image.kind != "ct":
        with pytest.raises(InvalidImageError, match="Hounsfield units"):
            segment(image, settings=asked, device="cpu")
        return
    result = segment(image, settings=asked, device="cpu")
    is_missing = HOLE if np.isnan(array).any() or array.min() < -1e20 else np.zeros_like(HOLE)
    assert np.array_equal(result.labels == 0, is_missing)
    assert ("24 of 768 pixels" in result.provenance.note) == is_missing.any()


def test_a_scaled_picture_gives_the_same_labels():
    asked = presets["generic"].settings.replace(working_size=32, max_iter=2, clusters=3)
    image = as_image(PICTURE, kind="grey")
    plain = segment(image, settings=asked, device="cpu")
    for factor in (1e37, 1e-300):
        other = segment(replace(image, array=PICTURE * factor), settings=asked, device="cpu")
        assert np.mean(plain.labels != other.labels) < 0.02
