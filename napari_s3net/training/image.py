"""Training on the one image, from nothing: the paper's three terms."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from napari_s3net.network.deformable import DeformableConv3x3, FreeOffsetConv3x3
from napari_s3net.network.losses import cluster_loss, edge_weights, spatial_loss, transformation_loss
from napari_s3net.network.s3net import S3Net
from napari_s3net.network.warps import WarpRange, draw_theta, draw_window, make_grid, visible, warp
from napari_s3net.settings import Settings
from napari_s3net.training.adam import Adam
from napari_s3net.training.initial_clusters import initial_clusters
from napari_s3net.training.trainer import Optimiser


@dataclass(frozen=True, kw_only=True)
class TrainingConstants:
    """What is the same in every training on one image; what can be chosen stands in `Settings`.

    Chosen on development images of ISIC 2018 and HAM10000; `docs/method.md`, "Training", has the measurements.

    Parameters
    ----------
    guided_iterations : int
        Iterations in which the network is taught the initial clusters, before it follows its own.
    guided_shrink : int
        For these the image is shrunk by this factor: a quarter of the pixels teaches as much.
    smallest_shrunk : int
        Pixels: an image with a shorter side than this is not shrunk, so that none is learned from at less than 16.
    window : float
        Share of the rows, and of the columns, of the transformed copy that the transformation term looks at.
    anchor : float
        Share of the initial clusters in the cluster term after the guided iterations, so that regions of their own do
        not melt away.
    at_rest_share : float
        An iteration is at rest if a smaller share of the pixels changed their cluster.
    at_rest_iterations : int
        Training ends after so many such iterations running.
    side_weight : float
        Weight of the side branch in the cluster term, beside one for the main branch; the same as that of the term that
        trains the side branch in the published program.
    """

    guided_iterations: int = 3
    guided_shrink: int = 2
    smallest_shrunk: int = 32
    window: float = 0.5
    anchor: float = 0.5
    at_rest_share: float = 0.002
    at_rest_iterations: int = 3
    side_weight: float = 0.2


TRAINING = TrainingConstants()


@dataclass(frozen=True, eq=False)
class View:
    """The image at one size.

    Parameters
    ----------
    x : torch.Tensor
        (1, C, h, w), the network's input.
    edges : tuple of torch.Tensor
        How alike neighbours are, from `edge_weights`.
    clusters : torch.Tensor
        (1, h, w) int64, the initial clusters.
    """

    x: Tensor
    edges: tuple[Tensor, Tensor]
    clusters: Tensor

    @property
    def size(self) -> tuple[int, int]:
        """Height and width."""
        return self.x.shape[2], self.x.shape[3]

    def shrunk(self, factor: int) -> View:
        """Average over squares of pixels; rows and columns that do not make a whole square are left out.

        Parameters
        ----------
        factor : int
            Side of the squares, in pixels.

        Returns
        -------
        View
            Of height h // factor and width w // factor; each pixel has the initial cluster of its square's middle.
        """
        x = F.avg_pool2d(self.x, factor).contiguous(memory_format=torch.channels_last)
        h, w = x.shape[2:]
        return View(x, edge_weights(x), self.clusters[:, factor // 2 :: factor, factor // 2 :: factor][:, :h, :w])


def make_view(features: NDArray[np.float32], n_clusters: int, device: torch.device) -> View:
    """Turn features into the network's input.

    Parameters
    ----------
    features : numpy.ndarray
        (h, w, C) in [0, 1].
    n_clusters : int
        The number of initial clusters.
    device : torch.device
        Where the tensors are to lie.

    Returns
    -------
    View
        Of C + 1 channels; the last is the depth below the image's border (`depth_below_border`).
    """
    clusters, depth = initial_clusters(features, n_clusters)
    x = torch.cat([to_tensor(features, device), torch.from_numpy(depth)[None, None].to(device)], dim=1)
    x = x.contiguous(memory_format=torch.channels_last)
    return View(x, edge_weights(x), torch.from_numpy(clusters)[None].to(device))


class ImageTrainer:
    """S³-Net on one image: cluster, transformation and spatial loss; see `docs/method.md`, "Training".

    Parameters
    ----------
    features : numpy.ndarray
        (h, w, C) in [0, 1].
    settings : Settings
        Network, weights of the losses, learning rate, range of the transformations.
    device : torch.device
        Where to train.
    """

    def __init__(self, features: NDArray[np.float32], settings: Settings, device: torch.device) -> None:
        self.settings = settings
        self.full = self.guided = make_view(features, settings.clusters, device)
        self.window = TRAINING.window
        if settings.offsets == "free":  # they are of one size
            self.window = 1.0
        elif min(self.full.size) >= TRAINING.smallest_shrunk:
            self.guided = self.full.shrunk(TRAINING.guided_shrink)
        self.network: nn.Module = make_network(self.full.x.shape[1], self.full.size, settings).to(
            device=device,
            memory_format=torch.channels_last,  # type: ignore[call-overload]
        )
        self.optimiser: Optimiser = Adam(self.network.parameters(), settings.learning_rate)
        self.generator = torch.Generator().manual_seed(settings.seed)
        self.warp_range = WarpRange(
            rotation=settings.rotation, scale=settings.scale, shear=settings.shear, translation=settings.translation
        )
        self.iterations_at_rest = 0

    def forward(self, iteration: int) -> tuple[Tensor, dict[str, Tensor]]:
        """Segment the image and, where its term has a weight, a part of a transformed copy of it.

        In the guided iterations the image is shrunk, and the cluster term asks for the initial clusters alone.

        Parameters
        ----------
        iteration : int
            Counts from 1.

        Returns
        -------
        probabilities : torch.Tensor
            (1, K, h, w), after the softmax.
        terms : dict of str to torch.Tensor
            "cluster", "transformation" and "spatial", each times its weight; those without a weight are left out.
        """
        s, c, guided = self.settings, TRAINING, iteration <= TRAINING.guided_iterations
        view = self.guided if guided else self.full
        logits, side = self.network(view.x)
        probabilities = logits.softmax(dim=1)
        cluster = cluster_loss(logits, view.clusters) + c.side_weight * cluster_loss(side, view.clusters)
        if not guided:
            cluster = c.anchor * cluster + (1 - c.anchor) * cluster_loss(logits)
        terms = {"cluster": s.weight_cluster * cluster}
        if s.weight_transformation > 0:
            terms["transformation"] = s.weight_transformation * self._transformation(view, probabilities.detach())
        if s.weight_spatial > 0:
            terms["spatial"] = s.weight_spatial * spatial_loss(probabilities, view.edges)
        return probabilities, terms

    def is_done(self, iteration: int, n_clusters: int, changed: float) -> bool:
        """Say whether the clusters are as few as allowed, or have come to rest; never in the guided iterations.

        Parameters
        ----------
        iteration : int
            Counts from 1.
        n_clusters : int
            Clusters that at least one pixel is in.
        changed : float
            Share of the pixels whose cluster changed since the iteration before. Iterations with little change are
            counted, so this is to be called once in each.
        """
        if iteration <= TRAINING.guided_iterations:
            return False
        self.iterations_at_rest = self.iterations_at_rest + 1 if changed < TRAINING.at_rest_share else 0
        return n_clusters <= self.settings.min_labels or self.iterations_at_rest >= TRAINING.at_rest_iterations

    def _transformation(self, view: View, probabilities: Tensor) -> Tensor:
        """The answer to a window of a warped copy, held to the warped answer (1, K, h, w)."""
        theta = draw_theta(self.warp_range, view.size, self.generator)
        grid = make_grid(theta, view.x, draw_window(self.window, view.size, self.generator))
        logits, _ = self.network(warp(view.x, grid))
        return transformation_loss(logits, warp(probabilities, grid), visible(grid, view.x))


def make_network(in_channels: int, size: tuple[int, int], settings: Settings) -> S3Net:
    """Build the network that the settings ask for, with the parts that ablations replace.

    Parameters
    ----------
    in_channels : int
        Of the input, the depth below the border included.
    size : tuple of int
        Height and width of the input; counts for `offsets="free"` only.
    settings : Settings
        `channels`, `clusters`, `attention` and `offsets`.

    Returns
    -------
    S3Net
        With random weights, on the CPU.
    """
    deformable = {
        "predicted": DeformableConv3x3,
        "none": lambda i, o: nn.Conv2d(i, o, 3, padding=1),
        "free": lambda i, o: FreeOffsetConv3x3(i, o, size),
    }[settings.offsets]
    return S3Net(in_channels, settings.channels, settings.clusters, attention=settings.attention, deformable=deformable)


def to_tensor(features: NDArray[np.float32], device: torch.device | str) -> Tensor:
    """Normalise features to zero mean and unit variance in each channel.

    Parameters
    ----------
    features : numpy.ndarray
        (h, w, C) float32.
    device : torch.device or str
        Where the tensor is to lie.

    Returns
    -------
    torch.Tensor
        (1, C, h, w) float32; a constant channel is 0.
    """
    mean, sd = features.mean(axis=(0, 1)), features.std(axis=(0, 1))
    normalised = (features - mean) / np.maximum(sd, 1e-6)
    return torch.from_numpy(np.ascontiguousarray(normalised.transpose(2, 0, 1)[None])).to(device)
