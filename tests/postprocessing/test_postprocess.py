"""Labels at the image's size: clean, numbered, with their meanings."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from napari_s3net import __version__
from napari_s3net.foreground.proposal import Proposal
from napari_s3net.image import Geometry, Image, as_image
from napari_s3net.labels.metrics import dice
from napari_s3net.postprocessing.postprocess import label_plane, number_pairs, object_mask, postprocess
from napari_s3net.preprocessing.prepare import PreparedPlane, prepare
from napari_s3net.preprocessing.window import Window
from napari_s3net.settings import Settings, preset_settings

H, W = 240, 320
Y, X = np.mgrid[:H, :W]
DISC = (Y - 120) ** 2 + (X - 160) ** 2 < 60**2
AROUND = (Y - 120) ** 2 + (X - 160) ** 2 < 68**2
SMALL = DISC[::4, ::4]
SKIN = preset_settings("skin").replace(working_size=96)


def soft(mask):
    return torch.from_numpy(np.stack([~mask, mask]).astype(np.float32))[None]


def photograph(hole=None):
    rgb = np.where(DISC[..., None], (100, 60, 50), (220, 180, 160)).astype(np.float32)
    if hole is not None:
        rgb[hole] = np.nan
    return Image(rgb, Geometry.identity(2), "rgb")


def result(hole=None, **changes):
    settings = SKIN.replace(**changes)
    plane = prepare(photograph(hole), settings)
    probability = prepare(photograph(), settings).features[..., 0] < 0.5  # without the hole
    labels, foreground, meanings = label_plane(
        plane, soft(probability), Proposal(probability.astype(np.float32), ("Lesion", "Skin"), 1.0), settings
    )
    return labels, foreground, {label: meaning.name for label, meaning in meanings.items()}


@pytest.mark.parametrize("sharpen", [True, False])
def test_labels_come_back_at_full_size_with_the_object_first(sharpen):
    labels, foreground, names = result(sharpen_boundary=sharpen)
    assert labels.shape == (H, W)
    assert labels.dtype == np.int32
    assert foreground == (1,)
    assert names == {1: "Lesion", 2: "Skin"}
    assert set(np.unique(labels)) == {1, 2}
    assert dice(labels == 1, DISC) > 0.97


@pytest.mark.parametrize(
    "hole", [(Y < 30) & (X < 40), DISC & (Y < 100), AROUND], ids=["beside", "in part", "the object"]
)
def test_what_is_missing_has_no_label_and_does_not_count(hole):
    """Where all of the object is missing, no number is spent on it."""
    labels, foreground, names = result(hole)
    assert np.array_equal(labels == 0, hole)
    assert set(np.unique(labels)) - {0} == set(names)
    assert foreground == (() if hole is AROUND else (1,))


def tones(values, edges):
    at = np.digitize(X, edges)
    rgb = np.repeat(np.array(values)[at][..., None], 3, axis=2).astype(np.uint8)
    plane = PreparedPlane(Image(rgb, Geometry.identity(2), "rgb"), Window(0, 255), rgb[::4, ::4] / np.float32(255))
    return plane, at[::4, ::4]


def test_each_side_goes_from_dark_to_light():
    plane, small = tones([130, 90, 110, 220, 190], [80, 100, 120, 160])
    p = torch.from_numpy(np.stack([small == k for k in (3, 0, 4, 2, 1)]).astype(np.float32))[None]
    proposal = Proposal((small < 3).astype(np.float32), ("Lesion", "Skin"), 1.0)
    labels, foreground, meanings = label_plane(plane, p, proposal, SKIN)
    assert foreground == (1, 2, 3)
    assert [labels[120, x] for x in (40, 90, 110, 140, 300)] == [3, 1, 2, 5, 4]
    assert {label: meaning.name for label, meaning in meanings.items()} == {
        1: "Lesion, 2 shades darker",
        2: "Lesion, a shade darker",
        3: "Lesion",
        4: "Skin",
        5: "Skin, lighter",
    }


def test_tiny_clusters_are_absorbed():
    plane, small = tones([100, 200], [160])
    p = torch.from_numpy(np.stack([small == 0, small == 1, small == 5]).astype(np.float32))[None]
    p[0, 2, 10, 10] = 2.0
    labels, _, _ = label_plane(plane, p, Proposal((small == 0).astype(np.float32), ("Lesion", "Skin"), 1.0), SKIN)
    assert set(np.unique(labels)) == {1, 2}


def test_ct_background_is_named_by_tissue_and_the_mask_of_full_size_is_taken():
    hu = np.where(DISC, -800, 40).astype(np.int16)
    settings = preset_settings("ct-lung").replace(working_size=96)
    plane = prepare(Image(hu, Geometry.identity(2), "ct"), settings)
    clusters = plane.features[..., 0] < 0.5
    moved = np.roll(DISC, 3, axis=1)
    labels, foreground, meanings = label_plane(
        plane, soft(clusters), Proposal(moved.astype(np.float32), ("Lung", "Other"), 1.0), settings
    )
    assert {label: meaning.name for label, meaning in meanings.items()} == {1: "Lung", 2: "Soft tissue"}
    assert np.array_equal(np.isin(labels, foreground), moved)


def plane_of(grey, features):
    return PreparedPlane(as_image(grey), Window(0, 1), features)


def test_the_guided_border_is_closer_to_the_image_than_plain_enlarging():
    grey = np.where(DISC, 0.3, 0.8).astype(np.float32)
    rough = ((Y // 4 * 4 - 120) ** 2 + (X // 4 * 4 - 160) ** 2 < 58**2)[::4, ::4].astype(np.float32)
    plane = plane_of(grey, grey[::4, ::4, None])
    sharp, plain = (object_mask(rough, plane, Settings(sharpen_boundary=s)) for s in (True, False))
    assert dice(sharp, DISC) > dice(plain, DISC)


@pytest.mark.parametrize(("min_area", "stays"), [(0.0, True), (0.08, True), (0.3, False)])
def test_small_parts_of_the_object_are_dropped_by_share_and_holes_filled(min_area, stays):
    p = SMALL.astype(np.float32)
    p[5:8, 5:8] = 1  # 12 × 12 pixels, 0.19 % of the image
    p[30, 40] = 0
    settings = Settings(sharpen_boundary=False, min_area=min_area)
    mask = object_mask(p, plane_of(DISC.astype(np.float32), p[..., None]), settings)
    assert mask[26, 26] == stays
    assert mask[120, 160]


def test_a_mask_of_full_size_is_taken_as_it_is():
    p = np.zeros((H, W), np.float32)
    p[3, 3], p[5, 5] = 0.51, 0.5
    mask = object_mask(
        p, plane_of(DISC.astype(np.float32), SMALL[..., None].astype(np.float32)), Settings(min_area=5.0)
    )
    assert np.argwhere(mask).tolist() == [[3, 3]]


def test_pairs_are_numbered_by_side_and_light():
    pairs = np.array([[7, 4, 4], [0, 2, 1]], np.uint8)
    grey = np.array([[0.1, 0.9, 0.9], [0.2, 0.5, 0.8]])
    numbers, foreground = number_pairs(pairs, grey)
    assert numbers[[0, 2, 4, 7, 1]].tolist() == [1, 2, 3, 4, 5]
    assert numbers.sum() == 15
    assert foreground == (1, 2, 3)
    missing = pairs == 2
    numbers, foreground = number_pairs(pairs, grey, missing)
    assert numbers[[0, 4, 7, 1]].tolist() == [1, 2, 3, 4]
    assert foreground == (1, 2)


def test_missing_pixels_do_not_darken_their_pair():
    pairs = np.array([[1, 1, 3]], np.uint8)
    grey = np.array([[0.0, 0.9, 0.5]])
    assert number_pairs(pairs, grey)[0].tolist() == [0, 1, 0, 2]
    assert number_pairs(pairs, grey, np.array([[True, False, False]]))[0].tolist() == [0, 2, 0, 1]


def test_the_image_is_not_written_to():
    image = photograph()
    before = image.array.copy()
    settings = SKIN
    plane = replace(prepare(image, settings), missing=np.zeros((H, W), bool))
    small = plane.features[..., 0] < 0.5
    label_plane(plane, soft(small), Proposal(small.astype(np.float32), ("Lesion", "Skin"), 1.0), settings)
    assert np.array_equal(image.array, before)


def test_the_result_knows_its_image_and_how_it_was_made():
    hole = (Y < 30) & (X < 40)
    image, settings = photograph(hole), SKIN.replace(min_area=0.2)
    plane = prepare(image, settings)
    small = plane.features[..., 0] < 0.5
    proposal = Proposal(small.astype(np.float32), ("Lesion", "Skin"), 0.7, "Something was assumed.")
    result = postprocess(image, plane, soft(small), proposal, settings)
    labels, foreground, meanings = label_plane(plane, soft(small), proposal, settings)
    assert np.array_equal(result.labels, labels)
    assert (result.foreground, result.meanings) == (foreground, meanings)
    assert result.names[1] == result.object_name == "Lesion"
    assert result.image is image  # as it was opened, the missing values in it
    assert result.geometry is image.geometry
    assert (result.settings, result.confidence) == (settings, 0.7)
    assert result.provenance.image == image.facts
    assert result.provenance.version == __version__
    assert result.provenance.note == f"{plane.note} {proposal.note}"
    assert plane.note
