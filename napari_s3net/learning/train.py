"""Learn a network from labelled planes, and from the others where the method uses them."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from napari_s3net import __version__
from napari_s3net.errors import InvalidImageError, OutOfMemoryError
from napari_s3net.labels.metrics import dice
from napari_s3net.learning.augment_planes import PlaneBatch
from napari_s3net.learning.examples import ExampleSet
from napari_s3net.learning.keypoints import pad_points
from napari_s3net.learning.methods import (
    TERMS,
    draw,
    make_batch,
    new_network,
    predict_squares,
)
from napari_s3net.learning.model import LearnedCard, LearnedModel
from napari_s3net.learning.pieces import ONE_PIECE, one_piece_groups
from napari_s3net.learning.run import identity_of, iter_updates, new_run
from napari_s3net.learning.settings import LEARNING, LearnSettings
from napari_s3net.learning.start import ASIDE, LESIONS, SEEN, TAUGHT, Start, choose_start
from napari_s3net.learning.steps import LearnStep
from napari_s3net.network.class_losses import IGNORED
from napari_s3net.network.unet import ClassNetwork, ClassNetworkConfig
from napari_s3net.progress import Notice

#: Long work that ends with a model.
Learning = Generator[LearnStep | Notice, bool | None, LearnedModel]


def iter_learn(
    data: ExampleSet,
    settings: LearnSettings,
    device: torch.device,
    *,
    init: Path | None = None,
    checkpoint: Path | None = None,
) -> Learning:
    """Learn from what is labelled; where memory runs out, with smaller batches, then smaller planes, then on the CPU.

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
        Is written now and then and when learning is stopped, read first where it exists, and removed at the end.

    Yields
    ------
    LearnStep or Notice
        Every ten iterations; a notice where something has to be told. Answer True to stop and keep.

    Returns
    -------
    LearnedModel
        As it was after the last update.

    Raises
    ------
    InvalidImageError
        If nothing is labelled, or there is background only.
    DivergedError
        If a loss is not finite.
    ModelFileError
        If init or checkpoint do not fit, or the checkpoint cannot be written.
    OutOfMemoryError
        If memory runs out every time.
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

    def attempt(data: ExampleSet, settings: LearnSettings, device: torch.device) -> Learning:
        return _learn(data, config, settings, device, identity, start=start, checkpoint=checkpoint)

    return (yield from iter_with_less(attempt, data, settings, device))


def iter_with_less(
    attempt: Callable[[ExampleSet, LearnSettings, torch.device], Learning],
    data: ExampleSet,
    settings: LearnSettings,
    device: torch.device,
) -> Learning:
    """Learn; where memory runs out again with smaller batches, then smaller planes, then on the CPU.

    Parameters
    ----------
    attempt : callable
        Begins learning with what it is given.
    data, settings, device
        Of the first attempt.

    Yields
    ------
    LearnStep or Notice
        The steps of the attempts; before each new one a notice.

    Returns
    -------
    LearnedModel
        Of the attempt that fitted.

    Raises
    ------
    OutOfMemoryError
        If none did.
    """
    from napari_s3net.runtime.device import empty_caches, is_out_of_memory

    while True:
        try:
            return (yield from attempt(data, settings, device))
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
        empty_caches()
        smaller = _smaller(data, settings, device)
        if smaller is None:
            raise OutOfMemoryError(
                f"Out of memory: learning at {data.size} pixels with {settings.batch} images an update does not fit, "
                "nor does less. Close other programs, or choose a smaller width."
            )
        data, settings, device, words = smaller
        yield Notice(f"Out of memory. Starting again {words}.")


def _smaller(
    data: ExampleSet, settings: LearnSettings, device: torch.device
) -> tuple[ExampleSet, LearnSettings, torch.device, str] | None:
    """What to try where memory ran out: smaller batches, then smaller planes, then the CPU."""
    if settings.batch > LEARNING.fewest_batch:
        changed = settings.replace(batch=settings.batch // 2)
        return data, changed, device, f"with {changed.batch} images an update"
    if data.size >= LEARNING.smallest_halved:
        return data.shrunk(), settings, device, f"at {data.size // 2} pixels"
    if device.type != "cpu":
        return data, settings, torch.device("cpu"), "on the CPU"
    return None


def _learn(
    data: ExampleSet,
    config: ClassNetworkConfig,
    settings: LearnSettings,
    device: torch.device,
    identity: dict[str, Any],
    *,
    start: Start,
    checkpoint: Path | None,
) -> Learning:
    """One attempt."""
    network = new_network(config, settings.seed)
    start.give_weights(network)
    network = network.to(device)
    state = new_run(network, identity, decay=LEARNING.average_decay if settings.method == "self-training" else None)
    aside = set_aside(data, settings, start)
    labelled = np.flatnonzero(data.labelled & ~np.isin(data.files, aside))
    lesions = start.finds(network, data, labelled)
    settings = start.slow(settings, data, finds=lesions)
    everything = np.arange(len(data))

    def batch(pool: NDArray[np.int64], n: int, generator: torch.Generator) -> PlaneBatch:
        return make_batch(data, draw(pool, n, generator), device, keypoints=config.keypoints)

    def terms(generator: torch.Generator) -> dict[str, Tensor]:
        drawn = batch(labelled, settings.batch, generator)
        others = batch(everything, max(1, settings.batch // 2), generator) if settings.needs_unlabelled else None
        return TERMS[settings.method](state, drawn, others, settings, generator)

    measure = partial(_validate, network, data, aside) if len(aside) else None
    validation = yield from iter_updates(state, settings, terms, checkpoint=checkpoint, measure=measure)
    card = _card(data, config, settings, state.iteration, validation, start)
    seen = start.seen | {data.digest(file) for file in np.unique(data.files[labelled])}
    more = {
        LESIONS: lesions,
        ONE_PIECE: one_piece_groups(data) if settings.one_piece else [],
        SEEN: sorted(seen),
        ASIDE: [data.digest(file) for file in aside],
    }
    return LearnedModel(network.eval(), replace(card, record={**card.record, **more}))


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
        "dice on images set aside": None if validation is None else round(validation, 4),
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


def set_aside(data: ExampleSet, settings: LearnSettings, start: Start | None = None) -> NDArray[np.int64]:
    """Choose the images that learning does not see, so that they can tell how good it is.

    Where a model is learned again, it has seen none of them before: those that were set aside then come first.

    Parameters
    ----------
    data : ExampleSet
        Labelled and other planes.
    settings : LearnSettings
        Whether it is wanted, and the seed.
    start : Start, optional
        Knows what the initial weights were learned from.

    Returns
    -------
    numpy.ndarray
        Numbers of files; empty below five labelled ones, and where all were learned from.
    """
    files = np.unique(data.files[data.labelled])
    if not settings.validate or len(files) < LEARNING.validate_from:
        return files[:0]
    shuffled = np.random.default_rng(settings.seed).permutation(files)
    if start is not None and start.seen:
        digests = {file: data.digest(file) for file in shuffled}
        unseen = [file for file in shuffled if digests[file] not in start.seen]
        shuffled = np.array(sorted(unseen, key=lambda file: digests[file] not in start.aside), np.int64)
    return np.sort(shuffled[: max(1, len(files) // LEARNING.set_aside)])


def _validate(network: ClassNetwork, data: ExampleSet, aside: NDArray[np.int64]) -> float:
    """Mean Dice of the classes on files set aside, each class pooled over a file, at the working size."""
    chosen = np.flatnonzero(np.isin(data.files, aside) & data.labelled)
    points = pad_points([data.keypoints[i] for i in chosen]) if network.config.keypoints else None
    predicted = predict_squares(network, data.images[chosen], points).argmax(dim=1).numpy()
    scores = []
    for file in aside:
        here = data.files[chosen] == file
        truth = data.labels[chosen][here]
        for label in range(1, network.config.classes):
            proposed, mask = (predicted[here] == label) & (truth != IGNORED), truth == label
            if proposed.any() or mask.any():
                scores.append(dice(proposed, mask))
    return float(np.mean(scores)) if scores else float("nan")
