"""Learn a network from labelled planes, and from the others where the method uses them."""

from __future__ import annotations

import copy
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from napari_s3net import __version__
from napari_s3net.errors import DivergedError, InvalidImageError, OutOfMemoryError
from napari_s3net.learning.augment_planes import PlaneBatch
from napari_s3net.learning.closer import find_parts, near_set, total_steps
from napari_s3net.learning.examples import ExampleSet
from napari_s3net.learning.files import second_checkpoint_of
from napari_s3net.learning.methods import (
    TERMS,
    draw,
    make_batch,
    new_network,
)
from napari_s3net.learning.model import LearnedCard, LearnedModel
from napari_s3net.learning.pieces import ONE_PIECE, one_piece_groups
from napari_s3net.learning.run import identity_of, iter_updates, new_run
from napari_s3net.learning.settings import LEARNING, LearnSettings
from napari_s3net.learning.start import ASIDE, LESIONS, SEEN, TAUGHT, Start, choose_start
from napari_s3net.learning.steps import LearnStep
from napari_s3net.learning.validation import set_aside, validate
from napari_s3net.learning.with_less import Learning, iter_with_less
from napari_s3net.network.unet import ClassNetwork, ClassNetworkConfig
from napari_s3net.progress import Notice
from napari_s3net.runtime.generators import relay
from napari_s3net.training.state import TrainingState

#: In the record of a model: the Dice on images set aside, and whether learning was stopped.
DICE_ASIDE, STOPPED = "dice on images set aside", "stopped"


def iter_learn(
    data: ExampleSet,
    settings: LearnSettings,
    device: torch.device,
    *,
    init: Path | None = None,
    checkpoint: Path | None = None,
) -> Learning:
    """Learn from what is labelled; where memory runs out, with smaller batches, then smaller planes, then on the CPU.

    Of volumes whose object takes up little of their planes a second network learns to look closer, in as many steps.

    Parameters
    ----------
    data : ExampleSet
        Labelled and other planes.
    settings : LearnSettings
        How. With `init`, backbone, widths and keypoint layers are those of the file.
    device : torch.device
        Where.
    init : Path, optional
        A model to start from: one learned or pre-trained before, or weights that `teach` wrote. Without it, what
        `settings.start` says.
    checkpoint : Path, optional
        Is written now and then and when learning is stopped, read first where it exists, and removed at the end; that
        of a closer look lies beside it.

    Yields
    ------
    LearnStep or Notice
        Every ten iterations; a notice where something has to be told. Answer True to stop and keep.

    Returns
    -------
    LearnedModel
        As it was after the last update; without the closer look where that was stopped or failed.

    Raises
    ------
    InvalidImageError
        If nothing is labelled, or there is background only.
    DivergedError
        If a loss of the first look is not finite.
    ModelFileError
        If init or checkpoint do not fit, or the checkpoint cannot be written.
    OutOfMemoryError
        If memory runs out every time in the first look.
    """
    if not data.labelled.any():
        raise InvalidImageError("No image has labels. Correct one, and learn again.")
    if not (data.labels > 0).any():
        raise InvalidImageError("All labels are background: there is nothing to learn.")
    identity = identity_of(data, settings, init)  # as asked for, so that smaller attempts share the checkpoint
    start = choose_start(data, settings, init)
    config = start.shape(data, settings)
    if config.keypoints and not data.keypoints:
        yield Notice(f"Looking for keypoints in {len(data)} planes…")
        data = data.with_keypoints(settings.most_keypoints)

    total = total_steps(data, settings)

    def first_look(data: ExampleSet, settings: LearnSettings, device: torch.device) -> Learning:
        return _learn(data, config, settings, device, identity, total, start=start, checkpoint=checkpoint)

    model = yield from relay(iter_with_less(first_look, data, settings, device), partial(_counted, total=total))
    if total == settings.steps or model.card.record[STOPPED]:
        return model
    near = None if checkpoint is None else second_checkpoint_of(checkpoint)

    def second_look(data: ExampleSet, settings: LearnSettings, device: torch.device) -> Learning:
        return _learn_closer(model, data, settings, device, identity, set_aside(data, settings, start), near)

    yield Notice("Learning to look closer, where the object is…")
    counted = partial(_counted, total=total, before=settings.steps, first=model.network)
    try:
        model = yield from relay(iter_with_less(second_look, data, settings, device), counted)
    except (DivergedError, OutOfMemoryError) as error:
        yield Notice(f"{error} What was learned before is kept, without the closer look.")
    return model


def _counted(
    step: LearnStep | Notice, *, total: int, before: int = 0, first: ClassNetwork | None = None
) -> LearnStep | Notice:
    """A step of one look among those of both; the first network is known where the second one learns."""
    if isinstance(step, Notice):
        return step
    networks = {} if first is None else {"network": first, "closer": step.network}
    return replace(step, iteration=before + step.iteration, total=total, **networks)


def _learn(
    data: ExampleSet,
    config: ClassNetworkConfig,
    settings: LearnSettings,
    device: torch.device,
    identity: dict[str, Any],
    total: int,
    *,
    start: Start,
    checkpoint: Path | None,
) -> Learning:
    """One attempt at the first look; its checkpoint stays where there are more steps to come, in a second one."""
    network = new_network(config, settings.seed)
    start.give_weights(network)
    network = network.to(device)
    aside = set_aside(data, settings, start)
    labelled = np.flatnonzero(data.labelled & ~np.isin(data.files, aside))
    lesions = start.finds(network, data, labelled)
    settings = start.slow(settings, data, finds=lesions)
    state = _new_state(network, settings, identity)
    measure = partial(validate, network, data, aside, settings) if len(aside) else None
    terms = partial(_terms, state, data, labelled, settings)
    more = total > settings.steps
    done = yield from iter_updates(state, settings, terms, checkpoint=checkpoint, measure=measure, more=more)
    card = _card(data, config, settings, state.iteration, done.validation, start)
    seen = start.seen | {data.digest(file) for file in np.unique(data.files[labelled])}
    further = {
        LESIONS: lesions,
        ONE_PIECE: one_piece_groups(data) if settings.one_piece else [],
        SEEN: sorted(seen),
        ASIDE: [data.digest(file) for file in aside],
        "steps asked": total,
        STOPPED: done.stopped,
    }
    return LearnedModel(network.eval(), replace(card, record={**card.record, **further}))


def _learn_closer(
    first: LearnedModel,
    data: ExampleSet,
    settings: LearnSettings,
    device: torch.device,
    identity: dict[str, Any],
    aside: NDArray[np.int64],
    checkpoint: Path | None,
) -> Learning:
    """One attempt at the second look, which begins with the weights of the first; stopped, it is not kept."""
    wanted = data.labelled | settings.needs_unlabelled
    parts = find_parts(first.network, data, np.unique(data.files[wanted]), aside)
    near = near_set(data, parts)
    if first.network.config.keypoints:
        near = near.with_keypoints(settings.most_keypoints)
    labelled = np.flatnonzero(near.labelled & ~np.isin(near.files, aside))
    if not len(labelled):
        return first
    network = copy.deepcopy(first.network).to(device).train()
    settings = settings.replace(learning_rate=first.card.settings.learning_rate)
    state = _new_state(network, settings, identity)
    measure = partial(validate, first.network, data, aside, settings, network) if len(aside) else None
    terms = partial(_terms, state, near, labelled, settings)
    done = yield from iter_updates(state, settings, terms, checkpoint=checkpoint, measure=measure)
    whole = state.iteration == settings.steps
    record = {**first.card.record, "steps": settings.steps + state.iteration, STOPPED: done.stopped}
    if whole:
        record[DICE_ASIDE] = _rounded(done.validation)
    return LearnedModel(first.network, replace(first.card, record=record), network.eval() if whole else None)


def _new_state(network: ClassNetwork, settings: LearnSettings, identity: dict[str, Any]) -> TrainingState:
    return new_run(network, identity, decay=LEARNING.average_decay if settings.method == "self-training" else None)


def _terms(
    state: TrainingState,
    data: ExampleSet,
    labelled: NDArray[np.int64],
    settings: LearnSettings,
    generator: torch.Generator,
) -> dict[str, Tensor]:
    """What is minimised in a step, with planes drawn anew."""
    device, keypoints = next(state.network.parameters()).device, state.network.config.keypoints

    def batch(pool: NDArray[np.int64], n: int) -> PlaneBatch:
        return make_batch(data, draw(pool, n, generator), device, keypoints=keypoints)

    drawn = batch(labelled, settings.batch)
    others = batch(np.arange(len(data)), max(1, settings.batch // 2)) if settings.needs_unlabelled else None
    return TERMS[settings.method](state, drawn, others, settings, generator)


def _card(
    data: ExampleSet,
    config: ClassNetworkConfig,
    settings: LearnSettings,
    iterations: int,
    validation: float | None,
    start: Start,
) -> LearnedCard:
    """What is known of what was learned."""
    record = {
        "version": __version__,
        "images": len(data.names),
        "labelled images": len(np.unique(data.files[data.labelled])),
        "planes": len(data),
        "labelled planes": int(data.labelled.sum()),
        "steps": iterations,
        DICE_ASIDE: _rounded(validation),
        "started from": start.name,
        TAUGHT: start.was_taught,
    }
    return LearnedCard(
        config=config,
        settings=settings,
        classes=data.classes,
        normalisation=data.normalisation,
        record=record,
        colours=data.colours,
    )


def _rounded(validation: float | None) -> float | None:
    return None if validation is None else round(validation, 4)
