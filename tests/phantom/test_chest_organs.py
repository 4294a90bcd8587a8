import numpy as np

from napari_s3net.phantom.chest_organs import diaphragm, heart, paint_airways, paint_bowel, paint_organs, spine
from napari_s3net.phantom.chest_patient import CHEST_PARTS
from napari_s3net.phantom.chest_wall import paint_body
from tests.phantom.chests import patient

GAS = CHEST_PARTS.index("gas")


def test_the_diaphragm_rises_the_more_the_lower_the_slice():
    shares = [(diaphragm(patient(level=level), 1) > 0).mean() for level in (0.4, 0.8, 1.0)]
    assert shares[0] == 0 < shares[1] < shares[2]


def test_the_heart_is_wide_below_and_narrow_above():
    high, low = ((heart(patient(level=level, heart=1.0)) > 0).sum() for level in (0.25, 0.6))
    assert low > 2 * high > 0


def test_the_spine_lies_at_the_back():
    one = patient()
    assert one.v[spine(one) > 0].mean() > 0.5 * one.cavity_axes[0]


def test_contrast_medium_makes_the_heart_brighter():
    def value(contrast):
        one = patient(level=0.5, contrast=contrast)
        body, cavity = paint_body(one)
        paint_organs(one, cavity, body)
        return np.median(one.hu[heart(one) > 0.05])

    assert value(250.0) - value(0.0) > 80


def test_air_in_the_airways_lies_within_what_is_said_to_be_no_lung():
    high, middle, low = (patient(3, level=level) for level in (0.3, 0.55, 0.95))
    for one in (high, middle):
        where = paint_airways(one)
        gas = one.parts == GAS
        assert gas.any()
        assert where[gas].all()
    assert not paint_airways(low).any()


def test_gas_in_the_bowel_keeps_away_from_the_lungs():
    one = patient(level=0.8, bowel=5)
    _, cavity = paint_body(one)
    lung = one.oval(0, 0.3, 0.3, 0.3)
    paint_bowel(one, [lung], cavity)
    gas = one.parts == GAS
    assert gas.any()
    assert not (gas & (lung > 0)).any()
    above = patient(level=0.5, bowel=5)
    paint_bowel(above, [], paint_body(above)[1])
    assert not (above.parts == GAS).any()
