"""States of slices: not looked at, looked at, corrected."""

import numpy as np
import pytest
from napari.layers import Labels

from napari_s3net.plugin.layers.plane_key import PlaneKey
from napari_s3net.plugin.layers.slice_states import SliceState, SliceStates, states_of

KEY, OTHER = PlaneKey((3, None, None)), PlaneKey((None, 3, None))


def test_a_change_by_hand_is_a_correction_and_an_undo_takes_it_back():
    states = SliceStates()
    assert states.of(KEY) is SliceState.UNSEEN
    states.seen.add(KEY)
    states.compare(KEY, 7, 7)
    assert states.of(KEY) is SliceState.SEEN
    states.compare(KEY, 8, 7)
    assert states.of(KEY) is SliceState.CORRECTED
    assert states.of(OTHER) is SliceState.UNSEEN
    states.compare(KEY, 7, 7)
    assert states.of(KEY) is SliceState.SEEN


def test_what_comes_from_another_slice_is_to_be_looked_at_and_no_correction():
    states = SliceStates()
    states.seen.add(KEY)
    states.carry(KEY, 9)
    assert states.of(KEY) is SliceState.UNSEEN
    states.compare(KEY, 9, 7)
    assert states.of(KEY) is SliceState.UNSEEN
    states.compare(KEY, 10, 7)
    assert states.of(KEY) is SliceState.CORRECTED
    states.forget(KEY)
    assert states.of(KEY) is SliceState.UNSEEN


@pytest.mark.viewer
def test_each_layer_has_its_own():
    one, other = (Labels(np.zeros((2, 2), np.uint8)) for _ in range(2))
    states_of(one).seen.add(KEY)
    assert states_of(one).of(KEY) is SliceState.SEEN
    assert states_of(other).of(KEY) is SliceState.UNSEEN
