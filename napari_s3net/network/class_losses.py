"""Losses of a network that gives each pixel a class, where some pixels have labels and many have none."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor

#: In labels: nobody has labelled this pixel, or it lies outside the image.
IGNORED = -1


def supervised_loss(logits: Tensor, labels: Tensor) -> Tensor:
    """Compute cross-entropy plus 1 − Dice over the labelled pixels (L_sup of IDEAL).

    The Dice is that of each class but the background over the whole batch, with one pixel added to the numerator and
    the denominator; classes that no labelled pixel of the batch has are left out of its mean.

    Parameters
    ----------
    logits : torch.Tensor
        (N, K, H, W).
    labels : torch.Tensor
        (N, H, W) int64 below K, or `IGNORED`.

    Returns
    -------
    torch.Tensor
        A scalar; 0 where nothing is labelled.
    """
    seen = labels != IGNORED
    count = seen.sum()
    cross = F.cross_entropy(logits, labels, ignore_index=IGNORED, reduction="sum") / count.clamp(min=1)
    one_hot = F.one_hot(labels.clamp(min=0), logits.shape[1]).permute(0, 3, 1, 2) * seen[:, None]
    p = logits.softmax(dim=1) * seen[:, None]
    axes = (0, 2, 3)
    truth = one_hot.sum(dim=axes)[1:]
    dice = (2 * (p * one_hot).sum(dim=axes)[1:] + 1) / (p.sum(dim=axes)[1:] + truth + 1)
    there = (truth > 0).to(dice)
    return cross + ((1 - dice) * there).sum() / there.sum().clamp(min=1)


def cross_pseudo_loss(first: Tensor, second: Tensor) -> Tensor:
    """Compute L_sup(p₁, y₂) + L_sup(p₂, y₁), where y is the arg-max of p and passes no gradient (IDEAL, stage 2).

    L_sup is `supervised_loss`, cross-entropy and Dice as on labelled images. With cross-entropy alone most of the loss
    is background, and small classes fade: docs/learning-tried.md has both, side by side.

    Parameters
    ----------
    first, second : torch.Tensor
        (N, K, H, W), the logits of two decoders for the same images.

    Returns
    -------
    torch.Tensor
        A scalar.
    """
    return supervised_loss(first, second.detach().argmax(dim=1)) + supervised_loss(second, first.detach().argmax(dim=1))


def pseudo_label_loss(logits: Tensor, probabilities: Tensor, confident: float) -> Tensor:
    """Compute the cross-entropy with another network's most likely classes, where it is confident.

    Parameters
    ----------
    logits : torch.Tensor
        (N, K, H, W).
    probabilities : torch.Tensor
        (N, K, H, W), those of the other network; they pass no gradient.
    confident : float
        Pixels whose most likely class is less probable than this do not count.

    Returns
    -------
    torch.Tensor
        A scalar: the sum over the pixels that count, divided by the number of all pixels.
    """
    most, labels = probabilities.detach().max(dim=1)
    per_pixel = F.cross_entropy(logits, labels, reduction="none")
    return (per_pixel * (most >= confident)).mean()
