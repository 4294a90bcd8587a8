import numpy as np
import pytest
from skimage.color import rgb2lab

from napari_s3net.plugin.layers.palette import CLEAR, OBJECT, OTHER, colour, colour_table, hex_colour


def rgb(text):
    return np.array([int(text[i : i + 2], 16) for i in (1, 3, 5)]) / 255


def deuteranope(colour):
    """How a red-green blind person sees a colour (Viénot, Brettel and Mollon 1999, linear light)."""
    linear = np.where(colour <= 0.04045, colour / 12.92, ((colour + 0.055) / 1.055) ** 2.4)
    matrix = np.array([[0.29275, 0.70725, 0.0], [0.29275, 0.70725, 0.0], [-0.02234, 0.02234, 1.0]])
    seen = np.clip(matrix @ linear, 0, 1)
    return np.where(seen <= 0.0031308, 12.92 * seen, 1.055 * seen ** (1 / 2.4) - 0.055)


def difference(one, other):
    lab = rgb2lab(np.stack([one, other])[None])[0]
    return float(np.linalg.norm(lab[0] - lab[1]))


@pytest.mark.parametrize("see", [lambda c: c, deuteranope])
def test_object_and_other_are_told_apart_by_everybody(see):
    assert min(difference(see(rgb(a)), see(rgb(b))) for a in OBJECT for b in OTHER) > 30


@pytest.mark.parametrize("family", [OBJECT, OTHER])
def test_neighbours_in_a_family_are_told_apart(family):
    pairs = list(zip(family, family[1:] + family[:1], strict=True))
    assert min(difference(deuteranope(rgb(a)), deuteranope(rgb(b))) for a, b in pairs) > 12


def test_a_colour_depends_on_nothing_but_the_id():
    few, many = colour_table([1, 2], [1]), colour_table(range(1, 30), [1, 9])
    assert few[1] == many[1] == colour(1, is_object=True)
    assert few[2] == many[2]


def test_the_object_stands_out():
    table = colour_table([1, 2], [1])
    assert table[1][3] == 1.0
    assert table[2][3] < 0.6
    assert table[0] == CLEAR


def test_object_only_hides_the_rest_and_unknown_ids():
    table = colour_table([1, 2, 3], [2], object_only=True)
    assert [table[i] == CLEAR for i in (1, 2, 3, None)] == [True, False, True, True]


def test_the_table_shows_the_colour_of_the_view():
    assert hex_colour(2, is_object=False) == OTHER[1]
    assert colour(2, is_object=False)[:3] == pytest.approx(tuple(rgb(OTHER[1])))
