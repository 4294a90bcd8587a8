"""Lungs: by HU and millimetres, so that neither window nor crop nor zoom changes them."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import ndimage

from napari_s3net import phantom
from napari_s3net.foreground.lung import LUNG, find_lung, medians, propose_lung
from napari_s3net.image import Geometry, Image
from napari_s3net.labels.metrics import dice
from napari_s3net.preprocessing.prepare import prepare
from napari_s3net.settings import preset_settings

MM = (1.0, 1.0)
N = 256
Y, X = np.mgrid[:N, :N]


def disc(y, x, r):
    return (Y - y) ** 2 + (X - x) ** 2 < r**2


BODY, LEFT, RIGHT = disc(128, 128, 115), disc(120, 80, 35), disc(120, 176, 35)
RIB = disc(120, 42, 4) | disc(120, 214, 4)


def chest(**parts):
    """A body with two lungs and ribs beside them; further parts by name, (mask, HU)."""
    hu = np.full((N, N), -1000.0)
    hu[BODY], hu[LEFT | RIGHT], hu[RIB] = 40, -800, 700
    for mask, value in parts.values():
        hu[mask] = value
    return hu


def test_lungs_are_air_inside_the_body():
    lung = find_lung(chest(), MM)
    assert dice(lung, LEFT | RIGHT) > 0.99
    assert not lung[~BODY].any()


@pytest.mark.parametrize("window", [(-1000.0, 200.0), (-1000.0, 100.0), (-160.0, 240.0), (-500.0, -400.0)])
def test_the_window_on_the_screen_changes_nothing(window):
    """Among others bone, at 150 HU and more, is seen through a window that ends at 100."""
    bowel = disc(200, 128, 12)
    image = Image(chest(bowel=(bowel, -600)), replace(Geometry.identity(2), unit="mm"), "ct")
    settings = preset_settings("ct-lung").replace(window_low=window[0], window_high=window[1])
    proposal = propose_lung(prepare(image, settings))
    found = proposal.object_probability > 0.5
    assert np.array_equal(found, find_lung(image.array, MM))
    assert not found[bowel].any()
    assert (proposal.confidence, proposal.note) == (1.0, "")


@pytest.mark.parametrize(("probability", "word"), [(0.99, "sure"), (0.6, "look")])
def test_a_network_says_how_sure_it_is(probability, word):
    image = Image(chest(), replace(Geometry.identity(2), unit="mm"), "ct")
    views = np.where(LEFT | RIGHT, probability, 0).astype(np.float32)[None, ::2, ::2]
    proposal = propose_lung(prepare(image, preset_settings("ct-lung")), views)
    assert proposal.confidence == pytest.approx(2 * probability / (1 + probability), abs=0.02)
    assert proposal.certainty == word
    assert np.array_equal(proposal.object_probability > 0.5, find_lung(image.array, MM))


def test_no_lung_is_no_object_without_confidence():
    image = Image(np.where(BODY, 40.0, -1000.0), Geometry.identity(2), "ct")
    proposal = propose_lung(prepare(image, preset_settings("ct-lung")))
    assert not proposal.object_probability.any()
    assert proposal.confidence == 0
    assert "0.75 mm were assumed" in proposal.note


@pytest.mark.parametrize("gas", [-1000, -960])
def test_gas_of_windpipe_and_bowel_is_no_lung(gas):
    pipe = disc(100, 128, 8)
    lung = find_lung(chest(pipe=(pipe, gas), bone=(disc(100, 140, 4), 700)), MM)
    assert not lung[pipe].any()
    assert dice(lung, LEFT | RIGHT) > 0.99
    assert find_lung(chest(pipe=(pipe, -940), bone=(disc(100, 140, 3), 700)), MM)[pipe].any()


@pytest.mark.parametrize(("share", "kept"), [(0.2, True), (0.5, False)])
def test_a_lung_may_hold_some_gas(share, kept):
    bulla = LEFT & (85 + share * 70 > Y)
    assert find_lung(chest(bulla=(bulla, -1000)), MM)[LEFT].any() == kept


@pytest.mark.parametrize(("radius", "seen", "kept"), [(35, 0.4, True), (35, 0.2, False), (12, 1.0, False)])
def test_gas_that_a_network_takes_for_lung_is_lung_where_it_is_large(radius, seen, kept):
    """An emphysematous lung is gas by its Hounsfield units; the network is not asked about small parts."""
    part = disc(120, 80, radius)
    hu = chest(lung=(LEFT, 40), part=(part, -980))
    found = find_lung(hu, MM, np.where(part, seen, 0.0))
    assert (found[part].mean() > 0.95) == kept
    assert found[part].any() == kept
    assert dice(found & RIGHT, RIGHT) > 0.99
    assert not found[~BODY].any()


@pytest.mark.parametrize(("seen", "kept"), [(0.4, True), (0.2, False)])
def test_a_part_without_bone_that_a_network_takes_for_lung_is_lung(seen, kept):
    part = disc(180, 128, 20)
    found = find_lung(chest(part=(part, -800)), MM, np.where(part, seen, 0.0))
    assert (found[part].mean() > 0.95) == kept
    assert found[part].any() == kept


@pytest.mark.parametrize(("gap", "kept"), [(2, True), (3, True), (4, False), (10, False)])
def test_a_small_part_far_from_every_bone_is_bowel(gap, kept):
    small = disc(215, 128, 12)
    bone = disc(215, 128 + 11 + gap + 4, 4)  # so many pixels between them
    lung = find_lung(chest(small=(small, -600), bone=(bone, 700)), MM)
    assert lung[small].any() == kept
    assert lung[LEFT].all()
    assert not find_lung(chest(small=(small, -600), bone=(bone, 140)), MM)[small].any(), "140 HU is no bone"


def test_without_any_bone_in_sight_small_parts_stay():
    small = disc(215, 128, 12)
    hu = np.minimum(chest(small=(small, -600)), 100)
    assert find_lung(hu, MM)[small].any()


def test_a_large_part_needs_no_bone():
    hu = np.minimum(chest(), 100)
    hu[disc(215, 128, 4)] = 700
    assert dice(find_lung(hu, MM), LEFT | RIGHT) > 0.99


@pytest.mark.parametrize(("radius", "kept"), [(8, True), (5.5, True), (4.2, False)])
def test_small_parts_are_measured_in_square_millimetres(radius, kept):
    """Lung of 59 mm² inside or 88 mm² in all is the least."""
    part = disc(215, 128, radius)
    hu = chest(part=(part, -800), bone=(disc(215, 128 + radius + 3, 2.5), 700))
    assert find_lung(hu, MM)[part].any() == kept
    assert find_lung(hu, (2.0, 2.0))[part].any()
    assert not find_lung(hu, (0.3, 0.3))[part].any()


@pytest.mark.parametrize(("hu", "kept"), [(-330, False), (-390, False), (-420, True)])
def test_a_lung_is_deep_somewhere(hu, kept):
    assert find_lung(np.where(chest() == -800, hu, chest()), MM).any() == kept


def test_slivers_are_left_out():
    """Where lung and diaphragm share a voxel: as light as lung, but two pixels thin."""
    sliver = (abs(Y - 215.5) < 1) & (abs(X - 128) < 40)
    hu = chest(sliver=(sliver, -600), bone=((abs(Y - 220) < 3) & (abs(X - 128) < 40), 700))
    assert not find_lung(hu, MM)[sliver].any()


def test_the_rim_reaches_half_way_to_the_tissue():
    rim = disc(120, 80, 36) & ~LEFT
    for value, reached in ((-260, True), (-240, False)):
        lung = find_lung(chest(rim=(rim, value)), MM)
        assert lung[rim].mean() == pytest.approx(float(reached), abs=0.1)


def test_the_rim_is_as_wide_in_millimetres_where_pixels_are_small():
    rim = disc(120, 80, 37) & ~LEFT  # half a millimetre
    lung = find_lung(chest(rim=(rim, -260), bone=(RIB, 700)), (0.25, 0.25))
    assert lung[LEFT].all()
    assert lung[rim & ~RIB].mean() > 0.95


@pytest.mark.parametrize(("radius", "filled"), [(3, True), (8, True), (9, False), (14, False)])
def test_vessels_are_filled_and_the_heart_is_not(radius, filled):
    """A hole of 221 mm² or more is no vessel."""
    hole = disc(120, 80, radius)
    assert find_lung(chest(hole=(hole, 40)), MM)[120, 80] == filled


@pytest.mark.parametrize(("width", "closed"), [(4, True), (8, False)])
def test_narrow_gaps_are_closed(width, closed):
    gap = LEFT & (X < 80) & (abs(Y - 120) < width / 2)
    lung = find_lung(chest(gap=(gap, 40)), MM)
    assert lung[gap & (X > 55)].mean() == pytest.approx(float(closed), abs=0.35)


CROPS = {
    "a margin of a tenth": np.s_[26:230, 26:230],
    "to the lungs": np.s_[80:160, 40:220],
    "half of it": np.s_[:, :150],
    "through one": np.s_[100:, 30:190],
}


@pytest.mark.parametrize("crop", CROPS.values(), ids=CROPS)
def test_a_cropped_slice_gives_the_same_lung(crop):
    """Also where lung is cut; the bowel far from bone goes in the whole slice and in the crop."""
    hu = chest(bowel=(disc(215, 150, 9), -600))
    assert np.mean(find_lung(hu[crop], MM) != find_lung(hu, MM)[crop]) < 0.004


@pytest.mark.parametrize("factor", [0.5, 0.7, 1.5, 2.0])
def test_a_zoomed_slice_with_its_spacing_gives_the_same_lung(factor):
    hu = chest(bowel=(disc(215, 150, 9), -600), hole=(disc(120, 80, 6), 40))
    zoomed = ndimage.zoom(hu, factor, order=1, grid_mode=True, mode="nearest")
    expected = ndimage.zoom(find_lung(hu, MM).astype(float), factor, order=1, grid_mode=True, mode="nearest") > 0.5
    assert dice(find_lung(zoomed, (1 / factor, 1 / factor)), expected) > 0.985


def test_pixels_need_not_be_square():
    hu = chest(bowel=(disc(215, 150, 9), -600))
    assert dice(find_lung(hu[::2], (2.0, 1.0)), find_lung(hu, MM)[::2]) > 0.97
    assert dice(find_lung(hu[:, ::2], (1.0, 2.0)), find_lung(hu, MM)[:, ::2]) > 0.97


def test_medians_of_a_few_components_are_those_of_scipy():
    rng = np.random.default_rng(0)
    hu = rng.integers(-1000, 400, (40, 50)).astype(np.int16)
    components = rng.integers(0, 9, hu.shape)
    wanted = np.array([2, 3, 7])
    for values in (hu, hu.astype(np.float32)):
        assert np.array_equal(medians(values, components, wanted), ndimage.median(values, components, wanted))
    assert medians(hu, components, wanted[:0]).shape == (0,)


def test_foam_at_the_border_is_no_lung_and_a_cut_lung_is():
    hu = chest()[:, :100]  # the left lung reaches into the crop, the body does, too
    hu = np.concatenate([hu[:, 70:], np.full((N, 40), 40.0)], axis=1)
    at_border = ndimage.label(hu == -800)[0] > 0
    for value, kept in ((-850, True), (-870, False), (-900, False)):
        assert find_lung(np.where(at_border, value, hu), MM)[at_border].any() == kept


def test_a_cut_part_may_be_small_and_away_from_bone():
    """How large it is, or whether a rib is beside it, is not in the picture."""
    hu = chest(bone=(disc(128, 128, 5), 700))[:, :60]
    assert find_lung(hu, MM)[LEFT[:, :60]].mean() > 0.9


def test_sizes_are_plain_numbers():
    assert LUNG.small > LUNG.largest_vessel > LUNG.smallest > LUNG.smallest_deep


@pytest.mark.parametrize("seed", range(3))
def test_the_lungs_of_a_phantom(seed):
    sample = phantom.chest_ct(seed=seed, shape=(256, 256))
    assert dice(find_lung(sample.image.array, sample.image.geometry.spacing), sample.mask) > 0.93


@pytest.mark.parametrize("spacing", [1.0, 0.5])
def test_lung_reaches_three_millimetres_around_its_deep_inside(spacing):
    deep = disc(120, 80, 28)
    lung = find_lung(np.where(LEFT & ~deep, -350, chest()), (spacing, spacing))
    expected = disc(120, 80, 28 + LUNG.reach / spacing)
    assert dice(lung[:, :128], (expected & LEFT)[:, :128]) > 0.985
