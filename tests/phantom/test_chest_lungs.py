import numpy as np
import pytest

from napari_s3net.phantom.chest_lungs import draw_lungs, paint_lungs
from napari_s3net.phantom.chest_organs import heart, spine
from napari_s3net.phantom.chest_patient import CHEST_PARTS
from napari_s3net.phantom.chest_wall import paint_body
from tests.phantom.chests import patient

WELL = {"emphysema": 0.0, "haze": 0.0, "consolidation": 0.0, "effusion": 0.0, "tumours": 0, "nodules": 0}


def painted(**how):
    one = patient(level=0.5, lung=-850.0, gradient=0.0, **{**WELL, **how})
    lungs, medial = draw_lungs(one, paint_body(one)[1])
    return one, lungs, paint_lungs(one, lungs, medial)


def test_lungs_lie_apart_and_give_way_to_heart_and_spine():
    one, (right, left), mask = painted()
    assert not ((right > 0) & (left > 0)).any()
    for organ in (heart(one), spine(one)):
        assert not (mask & (organ > 0.03)).any()


def test_there_are_none_above_and_below_the_chest():
    one, lungs, mask = painted(has_object=False)
    assert not lungs
    assert not mask.any()
    assert not (one.parts == CHEST_PARTS.index("lung")).any()


@pytest.mark.parametrize(
    ("illness", "sign"), [({"emphysema": 0.6}, -1), ({"haze": 0.6}, 1), ({"consolidation": 0.2}, 1)]
)
def test_illness_changes_how_dense_lung_is_and_it_stays_lung(illness, sign):
    (well, _, mask), (ill, _, same) = painted(), painted(**illness)
    assert sign * (ill.hu[same].mean() - well.hu[mask].mean()) > 20
    np.testing.assert_array_equal(same, mask)


def test_filled_lung_is_told_apart_in_the_parts():
    one, _, mask = painted(consolidation=0.2)
    dense = one.parts == CHEST_PARTS.index("dense lung")
    assert dense.any()
    assert mask[dense].all()


def test_masses_at_the_wall_are_no_lung():
    (_, _, mask), (one, _, less) = painted(), painted(tumours=2)
    assert less.sum() < mask.sum()
    assert not (less & ~mask).any()
    assert (one.parts[mask & ~less] == CHEST_PARTS.index("soft tissue")).all()
