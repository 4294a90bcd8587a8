"""Training on the one image, from nothing: the paper's three terms."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn, vmap

from napari_s3net.network.deformable import DeformableConv3x3, FreeOffsetConv3x3
from napari_s3net.network.losses import cluster_loss, spatial_loss, transformation_loss
from napari_s3net.network.precision import half_precision
from napari_s3net.network.s3net import S3Net
from napari_s3net.network.stacked import stack_network
from napari_s3net.network.warps import WarpRange, draw_theta, draw_window, make_grid, visible, warp
from napari_s3net.runtime.parcel import send
from napari_s3net.settings import Settings
from napari_s3net.training.adam import Adam
from napari_s3net.training.taught import begin_to_look
from napari_s3net.training.trainer import Optimiser
from napari_s3net.training.view import View, network_input


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
        Training ends after this many such iterations in a row.
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
#: Iterations between two readbacks of losses and stopping rule on a graphics card, each of which waits for it.
READ_EVERY = 8
#: Whether stacked networks compute in bfloat16 on NVIDIA's cards; weights, losses and places between pixels stay
#: float32. Masks of nine photographs and three slices of CT then agree to Dice 0.9995 and more, computed on the CPU.
#: One network alone stays in float32: it waits for kernels to be started, and the casts are kernels more.
HALF = True


class ImageTrainer:
    """S³-Net on one image: cluster, transformation and spatial loss; see `docs/method.md`, "Training".

    Of N images each has a network of its own; they start with the same weights and see the same transformations, as
    they do one after the other. All that a device needs goes there in one copy.

    Parameters
    ----------
    features : numpy.ndarray
        (h, w, C) in [0, 1], or (N, h, w, C).
    settings : Settings
        Network, weights of the losses, learning rate, range of the transformations.
    device : torch.device
        Where to train.
    squares : sequence of torch.Tensor
        What taught networks are to look at, from `taught.squares_for`, joined along n for N images.
    """

    def __init__(
        self,
        features: NDArray[np.float32],
        settings: Settings,
        device: torch.device,
        squares: Sequence[Tensor] = (),
    ) -> None:
        self.settings = settings
        images = features[None] if features.ndim == 3 else features
        self.n = len(images)
        self.read_every = 1 if device.type == "cpu" else READ_EVERY
        size = (images.shape[1], images.shape[2])
        is_shrunk = settings.offsets != "free" and min(size) >= TRAINING.smallest_shrunk  # free offsets are of one size
        inputs, clusters = zip(*(network_input(image, settings.clusters) for image in images), strict=True)
        self.network: nn.Module = make_network(inputs[0].shape[1], size, settings)
        warps = draw_warps(settings, size, TRAINING.guided_shrink if is_shrunk else 1)
        self.windows = [window for _, window in warps]
        state = self.network.state_dict()
        thetas = [theta[None].float() for theta, _ in warps] or [torch.empty(0, 2, 3)]
        given = [torch.cat(inputs), torch.cat(clusters), torch.cat(thetas), *squares, *state.values()]
        x, at, self.thetas, *others = send(given, device)
        self.look: Callable[[], Sequence[Tensor]] = begin_to_look(others[: len(squares)], settings)
        self.network.load_state_dict(dict(zip(state, others[len(squares) :], strict=True)), assign=True)
        self.full = View.of(x, at)
        self.guided = self.full.shrunk(TRAINING.guided_shrink) if is_shrunk else self.full
        if self.n == 1:
            self.network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        else:
            stack_network(self.network, self.n)
        self.optimiser: Optimiser = Adam(
            self.network.parameters(), settings.learning_rate, stack=self.n if self.n > 1 else 0
        )
        self.iterations_at_rest: Tensor | None = None
        self.half = HALF and device.type == "cuda" and self.n > 1

    def forward(self, iteration: int) -> tuple[Tensor, dict[str, Tensor]]:
        """Segment the image and, where its term has a weight, a part of a transformed copy of it.

        In the guided iterations the image is shrunk, and the cluster term asks for the initial clusters alone.

        Parameters
        ----------
        iteration : int
            Counts from 1; each up to `max_iter` has a transformation of its own, and then they come again.

        Returns
        -------
        probabilities : torch.Tensor
            (N, K, h, w), after the softmax.
        terms : dict of str to torch.Tensor
            "cluster", "transformation" and "spatial", each times its weight, one number each for one image or (N,);
            those without a weight are left out.
        """
        guided = iteration <= TRAINING.guided_iterations
        view = self.guided if guided else self.full
        logits, side = self._answer(view.x)
        probabilities: Tensor = logits.softmax(dim=1)
        seen = [logits, side, probabilities, view.clusters, *view.edges]
        if self.settings.weight_transformation > 0:
            seen += self._moved(iteration, view, probabilities.detach())
        if self.n == 1:
            return probabilities, self._terms(guided, *seen)
        return probabilities, vmap(lambda *image: self._terms(guided, *(tensor[None] for tensor in image)))(*seen)

    def _answer(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """What the network says, in float32; it computes in half precision where that was asked for."""
        with half_precision(x.device) if self.half else nullcontext():
            logits, side = self.network(x)
        return logits.float(), side.float()

    def _terms(
        self,
        guided: bool,
        logits: Tensor,
        side: Tensor,
        probabilities: Tensor,
        clusters: Tensor,
        down: Tensor,
        right: Tensor,
        *moved: Tensor,
    ) -> dict[str, Tensor]:
        """The weighted terms of one image; the tensors are those of a `View` and of the network, (1, …) each."""
        s, c = self.settings, TRAINING
        cluster = cluster_loss(logits, clusters) + c.side_weight * cluster_loss(side, clusters)
        if not guided:
            cluster = c.anchor * cluster + (1 - c.anchor) * cluster_loss(logits)
        terms = {"cluster": s.weight_cluster * cluster}
        if s.weight_transformation > 0:
            terms["transformation"] = s.weight_transformation * transformation_loss(*moved)
        if s.weight_spatial > 0:
            terms["spatial"] = s.weight_spatial * spatial_loss(probabilities, (down, right))
        return terms

    def _moved(self, iteration: int, view: View, probabilities: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """The answer to a window of a warped copy, the warped answer that it is held to, and what of it is seen."""
        drawn = (iteration - 1) % len(self.windows)
        grid = make_grid(self.thetas[drawn], view.x, self.windows[drawn])
        logits, _ = self._answer(warp(view.x, grid))
        return logits, warp(probabilities, grid), visible(grid, view.x).expand(self.n, -1, -1, -1)

    def is_done(self, iteration: int, n_clusters: Tensor, changed: Tensor) -> Tensor:
        """Say whether the clusters are as few as allowed, or have come to rest; never in the guided iterations.

        Parameters
        ----------
        iteration : int
            Counts from 1.
        n_clusters : torch.Tensor
            (N,), clusters that at least one pixel is in.
        changed : torch.Tensor
            (N,), share of the pixels whose cluster changed since the iteration before. Iterations with little change
            are counted, so this is to be called once in each.

        Returns
        -------
        torch.Tensor
            (N,) bool, on the device of what is given.
        """
        if self.iterations_at_rest is None:
            self.iterations_at_rest = torch.zeros_like(n_clusters)
        if iteration <= TRAINING.guided_iterations:
            return torch.zeros_like(n_clusters, dtype=torch.bool)
        self.iterations_at_rest = (self.iterations_at_rest + 1) * (changed < TRAINING.at_rest_share)
        return (n_clusters <= self.settings.min_labels) | (self.iterations_at_rest >= TRAINING.at_rest_iterations)


def draw_warps(
    settings: Settings, size: tuple[int, int], guided_shrink: int
) -> list[tuple[Tensor, tuple[slice, slice]]]:
    """Draw the transformation of each iteration, and the window of the transformed copy that is looked at.

    Parameters
    ----------
    settings : Settings
        `max_iter`, `seed`, the range of the transformations, and whether they have a weight at all.
    size : tuple of int
        Height and width of the image.
    guided_shrink : int
        Factor by which the image is smaller in the guided iterations.

    Returns
    -------
    list of tuple
        One for each iteration, none where they have no weight: theta (2, 3) float64, and rows and columns.
    """
    if settings.weight_transformation <= 0:
        return []
    generator = torch.Generator().manual_seed(settings.seed)
    limits = WarpRange(
        rotation=settings.rotation, scale=settings.scale, shear=settings.shear, translation=settings.translation
    )
    share = 1.0 if settings.offsets == "free" else TRAINING.window  # free offsets take images of one size
    warps = []
    for iteration in range(1, settings.max_iter + 1):
        shrink = guided_shrink if iteration <= TRAINING.guided_iterations else 1
        seen = (size[0] // shrink, size[1] // shrink)
        warps.append((draw_theta(limits, seen, generator), draw_window(share, seen, generator)))
    return warps


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
