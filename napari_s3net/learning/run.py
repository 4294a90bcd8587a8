"""A network under way: its weights, its moving average, its optimiser, how far it has come, and its checkpoint."""

from __future__ import annotations

import copy
import json
import math
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from napari_s3net.errors import DivergedError, ModelFileError
from napari_s3net.learning.settings import LearnSettings
from napari_s3net.training.adam import Adam
from napari_s3net.training.weights import read_tensors, write_tensors

#: What the header of a checkpoint says.
CHECKPOINT_FORMAT = "napari-s3net learning 1"
#: Gradients are shortened to this length.
LONGEST_GRADIENT = 5.0
#: Iterations from one step that is told to the next, from one checkpoint to the next, and from one Dice to the next.
REPORT, CHECKPOINT, VALIDATION = 10, 50, 50
#: Share of the steps in which the learning rate rises.
RISE = 0.05


class LearningRun:
    """What one run of learning changes.

    Parameters
    ----------
    network : torch.nn.Module
        On its device; is trained in place.
    identity : dict
        Settings and data in plain values; a checkpoint belongs to a run of the same.
    follower : float
        Decay of a moving average of the weights; 0 for a run without one.
    """

    def __init__(self, network: Any, identity: dict[str, Any], *, follower: float = 0.0) -> None:
        self.network: Any = network
        self.identity = json.dumps(identity, sort_keys=True)
        self.decay = follower
        self.follower: Any = copy.deepcopy(network).requires_grad_(False) if follower else None
        self.optimiser = Adam(network.parameters(), 1e-3)
        self.iteration = 0

    def update(self, terms: dict[str, Tensor], rate: float) -> dict[str, float]:
        """Take one step down the sum of the terms.

        Parameters
        ----------
        terms : dict of str to torch.Tensor
            Weighted scalars.
        rate : float
            The learning rate.

        Returns
        -------
        dict of str to float
            The terms.

        Raises
        ------
        DivergedError
            If one is not finite; nothing has changed then.
        """
        values = {name: float(value.detach()) for name, value in terms.items()}
        if bad := [name for name, value in values.items() if not math.isfinite(value)]:
            raise DivergedError(
                f"The {bad[0]} loss is not finite at step {self.iteration + 1}; choose a smaller learning rate. The "
                "last checkpoint is kept."
            )
        optimiser = self.optimiser
        optimiser.zero_grad()
        torch.stack(list(terms.values())).sum().backward()  # type: ignore[no-untyped-call]
        optimiser.gradient.mul_((LONGEST_GRADIENT / (optimiser.gradient.norm() + 1e-6)).clamp(max=1))
        optimiser.learning_rate = rate
        optimiser.step()
        self.iteration += 1
        if self.follower is not None:
            self._follow()
        return values

    @torch.no_grad()
    def _follow(self) -> None:
        """Move the average towards the network; quickly at first."""
        share = 1 - min(self.decay, self.iteration / (self.iteration + 10))
        torch._foreach_lerp_(list(self.follower.parameters()), list(self.network.parameters()), share)

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
        if self.follower is not None:
            tensors |= {f"follower.{name}": value for name, value in self.follower.state_dict().items()}
        tensors |= {"first": self.optimiser.first, "second": self.optimiser.second}
        header = {"format": CHECKPOINT_FORMAT, "iteration": str(self.iteration), "identity": self.identity}
        try:
            write_tensors(path, {name: value.detach().cpu().contiguous() for name, value in tensors.items()}, header)
        except ModelFileError as error:
            raise ModelFileError(f"{error} The checkpoint before it is kept; make room, and learn again.") from None

    def load(self, path: Path) -> None:
        """Go on from a checkpoint.

        Parameters
        ----------
        path : Path
            From `save`.

        Raises
        ------
        ModelFileError
            If it is none, or belongs to another run.
        """
        tensors, header = read_tensors(path)
        if header.get("format") != CHECKPOINT_FORMAT or header.get("identity") != self.identity:
            raise ModelFileError(
                f"{path} belongs to a run with other settings or other images. Remove it to start anew."
            )
        self.network.load_state_dict(_below("network.", tensors))
        if self.follower is not None:
            self.follower.load_state_dict(_below("follower.", tensors))
        for name in ("first", "second"):
            getattr(self.optimiser, name).copy_(tensors[name])
        self.iteration = self.optimiser.steps = int(header["iteration"])


@dataclass(frozen=True)
class LearnStep:
    """Where learning has come to.

    Attributes
    ----------
    iteration, total : int
        Updates done and to do.
    losses : dict of str to float
        The weighted terms, means over the iterations since the last step.
    validation : float or None
        Mean Dice of the classes on the images set aside, as it was last measured; None where there are none.
    network : torch.nn.Module
        As it is now; it goes on changing.
    """

    iteration: int
    total: int
    losses: dict[str, float]
    validation: float | None
    network: Any = field(repr=False, compare=False)


def iter_updates(
    run: LearningRun,
    settings: LearnSettings,
    terms: Callable[[torch.Generator], dict[str, Tensor]],
    *,
    checkpoint: Path | None,
    measure: Callable[[], float] | None = None,
) -> Generator[LearnStep, bool | None, float | None]:
    """Update a run until its steps are done.

    Each step draws from a generator of its own, so that a run that was killed and taken up again ends with the same
    weights as one that was not.

    Parameters
    ----------
    run : LearningRun
        Is changed.
    settings : LearnSettings
        Steps, learning rate and seed.
    terms : callable
        Computes the weighted terms of a step, with a generator to draw from.
    checkpoint : Path or None
        Is read first where it exists, written every `CHECKPOINT` iterations and when the run is stopped, and removed
        at the end.
    measure : callable, optional
        Returns the Dice on images that are set aside; called every `VALIDATION` iterations and at the end.

    Yields
    ------
    LearnStep
        Every `REPORT` iterations and at the end. Answer True to stop and keep.

    Returns
    -------
    float or None
        What `measure` returned last.

    Raises
    ------
    DivergedError
        If a loss is not finite.
    ModelFileError
        If the checkpoint belongs to another run, or cannot be written.
    """
    if checkpoint is not None and checkpoint.is_file():
        run.load(checkpoint)
    told: list[dict[str, float]] = []
    measured = measure() if measure and run.iteration else None
    stop: bool | None = False
    while run.iteration < settings.steps and not stop:
        generator = torch.Generator().manual_seed(settings.seed * 1_000_003 + run.iteration)
        told.append(run.update(terms(generator), learning_rate(settings.learning_rate, run.iteration, settings.steps)))
        over = run.iteration == settings.steps
        if measure and (over or run.iteration % VALIDATION == 0):
            measured = measure()
        if over or run.iteration % REPORT == 0:
            stop = yield LearnStep(run.iteration, settings.steps, mean_terms(told), measured, run.network)
            told = []
        if checkpoint is not None and not over and (stop or run.iteration % CHECKPOINT == 0):
            run.save(checkpoint)
    if checkpoint is not None and run.iteration == settings.steps:
        checkpoint.unlink(missing_ok=True)
    return measured


def mean_terms(told: list[dict[str, float]]) -> dict[str, float]:
    """Average each term over the steps in which it was there.

    Returns
    -------
    dict of str to float
        In the order in which the terms came.
    """
    names = dict.fromkeys(name for terms in told for name in terms)
    values = {name: [terms[name] for terms in told if name in terms] for name in names}
    return {name: sum(its) / len(its) for name, its in values.items()}


def learning_rate(highest: float, iteration: int, steps: int) -> float:
    """Compute the learning rate of a step: a linear rise, then half a cosine down to a hundredth.

    Parameters
    ----------
    highest : float
        Where the rise ends.
    iteration : int
        From 0.
    steps : int
        In all.

    Returns
    -------
    float
        Above 0.
    """
    rise = max(1, round(RISE * steps))
    share = min(1.0, iteration / max(1, steps))
    return highest * min(1.0, (iteration + 1) / rise) * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * share)))


def _below(prefix: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}
