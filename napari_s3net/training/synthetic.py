"""Teach a network on synthetic images, whose masks are known, so that it has seen many before the first real one.

Besides the masks it learns from the two consistency terms of Karimijafarbigloo et al. 2023: what it says of a
transformed image is held to the transformed answer of its own moving average (Tarvainen and Valpola 2017), and
neighbours that look alike are to belong together.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Generator
from dataclasses import asdict, dataclass, field
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from napari_s3net.network.depthwise import DepthwiseConv
from napari_s3net.network.encoder_decoder import EncoderDecoder, EncoderDecoderConfig
from napari_s3net.network.losses import edge_weights, spatial_loss, transformation_loss
from napari_s3net.network.warps import WarpRange, draw_theta, make_grid, visible, warp
from napari_s3net.training.augment_painted import augment_painted, change_colours
from napari_s3net.training.state import TrainingState, check_finite, cosine_rate
from napari_s3net.training.synthetic_images import SyntheticSet, paint_source_of
from napari_s3net.training.teach_settings import TEACHING, TeachSettings
from napari_s3net.training.weights import ModelCard, Normalisation

#: What the header of a checkpoint says.
CHECKPOINT_FORMAT = "napari-s3net checkpoint 1"


@dataclass(frozen=True)
class TeachStep:
    """Where teaching has come to.

    Attributes
    ----------
    iteration : int
        From 1.
    total, losses : float, dict
        Means over the iterations since the last step: of the sum, and of each weighted term.
    images_per_second : float
        Since the last step.
    average : EncoderDecoder
        The moving average of the network as it is now; it goes on changing.
    """

    iteration: int
    total: float
    losses: dict[str, float]
    images_per_second: float
    average: EncoderDecoder = field(repr=False, compare=False)


def iter_teach(
    data: SyntheticSet,
    settings: TeachSettings,
    device: torch.device,
    *,
    config: EncoderDecoderConfig | None = None,
    checkpoint: Path | None = None,
    checkpoint_every: int = 500,
    along: Callable[[int], float] | None = None,
) -> Generator[TeachStep, bool | None, tuple[EncoderDecoder, ModelCard]]:
    """Teach a network on painted images.

    Each iteration draws from a generator of its own, so that a run that was ended and taken up again gives the same
    weights as one that was not.

    Parameters
    ----------
    data : SyntheticSet
        Images with masks and parts.
    settings : TeachSettings
        How.
    device : torch.device
        Where; on CUDA in bfloat16.
    config : EncoderDecoderConfig, optional
        Shape of the network; channels and clusters follow the data.
    checkpoint : Path, optional
        Is written every few iterations and when it is ended early, and read first where it exists.
    checkpoint_every : int
        Iterations between two checkpoints.
    along : callable, optional
        From the number of iterations so far to how far the run has come, from 0 to 1, where it ends: for a limit of
        time. When left out, their share of `settings.iterations`.

    Yields
    ------
    TeachStep
        Every `settings.report` iterations. Answer True to end there.

    Returns
    -------
    tuple
        The moving average of the network, and its card.

    Raises
    ------
    DivergedError
        If a loss is not finite.
    ModelFileError
        If the checkpoint is of another run.
    """
    state = new_state(config or config_of(settings.kind), settings, device)
    if checkpoint and checkpoint.is_file():
        state.load(checkpoint)
    images, masks, parts = (torch.from_numpy(array) for array in (data.images, data.masks, data.parts))
    if device.type == "cuda":
        images, masks, parts = images.to(device), masks.to(device), parts.to(device)
    sums: dict[str, Tensor] = {}
    since, last = time.perf_counter(), state.iteration
    come = along or (lambda iteration: iteration / settings.iterations)
    while (share := come(state.iteration)) < 1:
        generator = torch.Generator().manual_seed(settings.seed * 1_000_003 + state.iteration)
        chosen = torch.randint(len(data), (settings.batch,), generator=generator)
        here = chosen.to(images.device, non_blocking=True)
        batch = (images[here].to(device), masks[here].to(device), parts[here].to(device))
        rise = max(1, min(TEACHING.rise, settings.iterations // 10))
        rate = settings.learning_rate * cosine_rate(state.iteration, share, rise)
        terms = _update(state, batch, settings, generator, rate)
        sums = {name: sums.get(name, torch.zeros_like(value)) + value for name, value in terms.items()}
        if checkpoint and state.iteration % checkpoint_every == 0:
            state.save(checkpoint)
        if state.iteration % settings.report == 0 or come(state.iteration) >= 1:
            n = state.iteration - last
            step = _step(state, sums, n, n * settings.batch / (time.perf_counter() - since))
            sums, last = {}, state.iteration
            if (yield step):
                if checkpoint:
                    state.save(checkpoint)
                break
            since = time.perf_counter()
    return state.average.eval(), card_of(data, settings, state.network.config, state.iteration)


def new_state(config: EncoderDecoderConfig, settings: TeachSettings, device: torch.device) -> TrainingState:
    """Make a network with random weights, ready to be taught; torch's own random numbers stay as they were.

    Parameters
    ----------
    config : EncoderDecoderConfig
        Shape of the network.
    settings : TeachSettings
        Seed, decay of the moving average, and how to convolve.
    device : torch.device
        Where the network is to lie.

    Returns
    -------
    TrainingState
        Its checkpoints belong to a run with the same settings.
    """
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        torch.manual_seed(settings.seed)
        network = EncoderDecoder(config)
    for layer in network.modules():
        if isinstance(layer, DepthwiseConv):
            layer.by_matrices = settings.matrices
    network = network.to(device=device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    header = {"format": CHECKPOINT_FORMAT, "settings": repr(asdict(settings))}
    return TrainingState(network, header, decay=settings.memory, longest_gradient=TEACHING.longest_gradient)


def config_of(kind: str) -> EncoderDecoderConfig:
    """Choose the network's shape for a kind of image.

    Parameters
    ----------
    kind : str
        "skin" or "chest".

    Returns
    -------
    EncoderDecoderConfig
        With the image's channels, and as many clusters as the painted images have parts.
    """
    source = paint_source_of(kind)
    return EncoderDecoderConfig(in_channels=source.channels, clusters=len(source.parts))


def card_of(data: SyntheticSet, settings: TeachSettings, config: EncoderDecoderConfig, iteration: int) -> ModelCard:
    """Describe what was taught, and how, for the weight file.

    Parameters
    ----------
    data : SyntheticSet
        The images that were learned from; their number and size are written.
    settings : TeachSettings
        All of them are written.
    config : EncoderDecoderConfig
        Shape of the network.
    iteration : int
        How many iterations were done.

    Returns
    -------
    ModelCard
        As `save_weights` takes it.
    """
    source = paint_source_of(settings.kind)
    return ModelCard(
        kind=settings.kind,
        config=config,
        normalisation=Normalisation(low=source.low, high=source.high),
        size=data.images.shape[1],
        parts=source.parts,
        taught={"real images": 0, "synthetic images": len(data), "done": iteration, **asdict(settings)},
    )


def object_loss(logits: Tensor, target: Tensor) -> Tensor:
    """Compute binary cross-entropy plus 1 − Dice of each image.

    In the Dice, one pixel is added to the numerator and the denominator: that of an image without an object is near one
    where nothing is proposed, and near zero else.

    Parameters
    ----------
    logits : torch.Tensor
        (N, 1, H, W); the sigmoid is the probability of the object.
    target : torch.Tensor
        (N, 1, H, W) in [0, 1].

    Returns
    -------
    torch.Tensor
        A scalar: the mean over all pixels of the cross-entropy in nats, plus the mean over the images of 1 − Dice.
    """
    p = logits.sigmoid()
    inner = (p * target).sum(dim=(1, 2, 3))
    dice = (2 * inner + 1) / (p.sum(dim=(1, 2, 3)) + target.sum(dim=(1, 2, 3)) + 1)
    return F.binary_cross_entropy_with_logits(logits, target) + (1 - dice).mean()


def teach_terms(
    state: TrainingState, batch: tuple[Tensor, Tensor, Tensor], settings: TeachSettings, generator: torch.Generator
) -> dict[str, Tensor]:
    """Compute the weighted terms of one batch.

    Parameters
    ----------
    state : TrainingState
        The network, and its moving average, which is its teacher.
    batch : tuple of torch.Tensor
        Images (N, S, S, C), masks (N, S, S) and parts (N, S, S), all uint8.
    settings : TeachSettings
        Weights of the terms, and the share of the batch that is transformed.
    generator : torch.Generator
        Of the CPU; every random change is drawn from it.

    Returns
    -------
    dict of str to torch.Tensor
        "object" and "clusters"; "spatial" and "transformation" where they have a weight.
    """
    x, mask, parts = augment_painted(*batch, generator)
    normalise = Normalisation(low=0, high=1)
    normalised = normalise(x)
    n = math.ceil(settings.transformed * len(x)) if settings.weight_transformation > 0 else 0
    both = normalised
    if n > 0:
        grid = make_grid(draw_theta(WarpRange(), (x.shape[2], x.shape[3]), generator), x[:n])
        moved = normalise(change_colours(warp(x[:n], grid), generator))
        both = torch.cat([normalised, moved]).contiguous(memory_format=torch.channels_last)
    (logits, moved_logits), (clusters, moved_clusters) = (y.split([len(x), n]) for y in state.network(both))
    terms = {
        "object": object_loss(logits, mask),
        "clusters": settings.weight_clusters * F.cross_entropy(clusters, parts),
    }
    if settings.weight_spatial > 0:
        terms["spatial"] = settings.weight_spatial * spatial_loss(_two(logits).softmax(dim=1), edge_weights(normalised))
    if n > 0:
        with torch.no_grad():
            taught, taught_clusters = state.average(normalised[:n])
        inside = visible(grid, x)
        terms["transformation"] = settings.weight_transformation * (
            transformation_loss(_two(moved_logits), warp(_two(taught).softmax(dim=1), grid), inside)
            + TEACHING.weight_moved_clusters
            * transformation_loss(moved_clusters, warp(taught_clusters.softmax(dim=1), grid), inside)
        )
    return terms


def _update(
    state: TrainingState,
    batch: tuple[Tensor, Tensor, Tensor],
    settings: TeachSettings,
    generator: torch.Generator,
    rate: float,
) -> dict[str, Tensor]:
    """One step of the optimiser; returns the terms."""
    device = batch[0].device
    with torch.autocast(device.type, torch.bfloat16, enabled=settings.half and device.type == "cuda"):
        terms = teach_terms(state, batch, settings, generator)
    if device.type == "cpu":  # a card would have to be waited for
        check_finite(terms, state.iteration + 1)
    state.update(terms, rate)
    return {name: value.detach() for name, value in terms.items()}


def _two(logits: Tensor) -> Tensor:
    """Logits of background and object (N, 2, H, W) from the object's alone: the softmax of these is its sigmoid."""
    return torch.cat([torch.zeros_like(logits), logits], dim=1)


def _step(state: TrainingState, sums: dict[str, Tensor], n: int, speed: float) -> TeachStep:
    """Means of the terms.

    Raises
    ------
    DivergedError
        If one is not finite.
    """
    losses = {name: value / max(1, n) for name, value in check_finite(sums, state.iteration).items()}
    return TeachStep(state.iteration, sum(losses.values()), losses, speed, state.average)
