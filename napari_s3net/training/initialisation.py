"""The first weights of the network's last layers, computed from the image's initial clusters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from napari_s3net.network.depthwise import Pointwise
from napari_s3net.network.s3net import S3Net


@dataclass(frozen=True, kw_only=True)
class InitialisationConstants:
    """How the discriminant becomes first weights.

    Chosen on 75 development images of ISIC 2018; see `docs/method.md`, "First weights".

    Parameters
    ----------
    sharpness : float
        What the discriminant's scores are multiplied by, so that the first probabilities are soft enough to be trained
        on; no unit.
    ridge : float
        What is added to the diagonal of the features' covariance, as a share of their mean variance.
    """

    sharpness: float = 0.3
    ridge: float = 0.1


INITIALISATION = InitialisationConstants()


@torch.no_grad()
def initialise_heads(network: nn.Module, x: Tensor, clusters: Tensor) -> None:
    """Let both branches begin with the linear discriminant of the initial clusters on their features.

    The layers before the last stay as random as they were drawn; what a random network already sees is worth several
    iterations. With means μₖ, shares πₖ and the common covariance Σ of the features, cluster k has the score
    xᵀΣ⁻¹μₖ − μₖᵀΣ⁻¹μₖ/2 + log πₖ (Hastie, Tibshirani and Friedman 2009, equation 4.10), made softer by
    `InitialisationConstants.sharpness`. The last normalisation starts such that it leaves the scores as they are.

    Parameters
    ----------
    network : S3Net
        Changed in place: the last 1×1 convolution and the last normalisation of `side` and of `head`.
    x : torch.Tensor
        (N, C, h, w), its input; more than one image for as many stacked networks.
    clusters : torch.Tensor
        (N, h, w) int64 below the network's number of clusters.
    """
    network = cast("S3Net", network)
    features = network.encoder(network.stem(x))
    for branch in (network.side, network.head):
        layer, norm = cast("Pointwise", branch[-2]), cast("nn.BatchNorm2d", branch[-1])
        seen = branch[:-2](features).permute(0, 2, 3, 1).flatten(1, 2)  # (N, pixels, C)
        weights, biases = layer.weight.view(len(x), layer.out_features, -1), layer.bias.view(len(x), -1)
        scales, shifts = norm.weight.view(len(x), -1), norm.bias.view(len(x), -1)
        for n, (values, cluster) in enumerate(zip(seen, clusters.flatten(1), strict=True)):
            weight, bias = _discriminant(values, cluster, layer.out_features)
            weights[n] = INITIALISATION.sharpness * weight
            biases[n] = INITIALISATION.sharpness * bias
            scores = F.linear(values, weights[n], biases[n])  # (pixels, K)
            scales[n] = scores.std(dim=0, correction=0)
            shifts[n] = scores.mean(dim=0)


def _discriminant(values: Tensor, cluster: Tensor, K: int) -> tuple[Tensor, Tensor]:
    """Weights (K, C) and bias (K,) of the linear discriminant of features (pixels, C) in clusters (pixels,)."""
    belongs = (cluster[:, None] == torch.arange(K, device=cluster.device)).to(values.dtype)  # (pixels, K)
    sizes = belongs.sum(dim=0).clamp(min=1)
    means = belongs.T @ values / sizes[:, None]
    rest = values - means[cluster]
    variance = values.var(dim=0).mean().clamp(min=1e-6)
    ridge = INITIALISATION.ridge * variance * torch.eye(values.shape[1], device=values.device)
    # The ridge keeps it solvable; the check would wait for a graphics card.
    weight = torch.linalg.solve_ex(rest.T @ rest / len(values) + ridge, means.T).result.T
    return weight, (sizes / len(values)).log() - (weight * means).sum(dim=1) / 2
