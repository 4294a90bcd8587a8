"""The loop of learning: one update after the other, with a checkpoint and the Dice on images set aside now and then."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor

from napari_s3net.learning.examples import ExampleSet
from napari_s3net.learning.settings import LEARNING, LearnSettings
from napari_s3net.learning.steps import LearnStep
from napari_s3net.training.state import TrainingState, check_finite, cosine_rate, read_terms
from napari_s3net.training.weights import read_tensors

#: What the header of a checkpoint says.
CHECKPOINT_FORMAT = "napari-s3net learning 1"


class Updates(NamedTuple):
    """How a run of updates ended.

    Attributes
    ----------
    validation : float or None
        The Dice on images that are set aside, as it was last measured.
    stopped : bool
        Whether it was asked to stop.
    """

    validation: float | None
    stopped: bool


def new_run(network: Any, identity: dict[str, Any], *, decay: float | None = None) -> TrainingState:
    """Begin to learn.

    Parameters
    ----------
    network : torch.nn.Module
        On its device; is trained in place.
    identity : dict
        Settings and data in plain values; a checkpoint belongs to a run of the same.
    decay : float, optional
        Of a moving average of the weights; None for a run without one.

    Returns
    -------
    TrainingState
        At its first iteration.
    """
    header = {"format": CHECKPOINT_FORMAT, "identity": json.dumps(identity, sort_keys=True)}
    return TrainingState(network, header, decay=decay, longest_gradient=LEARNING.longest_gradient)


def identity_of(data: ExampleSet, settings: LearnSettings, init: Path | None) -> dict[str, Any]:
    """Describe a run, so that a checkpoint is taken up by the same run only.

    Parameters
    ----------
    data : ExampleSet
        Its images and labels.
    settings : LearnSettings
        All of them.
    init : Path or None
        Its content counts.

    Returns
    -------
    dict
        Plain values.
    """
    digest = hashlib.sha256(data.images.tobytes())
    digest.update(data.labels.tobytes())
    if init is not None:
        digest.update(init.read_bytes())
    return {"settings": settings.to_dict(), "data": digest.hexdigest()[:16]}


def belongs_to_run(checkpoint: Path, data: ExampleSet, settings: LearnSettings, init: Path | None) -> bool:
    """Say whether a checkpoint is one that a run would go on from.

    Parameters
    ----------
    checkpoint : Path
        May be missing.
    data, settings, init
        Of the run.

    Returns
    -------
    bool
        False where there is no checkpoint, or it is of other labels, settings or initial weights.
    """
    if not checkpoint.is_file():
        return False
    written = read_tensors(checkpoint)[1].get("identity")
    return written == json.dumps(identity_of(data, settings, init), sort_keys=True)


def iter_updates(
    state: TrainingState,
    settings: LearnSettings,
    terms: Callable[[torch.Generator], dict[str, Tensor]],
    *,
    checkpoint: Path | None,
    measure: Callable[[], float] | None = None,
    more: bool = False,
) -> Generator[LearnStep, bool | None, Updates]:
    """Update a run until its steps are done.

    Each step draws from a generator of its own, so that a run that was killed and taken up again ends with the same
    weights as one that was not.

    Parameters
    ----------
    state : TrainingState
        Is changed.
    settings : LearnSettings
        Steps, learning rate and seed.
    terms : callable
        Computes the weighted terms of a step, with a generator to draw from.
    checkpoint : Path or None
        Is read first where it exists, and written every 50 iterations and when the run is stopped. It stays at the
        end, until what was learned is written: see `stopped.keep_model`.
    measure : callable, optional
        Returns the Dice on images that are set aside; called every 50 iterations and at the end.
    more : bool
        Another run begins with what this one ends with: its checkpoint is written at the end as well.

    Yields
    ------
    LearnStep
        On the CPU after every iteration, so that a stop or a pause is not waited for; on a card every ten and at the
        end. Answer True to stop and keep.

    Returns
    -------
    Updates
        How it ended.

    Raises
    ------
    DivergedError
        If a loss is not finite.
    ModelFileError
        If the checkpoint belongs to another run, or cannot be written.
    """
    if checkpoint is not None and checkpoint.is_file():
        state.load(checkpoint)
    losses_since: list[dict[str, Tensor]] = []
    measured = measure() if measure and state.iteration else None
    stop: bool | None = False
    rise = max(1, round(LEARNING.rise * settings.steps))
    while state.iteration < settings.steps and not stop:
        generator = torch.Generator().manual_seed(settings.seed * 1_000_003 + state.iteration)
        losses = terms(generator)
        on_cpu = next(iter(losses.values())).device.type == "cpu"  # a card would have to be waited for
        if on_cpu:
            check_finite(losses, state.iteration + 1)
        losses_since.append({name: value.detach() for name, value in losses.items()})
        rate = cosine_rate(state.iteration, state.iteration / settings.steps, rise)
        state.update(losses, settings.learning_rate * rate)
        over = state.iteration == settings.steps
        if measure and (over or state.iteration % LEARNING.validate_every == 0):
            measured = measure()
        if over or on_cpu or state.iteration % LEARNING.report_every == 0:
            means = mean_terms(read_terms(losses_since, state.iteration - len(losses_since) + 1))
            stop = yield LearnStep(state.iteration, settings.steps, means, measured, state.network)
            losses_since = []
        if checkpoint is not None and (more if over else stop or state.iteration % LEARNING.checkpoint_every == 0):
            state.save(checkpoint)
    return Updates(measured, bool(stop))


def mean_terms(steps: list[dict[str, float]]) -> dict[str, float]:
    """Average each term over the steps in which it was there.

    Parameters
    ----------
    steps : list of dict
        The terms of each step's loss by their names.

    Returns
    -------
    dict of str to float
        In the order in which the terms came.
    """
    names = dict.fromkeys(name for terms in steps for name in terms)
    values = {name: [terms[name] for terms in steps if name in terms] for name in names}
    return {name: sum(its) / len(its) for name, its in values.items()}
