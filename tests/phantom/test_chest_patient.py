import numpy as np
import pytest

from napari_s3net.phantom.chest_patient import CHEST_PARTS
from tests.phantom.chests import patient


def middle(where):
    return np.argwhere(where).mean(axis=0) / (len(where) / 2) - 1


def test_an_oval_is_positive_inside_and_has_its_size():
    inside = patient().oval(0, 0, 0.5, 0.25) > 0
    assert inside.mean() == pytest.approx(np.pi * 0.5 * 0.25 / 4, rel=0.1)
    assert (patient().oval(0, 0, 0.5, 0.25, power=4) > 0).sum() > inside.sum()


def test_organs_turn_with_the_patient():
    at = {"cy": 0.4, "cx": 0.3, "ry": 0.2, "rx": 0.2}
    upright, prone, mirrored = (patient(**how) for how in ({}, {"prone": True}, {"mirrored": True}))
    assert middle(upright.oval(**at) > 0) == pytest.approx((0.4, 0.3), abs=0.08)
    assert middle(prone.oval(**at) > 0) == pytest.approx((-0.4, 0.3), abs=0.08)
    assert middle(mirrored.oval(**at) > 0) == pytest.approx((0.4, -0.3), abs=0.08)
    np.testing.assert_array_equal(prone.room_y, upright.room_y)


def test_a_stick_lies_along_its_direction():
    across = patient().stick((0, 0), 0.0, 0.6, 0.1) > 0
    rows, columns = np.nonzero(across)
    assert np.ptp(columns) > 3 * np.ptp(rows)


def test_paint_covers_what_is_inside_and_says_what_it_is():
    one = patient()
    field = one.oval(0, 0, 0.5, 0.5)
    one.paint(field, 700, "bone")
    assert one.hu[32, 32] == pytest.approx(700)
    assert one.hu[0, 0] == pytest.approx(-1000, abs=1)
    np.testing.assert_array_equal(one.parts == CHEST_PARTS.index("bone"), field > 0)


def test_the_neck_is_narrower_and_the_cavity_lies_within_the_trunk():
    chest, neck = patient(level=0.5), patient(level=-0.2)
    assert neck.trunk_axes < chest.trunk_axes == (chest.record.half_depth, chest.record.half_width)
    assert all(inner < outer for inner, outer in zip(chest.cavity_axes, chest.trunk_axes, strict=True))
