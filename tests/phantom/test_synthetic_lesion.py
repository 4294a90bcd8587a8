from dataclasses import replace

import numpy as np
import pytest
from scipy import ndimage

from napari_s3net.phantom.plane import PaintedPlane
from napari_s3net.phantom.skin_record import draw_skin_record
from napari_s3net.phantom.synthetic_lesion import lesion_density, make_shape, outline_mask, paint_surface, vessels

RECORD = replace(draw_skin_record(1), area=0.15, centre=(0.0, 0.0), elongation=1.2, generosity=0.1, kind="dark")


def plane(seed=0):
    return PaintedPlane(np.random.default_rng(seed), 96)


@pytest.mark.parametrize("area", [0.05, 0.3])
def test_a_lesion_has_the_area_of_its_record_in_one_piece(area):
    shape = make_shape(plane(), replace(RECORD, area=area))
    inside = shape.depth > 0
    assert inside.mean() == pytest.approx(area, rel=0.25)
    assert ndimage.label(inside)[1] == 1
    assert shape.radius == pytest.approx(np.sqrt(inside.sum() / np.pi))
    assert shape.cover[shape.depth > 0.3 * shape.radius].min() > 0.5 > shape.cover[shape.depth < 0].mean()


def test_a_generous_outline_is_larger():
    shape = make_shape(plane(), RECORD)
    tight, generous = (outline_mask(shape, replace(RECORD, generosity=g)) for g in (0.0, 0.3))
    assert generous.sum() > 1.2 * tight.sum()
    assert not (tight & ~generous).any()
    assert ndimage.label(generous)[1] == 1


def test_a_dark_lesion_takes_light_away_where_it_lies():
    shape = make_shape(plane(), RECORD)
    density, second = lesion_density(plane(1), RECORD, shape)
    assert density.shape == (96, 96, 3)
    assert density[shape.depth > 3].mean() > 0.3
    assert np.abs(density[shape.depth < -0.9 * shape.radius]).mean() < 0.05
    assert not second[shape.cover <= 0.5].any()


@pytest.mark.parametrize(("kind", "pattern"), [("ulcerated", "none"), ("dark", "scales"), ("red", "vessels")])
def test_what_lies_on_a_lesion_stays_on_it(kind, pattern):
    shape = make_shape(plane(), RECORD)
    grey = np.full((96, 96, 3), 0.5, np.float32)
    painted = paint_surface(plane(2), replace(RECORD, kind=kind, pattern=pattern), shape, grey)
    changed = np.abs(painted - grey).sum(axis=2)
    assert changed[shape.cover > 0.5].mean() > 0.005
    assert changed[shape.cover < 0.01].max(initial=0) < 0.1


def test_vessels_begin_in_the_lesion():
    shape = make_shape(plane(), RECORD)
    drawn = vessels(plane(3), 20, shape)
    assert (drawn > 0)[shape.cover > 0.5].mean() > 3 * (drawn > 0)[shape.cover < 0.1].mean()
    assert vessels(plane(3), 20).any()
