import numpy as np
import pytest
from skimage.color import rgb2lab

from napari_s3net.labels.groups import Group
from napari_s3net.plugin.layers.palette import (
    CLEAR,
    LIGHT,
    OBJECT,
    OTHER,
    class_colour,
    colour,
    colour_table,
    group_colours,
    hex_colour,
    object_table,
)


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


@pytest.mark.parametrize("see", [lambda c: c, deuteranope])
def test_the_first_classes_are_told_apart_by_everybody(see):
    first = [see(rgb(class_colour(n))) for n in range(1, 5)]
    assert min(difference(a, b) for n, a in enumerate(first) for b in first[:n]) > 25
    assert len({class_colour(n) for n in range(1, 31)}) == 30


@pytest.mark.parametrize("is_object", [True, False])
def test_no_two_of_fifty_clusters_have_one_colour(is_object):
    assert len({hex_colour(i, is_object=is_object) for i in range(1, 51)}) == 50


def test_a_group_has_one_colour_and_every_group_its_own():
    groups = (Group("Lesion", (3, 9), True), Group("Rim", (4,), True), Group("Skin", (1, 2), False))
    colours = group_colours(groups)
    assert colours[3] == colours[9] == OBJECT[0]
    assert colours[1] == colours[2] == OTHER[0]
    assert len(set(colours.values())) == 3
    table = colour_table(range(1, 10), [3, 4, 9], groups)
    assert table[3] == table[9] == (*rgb(OBJECT[0]), 1.0)


def test_the_object_alone_is_a_light_fill_and_what_was_painted_is_seen():
    table = object_table([1, 2, 3, 4], [2, 3], painted=[4])
    assert table[2] == table[3] == (*rgb(OBJECT[0]), LIGHT)
    assert table[1] == table[0] == CLEAR
    assert table[4][3] > 0
    assert table[None][3] > 0, "a label that was painted a moment ago"


def test_the_table_shows_the_colour_of_the_view():
    assert hex_colour(2, is_object=False) == OTHER[1]
    assert colour(2, is_object=False)[:3] == pytest.approx(tuple(rgb(OTHER[1])))
