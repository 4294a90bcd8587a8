"""What the training loop needs of a way to train."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

from torch import Tensor, nn


class Optimiser(Protocol):
    """What moves the parameters: our Adam, or one of torch's optimisers."""

    def zero_grad(self) -> None:
        """Set every gradient to zero."""
        ...

    def step(self) -> Any:
        """Move the parameters along their gradients. Of stacked networks, those that have ended are left as they are.

        Returns
        -------
        object
            Not used: torch's optimisers return a loss or None.
        """
        ...


class Trainer(Protocol):
    """A network with its optimiser, its loss terms and its stopping rule; or N of them, stacked, for as many images.

    Attributes
    ----------
    network : torch.nn.Module
        What is trained.
    optimiser : Optimiser
        What trains it.
    read_every : int
        The loop reads losses and stopping rule back from the device after at most this many iterations. What had come
        to its end before stays as it was then: above 1 only with an optimiser whose `step` is told what still runs.
    look : callable
        Called once when training is over: what taught networks say of the images (`taught.object_logits`), on the
        device of the training; an empty sequence where none was asked. What they look at is there from the start.
    """

    network: nn.Module
    optimiser: Optimiser
    read_every: int
    look: Callable[[], Sequence[Tensor]]

    def forward(self, iteration: int) -> tuple[Tensor, dict[str, Tensor]]:
        """Segment the image, and compute the loss.

        Parameters
        ----------
        iteration : int
            Counts from 1.

        Returns
        -------
        probabilities : torch.Tensor
            (N, K, h, w), after the softmax.
        terms : dict of str to torch.Tensor
            The weighted terms of the loss, one number each for one image or (N,); their sum is what is minimised.
        """
        ...

    def is_done(self, iteration: int, n_clusters: Tensor, changed: Tensor) -> Tensor:
        """Say whether training ends after this iteration; nothing is read back from the device.

        Parameters
        ----------
        iteration : int
            Counts from 1.
        n_clusters : torch.Tensor
            (N,), clusters that at least one pixel is in.
        changed : torch.Tensor
            (N,) float32, share of the pixels whose cluster changed since the iteration before.

        Returns
        -------
        torch.Tensor
            (N,) bool.
        """
        ...
