import math

import torch

from napari_s3net.network.class_losses import IGNORED, cross_pseudo_loss, pseudo_label_loss, supervised_loss


def logits(seed=0, shape=(2, 3, 4, 4)):
    made = torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return made.requires_grad_()


def labels(seed=1):
    return torch.randint(-1, 3, (2, 4, 4), generator=torch.Generator().manual_seed(seed))


def test_gradients_are_right():
    assert torch.autograd.gradcheck(lambda x: supervised_loss(x, labels()), logits())
    told = logits(3).detach().softmax(dim=1)
    assert torch.autograd.gradcheck(lambda x: pseudo_label_loss(x, told, 0.4), logits())
    assert torch.autograd.gradcheck(cross_pseudo_loss, (logits(), logits(1)))


def test_the_supervised_loss_of_one_pixel_by_hand():
    """Two classes, p = (1/4, 3/4), label 1: −ln(3/4) and, with one pixel added, 1 − (2·3/4 + 1)/(3/4 + 1 + 1)."""
    x = torch.tensor([0.0, math.log(3)]).reshape(1, 2, 1, 1)
    expected = -math.log(0.75) + 1 - 2.5 / 2.75
    assert math.isclose(float(supervised_loss(x, torch.ones(1, 1, 1, dtype=torch.long))), expected, rel_tol=1e-6)


def test_pixels_that_nobody_labelled_do_not_count():
    x, y = logits(), labels()
    changed = torch.where((y == IGNORED)[:, None], x.detach() * 9 + 4, x.detach())
    assert torch.allclose(supervised_loss(x, y), supervised_loss(changed, y))
    assert float(supervised_loss(x.detach(), torch.full_like(y, IGNORED))) == 0


def test_classes_that_the_batch_lacks_are_left_out_of_the_dice():
    x = torch.zeros(1, 3, 2, 2)
    x[:, 1] = 20
    assert float(supervised_loss(x, torch.ones(1, 2, 2, dtype=torch.long))) < 1e-6


def test_cross_pseudo_labels_by_hand():
    """p₁ = (3/4, 1/4) says 0, p₂ = (1/3, 2/3) says 1: −ln p₁(1) − ln p₂(0) = ln 4 + ln 3.

    And 1 − Dice of class 1, which y₂ has: 1 − (2·1/4 + 1)/(1/4 + 1 + 1); y₁ has the background alone.
    """
    first = torch.tensor([math.log(3), 0.0]).reshape(1, 2, 1, 1)
    second = torch.tensor([0.0, math.log(2)]).reshape(1, 2, 1, 1)
    assert math.isclose(float(cross_pseudo_loss(first, second)), math.log(12) + 1 / 3, rel_tol=1e-6)


def test_each_stream_learns_from_the_other_and_not_from_its_own_labels():
    first, second = logits(), logits(1)
    cross_pseudo_loss(first, second.detach()).backward()
    assert float(first.grad.abs().sum()) > 0


def test_only_confident_pseudo_labels_count():
    """Of two pixels one is confident: half of its −ln(1/2)."""
    told = torch.tensor([[0.95, 0.6], [0.05, 0.4]]).reshape(1, 2, 1, 2)
    found = pseudo_label_loss(torch.zeros(1, 2, 1, 2), told, 0.9)
    assert math.isclose(float(found), math.log(2) / 2, rel_tol=1e-6)
    assert float(pseudo_label_loss(torch.zeros(1, 2, 1, 2), told, 0.99)) == 0
    exactly = torch.tensor([[0.75, 0.5], [0.25, 0.5]]).reshape(1, 2, 1, 2)
    at_the_bound = pseudo_label_loss(torch.zeros(1, 2, 1, 2), exactly, 0.75)
    assert math.isclose(float(at_the_bound), math.log(2) / 2, rel_tol=1e-6), "as probable as asked for counts"
