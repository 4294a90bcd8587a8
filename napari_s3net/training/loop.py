"""The one training loop: forward, losses, backward, step; of one image or of many side by side.

What is known of the training stays on its device until it is read back, so that nothing waits for a graphics card in
between. On the CPU, where reading costs nothing, every iteration is read. The result does not depend on when.
"""

from __future__ import annotations

import math
import time
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from napari_s3net.errors import DivergedError
from napari_s3net.runtime.generators import drain
from napari_s3net.runtime.parcel import fetch
from napari_s3net.training.trainer import Trainer

#: On a graphics card somebody who watches is shown something new after so much time.
SHOWN_SECONDS = 0.1


@dataclass(frozen=True)
class Iteration:
    """What one iteration of one image gave.

    Parameters
    ----------
    number : int
        Counts from 1.
    losses : mapping of str to float
        The weighted terms.
    n_clusters : int
        Clusters that at least one pixel is in.
    """

    number: int
    losses: Mapping[str, float]
    n_clusters: int


@dataclass(frozen=True, eq=False)
class Readback:
    """What has happened since the last readback.

    Parameters
    ----------
    iterations : tuple of tuple of Iteration
        Of each image: its new iterations, the oldest first; those after its training had ended are left out, and one
        whose loss was not finite.
    clusters : torch.Tensor
        (N, h, w) int64, the arg-max of the newest iteration, on the device of the training.
    """

    iterations: tuple[tuple[Iteration, ...], ...]
    clusters: Tensor


@dataclass(frozen=True, eq=False)
class TrainedClusters:
    """What training on one image leaves; no part of it holds the network.

    Parameters
    ----------
    clusters : numpy.ndarray
        (h, w), the arg-max of the last iteration.
    probabilities : torch.Tensor
        (1, K, h, w), those of the last iteration, on the CPU.
    losses : tuple of mapping
        The weighted terms of each iteration.
    stopped : bool
        Whether it was asked to stop.
    state : mapping of str to numpy.ndarray
        The weights that made the clusters; empty for the published network, and where they were not asked for.
    logits : tuple of torch.Tensor
        What taught networks say of the image: of each (n, 1, S, S), on the CPU; empty where none was asked.
    """

    clusters: NDArray[np.int64]
    probabilities: torch.Tensor
    losses: tuple[Mapping[str, float], ...]
    stopped: bool
    state: Mapping[str, NDArray[Any]]
    logits: tuple[Tensor, ...] = ()


class _Record:
    """Losses, clusters and stopping rule of N trainings, on their device until they are read."""

    def __init__(self, trainer: Trainer) -> None:
        self._trainer = trainer
        self._rows: list[Tensor] = []  # (N, terms + 4) an iteration: terms, sum, clusters, ran before, goes on after
        self._names: tuple[str, ...] = ()
        self._read = 0
        self.clusters: Tensor | None = None  # (N, h, w), of the newest iteration
        self.running: Tensor | None = None  # (N,) bool
        self.is_over = False
        self.losses: list[list[Mapping[str, float]]] = []
        self.diverged: dict[int, int] = {}  # image: iteration

    def note(self, iteration: int, probabilities: Tensor, terms: Mapping[str, Tensor]) -> Tensor:
        """Write an iteration down; returns the sum of the terms, (N,)."""
        self._names = tuple(terms)
        columns = [term.reshape(-1) for term in terms.values()]
        total = torch.stack(columns).sum(dim=0)
        with torch.no_grad():
            clusters = probabilities.argmax(dim=1)
            n_clusters, changed = (
                count_clusters(clusters, probabilities.shape[1]),
                share_changed(self.clusters, clusters),
            )
            ran = torch.ones_like(total, dtype=torch.bool) if self.running is None else self.running
            ends = self._trainer.is_done(iteration, n_clusters, changed)
            self.running = ran & torch.isfinite(total) & ends.logical_not()
            numbers = [number.to(total.dtype) for number in (n_clusters, ran, self.running)]
            self._rows.append(torch.stack([*columns, total, *numbers], dim=1))
            self.clusters = clusters
        return total

    def read(self, besides: Sequence[Tensor] = ()) -> tuple[Readback, list[Tensor]]:
        """Read what was written down since the last readback, and other tensors, in one copy that waits for all."""
        rows, *others = fetch([torch.stack(self._rows), *besides])
        images: list[list[Iteration]] = [[] for _ in range(rows.shape[1])]
        self.losses = self.losses or [[] for _ in images]
        for number, row in enumerate(rows.tolist(), start=self._read + 1):
            for n, (*terms, total, n_clusters, ran, _) in enumerate(row):
                if ran and not math.isfinite(total):
                    self.diverged[n] = number
                elif ran:
                    losses = dict(zip(self._names, terms, strict=True))
                    self.losses[n].append(losses)
                    images[n].append(Iteration(number, losses, int(n_clusters)))
        self._read += len(rows)
        self._rows.clear()
        self.is_over = not any(goes_on for *_, goes_on in row)
        assert self.clusters is not None  # noqa: S101 - an iteration was written down
        return Readback(tuple(map(tuple, images)), self.clusters), others


def count_clusters(clusters: Tensor, K: int) -> Tensor:
    """Count the clusters that at least one pixel is in.

    Parameters
    ----------
    clusters : torch.Tensor
        (N, h, w) int64, below K.
    K : int
        How many there could be.

    Returns
    -------
    torch.Tensor
        (N,) int64, on the same device.
    """
    used = torch.zeros(len(clusters), K, dtype=torch.int64, device=clusters.device)
    return used.scatter_(1, clusters.flatten(1), 1).sum(dim=1)


def share_changed(before: Tensor | None, clusters: Tensor) -> Tensor:
    """Compute the share of pixels whose cluster changed.

    Parameters
    ----------
    before, clusters : torch.Tensor
        (N, h, w) int64; there may be none before.

    Returns
    -------
    torch.Tensor
        (N,) float32; 1 at first, and where the size has changed.
    """
    if before is None or before.shape != clusters.shape:
        return torch.ones(len(clusters), device=clusters.device)
    return (clusters != before).flatten(1).float().mean(dim=1)


def iterate(
    trainer: Trainer, max_iter: int, *, keep_state: bool = True, show_seconds: float = SHOWN_SECONDS
) -> Generator[Readback, bool | None, list[TrainedClusters | DivergedError]]:
    """Train until `max_iter`, until the trainer is done with every image, or until `send(True)`.

    The last iteration computes clusters and does not learn: the weights that are kept are those that made the clusters.

    Parameters
    ----------
    trainer : Trainer
        Networks, optimiser, loss terms and stopping rule; the networks are trained in place.
    max_iter : int
        The most iterations that are run.
    keep_state : bool
        Whether the weights are wanted.
    show_seconds : float
        On other devices than the CPU: the time after which there is a readback in any case.

    Yields
    ------
    Readback
        After every iteration on the CPU; on other devices now and then, and at the end.

    Returns
    -------
    list of TrainedClusters or DivergedError
        For each image, what came of it; one whose loss was not finite spoils no other.
    """
    record, last_read, shown = _Record(trainer), 0, time.perf_counter()
    kept: list[Tensor] = []
    stopped = False
    for iteration in range(1, max_iter + 1):
        last = iteration == max_iter
        with torch.set_grad_enabled(not last):
            probabilities, terms = trainer.forward(iteration)
        total = record.note(iteration, probabilities, terms)
        if last or iteration - last_read >= trainer.read_every or time.perf_counter() - shown >= show_seconds:
            last_read, shown = iteration, time.perf_counter()
            readback, kept = record.read(
                _to_keep(trainer, record, probabilities, keep_state=keep_state) if last else ()
            )
            stopped = bool((yield readback))
            if last or stopped or record.is_over:
                break
        trainer.optimiser.zero_grad()
        torch.autograd.backward(total.sum())
        if trainer.read_every == 1 and len(total) == 1:
            trainer.optimiser.step()
        else:
            trainer.optimiser.step(record.running)  # type: ignore[call-arg]
    kept = kept or fetch(_to_keep(trainer, record, probabilities, keep_state=keep_state))
    return _results(record, kept, list(trainer.network.state_dict()) if keep_state else [], stopped=stopped)


def train_side_by_side(trainer: Trainer, max_iter: int) -> list[TrainedClusters | DivergedError]:
    """Train many networks to their end, each on its own image, without a readback in between.

    Parameters
    ----------
    trainer : Trainer
        Of N images.
    max_iter : int
        The most iterations that are run.

    Returns
    -------
    list of TrainedClusters or DivergedError
        For each image, what came of it, without weights.
    """
    return drain(iterate(trainer, max_iter, keep_state=False, show_seconds=float("inf")))


def _to_keep(trainer: Trainer, record: _Record, probabilities: Tensor, *, keep_state: bool) -> list[Tensor]:
    """What is kept of a training: probabilities, clusters, weights where they are wanted, what taught networks say."""
    assert record.clusters is not None  # noqa: S101 - after an iteration
    weights = trainer.network.state_dict().values() if keep_state else ()
    return [probabilities, record.clusters, *weights, *trainer.look()]


def _results(
    record: _Record, kept: Sequence[Tensor], names: Sequence[str], *, stopped: bool
) -> list[TrainedClusters | DivergedError]:
    """What came of each image, from what was kept and the names of the weights."""
    p, clusters, *others = kept
    weights, logits = others[: len(names)], [given.chunk(len(p)) for given in others[len(names) :]]
    results: list[TrainedClusters | DivergedError] = []
    for n, losses in enumerate(record.losses):
        if n in record.diverged:
            words = f"The loss is not finite at iteration {record.diverged[n]}. Try a smaller learning rate."
            results.append(DivergedError(words))
            continue
        own = [weight[n] for weight in weights] if len(p) > 1 else weights
        state = {name: weight.numpy().copy() for name, weight in zip(names, own, strict=True)}
        said = tuple(given[n] for given in logits)
        results.append(TrainedClusters(clusters[n].numpy(), p[n : n + 1], tuple(losses), stopped, state, said))
    return results
