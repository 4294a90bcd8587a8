"""The three loss terms of S³-Net, after Karimijafarbigloo et al. 2023, each with a gradient.

`docs/method.md`, "Training", says where they differ from the published program.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


def cluster_loss(logits: Tensor, target: Tensor | None = None) -> Tensor:
    """Compute the cross-entropy of logits with the cluster that each pixel is assigned to.

    Parameters
    ----------
    logits : torch.Tensor
        (N, K, H, W).
    target : torch.Tensor, optional
        (N, H, W) int64 below K. When left out, the arg-max of the logits themselves, which passes no gradient: the
        feature similarity loss of Kim, Kanezaki and Tanaka, "Unsupervised Learning of Image Segmentation Based on
        Differentiable Feature Clustering", 2020.

    Returns
    -------
    torch.Tensor
        The mean over all pixels, in nats.
    """
    return F.cross_entropy(logits, logits.detach().argmax(dim=1) if target is None else target)


def transformation_loss(logits_of_warped: Tensor, warped_probabilities: Tensor, visible: Tensor) -> Tensor:
    """Compare the segmentation of the warped image with the warped segmentation of the image, by cross-entropy.

    Parameters
    ----------
    logits_of_warped : torch.Tensor
        (N, K, H, W), of the warped input.
    warped_probabilities : torch.Tensor
        (N, K, H, W), those of the input itself, warped: the target, which passes no gradient.
    visible : torch.Tensor
        (1, 1, H, W), 1 where the warped image shows a part of the original, 0 elsewhere.

    Returns
    -------
    torch.Tensor
        The mean over the visible pixels, in nats; 0 where none is.
    """
    per_pixel = -(warped_probabilities.detach() * logits_of_warped.log_softmax(dim=1)).sum(dim=1, keepdim=True)
    return (per_pixel * visible).sum() / (visible.sum() * logits_of_warped.shape[0]).clamp(min=1)


def edge_weights(x: Tensor, sigma: float = 1.0) -> tuple[Tensor, Tensor]:
    """Measure how alike neighbouring pixels are: exp(−|Δx|² / 2σ²m²), with m² the mean of |Δx|² over all neighbours.

    Parameters
    ----------
    x : torch.Tensor
        (N, C, H, W).
    sigma : float
        σ; a larger one sees fewer edges.

    Returns
    -------
    tuple of torch.Tensor
        (N, 1, H−1, W) for neighbours in a column and (N, 1, H, W−1) for neighbours in a row; 1 where they are equal,
        near 0 across an edge. A factor or an offset of x changes nothing.
    """
    down = (x[:, :, 1:] - x[:, :, :-1]).square().sum(dim=1, keepdim=True)
    right = (x[..., 1:] - x[..., :-1]).square().sum(dim=1, keepdim=True)
    scale = 2 * sigma**2 * torch.cat((down.flatten(), right.flatten())).mean().clamp(min=1e-12)
    return (-down / scale).exp(), (-right / scale).exp()


def spatial_loss(probabilities: Tensor, weights: tuple[Tensor, Tensor]) -> Tensor:
    """Compute the total variation of the probabilities, weighted so that it may change at the image's edges for free.

    Parameters
    ----------
    probabilities : torch.Tensor
        (N, K, H, W).
    weights : tuple of torch.Tensor
        From `edge_weights`, of the same size.

    Returns
    -------
    torch.Tensor
        The mean over neighbours in a column plus the mean over neighbours in a row, from 0 to 4.
    """
    down = (probabilities[:, :, 1:] - probabilities[:, :, :-1]).abs().sum(dim=1, keepdim=True)
    right = (probabilities[..., 1:] - probabilities[..., :-1]).abs().sum(dim=1, keepdim=True)
    return (down * weights[0]).mean() + (right * weights[1]).mean()
