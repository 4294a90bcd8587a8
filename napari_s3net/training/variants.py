"""The trainer of each variant that the settings can ask for."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from napari_s3net.runtime.parcel import send
from napari_s3net.settings import Settings
from napari_s3net.training.image import ImageTrainer
from napari_s3net.training.initialisation import initialise_heads
from napari_s3net.training.released import ReleasedTrainer
from napari_s3net.training.taught import begin_to_look
from napari_s3net.training.trainer import Trainer
from napari_s3net.training.volume import VolumeTrainer, below_one_another


def make_trainer(
    features: NDArray[np.float32], settings: Settings, device: torch.device, squares: Sequence[Tensor] = ()
) -> Trainer:
    """Build the trainer that `settings.variant` names, its random numbers drawn from `settings.seed`.

    Parameters
    ----------
    features : numpy.ndarray
        (h, w, C) in [0, 1]; (N, h, w, C) for as many networks that are trained side by side, each on its own image.
        The published network takes one image only.
    settings : Settings
        Network, weights of the losses, optimiser.
    device : torch.device
        Where to train.
    squares : sequence of torch.Tensor
        What taught networks look at when training is over, from `taught.squares_for`, joined along n for N images.

    Returns
    -------
    Trainer
        The global random numbers are left as they were.
    """
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(settings.seed)  # weights are drawn on the CPU, for every device alike
        if settings.variant == "released":
            released = ReleasedTrainer(features, device)
            released.look = begin_to_look(send(squares, device), settings)
            return released
        trainer = ImageTrainer(features, settings, device, squares)
    initialise_heads(trainer.network, trainer.guided.x, trainer.guided.clusters)
    return trainer


def make_volume_trainer(features: NDArray[np.float32], settings: Settings, device: torch.device) -> VolumeTrainer:
    """Build the trainer for a few slices of a volume, its random numbers drawn from `settings.seed`.

    Parameters
    ----------
    features : numpy.ndarray
        (N, h, w, C) in [0, 1].
    settings : Settings
        Network, weights of the losses, optimiser.
    device : torch.device
        Where to train.

    Returns
    -------
    VolumeTrainer
        The global random numbers are left as they were.
    """
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(settings.seed)
        trainer = VolumeTrainer(features, settings, device)
    guided = trainer.guided
    initialise_heads(trainer.network, below_one_another(guided.x), guided.clusters.reshape(1, -1, guided.size[1]))
    return trainer
