"""Training on a volume: one network on a few of its slices, applied to all, so that a label means the same in each."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import ndimage
from torch import Tensor, nn

from napari_s3net.preprocessing.check import HU_TARGETS
from napari_s3net.settings import Settings
from napari_s3net.training.adam import Adam
from napari_s3net.training.image import READ_EVERY, TRAINING, ImageTrainer, draw_warps, make_network
from napari_s3net.training.initial_clusters import CLUSTERING, cluster_colours, depth_and_grey, depth_scale
from napari_s3net.training.view import View


@dataclass(frozen=True, eq=False)
class StackNormalisation:
    """What brings every slice of a volume to the network's input in the same way.

    Parameters
    ----------
    mean, sd : numpy.ndarray
        (C,), of the features of the sampled slices together.
    depth_mean, depth_sd : float
        Of their depth below the border, as from `depth_scale`; with an infinite `depth_sd` depth does not count.
    """

    mean: NDArray[np.float32]
    sd: NDArray[np.float32]
    depth_mean: float
    depth_sd: float

    def tensor(self, features: NDArray[np.float32]) -> Tensor:
        """Make the network's input of one slice.

        Parameters
        ----------
        features : numpy.ndarray
            (h, w, C) in [0, 1].

        Returns
        -------
        torch.Tensor
            (1, C + 1, h, w) float32, on the CPU.
        """
        normalised = (features - self.mean) / self.sd
        channels = np.concatenate([normalised, self.depth(features)[..., None]], axis=2, dtype=np.float32)
        return torch.from_numpy(np.ascontiguousarray(channels.transpose(2, 0, 1)[None]))

    def depth(self, features: NDArray[np.float32]) -> NDArray[np.floating]:
        """Measure how far each pixel lies below the lowest way out to the border, as the network is shown it.

        Parameters
        ----------
        features : numpy.ndarray
            (h, w, C) in [0, 1].

        Returns
        -------
        numpy.ndarray
            (h, w); zero where depth does not count.
        """
        if np.isinf(self.depth_sd):
            return np.zeros(features.shape[:2], np.float32)
        smooth = ndimage.gaussian_filter(features, (CLUSTERING.blur, CLUSTERING.blur, 0))
        return (depth_and_grey(smooth)[0] - self.depth_mean) / self.depth_sd


class VolumeTrainer(ImageTrainer):
    """One S³-Net on several slices at once: the losses of `ImageTrainer`, over all of them.

    Parameters
    ----------
    features : numpy.ndarray
        (N, h, w, C) in [0, 1], all through one window.
    settings : Settings
        As for one image.
    device : torch.device
        Where to train.
    """

    def __init__(self, features: NDArray[np.float32], settings: Settings, device: torch.device) -> None:
        self.settings, self.n = settings, 1
        self.read_every = 1 if device.type == "cpu" else READ_EVERY
        size = (features.shape[1], features.shape[2])
        self.normalisation, x, clusters = _stack_input(features, settings)
        self.network = make_network(x.shape[1], size, settings).to(
            device=device,
            memory_format=torch.channels_last,  # type: ignore[call-overload]
        )
        is_shrunk = settings.offsets != "free" and min(size) >= TRAINING.smallest_shrunk
        self.full = View.of(x.to(device), clusters.to(device))
        self.guided = self.full.shrunk(TRAINING.guided_shrink) if is_shrunk else self.full
        warps = draw_warps(settings, size, TRAINING.guided_shrink if is_shrunk else 1)
        self.windows = [window for _, window in warps]
        self.thetas = torch.stack([theta.float() for theta, _ in warps]).to(device) if warps else torch.empty(0, 2, 3)
        self.optimiser = Adam(self.network.parameters(), settings.learning_rate)
        self.iterations_at_rest, self.half, self.look = None, False, tuple

    def forward(self, iteration: int) -> tuple[Tensor, dict[str, Tensor]]:
        """Segment the sampled slices, and compute the loss over all of them; see `ImageTrainer.forward`.

        Parameters
        ----------
        iteration : int
            Counts from 1.

        Returns
        -------
        probabilities : torch.Tensor
            (1, K, N · h, w): the slices below one another.
        terms : dict of str to torch.Tensor
            One number each.
        """
        probabilities, terms = super().forward(iteration)
        return below_one_another(probabilities), terms

    @torch.no_grad()
    def model(self) -> VolumeModel:
        """End training: what the network knows of the sampled slices becomes what it knows of every slice.

        Returns
        -------
        VolumeModel
            In evaluation mode; statistics of the layers are those of the sampled slices together.
        """
        for layer in self.network.modules():
            if isinstance(layer, nn.BatchNorm2d):
                layer.reset_running_stats()
                layer.momentum = None
        self.network.train()
        self.network(self.full.x)
        return VolumeModel(self.network.eval(), self.normalisation)


@dataclass(frozen=True, eq=False)
class VolumeModel:
    """A network that was fitted to a volume.

    Parameters
    ----------
    network : torch.nn.Module
        In evaluation mode.
    normalisation : StackNormalisation
        How it is shown a slice.
    """

    network: nn.Module
    normalisation: StackNormalisation

    @torch.no_grad()
    def probabilities(self, features: NDArray[np.float32]) -> Tensor:
        """Apply the network to one slice.

        Parameters
        ----------
        features : numpy.ndarray
            (h, w, C) in [0, 1], through the window of the sampled slices.

        Returns
        -------
        torch.Tensor
            (1, K, h, w) float32, on the CPU.
        """
        device = next(self.network.parameters()).device
        x = self.normalisation.tensor(features).to(device).contiguous(memory_format=torch.channels_last)
        logits: Tensor = self.network(x)[0]
        return logits.float().softmax(dim=1).cpu()


def below_one_another(x: Tensor) -> Tensor:
    """Put slices below one another, as one tall image.

    Parameters
    ----------
    x : torch.Tensor
        (N, C, h, w).

    Returns
    -------
    torch.Tensor
        (1, C, N · h, w).
    """
    return x.permute(1, 0, 2, 3).reshape(1, x.shape[1], -1, x.shape[3])


def _stack_input(features: NDArray[np.float32], settings: Settings) -> tuple[StackNormalisation, Tensor, Tensor]:
    """How slices are shown to the network, the sampled ones (N, C + 1, h, w), and their initial clusters (N, h, w).

    In Hounsfield units a value says what a voxel is, and depth does not count: where a thin rim, as the skin, is broken
    in one slice, the depth of all that it surrounds changes there, and with it the cluster of one tissue.
    """
    N, h, w, C = features.shape
    smooth = ndimage.gaussian_filter(features, (0, CLUSTERING.blur, CLUSTERING.blur, 0))
    mean, sd = 0.0, np.inf
    if settings.target not in HU_TARGETS:
        depths, greys = (np.stack(arrays) for arrays in zip(*map(depth_and_grey, smooth), strict=True))
        mean, sd = depth_scale(depths, greys)
    normalisation = StackNormalisation(
        features.mean(axis=(0, 1, 2)), np.maximum(features.std(axis=(0, 1, 2)), 1e-6), mean, sd
    )
    relative = np.stack([normalisation.depth(plane) for plane in features]).astype(np.float32)
    clusters = cluster_colours(smooth.reshape(N * h, w, C), relative.reshape(N * h, w), settings.clusters)
    x = torch.cat([normalisation.tensor(plane) for plane in features])
    return normalisation, x, torch.from_numpy(clusters.reshape(N, h, w))
