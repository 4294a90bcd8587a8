import math

import torch
from torch import nn

from napari_s3net.network.correspondence import (
    NOWHERE,
    CorrespondenceHead,
    local_loss,
    log_sinkhorn,
    transport_with_dustbin,
)
from napari_s3net.network.keypoint_fusion import KeypointBatch


def rand(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def test_marginals_are_met():
    rows, columns = torch.tensor([[0.2, 0.3, 0.5]]).double(), torch.tensor([[0.6, 0.4]]).double()
    plan = log_sinkhorn(rand(1, 3, 2), rows.log(), columns.log(), 100).exp()
    assert torch.allclose(plan.sum(dim=2), rows)
    assert torch.allclose(plan.sum(dim=1), columns)


def test_transport_of_two_by_two_by_hand():
    """For [[a, b], [c, d]] and marginals of 1/2 it is [[x, 1/2−x], [1/2−x, x]] with x² / (1/2−x)² = ad / bc."""
    scores = torch.log(torch.tensor([[[4.0, 1.0], [1.0, 4.0]]], dtype=torch.float64))
    half = torch.full((1, 2), 0.5, dtype=torch.float64).log()
    plan = log_sinkhorn(scores, half, half, 50).exp()
    assert torch.allclose(plan, torch.tensor([[[0.4, 0.1], [0.1, 0.4]]], dtype=torch.float64))


def test_each_keypoint_goes_somewhere_once():
    first, second = torch.ones(2, 3, dtype=torch.bool), torch.ones(2, 5, dtype=torch.bool)
    plan = transport_with_dustbin(rand(2, 3, 5), first, second, torch.tensor(0.5).double()).exp()
    assert plan.shape == (2, 4, 6)
    assert torch.allclose(plan[:, :-1].sum(dim=2), torch.ones(2, 3).double(), atol=1e-3)
    assert torch.allclose(plan[:, :, :-1].sum(dim=1), torch.ones(2, 5).double(), atol=1e-3)


def test_padding_takes_no_part():
    scores, dustbin = rand(1, 3, 4), torch.tensor(0.5).double()
    alone = transport_with_dustbin(scores, torch.ones(1, 3).bool(), torch.ones(1, 4).bool(), dustbin)
    padded = torch.full((1, 5, 6), 7.0).double()
    padded[:, :3, :4] = scores
    first = torch.tensor([[True] * 3 + [False] * 2])
    second = torch.tensor([[True] * 4 + [False] * 2])
    plan = transport_with_dustbin(padded, first, second, dustbin)
    inner = plan[:, [0, 1, 2, 5]][:, :, [0, 1, 2, 3, 6]]
    assert torch.allclose(inner, alone, atol=1e-6)
    assert (plan[:, 3:5].exp() < 1e-6).all()


def test_without_keypoints_there_is_nothing_to_lose():
    none = torch.zeros(1, 2, dtype=torch.bool)
    plan = transport_with_dustbin(rand(1, 2, 2), none, none, torch.tensor(0.5).double())
    assert bool(plan.isfinite().all())
    assert float(local_loss(plan, torch.zeros(1, 2, 2, dtype=torch.bool), none, none)) == 0


def test_local_loss_by_hand():
    """One match of probability 1/2, and one lonely keypoint that goes to the dustbin with 1/4: 0.45 ln 2 + ln 4."""
    plan = torch.full((1, 3, 2), NOWHERE)
    plan[0, 0, 0], plan[0, 1, 1] = math.log(0.5), math.log(0.25)
    matches = torch.tensor([[[True], [False]]])
    found = local_loss(plan, matches, torch.ones(1, 2).bool(), torch.ones(1, 1).bool())
    assert math.isclose(float(found), 0.45 * math.log(2) + math.log(4), rel_tol=1e-6)


def test_the_lonely_of_both_slices_share_one_mean():
    """One lonely keypoint in the first slice (1/4) and two in the second (1/2, 1/8): a third of ln 4 + ln 2 + ln 8."""
    plan = torch.full((1, 2, 3), NOWHERE)
    plan[0, 0, 2], plan[0, 1, 0], plan[0, 1, 1] = math.log(0.25), math.log(0.5), math.log(0.125)
    found = local_loss(plan, torch.zeros(1, 1, 2).bool(), torch.ones(1, 1).bool(), torch.ones(1, 2).bool())
    assert math.isclose(float(found), (math.log(4) + math.log(2) + math.log(8)) / 3, rel_tol=1e-6)


class Unchanged(nn.Module):
    def forward(self, x, *_):
        return x


def test_scores_are_products_over_the_root_of_the_width():
    """Equation of scaled attention: features of ones, width 16, give 16 / 4."""
    head = CorrespondenceHead(16)
    head.cross = Unchanged()
    nn.init.eye_(head.project.weight)
    nn.init.zeros_(head.project.bias)
    points = KeypointBatch(torch.zeros(1, 1, 2), torch.ones(1, 1, dtype=torch.bool))
    ones = torch.ones(1, 1, 16)
    expected = transport_with_dustbin(torch.full((1, 1, 1), 4.0), points.real, points.real, head.dustbin)
    assert torch.allclose(head(ones, ones, points, points), expected)


def test_gradient():
    first = torch.tensor([[True, True, False]])
    second = torch.ones(1, 2, dtype=torch.bool)
    matches = torch.zeros(1, 3, 2, dtype=torch.bool)
    matches[0, 0, 1] = True

    def loss(scores, dustbin):
        return local_loss(transport_with_dustbin(scores, first, second, dustbin), matches, first, second)

    inputs = (rand(1, 3, 2).requires_grad_(), torch.tensor(0.3).double().requires_grad_())
    assert torch.autograd.gradcheck(loss, inputs)


def test_the_head_learns_and_its_dustbin_too():
    head = CorrespondenceHead(8)
    points = KeypointBatch(torch.zeros(1, 3, 2), torch.ones(1, 3, dtype=torch.bool))
    plan = head(torch.randn(1, 3, 8), torch.randn(1, 3, 8), points, points)
    local_loss(plan, torch.eye(3).bool()[None], points.real, points.real).backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in (head.project.weight, head.cross.query.weight))
    lonely = head(torch.randn(1, 3, 8), torch.randn(1, 3, 8), points, points)
    head.zero_grad()
    local_loss(lonely, torch.zeros(1, 3, 3).bool(), points.real, points.real).backward()
    assert float(head.dustbin.grad.abs()) > 0
