"""A network under way: its weights, their moving average, its optimiser, how far it has come, and its checkpoint."""

from __future__ import annotations

import copy
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from napari_s3net.errors import DivergedError, ModelFileError
from napari_s3net.training.adam import Adam
from napari_s3net.training.weights import read_tensors, write_tensors

#: The moving average keeps at most i / (i + 10) after i iterations, so that the random first weights are soon gone.
FIRST_ITERATIONS = 10
#: What the moving average is called in a checkpoint; after it what older versions called it.
AVERAGES = ("average.", "follower.", "teacher.")


class TrainingState:
    """All that one iteration after the other changes.

    Parameters
    ----------
    network : torch.nn.Module
        On its device; is trained in place.
    header : mapping of str to str
        Kind of the run, its settings and data; stands in its checkpoints, which belong to a run of the same.
    decay : float or None
        0 to 1, what stays of the moving average of the weights in an iteration (Tarvainen and Valpola 2017); None for
        a run without one.
    longest_gradient : float
        Gradients are shortened to this length.
    """

    def __init__(
        self, network: Any, header: Mapping[str, str], *, decay: float | None = None, longest_gradient: float = 1.0
    ) -> None:
        self.network: Any = network
        self.header, self.decay, self.longest_gradient = dict(header), decay, longest_gradient
        self.average: Any = None if decay is None else copy.deepcopy(network).requires_grad_(False)
        self.optimiser = Adam(network.parameters(), 1e-3)

    @property
    def iteration(self) -> int:
        """How many updates were done."""
        return self.optimiser.steps

    def update(self, terms: Mapping[str, Tensor], rate: float) -> None:
        """Take one step down the sum of the terms, and move the average after it.

        Parameters
        ----------
        terms : mapping of str to torch.Tensor
            Weighted scalars.
        rate : float
            The learning rate.
        """
        optimiser = self.optimiser
        optimiser.zero_grad()
        torch.autograd.backward(sum(terms.values(), torch.zeros((), device=optimiser.values.device)))
        optimiser.gradient.mul_((self.longest_gradient / (optimiser.gradient.norm() + 1e-6)).clamp(max=1))
        optimiser.learning_rate = rate
        optimiser.step()
        if self.average is not None:
            self.move_average()

    @torch.no_grad()
    def move_average(self) -> None:
        """Move the average towards the network; quickly at first."""
        decay = min(self.decay or 0.0, self.iteration / (self.iteration + FIRST_ITERATIONS))
        torch._foreach_lerp_(list(self.average.parameters()), list(self.network.parameters()), 1 - decay)

    def save(self, path: Path) -> None:
        """Write a checkpoint; it appears whole or not at all.

        Parameters
        ----------
        path : Path
            A safetensors file.

        Raises
        ------
        ModelFileError
            If it cannot be written, such as to a full disk; the one before is kept.
        """
        tensors = {f"network.{name}": value for name, value in self.network.state_dict().items()}
        if self.average is not None:
            tensors |= {f"{AVERAGES[0]}{name}": value for name, value in self.average.state_dict().items()}
        tensors |= {"first": self.optimiser.first, "second": self.optimiser.second}
        header = {**self.header, "iteration": str(self.iteration)}
        try:
            write_tensors(path, {name: value.detach().cpu().contiguous() for name, value in tensors.items()}, header)
        except ModelFileError as error:
            raise ModelFileError(f"{error} The checkpoint before it is kept; make room, and start again.") from None

    def load(self, path: Path) -> None:
        """Go on from a checkpoint.

        Parameters
        ----------
        path : Path
            From `save`, of this version or an older one.

        Raises
        ------
        ModelFileError
            If it is none, belongs to another run, or is damaged.
        """
        tensors, header = read_tensors(path)
        if any(header.get(key) != value for key, value in self.header.items()):
            raise ModelFileError(
                f"{path} belongs to a run with other settings or other images. Remove it to start anew."
            )
        try:
            if "values" in tensors:  # so older versions of `teach` wrote the weights
                self.optimiser.values.copy_(tensors["values"])
            else:
                self.network.load_state_dict(_below("network.", tensors))
            if self.average is not None:
                self.average.load_state_dict(next(filter(None, (_below(name, tensors) for name in AVERAGES)), {}))
            self.optimiser.first.copy_(tensors["first"])
            self.optimiser.second.copy_(tensors["second"])
            self.optimiser.steps = int(header["iteration"])
        except (KeyError, ValueError, RuntimeError) as error:
            raise ModelFileError(f"{path} is damaged ({error!s:.200}). Remove it to start anew.") from None


def check_finite(terms: Mapping[str, Tensor], iteration: int) -> dict[str, float]:
    """Read the terms of a loss from their device.

    Parameters
    ----------
    terms : mapping of str to torch.Tensor
        Scalars.
    iteration : int
        From 1; for the message.

    Returns
    -------
    dict of str to float
        The terms.

    Raises
    ------
    DivergedError
        If one is not finite.
    """
    return read_terms([terms], iteration)[0]


def read_terms(steps: Sequence[Mapping[str, Tensor]], first: int) -> list[dict[str, float]]:
    """Read the terms of several iterations from their device, in one copy that waits for them.

    Parameters
    ----------
    steps : sequence of mapping of str to torch.Tensor
        Scalars; each iteration may have terms of its own.
    first : int
        The first of the iterations, from 1; for the message.

    Returns
    -------
    list of dict of str to float
        The terms of each.

    Raises
    ------
    DivergedError
        If one is not finite.
    """
    values = iter(torch.stack([value.detach() for terms in steps for value in terms.values()]).tolist())
    read = [{name: next(values) for name in terms} for terms in steps]
    for iteration, terms in enumerate(read, start=first):
        if broken := [name for name, value in terms.items() if not math.isfinite(value)]:
            raise DivergedError(
                f"The {broken[0]} loss is not finite at iteration {iteration}; choose a smaller learning rate. The "
                "last checkpoint is kept."
            )
    return read


def cosine_rate(iteration: int, share: float, rise: int) -> float:
    """Compute the share of the highest learning rate: a linear rise, times half a cosine down to a hundredth.

    Parameters
    ----------
    iteration : int
        From 0.
    share : float
        How much of the training is done, from 0 to 1; more counts as 1.
    rise : int
        Iterations in which the rate rises, at least one.

    Returns
    -------
    float
        Above 0, at most 1.
    """
    return min(1.0, (iteration + 1) / rise) * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * min(share, 1.0))))


def _below(prefix: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The tensors whose names begin so, without the prefix."""
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}
