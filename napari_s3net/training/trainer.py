"""What the training loop needs of a way to train, and the choice between them."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from napari_s3net.settings import Settings


class Optimiser(Protocol):
    """What moves the parameters: our Adam, or one of torch's optimisers."""

    def zero_grad(self) -> None:
        """Set every gradient to zero."""
        ...

    def step(self) -> Any:
        """Move the parameters along their gradients."""
        ...


class Trainer(Protocol):
    """A network with its optimiser, its loss terms and its stopping rule."""

    network: nn.Module
    optimiser: Optimiser

    def forward(self, iteration: int) -> tuple[Tensor, dict[str, Tensor]]:
        """Segment the image, and compute the loss.

        Parameters
        ----------
        iteration : int
            Counts from 1.

        Returns
        -------
        probabilities : torch.Tensor
            (1, K, h, w), after the softmax.
        terms : dict of str to torch.Tensor
            The weighted terms of the loss; their sum is what is minimised.
        """
        ...

    def is_done(self, iteration: int, n_clusters: int, changed: float) -> bool:
        """Say whether training ends after this iteration.

        Parameters
        ----------
        iteration : int
            Counts from 1.
        n_clusters : int
            Clusters that at least one pixel is in.
        changed : float
            Share of the pixels whose cluster changed since the iteration before.
        """
        ...


def make_trainer(features: NDArray[np.float32], settings: Settings, device: torch.device) -> Trainer:
    """Build the trainer that `settings.variant` names, its random numbers drawn from `settings.seed`.

    Parameters
    ----------
    features : numpy.ndarray
        (h, w, C) in [0, 1].
    settings : Settings
        Network, weights of the losses, optimiser.
    device : torch.device
        Where to train.

    Returns
    -------
    Trainer
        The global random numbers are left as they were.
    """
    from napari_s3net.training.image import ImageTrainer
    from napari_s3net.training.initialisation import initialise_heads
    from napari_s3net.training.released import ReleasedTrainer

    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        torch.manual_seed(settings.seed)
        if settings.variant == "released":
            return ReleasedTrainer(features, device)
        trainer = ImageTrainer(features, settings, device)
    initialise_heads(trainer.network, trainer.guided.x, trainer.guided.clusters)
    return trainer
