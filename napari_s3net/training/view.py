"""What the network sees of an image: its input, how alike neighbours are, and the clusters that it is first taught."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, vmap

from napari_s3net.network.losses import edge_weights
from napari_s3net.runtime.parcel import send
from napari_s3net.training.initial_clusters import initial_clusters


@dataclass(frozen=True, eq=False)
class View:
    """One image, or N, at one size.

    Parameters
    ----------
    x : torch.Tensor
        (N, C, h, w), the network's input.
    edges : tuple of torch.Tensor
        How alike neighbours are, from `edge_weights` of each image.
    clusters : torch.Tensor
        (N, h, w) int64, the initial clusters.
    """

    x: Tensor
    edges: tuple[Tensor, Tensor]
    clusters: Tensor

    @classmethod
    def of(cls, x: Tensor, clusters: Tensor) -> View:
        """Lay the input out as the network reads it fastest, and measure its edges.

        Parameters
        ----------
        x : torch.Tensor
            (N, C, h, w).
        clusters : torch.Tensor
            (N, h, w) int64.

        Returns
        -------
        View
            Of one image in channels-last memory; of several, whose networks are stacked, row by row.
        """
        if len(x) == 1:
            x = x.contiguous(memory_format=torch.channels_last)
            return cls(x, edge_weights(x), clusters)
        down, right = vmap(lambda image: edge_weights(image[None]))(x)
        return cls(x.contiguous(), (down[:, 0], right[:, 0]), clusters)

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
        x = F.avg_pool2d(self.x, factor)
        h, w = x.shape[2:]
        return View.of(x, self.clusters[:, factor // 2 :: factor, factor // 2 :: factor][:, :h, :w])


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
    x, clusters = send(network_input(features, n_clusters), device)
    return View.of(x, clusters)


def network_input(features: NDArray[np.float32], n_clusters: int) -> tuple[Tensor, Tensor]:
    """Compute on the CPU what the network sees of an image, and what it is first taught.

    Parameters
    ----------
    features : numpy.ndarray
        (h, w, C) in [0, 1].
    n_clusters : int
        The number of initial clusters.

    Returns
    -------
    tuple of torch.Tensor
        (1, C + 1, h, w) float32, normalised features and the depth below the border; (1, h, w) int64, the clusters.
    """
    clusters, depth = initial_clusters(features, n_clusters)
    x = torch.cat([to_tensor(features), torch.from_numpy(depth)[None, None]], dim=1)
    return x, torch.from_numpy(clusters)[None]


def to_tensor(features: NDArray[np.float32]) -> Tensor:
    """Normalise features to zero mean and unit variance in each channel.

    Parameters
    ----------
    features : numpy.ndarray
        (h, w, C) float32.

    Returns
    -------
    torch.Tensor
        (1, C, h, w) float32, on the CPU; a constant channel is 0.
    """
    mean, sd = features.mean(axis=(0, 1)), features.std(axis=(0, 1))
    normalised = (features - mean) / np.maximum(sd, 1e-6)
    return torch.from_numpy(np.ascontiguousarray(normalised.transpose(2, 0, 1)[None]))
