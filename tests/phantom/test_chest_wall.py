import numpy as np

from napari_s3net.phantom.chest_patient import CHEST_PARTS
from napari_s3net.phantom.chest_wall import paint_body, paint_skeleton
from tests.phantom.chests import patient

BONE = CHEST_PARTS.index("bone")


def test_the_cavity_lies_within_a_body_of_fat_and_muscle():
    one = patient(level=0.5, arms=False, fat=0.06)
    body, cavity = paint_body(one)
    assert (body[cavity > 0] > 0).mean() > 0.98
    np.testing.assert_array_equal(one.parts == CHEST_PARTS.index("soft tissue"), body > 0)
    assert -150 < np.median(one.hu[(body > 0.02) & (body < 0.05)]) < -50, "fat"
    assert 0 < np.median(one.hu[cavity > 0.1]) < 100, "muscle, until lungs are painted"


def test_arms_lie_beside_the_body_and_have_a_bone_each():
    one = patient(level=0.5, arms=True, breasts=0.0, half_width=0.7)
    body, _ = paint_body(one)
    bone = one.parts == BONE
    assert not (bone & (body > 0)).any()
    assert bone[:, :32].any()
    assert bone[:, 32:].any()


def test_bones_stay_within_the_body():
    for level in (0.1, 0.4, 0.8):
        one = patient(level=level, arms=False)
        body, cavity = paint_body(one)
        paint_skeleton(one, cavity, body)
        bone = one.parts == BONE
        assert bone.any()
        assert (body[bone] > 0).mean() > 0.98
