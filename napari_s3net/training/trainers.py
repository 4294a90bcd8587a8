"""What is trained, and how its terms are computed: ours, and the published one. The loop is the same for both."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol, cast

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from napari_s3net.network.deformable import DeformableConv3x3, FreeOffsetConv3x3
from napari_s3net.network.depthwise import Pointwise
from napari_s3net.network.losses import cluster_loss, edge_weights, spatial_loss, transformation_loss
from napari_s3net.network.s3net import S3Net, released_network
from napari_s3net.network.warps import WarpRange, draw_theta, draw_window, make_grid, visible, warp
from napari_s3net.settings import Settings
from napari_s3net.training.adam import Adam
from napari_s3net.training.initial_clusters import starting_point

#: Iterations in which the network learns the clusters it starts from, before it follows its own; and by how much the
#: image is shrunk for them: a quarter of the pixels teaches as much.
START_ITERATIONS, START_SHRINK = 3, 2
#: An image smaller than this is not shrunk.
SMALLEST_SHRUNK = 32
#: Share of the rows and columns of the transformed copy that are looked at, anywhere in it.
WINDOW = 0.5
#: Share that the starting clusters keep in the cluster term afterwards, so that regions of their own do not melt away.
ANCHOR = 0.5
#: The run is over when fewer than this share of the pixels changed their cluster in each of the last iterations.
CALM_SHARE, CALM_ITERATIONS = 0.002, 3
#: The first scores of the branches: how much softer than the logarithm of a probability, and what is added to the
#: covariance of their features, as a share of the mean variance.
SHARPNESS, RIDGE = 0.3, 0.1
#: Weight of the side branch beside the main one.
SIDE_WEIGHT = 0.2


class Optimiser(Protocol):
    """What takes the steps: ours, or one of torch's."""

    def zero_grad(self) -> None:
        """Forget the gradients."""
        ...

    def step(self) -> Any:
        """Move the parameters."""
        ...


class Recipe(Protocol):
    """A network with its optimiser, its terms and its end."""

    network: nn.Module
    optimiser: Optimiser

    def forward(self, iteration: int) -> tuple[Tensor, dict[str, Tensor]]:
        """Return the probabilities (1, K, h, w) and the weighted terms of the iteration, which counts from 1."""
        ...

    def is_done(self, iteration: int, n_labels: int, changed: float) -> bool:
        """Say whether to end, from the clusters in use and the share of pixels that changed their cluster."""
        ...


def make_recipe(features: NDArray[np.float32], settings: Settings, device: torch.device) -> Recipe:
    """Build what `settings.variant` names, from its seed, for features (h, w, C) in [0, 1]."""
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        torch.manual_seed(settings.seed)
        if settings.variant == "released":
            return ReleasedRecipe(features, device)
        recipe = S3NetRecipe(features, settings, device)
    teach_branches(recipe)
    return recipe


@dataclass(frozen=True, eq=False)
class View:
    """What the network sees at one size.

    Parameters
    ----------
    x : torch.Tensor
        (1, C, h, w), the input.
    weights : tuple of torch.Tensor
        How alike neighbours are, as `edge_weights` makes them.
    start : torch.Tensor
        (1, h, w), the clusters to start from.
    """

    x: Tensor
    weights: tuple[Tensor, Tensor]
    start: Tensor

    def shrunk(self, by: int) -> View:
        """The same at 1 / `by` of the size; rows and columns that do not make a whole pixel are left out."""
        x = F.avg_pool2d(self.x, by).contiguous(memory_format=torch.channels_last)
        h, w = x.shape[2:]
        return View(x, edge_weights(x), self.start[:, by // 2 :: by, by // 2 :: by][:, :h, :w])


class S3NetRecipe:
    """The paper's four ideas, made real; see `docs/method.md`."""

    def __init__(self, features: NDArray[np.float32], settings: Settings, device: torch.device) -> None:
        clusters, depth = starting_point(features, settings.clusters)
        start = torch.from_numpy(clusters)[None].to(device)
        x = torch.cat([to_tensor(features, device), torch.from_numpy(depth)[None, None].to(device)], dim=1)
        x = x.contiguous(memory_format=torch.channels_last)
        self.settings, self.calm, self.window = settings, 0, WINDOW
        self.x, self.weights = x, edge_weights(x)
        self.full = self.small = View(x, self.weights, start)
        if settings.offsets == "free":  # which can be applied to one size only
            self.window = 1.0
        elif min(x.shape[2:]) >= SMALLEST_SHRUNK:
            self.small = self.full.shrunk(START_SHRINK)
        size = (x.shape[2], x.shape[3])
        layers = {
            "predicted": DeformableConv3x3,
            "none": lambda i, o: nn.Conv2d(i, o, 3, padding=1),
            "free": lambda i, o: FreeOffsetConv3x3(i, o, size),
        }
        network = S3Net(
            x.shape[1],
            settings.channels,
            settings.clusters,
            attention=settings.attention,
            deformable=layers[settings.offsets],
        )
        self.network: nn.Module = network.to(device=device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.optimiser: Optimiser = Adam(network.parameters(), settings.learning_rate)
        self.draw = torch.Generator().manual_seed(settings.seed)
        self.limits = WarpRange(
            rotation=settings.rotation, scale=settings.scale, shear=settings.shear, translation=settings.translation
        )

    def forward(self, iteration: int) -> tuple[Tensor, dict[str, Tensor]]:
        """Segment the image and, where the weights ask for it, a part of a transformed copy of it."""
        s, view = self.settings, self.small if iteration <= START_ITERATIONS else self.full
        logits, side = self.network(view.x)
        probabilities = logits.softmax(dim=1)
        cluster = cluster_loss(logits, view.start) + SIDE_WEIGHT * cluster_loss(side, view.start)
        if iteration > START_ITERATIONS:
            cluster = ANCHOR * cluster + (1 - ANCHOR) * cluster_loss(logits)
        terms = {"cluster": s.weight_cluster * cluster}
        if s.weight_transformation > 0:
            size = (view.x.shape[2], view.x.shape[3])
            grid = make_grid(
                draw_theta(self.limits, size, self.draw), view.x, draw_window(self.window, size, self.draw)
            )
            moved, _ = self.network(warp(view.x, grid))
            term = transformation_loss(moved, warp(probabilities.detach(), grid), visible(grid, view.x))
            terms["transformation"] = s.weight_transformation * term
        if s.weight_spatial > 0:
            terms["spatial"] = s.weight_spatial * spatial_loss(probabilities, view.weights)
        return probabilities, terms

    def is_done(self, iteration: int, n_labels: int, changed: float) -> bool:
        """End at the fewest clusters allowed, or when the labels have come to rest."""
        if iteration <= START_ITERATIONS:
            return False
        self.calm = self.calm + 1 if changed < CALM_SHARE else 0
        return n_labels <= self.settings.min_labels or self.calm >= CALM_ITERATIONS


class ReleasedRecipe:
    """The published mathematics as it stands, for comparison: two of its three terms teach nothing.

    Input 256 × 256 in [0, 1]; total = 3.5 cluster + 0.2 affine + 4 spatial; SGD with learning rate 0.2 and momentum
    0.9; ends when at most three labels are left after at least six iterations.
    """

    SIZE = (256, 256)

    def __init__(self, features: NDArray[np.float32], device: torch.device, size: tuple[int, int] = SIZE) -> None:
        x = torch.from_numpy(features.transpose(2, 0, 1)[None].copy())
        self.x = F.interpolate(x, size, mode="bilinear", align_corners=False, antialias=True).to(device)
        self.network: nn.Module = released_network(x.shape[1], size).to(device)
        self.optimiser: Optimiser = torch.optim.SGD(self.network.parameters(), lr=0.2, momentum=0.9)

    def forward(self, iteration: int) -> tuple[Tensor, dict[str, Tensor]]:
        """Segment the square image; rotate both answers alike; colour the arg-max at random."""
        logits, side = self.network(self.x)
        target = logits.detach().argmax(dim=1)
        turned, turned_side = torch.rot90(target, dims=(1, 2)), torch.rot90(side, dims=(2, 3))
        colours = torch.from_numpy(np.random.default_rng(iteration).random((logits.shape[1], 3), np.float32))
        painted = colours.to(target.device)[target]  # (1, H, W, 3), outside the graph
        jumps = (painted[:, 1:] - painted[:, :-1]).abs().mean() + (painted[:, :, 1:] - painted[:, :, :-1]).abs().mean()
        terms = {
            "cluster": 3.5 * F.cross_entropy(logits, target),
            "affine": 0.2 * F.cross_entropy(turned_side, turned),
            "spatial": 4.0 * jumps,
        }
        return logits.softmax(dim=1), terms

    def is_done(self, iteration: int, n_labels: int, changed: float) -> bool:  # noqa: ARG002
        """End when at most three labels are left, after at least six iterations."""
        return iteration >= 6 and n_labels <= 3


@torch.no_grad()
def teach_branches(recipe: S3NetRecipe) -> None:
    """Let both branches begin with the linear discriminant of the starting clusters on their features.

    The layers before the last are as random as they were drawn; what a random network already sees is worth several
    iterations. With means μₖ, shares πₖ and the common covariance Σ of the features, cluster k has the score
    xᵀΣ⁻¹μₖ − μₖᵀΣ⁻¹μₖ/2 + log πₖ (Hastie, Tibshirani and Friedman 2009, equation 4.10), made softer by `SHARPNESS`. The
    last normalisation starts such that it leaves the scores as they are.
    """
    network = cast("S3Net", recipe.network)
    features = network.encoder(network.stem(recipe.small.x))
    start = recipe.small.start.flatten()
    belongs = F.one_hot(start, recipe.settings.clusters).to(features.dtype)  # (pixels, K)
    sizes = belongs.sum(dim=0).clamp(min=1)
    for branch in (network.side, network.head):
        layer, norm = cast("Pointwise", branch[-2]), cast("nn.BatchNorm2d", branch[-1])
        seen = branch[:-2](features).permute(0, 2, 3, 1).flatten(0, 2)  # (pixels, C)
        means = belongs.T @ seen / sizes[:, None]
        rest = seen - means[start]
        ridge = RIDGE * seen.var(dim=0).mean().clamp(min=1e-6) * torch.eye(seen.shape[1], device=seen.device)
        weights = torch.linalg.solve(rest.T @ rest / len(seen) + ridge, means.T).T  # (K, C)
        layer.weight.copy_(SHARPNESS * weights)
        layer.bias.copy_(SHARPNESS * ((sizes / len(seen)).log() - (weights * means).sum(dim=1) / 2))
        scores = layer(seen.T[None, :, :, None])[0, ..., 0].T  # (pixels, K)
        norm.weight.copy_(scores.std(dim=0, correction=0))
        norm.bias.copy_(scores.mean(dim=0))


def to_tensor(features: NDArray[np.float32], device: torch.device | str) -> Tensor:
    """Features (h, w, C) as a normalised float32 tensor (1, C, h, w): zero mean and unit variance a channel."""
    mean, sd = features.mean(axis=(0, 1)), features.std(axis=(0, 1))
    normalised = (features - mean) / np.maximum(sd, 1e-6)
    return torch.from_numpy(np.ascontiguousarray(normalised.transpose(2, 0, 1)[None])).to(device)
