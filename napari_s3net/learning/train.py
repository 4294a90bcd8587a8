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
from napari_s3net.image import Notice
from napari_s3net.labels.metrics import dice
from napari_s3net.learning.augment_planes import PlaneBatch
from napari_s3net.learning.examples import ExampleSet
from napari_s3net.learning.keypoints import pad_points
from napari_s3net.learning.methods import (
    TERMS,
    draw,
    make_batch,
    network_config,
    new_network,
    predict_squares,
)
from napari_s3net.learning.model import LearnedCard, LearnedModel, load_model, start_from
from napari_s3net.learning.run import LearnStep, identity_of, iter_updates, new_run
from napari_s3net.learning.settings import LEARNING, LearnSettings
from napari_s3net.network.class_losses import IGNORED
from napari_s3net.network.unet import ClassNetwork, ClassNetworkConfig
from napari_s3net.training.taught import shipped_path
from napari_s3net.training.weights import FORMAT as TAUGHT_FORMAT
from napari_s3net.training.weights import load_weights, read_tensors

#: In the record of a model: whether its one class is what the program proposes in photographs.
LESIONS = "class is the lesion"
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
    init = init or taught_start(data, settings)
    config = config_for(data, settings, init)
    if config.keypoints and not data.keypoints:
        yield Notice(f"Looking for keypoints in {len(data)} planes…")
        data = data.with_keypoints(settings.most_keypoints)

    def attempt(data: ExampleSet, settings: LearnSettings, device: torch.device) -> Learning:
        return _learn(data, config, settings, device, identity, init=init, checkpoint=checkpoint)

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


def taught_start(data: ExampleSet, settings: LearnSettings) -> Path | None:
    """Choose the weights that come with the program and know such images already.

    Parameters
    ----------
    data : ExampleSet
        Their normalisation tells photographs in colour.
    settings : LearnSettings
        `start`; KAF's keypoint layers have no place in those weights.

    Returns
    -------
    Path or None
        None where learning starts from random weights.
    """
    photographs = (data.normalisation.channels, data.normalisation.low, data.normalisation.high) == (3, 0, 255)
    asked = settings.start == "taught" and not settings.uses_keypoints
    return shipped_path("skin") if asked and photographs else None


def config_for(data: ExampleSet, settings: LearnSettings, init: Path | None) -> ClassNetworkConfig:
    """Choose the network's shape for data: that of the file it starts from, where there is one.

    Parameters
    ----------
    data : ExampleSet
        Channels and classes.
    settings : LearnSettings
        Method, backbone and widths.
    init : Path or None
        A model's file, or weights that `teach` wrote.

    Returns
    -------
    ClassNetworkConfig
        Decoders follow the method.

    Raises
    ------
    ModelFileError
        If the file is no model.
    """
    asked = network_config(settings, data.normalisation.channels, len(data.classes))
    if init is not None and is_taught(init):
        return replace(asked, backbone="ilka", widths=load_weights(init)[1].config.widths)
    card = card_to_start_from(init)
    return asked if card is None else replace(card.config, classes=asked.classes, decoders=asked.decoders)


def card_to_start_from(init: Path | None) -> LearnedCard | None:
    """Read what is known of the model to start from.

    Parameters
    ----------
    init : Path or None
        A model's file, or weights that `teach` wrote.

    Returns
    -------
    LearnedCard or None
        None where there is no file, or it holds weights that `teach` wrote.

    Raises
    ------
    ModelFileError
        If it is neither.
    """
    return None if init is None or is_taught(init) else load_model(init).card


def comes_from_taught(init: Path | None) -> bool:
    """Say whether weights are those that `teach` wrote, or were learned from such.

    Parameters
    ----------
    init : Path or None
        A model's file, or weights that `teach` wrote.

    Returns
    -------
    bool
        False where there is no file.
    """
    card = card_to_start_from(init)
    return init is not None and (card is None or bool(card.record.get("taught on synthetic images")))


def is_taught(path: Path) -> bool:
    """Say whether a file holds weights that `teach` wrote.

    Parameters
    ----------
    path : Path
        A weight file of any kind.

    Returns
    -------
    bool
        False for a learned or pre-trained model.

    Raises
    ------
    ModelFileError
        If it is no weight file.
    """
    return read_tensors(path)[1].get("format") == TAUGHT_FORMAT


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
    init: Path | None,
    checkpoint: Path | None,
) -> Learning:
    """One attempt."""
    network = new_network(config, settings.seed)
    if init is not None:
        start_from(network, init)
        if comes_from_taught(init):
            settings = settings.replace(learning_rate=max(1e-6, LEARNING.tune_rate * settings.learning_rate))
    network = network.to(device)
    state = new_run(network, identity, decay=LEARNING.average_decay if settings.method == "self-training" else None)
    aside = set_aside(data, settings)
    labelled = np.flatnonzero(data.labelled & ~np.isin(data.files, aside))
    everything = np.arange(len(data))

    def batch(pool: NDArray[np.int64], n: int, generator: torch.Generator) -> PlaneBatch:
        return make_batch(data, draw(pool, n, generator), device, keypoints=config.keypoints)

    def terms(generator: torch.Generator) -> dict[str, Tensor]:
        drawn = batch(labelled, settings.batch, generator)
        others = batch(everything, max(1, settings.batch // 2), generator) if settings.needs_unlabelled else None
        return TERMS[settings.method](state, drawn, others, settings, generator)

    lesions = knows_lesions(network, data, labelled, init)
    measure = partial(_validate, network, data, aside) if len(aside) else None
    validation = yield from iter_updates(state, settings, terms, checkpoint=checkpoint, measure=measure)
    card = _card(data, config, settings, state.iteration, validation, init)
    return LearnedModel(network.eval(), replace(card, record={**card.record, LESIONS: lesions}))


def knows_lesions(network: ClassNetwork, data: ExampleSet, labelled: NDArray[np.int64], init: Path | None) -> bool:
    """Say whether what is to be learned is what the taught network finds already, before it has learned anything.

    Parameters
    ----------
    network : ClassNetwork
        With its initial weights.
    data : ExampleSet
        Planes.
    labelled : numpy.ndarray
        Numbers of the planes with labels; at most `LEARNING.most_compared` are looked at.
    init : Path or None
        What the weights came of; a model that was learned has found it out before.

    Returns
    -------
    bool
        True for one class whose mean Dice with the network's answer is at least `LEARNING.same_object`.
    """
    card = card_to_start_from(init)
    if card is not None or not comes_from_taught(init) or len(data.classes) != 1:
        return bool(card and card.record.get(LESIONS))
    chosen = labelled[: LEARNING.most_compared]
    told = predict_squares(network, data.images[chosen]).argmax(dim=1).numpy() == 1
    truth, seen = data.labels[chosen] == 1, data.labels[chosen] != IGNORED
    return float(np.mean([dice(t & s, m) for t, s, m in zip(told, seen, truth, strict=True)])) >= LEARNING.same_object


def _card(
    data: ExampleSet,
    config: ClassNetworkConfig,
    settings: LearnSettings,
    iterations: int,
    validation: float | None,
    init: Path | None,
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
        "started from": init.name if init else "",
        "taught on synthetic images": comes_from_taught(init),
    }
    return LearnedCard(
        config=config, settings=settings, classes=data.classes, normalisation=data.normalisation, record=record
    )


def set_aside(data: ExampleSet, settings: LearnSettings) -> NDArray[np.int64]:
    """Choose the images that learning does not see, so that they can tell how good it is.

    Parameters
    ----------
    data : ExampleSet
        Labelled and other planes.
    settings : LearnSettings
        Whether it is wanted, and the seed.

    Returns
    -------
    numpy.ndarray
        Numbers of files; empty below five labelled ones.
    """
    files = np.unique(data.files[data.labelled])
    if not settings.validate or len(files) < LEARNING.validate_from:
        return files[:0]
    shuffled = np.random.default_rng(settings.seed).permutation(files)
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
