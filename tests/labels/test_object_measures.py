"""The object's measurements."""

from dataclasses import replace

import numpy as np
import pytest

from napari_s3net.image import Geometry, Image
from napari_s3net.labels.object_measures import COLOURS, border_irregularity, colours_in, measure_object

MM = replace(Geometry.identity(2), spacing=(0.1, 0.1), unit="mm")
ROWS, COLUMNS = np.mgrid[:200, :240]
DISC = (ROWS - 100) ** 2 + (COLUMNS - 120) ** 2 < 50**2


def painted(name):
    """A photograph of skin on which the disc has one of the six colours."""
    array = np.full((200, 240, 3), (220, 180, 160), np.uint8)
    array[DISC] = [round(255 * value) for value in COLOURS[name]]
    return Image(array, MM, "rgb", "mole")


def test_a_disc_of_one_colour():
    found = measure_object(np.where(DISC, 3, 1), painted("dark brown"), (3,))
    assert found["area_px"] == DISC.sum()
    assert found["area_mm2"] == pytest.approx(np.pi * 25, rel=0.01)
    assert found["longest_diameter_mm"] == pytest.approx(10, rel=0.03)
    assert found["equivalent_diameter_mm"] == pytest.approx(10, rel=0.02)
    assert found["border_irregularity"] == pytest.approx(1, abs=0.05)
    assert found["asymmetry"] < 0.02
    assert found["colours"] == "dark brown"


def test_a_square_is_less_regular_than_a_disc():
    assert border_irregularity(4.0, 1.0) == pytest.approx(4 / np.pi)


@pytest.mark.parametrize("name", COLOURS)
def test_each_of_the_six_colours_is_known(name):
    assert colours_in(DISC, painted(name)) == (name,)


def test_a_trace_of_a_colour_does_not_count_and_the_most_frequent_comes_first():
    image = painted("light brown")
    ids = np.flatnonzero(DISC)
    for share, name in ((0.3, "black"), (0.04, "white")):
        part, ids = ids[: int(share * DISC.sum())], ids[int(share * DISC.sum()) :]
        image.array.reshape(-1, 3)[part] = [round(255 * value) for value in COLOURS[name]]
    assert colours_in(DISC, image) == ("light brown", "black")


def test_of_ct_hounsfield_units_are_told_without_what_is_outside():
    array = np.where(DISC, -800, 40).astype(np.int16)
    array[100, 120:130] = -600
    found = measure_object(DISC.astype(int), Image(array, Geometry.identity(2), "ct", "scan"), (1,))
    assert found["p50_hu"] == found["p5_hu"] == -800
    assert -800 < found["mean_hu"] < -799
    assert "area_mm2" not in found
    assert "colours" not in found


@pytest.mark.parametrize("fill", [np.nan, np.inf, -1e30])
def test_pixels_without_a_measurement_have_no_value_and_no_colour(fill):
    array = np.where(DISC, 7.0, 1.0)
    array[100, 120:130] = fill
    found = measure_object(DISC.astype(int), Image(array, Geometry.identity(2), "grey", "scan"), (1,))
    assert (found["mean_grey"], found["sd_grey"], found["p5_grey"], found["area_px"]) == (7, 0, 7, DISC.sum())
    image = painted("red")
    damaged = image.array / 255
    damaged[100, 120:130] = fill
    assert colours_in(DISC, replace(image, array=damaged)) == ("red",)
    assert colours_in(DISC, replace(image, array=np.full_like(damaged, fill))) == ()


def test_without_an_object_there_is_nothing():
    assert measure_object(np.zeros((200, 240), int), painted("red"), (1,)) == {}
