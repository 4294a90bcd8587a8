import gc

import numpy as np
import pytest
from napari.layers import Image, Labels

from napari_s3net.plugin.layers.ownership import belongs_to, set_owner


@pytest.fixture
def layers():
    array = np.zeros((4, 5))
    return Labels(array.astype(int), name="result"), Image(array, name="mole"), Image(array, name="mole")


def test_layers_are_known_by_themselves_and_not_by_their_names(layers):
    result, owner, namesake = layers
    set_owner(result, owner)
    assert belongs_to(result, owner, "mole")
    assert not belongs_to(result, namesake, "mole")
    owner.name = "renamed"
    assert belongs_to(result, owner, "mole")


def test_where_the_owner_is_not_known_its_name_decides_once(layers):
    result, owner, namesake = layers
    assert not belongs_to(result, owner, "another")
    assert belongs_to(result, namesake, "mole")
    assert not belongs_to(result, owner, "mole"), "from now on it is known"


def test_an_owner_that_is_removed_may_go(layers):
    result, owner, namesake = layers
    set_owner(result, owner)
    del layers, owner
    gc.collect()
    assert not belongs_to(result, namesake, "mole")
