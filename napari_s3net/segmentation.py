"""Image to labels: a network is trained from nothing on the one image, while the caller watches.

An image goes through `prepare`, `train`, `propose` and `postprocess`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from napari_s3net.errors import DivergedError
from napari_s3net.foreground.propose import propose, reject_surroundings
from napari_s3net.image import Image, as_image
from napari_s3net.postprocessing.postprocess import postprocess
from napari_s3net.postprocessing.upsample import preview
from napari_s3net.preprocessing.prepare import PreparedPlane, prepare
from napari_s3net.preprocessing.suggest import suggest_preset
from napari_s3net.progress import Step
from napari_s3net.result import Segmentation
from napari_s3net.runtime.device import memory_errors, resolve_device
from napari_s3net.runtime.generators import drain
from napari_s3net.runtime.memory import estimate_mib
from napari_s3net.runtime.threads import threads_for
from napari_s3net.settings import Settings, preset_settings
from napari_s3net.training.loop import TrainedClusters, iterate
from napari_s3net.training.taught import squares_for, views_of
from napari_s3net.training.trainer import Trainer
from napari_s3net.training.variants import make_trainer

#: Trains on features (h, w, C), and shows taught networks their squares: what came of both, and the device's name.
TrainPlane = Callable[[NDArray[np.float32], Settings, Sequence[Tensor]], tuple[TrainedClusters, str]]


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
    needed = estimate_mib(image.shape, settings)
    with memory_errors(device, needed), threads_for(settings.working_shape(image.shape)):
        plane = prepare(image, settings)
        trainer = make_trainer(plane.features, settings, device, squares_for(plane, settings))
        trained = yield from train(trainer, settings, image, preview_seconds)
        return _finish(plane, trained, settings, str(device), started)


def segment_with(image: Image, settings: Settings, train_plane: TrainPlane) -> Segmentation:
    """Segment one plane whose network is trained by somebody else, as many are side by side on a graphics card.

    Parameters
    ----------
    image : Image
        One plane.
    settings : Settings
        As in `iter_segment`.
    train_plane : callable
        See `TrainPlane`; the squares are those of `squares_for`.

    Returns
    -------
    Segmentation
        As from `segment`; without weights where none were kept.

    Raises
    ------
    InvalidImageError
        As in `segment`, and what `train_plane` raises.
    """
    started = time.perf_counter()
    plane = prepare(image, settings)
    trained, device = train_plane(plane.features, settings, squares_for(plane, settings))
    return _finish(plane, trained, settings, device, started)


def _finish(
    plane: PreparedPlane, trained: TrainedClusters, settings: Settings, device: str, started: float
) -> Segmentation:
    """Say which part is the object, and bring all to the image's size."""
    viewed = views_of(trained.logits, plane.features.shape)
    proposal = propose(trained.clusters, plane, settings, viewed)
    proposal = reject_surroundings(proposal, settings, in_scan=plane.image.geometry.volume is not None)
    result = postprocess(plane.image, plane, trained.probabilities, proposal, settings)
    return replace(result, state=trained.state).with_provenance(
        device=device,
        seconds=time.perf_counter() - started,
        stopped=trained.stopped,
        iterations=len(trained.losses),
        losses=trained.losses,
    )


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
    keep_state = settings.variant == "s3net"
    training = iterate(trainer, settings.max_iter, keep_state=keep_state)
    answer, shown = None, time.perf_counter()
    while True:
        try:
            readback = training.send(answer)
        except StopIteration as end:
            result: TrainedClusters | DivergedError = end.value[0]
            break
        answer, shot = False, None
        if preview_seconds is not None and time.perf_counter() - shown >= preview_seconds:
            shot, shown = preview(readback.clusters[0].cpu().numpy(), image.shape), time.perf_counter()
        steps = [Step(i.number, settings.max_iter, i.losses, i.n_clusters) for i in readback.iterations[0]]
        for step in steps[:-1]:
            answer = bool((yield step)) or answer
        for step in steps[-1:]:
            answer = bool((yield replace(step, preview=shot))) or answer
    if isinstance(result, DivergedError):
        raise result
    return result
