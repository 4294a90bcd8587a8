"""The three terms that train S³-Net on one image. Every one has a gradient, and a test that says so."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


def cluster_loss(logits: Tensor, target: Tensor | None = None) -> Tensor:
    """Cross-entropy of the logits (N, K, H, W) with a target (N, H, W) of clusters.

    Without a target it is their own arg-max: Kim, Kanezaki and Tanaka 2020, equation 1.
    """
    return F.cross_entropy(logits, logits.detach().argmax(dim=1) if target is None else target)


def transformation_loss(logits_of_warped: Tensor, warped_probabilities: Tensor, seen: Tensor) -> Tensor:
    """Hold the segmentation of the warped image to the warped segmentation of the image.

    Parameters
    ----------
    logits_of_warped : torch.Tensor
        (N, K, H, W), the network's answer to the warped input.
    warped_probabilities : torch.Tensor
        (N, K, H, W), the warped answer to the input itself: the target, which passes no gradient.
    seen : torch.Tensor
        (1, 1, H, W), 1 where both see the same place.

    Returns
    -------
    torch.Tensor
        Mean cross-entropy over the pixels that both see.
    """
    per_pixel = -(warped_probabilities.detach() * logits_of_warped.log_softmax(dim=1)).sum(dim=1, keepdim=True)
    return (per_pixel * seen).sum() / (seen.sum() * logits_of_warped.shape[0]).clamp(min=1)


def edge_weights(x: Tensor, sigma: float = 1.0) -> tuple[Tensor, Tensor]:
    """How alike neighbours are: exp(−|Δx|² / 2σ²m²) with m² the mean squared difference; for rows and columns.

    x is (N, C, H, W); the results are (N, 1, H−1, W) and (N, 1, H, W−1), in (0, 1].
    """
    down = (x[:, :, 1:] - x[:, :, :-1]).square().sum(dim=1, keepdim=True)
    right = (x[..., 1:] - x[..., :-1]).square().sum(dim=1, keepdim=True)
    scale = 2 * sigma**2 * torch.cat((down.flatten(), right.flatten())).mean().clamp(min=1e-12)
    return (-down / scale).exp(), (-right / scale).exp()


def spatial_loss(probabilities: Tensor, weights: tuple[Tensor, Tensor]) -> Tensor:
    """Neighbours that look alike belong together: edge-aware total variation of the probabilities (N, K, H, W)."""
    down = (probabilities[:, :, 1:] - probabilities[:, :, :-1]).abs().sum(dim=1, keepdim=True)
    right = (probabilities[..., 1:] - probabilities[..., :-1]).abs().sum(dim=1, keepdim=True)
    return (down * weights[0]).mean() + (right * weights[1]).mean()
