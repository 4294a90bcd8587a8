"""Lungs in three dimensions: neighbours tell what one slice cannot."""

import numpy as np
import pytest

from napari_s3net.foreground.lung import find_lung
from napari_s3net.foreground.lung_volume import air_of_slice, choose_lungs, draw_lungs
from napari_s3net.labels.metrics import dice

N, DEPTH, MM = 128, 16, (3.0, 2.0, 2.0)
Z, Y, X = np.mgrid[:DEPTH, :N, :N]


def tube(y, x, r, z=slice(None)):
    mask = np.zeros((DEPTH, N, N), bool)
    mask[z] = ((Y - y) ** 2 + (X - x) ** 2 < r**2)[z]
    return mask


LUNGS = tube(60, 40, 20) | tube(60, 88, 20)


def chest(*parts):
    """A body with two lungs, ribs beside them, and further parts as (mask, HU)."""
    rng = np.random.default_rng(0)
    hu = np.full((DEPTH, N, N), -1000.0)
    hu[tube(64, 64, 58)] = 40
    hu[LUNGS] = rng.normal(-820, 20, int(LUNGS.sum()))
    hu[tube(60, 17, 2) | tube(60, 111, 2)] = 700
    for mask, value in parts:
        hu[mask] = value
    return hu


def lungs(hu, spacing=MM):
    parts = [air_of_slice(plane, spacing[1:]) for plane in hu]
    chosen = choose_lungs(parts, spacing)
    return np.stack([draw_lungs(p, c, plane, spacing[1:]) for p, c, plane in zip(parts, chosen, hu, strict=True)])


def test_lungs_are_found_and_the_windpipe_is_not():
    windpipe = tube(50, 64, 5)
    found = lungs(chest((windpipe, -990)))
    assert dice(found, LUNGS) > 0.98
    assert not found[windpipe].any()


@pytest.mark.parametrize("share", [0.5, 0.65])
def test_an_emphysematous_slice_is_lung_where_its_neighbours_are(share):
    hu = chest()
    gas = LUNGS & (Z > 6) & (Z < 10) & (X < 64) & (np.random.default_rng(1).random(hu.shape) < share)
    hu[gas] = -975
    one_slice = find_lung(hu[8], MM[1:])
    assert dice(one_slice, LUNGS[8]) < 0.75  # what this is for: alone, the slice loses that lung
    assert dice(lungs(hu), LUNGS) > 0.97


def test_gas_below_a_lung_is_no_lung_however_it_overlaps():
    hu = chest()
    below = LUNGS & (Z > 11) & (X > 64)
    hu[below] = 40
    stomach = tube(60, 88, 16, slice(13, None))
    hu[stomach] = -990
    found = lungs(hu)
    assert not found[stomach].any()
    assert dice(found, LUNGS & ~below) > 0.97


def test_small_air_far_from_bone_is_bowel():
    bowel = tube(95, 64, 7, slice(5, 9))
    found = lungs(chest((bowel, -700)))
    assert not found[bowel].any()


def test_room_air_and_a_volume_without_lungs_have_none():
    assert not lungs(np.where(tube(64, 64, 58), 40.0, -1000.0)).any()
    assert not lungs(np.full((3, N, N), -1000.0)).any()


def test_depth_counts_in_millimetres():
    """The same voxels are too small for a lung where slices are thin."""
    small = tube(64, 64, 6, slice(4, 8))
    hu = np.where(tube(64, 64, 58), 40.0, -1000.0)
    hu[small] = -700
    assert lungs(hu, (3.0, 2.0, 2.0))[small].any()
    assert not lungs(hu, (0.2, 2.0, 2.0)).any()
