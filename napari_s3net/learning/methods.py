"""What each method minimises in one step of learning from labels."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from napari_s3net.learning.augment_planes import PlaneBatch, augment_planes, change_intensities
from napari_s3net.learning.examples import ExampleSet
from napari_s3net.learning.keypoints import pad_points
from napari_s3net.learning.settings import LEARNING, LearnSettings
from napari_s3net.network.class_losses import cross_pseudo_loss, pseudo_label_loss, supervised_loss
from napari_s3net.network.encoder_decoder import GROUP
from napari_s3net.network.keypoint_fusion import KeypointBatch
from napari_s3net.network.unet import ClassNetwork, ClassNetworkConfig
from napari_s3net.runtime.parcel import send
from napari_s3net.training.state import TrainingState

#: (state, labelled, unlabelled, settings, generator) → weighted terms.
Terms = Callable[[TrainingState, PlaneBatch, "PlaneBatch | None", LearnSettings, torch.Generator], dict[str, Tensor]]
#: Widths of the I-LKA backbone where `width` is 16, those of the network that `teach` teaches; else in proportion.
ILKA_WIDTHS = (24, 48, 96, 160)
UNET_SCALES = 5


def network_config(settings: LearnSettings, channels: int, classes: int) -> ClassNetworkConfig:
    """Choose the network's shape.

    Parameters
    ----------
    settings : LearnSettings
        Method, backbone and widths.
    channels : int
        Of the images.
    classes : int
        Without the background.

    Returns
    -------
    ClassNetworkConfig
        With two decoders for IDEAL, and keypoint layers for KAF.
    """
    if settings.backbone == "ilka":
        widths = tuple(GROUP * max(1, round(settings.width * width / 16 / GROUP)) for width in ILKA_WIDTHS)
    else:
        widths = tuple(settings.width * 2**scale for scale in range(UNET_SCALES))
    return ClassNetworkConfig(
        in_channels=channels,
        classes=classes + 1,
        backbone=settings.backbone,
        widths=widths,
        decoders=2 if settings.method == "ideal" else 1,
        keypoints=settings.uses_keypoints,
        keypoint_width=settings.keypoint_width,
        keypoint_blocks=settings.keypoint_blocks,
    )


def new_network(config: ClassNetworkConfig, seed: int) -> ClassNetwork:
    """Make a network with random weights, and leave torch's own random numbers as they were.

    Parameters
    ----------
    config : ClassNetworkConfig
        Its shape.
    seed : int
        Of the weights.

    Returns
    -------
    ClassNetwork
        On the CPU.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return ClassNetwork(config)


def make_batch(data: ExampleSet, index: NDArray[np.int64], device: torch.device, *, keypoints: bool) -> PlaneBatch:
    """Take planes out of a set.

    Parameters
    ----------
    data : ExampleSet
        The set.
    index : numpy.ndarray
        (N,) which planes.
    device : torch.device
        Where to.
    keypoints : bool
        Whether the set's keypoints are wanted.

    Returns
    -------
    PlaneBatch
        As the planes are; they go to the device in one copy.
    """
    given = [torch.from_numpy(data.images[index]), torch.from_numpy(data.labels[index])]
    if keypoints:
        padded = pad_points([data.keypoints[i] for i in index])
        given += [padded.places, padded.real]
    images, labels, *points = send(given, device)
    padded_points = KeypointBatch(*points) if points else None
    return PlaneBatch(images.float(), labels.long(), padded_points, torch.from_numpy(index))


def draw(pool: NDArray[np.int64], n: int, generator: torch.Generator) -> NDArray[np.int64]:
    """Draw planes, each as often as it comes.

    Parameters
    ----------
    pool : numpy.ndarray
        Their numbers.
    n : int
        How many.
    generator : torch.Generator
        Of the CPU.

    Returns
    -------
    numpy.ndarray
        (n,).
    """
    return np.asarray(pool[torch.randint(len(pool), (n,), generator=generator).numpy()])


def plain_terms(
    state: TrainingState,
    labelled: PlaneBatch,
    unlabelled: PlaneBatch | None,  # noqa: ARG001 - all methods are called alike
    settings: LearnSettings,
    generator: torch.Generator,
) -> dict[str, Tensor]:
    """Compute the supervised term alone, of plain learning and of KAF's fine-tuning.

    Parameters
    ----------
    state : TrainingState
        Its network.
    labelled, unlabelled : PlaneBatch
        As they are; the second is not used.
    settings : LearnSettings
        Whether images are mirrored.
    generator : torch.Generator
        Of the random changes.

    Returns
    -------
    dict of str to torch.Tensor
        "supervised".
    """
    augmented = augment_planes(labelled, generator, mirror=settings.mirror)
    return {"supervised": supervised_loss(state.network(augmented.images, augmented.points), augmented.labels)}


def self_training_terms(
    state: TrainingState,
    labelled: PlaneBatch,
    unlabelled: PlaneBatch | None,
    settings: LearnSettings,
    generator: torch.Generator,
) -> dict[str, Tensor]:
    """Compute the supervised term, and that of pseudo-labels from the moving average of the network.

    Parameters
    ----------
    state : TrainingState
        Network and its moving average.
    labelled, unlabelled : PlaneBatch
        As they are.
    settings : LearnSettings
        λ, its ramp, and the least confidence.
    generator : torch.Generator
        Of the random changes; the network sees stronger ones than its average.

    Returns
    -------
    dict of str to torch.Tensor
        "supervised" and "pseudo-labels".
    """
    terms = plain_terms(state, labelled, None, settings, generator)
    weight = ramp(state.iteration, settings)
    if unlabelled is None or weight == 0:
        return terms
    augmented = augment_planes(unlabelled, generator, mirror=settings.mirror)
    with torch.no_grad():
        probabilities = state.average(augmented.images, augmented.points).softmax(dim=1)
    logits = state.network(change_intensities(augmented.images, generator, LEARNING.strong), augmented.points)
    return {**terms, "pseudo-labels": weight * pseudo_label_loss(logits, probabilities, settings.confident)}


def ideal_terms(
    state: TrainingState,
    labelled: PlaneBatch,
    unlabelled: PlaneBatch | None,
    settings: LearnSettings,
    generator: torch.Generator,
) -> dict[str, Tensor]:
    """Compute IDEAL's fine-tuning: L = L_sup + λ(t) · (L_sup(p₁, y₂) + L_sup(p₂, y₁)).

    Parameters
    ----------
    state : TrainingState
        Its network has two decoders.
    labelled, unlabelled : PlaneBatch
        As they are.
    settings : LearnSettings
        λ and its ramp.
    generator : torch.Generator
        Of the random changes, and of what perturbs the features of each stream.

    Returns
    -------
    dict of str to torch.Tensor
        "supervised", the mean over both decoders, and "cross pseudo".
    """
    network, weight = state.network, ramp(state.iteration, settings)
    augmented = augment_planes(labelled, generator, mirror=settings.mirror)
    size = (augmented.images.shape[2], augmented.images.shape[3])
    features, _ = network.encoder(augmented.images, augmented.points)
    both = [supervised_loss(logits, augmented.labels) for logits in network.decode(features, size)]
    terms = {"supervised": torch.stack(both).mean()}
    if unlabelled is None or weight == 0:
        return terms
    augmented = augment_planes(unlabelled, generator, mirror=settings.mirror)
    features, _ = network.encoder(augmented.images, augmented.points)
    first, second = network.decode(features, size, generator)
    return {**terms, "cross pseudo": weight * cross_pseudo_loss(first, second)}


#: What each method minimises.
TERMS: dict[str, Terms] = {
    "plain": plain_terms,
    "self-training": self_training_terms,
    "ideal": ideal_terms,
    "kaf": plain_terms,
}


def ramp(iteration: int, settings: LearnSettings) -> float:
    """Compute λ(t): from 0 along exp(−5 (1 − t)²) to `unlabelled`, with t the share of the ramp (Laine and Aila 2017).

    Parameters
    ----------
    iteration : int
        From 0.
    settings : LearnSettings
        Steps, the ramp's share of them, and the highest λ.

    Returns
    -------
    float
        Exactly 0 in the first tenth of the ramp.
    """
    length = settings.ramp * settings.steps
    t = min(1.0, iteration / length) if length > 0 else 1.0
    return 0.0 if t < LEARNING.ramp_start else settings.unlabelled * math.exp(-LEARNING.ramp_slope * (1 - t) ** 2)


def predict_squares(
    network: ClassNetwork, images: NDArray[np.floating], points: KeypointBatch | None = None, *, batch: int = 16
) -> Tensor:
    """Compute the probabilities of planes at the working size.

    Parameters
    ----------
    network : ClassNetwork
        On any device.
    images : numpy.ndarray
        (n, C, S, S), normalised.
    points : KeypointBatch, optional
        Keypoints, where the network uses them.
    batch : int
        At once; what is said of a plane does not depend on it.

    Returns
    -------
    torch.Tensor
        (n, K, S, S) float32 on the CPU.
    """
    device = next(network.parameters()).device
    found = []
    with torch.no_grad():
        for start in range(0, len(images), batch):
            part = slice(start, start + batch)
            x = torch.from_numpy(images[part]).to(device).float()
            here = (
                None if points is None else KeypointBatch(points.places[part].to(device), points.real[part].to(device))
            )
            found.append(network(x, here).softmax(dim=1).cpu())
    return torch.cat(found)
