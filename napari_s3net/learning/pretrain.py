"""Pre-train an encoder on images without labels: IDEAL's dense local contrast, or KAF's global and local contrast."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from napari_s3net import __version__
from napari_s3net.errors import InvalidImageError, InvalidSettingsError
from napari_s3net.learning.augment_planes import augment_planes
from napari_s3net.learning.examples import ExampleSet
from napari_s3net.learning.keypoints import match_descriptors
from napari_s3net.learning.methods import draw, make_batch, network_config, new_network
from napari_s3net.learning.model import LearnedCard, LearnedModel, start_from
from napari_s3net.learning.run import identity_of, iter_updates, new_run
from napari_s3net.learning.settings import LEARNING, PRETRAINED, LearnSettings
from napari_s3net.learning.with_less import Learning, iter_with_less
from napari_s3net.network.contrastive import (
    DenseProjector,
    KeypointEmbedder,
    dense_contrastive_loss,
    global_contrastive_loss,
    match_features,
)
from napari_s3net.network.correspondence import local_loss
from napari_s3net.network.unet import ClassNetworkConfig
from napari_s3net.progress import Notice
from napari_s3net.training.state import TrainingState

PretrainTerms = Callable[[TrainingState, ExampleSet, LearnSettings, torch.Generator, torch.device], dict[str, Tensor]]


def ideal_pretrain_terms(
    state: TrainingState, data: ExampleSet, settings: LearnSettings, generator: torch.Generator, device: torch.device
) -> dict[str, Tensor]:
    """Compute IDEAL's dense contrastive loss of two views of each drawn plane.

    Parameters
    ----------
    state : TrainingState
        A `DenseProjector`, and its moving average for the keys.
    data : ExampleSet
        Planes.
    settings : LearnSettings
        Batch and τ.
    generator : torch.Generator
        Of all draws.
    device : torch.device
        Where.

    Returns
    -------
    dict of str to torch.Tensor
        "dense".
    """
    batch = make_batch(data, draw(np.arange(len(data)), settings.batch, generator), device, keypoints=False)
    first, second = (augment_planes(batch, generator, mirror=settings.mirror) for _ in range(2))
    features, query = state.network(first.images)
    with torch.no_grad():
        key_features, key = state.average(second.images)
    match = match_features(features.detach(), key_features)
    return {"dense": dense_contrastive_loss(query, key, match, settings.temperature)}


def kaf_pretrain_terms(
    state: TrainingState, data: ExampleSet, settings: LearnSettings, generator: torch.Generator, device: torch.device
) -> dict[str, Tensor]:
    """Compute KAF's two global losses, and the local one where it has a weight, of slices and their neighbours.

    Parameters
    ----------
    state : TrainingState
        A `KeypointEmbedder`.
    data : ExampleSet
        Planes with keypoints; one that stands alone is its own neighbour.
    settings : LearnSettings
        Batch, τ, which slices are alike, and the weight of the local term.
    generator : torch.Generator
        Of all draws.
    device : torch.device
        Where.

    Returns
    -------
    dict of str to torch.Tensor
        "image" and "keypoints"; "local" where it has a weight.
    """
    chosen = draw(np.arange(len(data)), settings.batch, generator)
    beside = neighbours(data, chosen, generator)
    first, second = (
        augment_planes(make_batch(data, index, device, keypoints=True), generator, mirror=settings.mirror)
        for index in (chosen, beside)
    )
    (image_1, keypoints_1, described_1), (image_2, keypoints_2, described_2) = (
        state.network(view.images, view.points) for view in (first, second)
    )
    alike = torch.from_numpy(positives(data, np.concatenate([chosen, beside]), settings.near)).to(device)
    temperature = settings.temperature * LEARNING.kaf_temperature
    terms = {
        "image": global_contrastive_loss(torch.cat([image_1, image_2]), alike, temperature),
        "keypoints": global_contrastive_loss(torch.cat([keypoints_1, keypoints_2]), alike, temperature),
    }
    if settings.weight_local > 0 and first.points is not None and second.points is not None:
        transport = state.network.correspondence(described_1, described_2, first.points, second.points)
        shape = (len(chosen), first.points.real.shape[1], second.points.real.shape[1])
        matches = torch.from_numpy(matches_of(data, chosen, beside, shape)).to(device)
        local = local_loss(transport, matches, first.points.real, second.points.real)
        terms["local"] = settings.weight_local * local
    return terms


def neighbours(data: ExampleSet, chosen: NDArray[np.int64], generator: torch.Generator) -> NDArray[np.int64]:
    """Draw for each slice the one before or after it in its volume; a plane that stands alone gets itself.

    Parameters
    ----------
    data : ExampleSet
        Slices of a volume follow each other.
    chosen : numpy.ndarray
        (N,) which slices.
    generator : torch.Generator
        Of the draws.

    Returns
    -------
    numpy.ndarray
        (N,).
    """
    step = 2 * torch.randint(2, (len(chosen),), generator=generator).numpy() - 1

    def is_beside(index: NDArray[np.int64]) -> NDArray[np.bool_]:
        within = (index >= 0) & (index < len(data))
        return np.asarray(within & (data.files[np.clip(index, 0, len(data) - 1)] == data.files[chosen]))

    there, back = chosen + step, chosen - step
    return np.where(is_beside(there), there, np.where(is_beside(back), back, chosen))


def positives(data: ExampleSet, index: NDArray[np.int64], near: float) -> NDArray[np.bool_]:
    """Say which planes are alike: slices at nearly the same place of their volumes, or views of one photograph.

    Parameters
    ----------
    data : ExampleSet
        Planes with their positions.
    index : numpy.ndarray
        (B,) which planes.
    near : float
        Positions that differ by less are alike.

    Returns
    -------
    numpy.ndarray
        (B, B) bool.
    """
    same = index[:, None] == index[None]
    if not data.stacks:
        return np.asarray(same)
    position = data.positions[index]
    return np.asarray(same | (np.abs(position[:, None] - position[None]) < near))


def matches_of(
    data: ExampleSet, first: NDArray[np.int64], second: NDArray[np.int64], shape: tuple[int, int, int]
) -> NDArray[np.bool_]:
    """Match the keypoints of slices and their neighbours.

    Parameters
    ----------
    data : ExampleSet
        With keypoints.
    first, second : numpy.ndarray
        (N,) which slices.
    shape : tuple of int
        N, and to how many keypoints both sides are padded.

    Returns
    -------
    numpy.ndarray
        Of that shape, bool.
    """
    matches = np.zeros(shape, bool)
    for n, (a, b) in enumerate(zip(first, second, strict=True)):
        rows, columns = match_descriptors(data.keypoints[a], data.keypoints[b], LEARNING.match_distance * data.size)
        matches[n, rows, columns] = True
    return matches


def iter_pretrain(
    data: ExampleSet,
    settings: LearnSettings,
    device: torch.device,
    *,
    init: Path | None = None,
    checkpoint: Path | None = None,
) -> Learning:
    """Pre-train an encoder on planes; labels are not looked at.

    Parameters
    ----------
    data : ExampleSet
        Planes.
    settings : LearnSettings
        Their method says how.
    device : torch.device
        Where.
    init : Path, optional
        A model to start from.
    checkpoint : Path, optional
        Is written now and then, read first where it exists, and removed at the end.

    Yields
    ------
    LearnStep or Notice
        Every ten iterations; a notice where something takes long. Answer True to stop and keep.

    Returns
    -------
    LearnedModel
        Its encoder has learned; it knows no classes yet.

    Raises
    ------
    InvalidSettingsError
        If the method cannot be pre-trained.
    InvalidImageError
        If there are fewer than two planes.
    DivergedError
        If a loss is not finite.
    ModelFileError
        If init or checkpoint do not fit, or the checkpoint cannot be written.
    OutOfMemoryError
        If memory runs out every time.
    """
    if settings.method not in PRETRAINED:
        raise InvalidSettingsError(f"Pre-training is by {' or '.join(PRETRAINED)}; got {settings.method!r}.")
    if len(data) < 2:
        raise InvalidImageError("Pre-training compares images; expected at least two, got one.")
    config = network_config(settings, data.normalisation.channels, 1)
    if config.keypoints and not data.keypoints:
        yield Notice(f"Looking for keypoints in {len(data)} planes…")
        data = data.with_keypoints(settings.most_keypoints)
    identity = identity_of(data, settings, init)

    def attempt(data: ExampleSet, settings: LearnSettings, device: torch.device) -> Learning:
        return _pretrain(data, config, settings, device, identity, init=init, checkpoint=checkpoint)

    return (yield from iter_with_less(attempt, data, settings, device))


def _pretrain(
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
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(settings.seed)
        made = KeypointEmbedder(config) if settings.method == "kaf" else DenseProjector(config)
    if init is not None:
        start_from(made, init)
    network = made.to(device)
    state = new_run(network, identity, decay=LEARNING.key_decay if settings.method == "ideal" else None)
    terms_of: PretrainTerms = kaf_pretrain_terms if settings.method == "kaf" else ideal_pretrain_terms

    def terms(generator: torch.Generator) -> dict[str, Tensor]:
        return terms_of(state, data, settings, generator, device)

    slower = settings.replace(learning_rate=max(1e-6, LEARNING.pretrain_rate * settings.learning_rate))
    yield from iter_updates(state, slower, terms, checkpoint=checkpoint)
    whole = new_network(config, settings.seed)
    whole.encoder.load_state_dict({k: v.cpu() for k, v in network.encoder.state_dict().items()})
    record = {"version": __version__, "images": len(data.names), "planes": len(data), "steps": state.iteration}
    card = LearnedCard(config=config, settings=settings, classes={}, normalisation=data.normalisation, record=record)
    return LearnedModel(whole.eval(), card)
