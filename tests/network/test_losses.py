"""The three losses: their minima, their edges, and that each one has a gradient."""

import math

import pytest
import torch
from torch.nn.functional import one_hot

from napari_s3net.network.losses import cluster_loss, edge_weights, spatial_loss, transformation_loss
from napari_s3net.network.warps import WarpRange, draw_theta, make_grid, visible, warp


@pytest.fixture(autouse=True)
def _seed():
    torch.manual_seed(0)


def leaf(*shape):
    return torch.randn(*shape, dtype=torch.float64, requires_grad=True)


# Cluster


def test_cluster_loss_of_equal_logits():
    logits, target = torch.zeros(1, 5, 6, 7), torch.randint(5, (1, 6, 7))
    assert cluster_loss(logits).item() == pytest.approx(math.log(5))
    assert cluster_loss(logits, target).item() == pytest.approx(math.log(5))


def test_cluster_loss_without_target_takes_its_own_arg_max():
    logits = torch.randn(2, 5, 6, 7)
    own = cluster_loss(logits)
    assert own == cluster_loss(logits, logits.argmax(dim=1))
    assert own < cluster_loss(logits, (logits.argmax(dim=1) + 1) % 5)


def test_cluster_loss_is_near_zero_for_sure_and_right_logits():
    target = torch.randint(4, (1, 6, 7))
    logits = 50.0 * one_hot(target, 4).permute(0, 3, 1, 2)
    assert cluster_loss(logits, target).item() == pytest.approx(0, abs=1e-6)
    assert cluster_loss(logits, (target + 1) % 4).item() == pytest.approx(50, rel=1e-3)


def test_cluster_loss_raises_for_a_cluster_that_is_not_there():
    with pytest.raises(IndexError):
        cluster_loss(torch.randn(1, 3, 4, 4), torch.full((1, 4, 4), 3))


def test_cluster_loss_raises_for_a_target_of_another_size():
    with pytest.raises((RuntimeError, ValueError)):
        cluster_loss(torch.randn(1, 3, 4, 4), torch.zeros(1, 5, 4, dtype=torch.int64))


@pytest.mark.parametrize("given", [True, False])
def test_cluster_loss_gradient_is_not_zero(given):
    logits = leaf(1, 3, 4, 5)
    target = torch.randint(3, (1, 4, 5)) if given else None
    assert torch.autograd.gradcheck(lambda z: cluster_loss(z, target), logits)
    cluster_loss(logits, target).backward()
    assert (logits.grad.abs().amax(dim=1) > 0).all()


def test_cluster_loss_without_target_sharpens():
    logits = leaf(1, 3, 4, 5)
    cluster_loss(logits).backward()
    after = (logits - logits.grad).softmax(dim=1)
    assert (after.amax(dim=1) > logits.softmax(dim=1).amax(dim=1)).all()


# Consistency over transformation


def scene(K=3, size=24):
    theta = draw_theta(WarpRange(), (size, size), torch.Generator().manual_seed(1))
    logits = torch.randn(1, K, size, size, dtype=torch.float64)
    grid = make_grid(theta, logits)
    return logits, warp(logits.softmax(dim=1), grid), visible(grid, logits)


def test_transformation_loss_is_least_for_an_equivariant_answer():
    _, target, seen = scene()
    exact = transformation_loss(target.log(), target, seen)
    assert 0 < seen.mean() < 1
    entropy = -(target * target.log()).sum(dim=1, keepdim=True)
    assert exact.item() == pytest.approx(entropy[seen.bool()].mean().item())
    for _ in range(5):
        assert transformation_loss(target.log() + 0.1 * torch.randn_like(target), target, seen) > exact


def test_transformation_loss_gradient_vanishes_only_at_the_equivariant_answer():
    logits, target, seen = scene()
    exact, other = target.log().requires_grad_(), logits.requires_grad_()
    transformation_loss(exact, target, seen).backward()
    transformation_loss(other, target, seen).backward()
    assert exact.grad.abs().max() < 1e-12
    assert other.grad.abs().max() > 1e-5


def test_transformation_loss_of_an_answer_that_did_not_move_is_larger():
    logits, target, seen = scene()
    assert transformation_loss(logits, target, seen) > transformation_loss(target.log(), target, seen)


def test_transformation_loss_counts_only_what_both_see():
    logits, target, seen = scene()
    outside = logits + 100 * torch.randn_like(logits) * (1 - seen)
    assert transformation_loss(outside, target, seen).item() == pytest.approx(
        transformation_loss(logits, target, seen).item()
    )
    assert transformation_loss(logits, target, torch.zeros_like(seen)) == 0


def test_transformation_loss_is_a_mean_over_the_batch():
    logits, target, seen = scene()
    twice = transformation_loss(logits.repeat(2, 1, 1, 1), target.repeat(2, 1, 1, 1), seen)
    assert twice.item() == pytest.approx(transformation_loss(logits, target, seen).item())


def test_transformation_loss_raises_for_another_number_of_clusters():
    logits, target, seen = scene()
    with pytest.raises(RuntimeError):
        transformation_loss(logits[:, :2], target, seen)


def test_transformation_loss_gradient_is_not_zero():
    logits, target = leaf(1, 3, 4, 5), leaf(1, 3, 4, 5)
    seen = (torch.rand(1, 1, 4, 5) > 0.3).double()
    assert torch.autograd.gradcheck(lambda z: transformation_loss(z, target.softmax(dim=1), seen), logits)
    transformation_loss(logits, target.softmax(dim=1), seen).backward()
    assert ((logits.grad.abs().amax(dim=1, keepdim=True) > 0) == seen.bool()).all()
    assert target.grad is None  # the target passes no gradient


# Spatial


def two_halves(size=12):
    x = torch.zeros(1, 3, size, size, dtype=torch.float64)
    x[..., size // 2 :] = 1
    return x + 0.01 * torch.randn_like(x)


def split(column, size=12):
    """Two clusters, told apart at a column."""
    p = torch.zeros(1, 2, size, size, dtype=torch.float64)
    p[:, 0, :, :column], p[:, 1, :, column:] = 1, 1
    return p


def test_edge_weights():
    down, right = edge_weights(two_halves())
    assert down.shape == (1, 1, 11, 12)
    assert right.shape == (1, 1, 12, 11)
    for weights in (down, right):
        assert weights.min() > 0
        assert weights.max() <= 1
    flat = torch.arange(11) != 5
    assert right[..., flat].min() > 0.9
    assert right[..., ~flat].max() < 0.01


def test_edge_weights_by_hand():
    """Four differences, 0, 1, 1 and 0: their mean is 1/2, so that a step of one weighs exp(-1 / (2 / 2))."""
    down, right = edge_weights(torch.tensor([[[[0.0, 1.0], [0.0, 0.0]]]]))
    assert torch.allclose(down.flatten(), torch.tensor([1.0, math.exp(-1)]))
    assert torch.allclose(right.flatten(), torch.tensor([math.exp(-1), 1.0]))


def test_spatial_loss_of_two_images_is_the_mean_of_theirs():
    torch.manual_seed(0)
    x, p = torch.rand(2, 3, 5, 6), torch.rand(2, 4, 5, 6)
    weights = edge_weights(x)
    alone = [spatial_loss(p[i : i + 1], tuple(w[i : i + 1] for w in weights)) for i in range(2)]
    assert torch.allclose(spatial_loss(p, weights), sum(alone) / 2)


def test_edge_weights_do_not_change_with_contrast():
    x = torch.rand(1, 3, 9, 9, dtype=torch.float64)
    for a, b in zip(edge_weights(x), edge_weights(7 * x - 2), strict=True):
        assert torch.allclose(a, b)


def test_edge_weights_of_a_flat_image_are_one():
    assert all((w == 1).all() for w in edge_weights(torch.ones(1, 1, 5, 6)))


def test_wider_sigma_sees_fewer_edges():
    x = torch.rand(1, 3, 9, 9)
    assert all((a <= b).all() for a, b in zip(edge_weights(x, 0.5), edge_weights(x, 2.0), strict=True))


def test_spatial_loss_is_zero_for_constant_probabilities():
    x = torch.rand(1, 3, 9, 10)
    p = torch.tensor([0.2, 0.5, 0.3]).view(1, 3, 1, 1).expand(1, 3, 9, 10)
    assert spatial_loss(p, edge_weights(x)) == 0


@pytest.mark.parametrize("turned", [False, True])
def test_spatial_loss_is_smaller_across_an_edge_than_across_a_flat_part(turned):
    scene, edge, flat = two_halves(), split(6), split(3)
    if turned:
        scene, edge, flat = scene.mT, edge.mT, flat.mT
    weights = edge_weights(scene)
    at_edge, in_flat = spatial_loss(edge, weights), spatial_loss(flat, weights)
    assert 0 <= at_edge < 0.05 * in_flat
    # one of eleven columns changes, by one in both clusters
    assert in_flat.item() == pytest.approx(2 / 11, rel=0.05)


def test_spatial_loss_grows_with_noise():
    weights = edge_weights(two_halves())
    noisy = (split(6) * 10 + 5 * torch.randn(1, 2, 12, 12)).softmax(dim=1)
    assert spatial_loss(noisy, weights) > spatial_loss(split(6), weights)


def test_spatial_loss_raises_for_weights_of_another_size():
    with pytest.raises(RuntimeError):
        spatial_loss(split(6), edge_weights(torch.rand(1, 3, 9, 9)))


def test_spatial_loss_gradient_is_not_zero():
    logits, weights = leaf(1, 3, 4, 5), edge_weights(torch.rand(1, 1, 4, 5, dtype=torch.float64))
    assert torch.autograd.gradcheck(lambda z: spatial_loss(z.softmax(dim=1), weights), logits)
    spatial_loss(logits.softmax(dim=1), weights).backward()
    assert logits.grad.abs().max() > 0
