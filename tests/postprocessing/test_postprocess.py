"""Labels at the image's size: clean, numbered, named."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from scipy import ndimage

from napari_s3net.foreground.proposal import Proposal
from napari_s3net.image import Geometry, Image, as_image
from napari_s3net.labels.metrics import dice
from napari_s3net.postprocessing.postprocess import object_mask, postprocess
from napari_s3net.postprocessing.small_regions import absorb_small
from napari_s3net.postprocessing.upsample import enlarge_clusters, enlarge_guided, preview
from napari_s3net.preprocessing.prepare import PreparedPlane, prepare
from napari_s3net.preprocessing.window import Window
from napari_s3net.settings import Settings, preset_settings

H, W = 240, 320
Y, X = np.mgrid[:H, :W]
DISC = (Y - 120) ** 2 + (X - 160) ** 2 < 60**2
SMALL = DISC[::4, ::4]


def soft(mask):
    return torch.from_numpy(np.stack([~mask, mask]).astype(np.float32))[None]


def result(**changes):
    rgb = np.where(DISC[..., None], (100, 60, 50), (220, 180, 160)).astype(np.uint8)
    image = Image(rgb, Geometry.identity(2), "rgb")
    proposal = Proposal(SMALL.astype(np.float32), ("Lesion", "Skin"), 1.0)
    settings = preset_settings("skin").replace(working_size=80, **changes)
    return postprocess(prepare(image, settings), soft(SMALL), proposal, settings)


@pytest.mark.parametrize("sharpen", [True, False])
def test_labels_come_back_at_full_size_with_the_object_first(sharpen):
    labels, foreground, names = result(sharpen_boundary=sharpen)
    assert labels.shape == (H, W)
    assert labels.dtype == np.int32
    assert labels.min() == 1
    assert foreground == (1,)
    assert {i: meaning.name for i, meaning in names.items()} == {1: "Lesion", 2: "Skin"}
    assert dice(labels == 1, DISC) > 0.97


def test_the_guided_border_is_closer_to_the_image_than_plain_enlarging():
    grey = np.where(DISC, 0.3, 0.8).astype(np.float32)
    rough = ((Y // 4 * 4 - 120) ** 2 + (X // 4 * 4 - 160) ** 2 < 58**2)[::4, ::4].astype(np.float32)
    features, image = grey[::4, ::4, None], as_image(grey)
    masks = [
        object_mask(rough, PreparedPlane(image, Window(0, 1), features), Settings(sharpen_boundary=s))
        for s in (True, False)
    ]
    assert dice(masks[0], DISC) > dice(masks[1], DISC)


def test_guided_follows_a_guide_that_equals_the_input():
    p = SMALL.astype(np.float32)
    assert np.abs(enlarge_guided(p, p, DISC.astype(np.float32)) - DISC)[DISC].mean() < 0.1


def test_small_parts_of_the_object_are_dropped_and_holes_filled():
    p = SMALL.astype(np.float32)
    p[5:7, 5:7] = 1
    p[30, 40] = 0
    settings = Settings(sharpen_boundary=False, min_area=1.0)
    mask = object_mask(p, PreparedPlane(as_image(DISC.astype(np.float32)), Window(0, 1), p[..., None]), settings)
    assert not mask[:40, :40].any()
    assert mask[120, 160]


def test_the_largest_part_stays_however_small():
    p = np.zeros((60, 80), np.float32)
    p[30:33, 40:43] = 1
    p[10, 10] = 1
    settings = Settings(sharpen_boundary=False, min_area=20.0)
    mask = object_mask(p, PreparedPlane(as_image(np.zeros((H, W), np.float32)), Window(0, 1), p[..., None]), settings)
    assert mask[124, 164]
    assert not mask[40, 40]


def test_absorbing_keeps_sides_apart():
    pairs = np.full((100, 100), 3, np.uint8)
    pairs[:40, :40] = 2
    pairs[0, 0], pairs[99, 99] = 4, 5
    joined = absorb_small(pairs)
    assert joined[0, 0] == 2
    assert joined[99, 99] == 3
    assert set(np.unique(joined)) == {2, 3}


def test_tiny_clusters_give_way_to_the_next_best():
    p = torch.zeros(1, 3, 60, 80)
    p[:, 0] = 0.6
    p[:, 1] = 0.3
    p[0, 2, 5, 5] = 0.9
    assert set(np.unique(enlarge_clusters(p, (H, W)))) == {0}


def test_probabilities_stay_as_they_were():
    p = torch.full((1, 3, 60, 80), 0.1).to(memory_format=torch.channels_last)
    p[:, 1], p[0, 2, 5, 5] = 0.3, 0.9  # the last cluster is tiny
    before = p.clone()
    enlarge_clusters(p, (H, W))
    assert torch.equal(p, before)


@pytest.mark.parametrize("shape", [(60, 80), (61, 83), (240, 320), (333, 101), (50, 70)])
def test_clusters_between_borders_need_no_interpolation(shape):
    noise = np.random.default_rng(0).normal(size=(5, 60, 80))
    p = torch.from_numpy(ndimage.gaussian_filter(noise, (0, 4, 4)).astype(np.float32))[None] * 20
    p = p.softmax(dim=1)
    plain = F.interpolate(p, shape, mode="bilinear", align_corners=False).argmax(dim=1)[0].numpy()
    assert (enlarge_clusters(p, shape) == plain).mean() > 0.9995


def test_shades_are_numbered_from_the_main_one_outwards():
    tones = np.array([90, 110, 130, 190, 220])  # the lesion's three, the skin's two
    at = np.digitize(X, [80, 100, 120, 160])
    rgb = np.repeat(tones[at][..., None], 3, axis=2).astype(np.uint8)
    image, small = Image(rgb, Geometry.identity(2), "rgb"), at[::4, ::4]
    p = torch.from_numpy(np.stack([small == k for k in range(5)]).astype(np.float32))[None]
    proposal = Proposal((small < 3).astype(np.float32), ("Lesion", "Skin"), 1.0)
    plane = PreparedPlane(image, Window(0, 255), rgb[::4, ::4].astype(np.float32) / 255)
    _, foreground, names = postprocess(plane, p, proposal, preset_settings("skin"))
    assert foreground == (1, 2, 3)
    assert {i: meaning.name for i, meaning in names.items()} == {
        1: "Lesion",
        2: "Lesion, lighter 1",
        3: "Lesion, lighter 2",
        4: "Skin, darker",
        5: "Skin",
    }


def test_ct_background_is_named_by_tissue():
    hu = np.where(DISC, -800, 40).astype(np.int16)
    image = Image(hu, Geometry.identity(2), "ct")
    proposal = Proposal(SMALL.astype(np.float32), ("Lung", "Other"), 1.0)
    settings = preset_settings("ct-lung").replace(working_size=80)
    _, _, names = postprocess(prepare(image, settings), soft(SMALL), proposal, settings)
    assert {i: meaning.name for i, meaning in names.items()} == {1: "Lung", 2: "Soft tissue"}


def test_preview_is_the_images_size_and_starts_at_one():
    shot = preview(SMALL.astype(np.int64), (H, W))
    assert shot.dtype == np.uint8
    assert shot.shape == (H, W)
    assert set(np.unique(shot)) == {1, 2}
