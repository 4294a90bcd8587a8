"""The published program's training, term by term, for comparison."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from napari_s3net.network.s3net import released_network
from napari_s3net.training.trainer import Optimiser

#: Height and width of the published program's input.
SIZE = (256, 256)


class ReleasedTrainer:
    """The published mathematics as it stands: two of its three terms do not train the network.

    The spatial term compares colours that are painted after the arg-max, which passes no gradient. The affine term
    turns both answers alike, so that it only holds the side branch to the main one. The input is a square of 256 pixels
    in [0, 1]; the loss is 3.5 cluster + 0.2 affine + 4 spatial; the optimiser is SGD with a learning rate of 0.2 and a
    momentum of 0.9.

    Parameters
    ----------
    features : numpy.ndarray
        (h, w, C) in [0, 1].
    device : torch.device
        Where to train.
    size : tuple of int
        Height and width that the features are resized to.
    """

    read_every = 1

    def __init__(self, features: NDArray[np.float32], device: torch.device, size: tuple[int, int] = SIZE) -> None:
        x = torch.from_numpy(features.transpose(2, 0, 1)[None].copy())
        self.x = F.interpolate(x, size, mode="bilinear", align_corners=False, antialias=True).to(device)
        self.network: nn.Module = released_network(x.shape[1], size).to(device)
        self.look: Callable[[], Sequence[Tensor]] = tuple
        self.optimiser: Optimiser = torch.optim.SGD(self.network.parameters(), lr=0.2, momentum=0.9)

    def forward(self, iteration: int) -> tuple[Tensor, dict[str, Tensor]]:
        """Segment the square image, rotate both answers alike, and paint the arg-max in random colours.

        Parameters
        ----------
        iteration : int
            Seed of the random colours.

        Returns
        -------
        probabilities : torch.Tensor
            (1, K, h, w), of the main branch.
        terms : dict of str to torch.Tensor
            The weighted terms "cluster", "affine" and "spatial"; the last has no gradient.
        """
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

    def is_done(self, iteration: int, n_clusters: Tensor, changed: Tensor) -> Tensor:  # noqa: ARG002
        """End when at most three clusters are left, after at least six iterations.

        Parameters
        ----------
        iteration : int
            Counts from 1.
        n_clusters : torch.Tensor
            (1,), clusters that at least one pixel is in.
        changed : torch.Tensor
            Not used by the published program.

        Returns
        -------
        torch.Tensor
            (1,) bool.
        """
        return (n_clusters <= 3) & (iteration >= 6)
