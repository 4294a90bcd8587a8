"""What the training loop needs of a way to train."""

from __future__ import annotations

from typing import Any, Protocol

from torch import Tensor, nn


class Optimiser(Protocol):
    """What moves the parameters: our Adam, or one of torch's optimisers."""

    def zero_grad(self) -> None:
        """Set every gradient to zero."""
        ...

    def step(self) -> Any:
        """Move the parameters along their gradients.

        Returns
        -------
        object
            Not used: torch's optimisers return a loss or None.
        """
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
