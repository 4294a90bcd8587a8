"""From the working size to the image's size."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from scipy import ndimage

from napari_s3net.postprocessing import upsample
from napari_s3net.postprocessing.small_regions import SMALL_REGIONS
from napari_s3net.postprocessing.upsample import enlarge, enlarge_clusters, enlarge_guided, nearest, preview

H, W = 240, 320
Y, X = np.mgrid[:H, :W]
DISC = (Y - 120) ** 2 + (X - 160) ** 2 < 60**2
SMALL = DISC[::4, ::4]


def smooth_probabilities(shape=(60, 80), clusters=5):
    noise = np.random.default_rng(0).normal(size=(clusters, *shape))
    p = torch.from_numpy(ndimage.gaussian_filter(noise, (0, 4, 4)).astype(np.float32))[None] * 20
    return p.softmax(dim=1)


def test_enlarging_is_bilinear():
    values = np.random.default_rng(0).random((6, 8))
    tensor = torch.from_numpy(values.astype(np.float32))[None, None]
    expected = F.interpolate(tensor, (13, 20), mode="bilinear", align_corners=False)[0, 0].numpy()
    assert enlarge(values.T.copy().T, (13, 20)) == pytest.approx(expected)
    assert enlarge(values, (13, 20)).dtype == np.float32


def test_a_guided_border_follows_the_image():
    grey = np.where(DISC, 0.3, 0.8).astype(np.float32)
    rough = ((Y // 4 * 4 - 120) ** 2 + (X // 4 * 4 - 160) ** 2 < 58**2)[::4, ::4].astype(np.float32)
    guided = enlarge_guided(rough, grey[::4, ::4], grey) > 0.5
    plain = enlarge(rough, (H, W)) > 0.5
    assert np.mean(guided != DISC) < 0.5 * np.mean(plain != DISC)


def test_a_guide_that_equals_the_input_gives_it_back():
    p = SMALL.astype(np.float32)
    assert np.abs(enlarge_guided(p, p, DISC.astype(np.float32)) - DISC).mean() < 0.03


def test_a_flat_guide_only_smooths():
    p = np.random.default_rng(0).random((20, 30)).astype(np.float32)
    flat = np.full((20, 30), 0.4, np.float32)
    side = 2 * upsample.GUIDE.radius + 1
    twice = ndimage.uniform_filter(ndimage.uniform_filter(p, side), side)
    assert enlarge_guided(p, flat, flat) == pytest.approx(twice, abs=1e-5)


def test_a_guide_varies_more_or_less_than_flat():
    """a = cov(guide, p) / (var(guide) + flat), here with p equal to the guide: between 0 and 1."""
    ramp = np.tile(np.array([0.0, 0.2], np.float32), (40, 20))
    variance = ramp.var()
    out = enlarge_guided(ramp, ramp, ramp)[10:-10, 10:-10]
    a = variance / (variance + upsample.GUIDE.flat)
    assert np.ptp(out) == pytest.approx(0.2 * a, rel=0.1)


@pytest.mark.parametrize("shape", [(60, 80), (61, 83), (240, 320), (333, 101), (50, 70)])
def test_clusters_between_borders_need_no_interpolation(shape):
    p = smooth_probabilities()
    plain = F.interpolate(p, shape, mode="bilinear", align_corners=False).argmax(dim=1)[0].numpy()
    clusters = enlarge_clusters(p, shape)
    assert clusters.dtype == np.uint8
    assert clusters.shape == shape
    assert (clusters == plain).mean() > 0.9995


def test_borders_are_interpolated_piece_by_piece(monkeypatch):
    p = smooth_probabilities()
    at_once = enlarge_clusters(p, (240, 320))
    monkeypatch.setattr(upsample, "BORDER_PIXELS", 1000)
    assert np.array_equal(enlarge_clusters(p, (240, 320)), at_once)


def test_tiny_clusters_give_way_to_the_next_best():
    p = torch.zeros(1, 3, 60, 80)
    p[:, 0] = 0.6
    p[:, 1] = 0.3
    p[0, 2, 5, 5] = 0.9
    assert set(np.unique(enlarge_clusters(p, (H, W)))) == {0}
    p[0, 2, :5, :5] = 0.9  # 25 of 4800
    assert SMALL_REGIONS.share < 25 / 4800
    assert set(np.unique(enlarge_clusters(p, (H, W)))) == {0, 2}


def test_where_all_clusters_are_tiny_the_largest_stays():
    pixels = torch.arange(256)  # each is a cluster of its own, but for one of two pixels
    p = torch.zeros(1, 256, 16, 16)
    p[0, pixels, pixels // 16, pixels % 16] = 1.0
    p[0, 7, 10, 10] = 2.0
    assert set(np.unique(enlarge_clusters(p, (16, 16)))) == {7}


def test_probabilities_stay_as_they_were():
    p = torch.full((1, 3, 60, 80), 0.1).to(memory_format=torch.channels_last)
    p[:, 1], p[0, 2, 5, 5] = 0.3, 0.9  # the last cluster is tiny
    before = p.clone()
    enlarge_clusters(p, (H, W))
    assert torch.equal(p, before)


def test_the_nearest_pixel():
    values = np.arange(6).reshape(2, 3)
    assert np.array_equal(nearest(values, (4, 6)), values.repeat(2, 0).repeat(2, 1))
    assert np.array_equal(nearest(values.repeat(2, 0).repeat(2, 1), (2, 3)), values)
    assert nearest(values, (2, 3)).tolist() == values.tolist()


def test_preview_is_the_images_size_and_starts_at_one():
    shot = preview(SMALL.astype(np.int64), (H, W))
    assert shot.dtype == np.uint8
    assert np.array_equal(shot == 2, SMALL.repeat(4, 0).repeat(4, 1))
    assert set(np.unique(shot)) == {1, 2}
