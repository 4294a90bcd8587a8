"""The body: the largest tissue, with what it encloses."""

from dataclasses import replace

import numpy as np
import pytest

from napari_s3net.foreground.body import BODY, propose_body
from napari_s3net.image import Geometry, Image
from napari_s3net.labels.metrics import dice
from napari_s3net.preprocessing.prepare import prepare
from napari_s3net.settings import preset_settings

H, W = 96, 128
Y, X = np.mgrid[:H, :W]


def disc(y, x, r):
    return (Y - y) ** 2 + (X - x) ** 2 < r**2


def propose(hu, spacing=None, **window):
    geometry = Geometry.identity(2) if spacing is None else replace(Geometry.identity(2), spacing=spacing, unit="mm")
    image = Image(hu.astype(np.float32), geometry, "ct")
    return propose_body(prepare(image, preset_settings("ct-soft").replace(**window)))


def test_a_body_is_its_largest_part_with_holes_filled():
    body, table = disc(40, 60, 34), (abs(Y - 90) < 4) & (abs(X - 64) < 50)
    proposal = propose(np.where((body & ~disc(40, 60, 8)) | table, 40.0, -1000.0))
    assert dice(proposal.object_probability > 0.5, body) > 0.99
    assert proposal.object_probability.dtype == np.float32
    assert (proposal.names, proposal.confidence) == (("Tissue", "Air"), 1.0)


@pytest.mark.parametrize(("hu", "is_tissue"), [(-120, True), (-151, True), (-153, False), (-300, False)])
@pytest.mark.parametrize("window", [{}, {"window_low": -1000.0, "window_high": -500.0}, {"window_low": 0.0}])
def test_fat_is_tissue_and_foam_is_not_whatever_the_window(hu, is_tissue, window):
    body = disc(48, 64, 40)
    hu_image = np.where(body, float(hu), -1000.0)
    hu_image[48, 64] = 3000  # something to tell apart in every window
    proposal = propose(hu_image, **window)
    assert (proposal.object_probability[body].mean() > 0.9) == is_tissue


def test_nothing_but_air_is_no_object_without_confidence():
    proposal = propose(np.where(X < 64, -1000.0, -900.0))
    assert not proposal.object_probability.any()
    assert proposal.object_probability.shape == (H, W)
    assert proposal.confidence == 0


@pytest.mark.parametrize(
    ("spacing", "cut"), [(None, True), ((0.75, 0.75), True), ((5.0, 5.0), True), ((0.35, 0.35), True)]
)
def test_thin_bridges_to_the_table_are_cut(spacing, cut):
    body, table = disc(48, 40, 30), (X > 100) & (X < 120) & (Y > 20) & (Y < 80)
    bridge = (abs(Y - 48) < 1.5 if spacing == (0.35, 0.35) else Y == 48) & (X >= 40) & (X <= 110)
    found = propose(np.where(body | table | bridge, 40.0, -1000.0), spacing).object_probability > 0.5
    assert found[table].any() != cut
    assert found[body].mean() > 0.95


def test_the_threshold_lies_between_foam_and_fat():
    assert -400 < BODY.tissue_above < -120
