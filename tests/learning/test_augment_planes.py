from dataclasses import replace

import torch

from napari_s3net.learning.augment_planes import (
    PlaneBatch,
    augment_planes,
    change_intensities,
    draw_deformations,
    draw_intensities,
    draw_shown,
    move_points,
)
from napari_s3net.network.class_losses import IGNORED
from napari_s3net.network.keypoint_fusion import KeypointBatch

SIZE = 64


def seed(n=0):
    return torch.Generator().manual_seed(n)


def dots(n=6):
    """Planes with one bright dot each, labelled, a keypoint on it."""
    place = torch.randint(20, 44, (n, 2), generator=seed(3))
    images = torch.zeros(n, 1, SIZE, SIZE)
    labels = torch.zeros(n, SIZE, SIZE, dtype=torch.long)
    for i, (x, y) in enumerate(place.tolist()):
        images[i, 0, y - 2 : y + 3, x - 2 : x + 3] = 50
        labels[i, y - 2 : y + 3, x - 2 : x + 3] = 1
    return PlaneBatch(
        images, labels, KeypointBatch(place[:, None].float() + 0.5, torch.ones(n, 1).bool()), torch.arange(n)
    )


def test_labels_and_keypoints_move_with_the_image():
    seen = augment_planes(dots(), seed())
    for image, labels, place, real in zip(seen.images, seen.labels, seen.points.places, seen.points.real, strict=True):
        if not real:
            continue
        y, x = (image[0] > 20).nonzero().float().mean(dim=0) + 0.5
        assert abs(float(place[0, 0] - x)) < 1.5
        assert abs(float(place[0, 1] - y)) < 1.5
        y, x = (labels == 1).nonzero().float().mean(dim=0) + 0.5
        assert abs(float(place[0, 0] - x)) < 1.5


def test_what_comes_from_outside_is_not_labelled():
    seen = augment_planes(dots(), seed(1))
    assert (seen.labels == IGNORED).any()
    assert set(seen.labels.unique().tolist()) <= {IGNORED, 0, 1}


def test_the_same_draw_gives_the_same_and_another_does_not():
    first, second, third = (augment_planes(dots(), seed(n)) for n in (5, 5, 6))
    assert torch.equal(first.images, second.images)
    assert not torch.equal(first.images, third.images)


def test_up_to_four_fifths_of_the_keypoints_of_a_plane_are_hidden():
    hidden = 1 - draw_shown(torch.Size((400, 200)), seed()).float().mean(dim=1)
    assert hidden.min() < 0.05
    assert 0.7 < hidden.max() < 0.9
    assert 0.35 < hidden.mean() < 0.45


def test_hidden_keypoints_are_padding_and_padding_stays():
    batch = dots(200)
    real = torch.arange(200)[:, None] % 2 == 0
    seen = augment_planes(replace(batch, points=KeypointBatch(batch.points.places, real)), seed())
    assert not (seen.points.real & ~real).any()
    assert 0 < (real & ~seen.points.real).sum() < real.sum()


def test_points_that_leave_are_padding():
    theta = torch.tensor([[[1.0, 0, 0.9], [0, 1, 0]]])  # shows what lies to the right
    points = KeypointBatch(torch.tensor([[[2.0, 32.0], [60.0, 32.0]]]), torch.ones(1, 2).bool())
    moved = move_points(points, theta, torch.zeros(1, 2, 5, 5), SIZE)
    assert moved.real.tolist() == [[False, True]]
    assert abs(float(moved.places[0, 1, 0]) - (60 - 0.9 * 32)) < 1e-4


def test_deformations_differ_from_plane_to_plane_and_intensities_too():
    theta, bend = draw_deformations(3, seed())
    assert not torch.equal(theta[0], theta[1])
    assert bend.shape == (3, 2, 5, 5)
    x = torch.ones(2, 3, 8, 8)
    changed = change_intensities(x, seed())
    assert not torch.allclose(changed[0].mean(), changed[1].mean())
    assert float((change_intensities(x, seed(), 3.0) - x).abs().mean()) > float((changed - x).abs().mean())


def test_what_normalisation_within_an_image_removes_is_not_all_that_changes():
    """Brightness and contrast as a whole are nothing to a network that normalises each channel within the image."""
    x = torch.rand(8, 1, 32, 32, generator=seed()) * 4 - 2
    changed = change_intensities(x, seed(1))

    def normal(planes):
        return (planes - planes.mean(dim=(2, 3), keepdim=True)) / planes.std(dim=(2, 3), keepdim=True)

    assert ((normal(changed) - normal(x)).abs().mean(dim=(1, 2, 3)) > 0.05).all()


def test_intensities_keep_their_order_in_a_place_and_none_is_lost():
    ramp = torch.linspace(-2, 2, 16).expand(6, 1, 16, 16)
    changes = draw_intensities(ramp.shape, seed())._replace(
        shade=torch.zeros(6, 1, 4, 4), soft=torch.zeros(6, 1, 1, 1), noise=torch.zeros(1)
    )
    changed = changes.of(ramp)
    assert changed.isfinite().all()
    assert (changed.diff(dim=3) > 0).all()
    assert float(changes.gamma.min()) < 1 < float(changes.gamma.max())
    assert changes.turned.unique().tolist() == [0, 1]
