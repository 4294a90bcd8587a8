"""Learn a network from labelled planes, and from the others where the method uses them."""

from __future__ import annotations

import copy
from collections.abc import Callable, Generator, Sequence
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
from napari_s3net.learning.agreement import drawn_from, iter_agreed, unlabelled_volumes
from napari_s3net.learning.augment_planes import PlaneBatch
from napari_s3net.learning.closer import find_parts, near_set
from napari_s3net.learning.examples import ExampleSet
from napari_s3net.learning.files import checkpoints_of
from napari_s3net.learning.looks import SECOND_ROUND, Look, plan_looks
from napari_s3net.learning.methods import (
    TERMS,
    draw,
    make_batch,
    new_network,
)
from napari_s3net.learning.model import LearnedCard, LearnedModel
from napari_s3net.learning.pieces import ONE_PIECE, one_piece_channels, one_piece_groups
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
#: What is told when a look begins, by its number.
TOLD = {
    1: "Learning to look closer, where the object is…",
    SECOND_ROUND: "Looking at the volumes without labels, on which of them both looks agree…",
    3: "Learning once more to look closer…",
}


def iter_learn(
    data: ExampleSet,
    settings: LearnSettings,
    device: torch.device,
    *,
    init: Path | None = None,
    checkpoint: Path | None = None,
) -> Learning:
    """Learn from what is labelled; where memory runs out, with smaller batches, then smaller planes, then on the CPU.

    Of volumes whose object takes up little of their planes a second network learns to look closer. Where there are
    others without labels, both learn once more in a second round, and from those on which they agree as well.

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
        Is written now and then and when learning is stopped, and read first where it exists; those of
        further looks lie beside it.

    Yields
    ------
    LearnStep or Notice
        Every ten iterations; a notice where something has to be told. Answer True to stop and keep.

    Returns
    -------
    LearnedModel
        As it was after the last update; where a further look was stopped or failed, as it was after the first look, or
        after the first round.

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

    looks = plan_looks(data, settings)
    checkpoints = (None,) * len(looks) if checkpoint is None else checkpoints_of(checkpoint)

    def attempt(data: ExampleSet, settings: LearnSettings, device: torch.device) -> Learning:
        return _learn(data, config, settings, device, identity, looks[0], start=start, checkpoint=checkpoint)

    model = yield from relay(iter_with_less(attempt, data, settings, device), partial(_counted, look=looks[0]))
    if model.card.record[STOPPED]:
        return model
    own, aside = np.unique(data.files[data.labelled]), set_aside(data, settings, start)
    further = partial(_learn_further, own, aside, identity)
    return (yield from _iter_further(further, model, looks[1:], checkpoints[1:], data, settings, device))


def _iter_further(
    attempt: Callable[..., Learning],
    model: LearnedModel,
    looks: Sequence[Look],
    checkpoints: Sequence[Path | None],
    data: ExampleSet,
    settings: LearnSettings,
    device: torch.device,
) -> Learning:
    """The looks after the first; where one is stopped or fails, what was whole before is kept."""
    kept = model
    for look, checkpoint in zip(looks, checkpoints, strict=False):
        counted = partial(_counted, look=look, model=model)
        yield Notice(TOLD[look.number])
        try:
            if look.number == SECOND_ROUND:
                agree = partial(_agree, model)
                agreed = yield from relay(iter_with_less(agree, data, settings, device), counted)
                if agreed is None:
                    return _noted(kept, {STOPPED: True})
                yield Notice(f"Learning once more, also from volumes without labels: {_more(agreed, data)}…")
                data = agreed
            learn = partial(attempt, model, look, checkpoint)
            model = yield from relay(iter_with_less(learn, data, settings, device), counted)
        except (DivergedError, OutOfMemoryError) as error:
            yield Notice(f"{error} What was learned before is kept, without {look.name}.")
            return kept
        ended = {name: model.card.record[name] for name in ("steps", STOPPED)}
        is_whole = ended["steps"] == look.before + look.steps
        if is_whole and look.is_closer:
            kept = model
        if ended[STOPPED] or not is_whole:
            return _noted(kept, ended)
    return kept


def _counted(step: LearnStep | Notice, *, look: Look, model: LearnedModel | None = None) -> LearnStep | Notice:
    """A step of one look among those of all; the other network is known where there are two."""
    if isinstance(step, Notice):
        return step
    networks: dict[str, Any] = {}
    if model is not None:
        networks = {"network": model.network, "closer": step.network} if look.is_closer else {"closer": model.closer}
    return replace(step, iteration=look.before + step.iteration, total=look.total, **networks)


def _noted(model: LearnedModel, changed: dict[str, Any]) -> LearnedModel:
    """A model whose record tells how learning ended."""
    return replace(model, card=replace(model.card, record={**model.card.record, **changed}))


def _more(agreed: ExampleSet, data: ExampleSet) -> str:
    """How many volumes are learned from besides."""
    n, all_of_them = len(unlabelled_volumes(agreed)), len(unlabelled_volumes(data))
    return f"{all_of_them - n} of {all_of_them}"


def _agree(
    model: LearnedModel,
    data: ExampleSet,
    settings: LearnSettings,
    device: torch.device,  # noqa: ARG001 - all that memory may run out in are called alike
) -> Generator[LearnStep, bool | None, ExampleSet | None]:
    """The set with labels on which both looks agree."""
    return iter_agreed(model, data, one_piece_channels(data) if settings.one_piece else [])


def _learn(
    data: ExampleSet,
    config: ClassNetworkConfig,
    settings: LearnSettings,
    device: torch.device,
    identity: dict[str, Any],
    look: Look,
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
    done = yield from iter_updates(
        state, settings, terms, checkpoint=checkpoint, measure=measure, more=not look.is_last
    )
    card = _card(data, config, settings, state.iteration, done.validation, start)
    seen = start.seen | {data.digest(file) for file in np.unique(data.files[labelled])}
    further = {
        LESIONS: lesions,
        ONE_PIECE: one_piece_groups(data) if settings.one_piece else [],
        SEEN: sorted(seen),
        ASIDE: [data.digest(file) for file in aside],
        "steps asked": look.total,
        STOPPED: done.stopped,
    }
    return LearnedModel(network.eval(), replace(card, record={**card.record, **further}))


def _learn_further(
    own: NDArray[np.int64],
    aside: NDArray[np.int64],
    identity: dict[str, Any],
    model: LearnedModel,
    look: Look,
    checkpoint: Path | None,
    data: ExampleSet,
    settings: LearnSettings,
    device: torch.device,
) -> Learning:
    """One attempt at a further look, which begins with the weights of the one before; stopped, it is not kept."""
    settings = settings.replace(learning_rate=model.card.settings.learning_rate, steps=look.steps)
    if look.is_second_round:
        settings = settings.replace(method="plain")
    shown = _near(model, data, settings, aside) if look.is_closer else data
    drawn = drawn_from(shown, own, aside)
    if not len(drawn):
        return model
    before = (look.is_closer and model.closer) or model.network
    network = copy.deepcopy(before).to(device).train()
    both = (model.network, network) if look.is_closer else (network, model.closer)
    state = _new_state(network, settings, identity)
    measure = partial(validate, both[0], data, aside, settings, both[1]) if len(aside) else None
    terms = partial(_terms, state, shown, drawn, settings)
    done = yield from iter_updates(
        state, settings, terms, checkpoint=checkpoint, measure=measure, more=not look.is_last
    )
    network.eval()
    steps = {"steps": look.before + state.iteration, STOPPED: done.stopped}
    if state.iteration < look.steps:
        return _noted(model, steps)
    return replace(_noted(model, {**steps, DICE_ASIDE: _rounded(done.validation)}), network=both[0], closer=both[1])


def _near(model: LearnedModel, data: ExampleSet, settings: LearnSettings, aside: NDArray[np.int64]) -> ExampleSet:
    """The parts of volumes that are looked at closer."""
    wanted = data.labelled | settings.needs_unlabelled
    near = near_set(data, find_parts(model.network, data, np.unique(data.files[wanted]), aside))
    return near.with_keypoints(settings.most_keypoints) if model.network.config.keypoints else near


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
