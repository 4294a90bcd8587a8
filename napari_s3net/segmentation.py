"""Image to labels: a network is trained from nothing on the one image, while the caller watches.

An image goes through `prepare`, `train`, `propose` and `postprocess`.
"""

from __future__ import annotations

import time
from collections.abc import Generator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from napari_s3net.errors import DivergedError
from napari_s3net.foreground.propose import propose
from napari_s3net.image import Image, Segmentation, Step, as_image
from napari_s3net.network.state import state_of
from napari_s3net.postprocessing.postprocess import postprocess
from napari_s3net.postprocessing.upsample import preview
from napari_s3net.preprocessing.prepare import prepare
from napari_s3net.preprocessing.suggest import suggest_preset
from napari_s3net.runtime.device import memory_errors, resolve_device
from napari_s3net.runtime.generators import drain
from napari_s3net.runtime.memory import estimate_mib
from napari_s3net.settings import Settings, preset_settings
from napari_s3net.training.trainer import Trainer
from napari_s3net.training.variants import make_trainer


def segment(
    image: Image | NDArray[Any],
    *,
    preset: str = "auto",
    settings: Settings | None = None,
    seed: int | None = None,
    device: str | torch.device = "auto",
) -> Segmentation:
    """Segment one plane and wait for the result.

    Parameters
    ----------
    image : Image or numpy.ndarray
        (H, W) or (H, W, 3).
    preset : str
        "auto" or a name in `presets`; ignored when `settings` are given.
    settings : Settings, optional
        Everything at once.
    seed : int, optional
        Replaces the settings' seed.
    device : str or torch.device
        "auto", "cpu", "cuda", "cuda:1" or "mps".

    Returns
    -------
    Segmentation
        Labels at the image's size with the proposed object.

    Raises
    ------
    InvalidImageError
        If it is no plane of at least 16 × 16 varying real numbers, or the target is found from Hounsfield units and it
        has none.
    InvalidSettingsError
        If there is no preset of this name.
    DeviceError
        If there is no such device.
    OutOfMemoryError
        If it does not fit; the message says what was needed and what was free.
    DivergedError
        If the loss is not finite; a smaller learning rate helps.
    """
    image = as_image(image)
    name = ""
    if settings is None:
        name = suggest_preset(image) if preset == "auto" else preset
        settings = preset_settings(name)
    if seed is not None:
        settings = settings.replace(seed=seed)
    return drain(iter_segment(image, settings, device=device)).with_provenance(preset=name)


def iter_segment(
    image: Image, settings: Settings, *, device: str | torch.device = "auto", preview_seconds: float | None = None
) -> Generator[Step, bool | None, Segmentation]:
    """Segment one plane; `send(True)` stops and keeps what there is.

    Parameters
    ----------
    image : Image
        One plane.
    settings : Settings
        Everything that can be chosen; `preset_settings` has ready-made ones.
    device : str or torch.device
        As in `segment`, or a device that `resolve_device` gave.
    preview_seconds : float, optional
        A step carries a preview when this much time has gone by since the last; never when left out.

    Yields
    ------
    Step
        One an iteration.

    Returns
    -------
    Segmentation
        As from `segment`.

    Raises
    ------
    InvalidImageError, DeviceError, OutOfMemoryError, DivergedError
        As in `segment`.
    """
    started = time.perf_counter()
    device = resolve_device(device)
    with memory_errors(device, estimate_mib(image.shape, settings)):
        plane = prepare(image, settings)
        trained = yield from train(make_trainer(plane.features, settings, device), settings, image, preview_seconds)
        proposal = propose(trained.clusters, plane, settings)
        result = postprocess(image, plane, trained.probabilities, proposal, settings)
    return replace(result, state=trained.state).with_provenance(
        device=str(device),
        seconds=time.perf_counter() - started,
        stopped=trained.stopped,
        iterations=len(trained.losses),
        losses=trained.losses,
    )


@dataclass(frozen=True, eq=False)
class TrainedClusters:
    """What training on one image leaves; no part of it holds the network.

    Parameters
    ----------
    clusters : numpy.ndarray
        (h, w), the arg-max of the last iteration.
    probabilities : torch.Tensor
        (1, K, h, w), those of the last iteration.
    losses : tuple of mapping
        The weighted terms of each iteration.
    stopped : bool
        Whether it was asked to stop.
    state : mapping of str to numpy.ndarray
        The weights that made the clusters; empty for the published network.
    """

    clusters: NDArray[np.int64]
    probabilities: torch.Tensor
    losses: tuple[Mapping[str, float], ...]
    stopped: bool
    state: Mapping[str, NDArray[Any]]


def train(
    trainer: Trainer, settings: Settings, image: Image, preview_seconds: float | None = None
) -> Generator[Step, bool | None, TrainedClusters]:
    """Train until `max_iter`, until the trainer is done, or until `send(True)`.

    The last iteration computes clusters and does not learn: the weights that are kept are those that made the clusters.

    Parameters
    ----------
    trainer : Trainer
        Network, optimiser, loss terms and stopping rule; its network is trained in place.
    settings : Settings
        `max_iter`, and `variant`, which says whether weights are kept.
    image : Image
        Its shape is that of the previews.
    preview_seconds : float, optional
        A step carries a preview when this much time has gone by since the last; never when left out.

    Yields
    ------
    Step
        One an iteration.

    Returns
    -------
    TrainedClusters
        Of the last iteration.

    Raises
    ------
    DivergedError
        If the loss is not finite.
    """
    losses: list[Mapping[str, float]] = []
    shown, before = time.perf_counter(), None
    for iteration in range(1, settings.max_iter + 1):
        probabilities, terms = trainer.forward(iteration)
        total = torch.stack(list(terms.values())).sum()
        if not torch.isfinite(total):
            raise DivergedError(f"The loss is not finite at iteration {iteration}. Try a smaller learning rate.")
        losses.append({name: float(term.detach()) for name, term in terms.items()})
        clusters = probabilities.detach().argmax(dim=1)[0].cpu().numpy()
        n_clusters, changed = len(np.unique(clusters)), _share_changed(before, clusters)
        before, shot = clusters, None
        if preview_seconds is not None and time.perf_counter() - shown >= preview_seconds:
            shot, shown = preview(clusters, image.shape), time.perf_counter()
        stopped = bool((yield Step(iteration, settings.max_iter, losses[-1], n_clusters, shot)))
        if stopped or iteration == settings.max_iter or trainer.is_done(iteration, n_clusters, changed):
            break
        trainer.optimiser.zero_grad()
        torch.autograd.backward(total)
        trainer.optimiser.step()
    state = state_of(trainer.network) if settings.variant == "s3net" else {}
    return TrainedClusters(clusters, probabilities.detach(), tuple(losses), stopped, state)


def _share_changed(before: NDArray[np.int64] | None, clusters: NDArray[np.int64]) -> float:
    """The share of pixels whose cluster changed; 1 at first, and where the network changed its size."""
    if before is None or before.shape != clusters.shape:
        return 1.0
    return float(np.mean(clusters != before))
