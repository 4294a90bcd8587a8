"""Image to labels: a network is trained from nothing on the one image, while the caller watches."""

from __future__ import annotations

import time
from collections.abc import Generator
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from napari_s3net import __version__
from napari_s3net.errors import DivergedError
from napari_s3net.foreground.propose import propose
from napari_s3net.image import Image, Segmentation, Step, as_image
from napari_s3net.network.state import state_of
from napari_s3net.postprocessing.postprocess import postprocess
from napari_s3net.postprocessing.upsample import preview
from napari_s3net.preprocessing.prepare import prepare
from napari_s3net.preprocessing.suggest import suggest_preset
from napari_s3net.provenance import Provenance
from napari_s3net.runtime.device import memory_errors, resolve_device
from napari_s3net.runtime.generators import drain
from napari_s3net.runtime.memory import estimate_mib
from napari_s3net.settings import Settings, preset_settings
from napari_s3net.training.trainer import make_trainer


def segment(
    image: Image | NDArray[Any],
    *,
    preset: str = "auto",
    settings: Settings | None = None,
    seed: int | None = None,
    device: str = "auto",
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
    device : str
        "auto", "cpu", "cuda", "cuda:1" or "mps".

    Returns
    -------
    Segmentation
        Labels at the image's size with the proposed object.

    Raises
    ------
    InvalidImageError, InvalidSettingsError, DeviceError, OutOfMemoryError, DivergedError
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
    image: Image, settings: Settings, *, device: str = "auto", preview_seconds: float | None = None
) -> Generator[Step, bool | None, Segmentation]:
    """Segment one plane, one `Step` an iteration; `send(True)` stops and keeps what there is.

    Parameters
    ----------
    image : Image
        One plane.
    settings : Settings
        What to do.
    device : str
        As in `segment`.
    preview_seconds : float, optional
        A step carries a preview when this much time has gone by since the last; never when left out.
    """
    started = shown = time.perf_counter()
    where = resolve_device(device)
    history: list[dict[str, float]] = []
    stopped = False
    with memory_errors(where, estimate_mib(image.shape, settings)):
        plane = prepare(image, settings)
        trainer = make_trainer(plane.features, settings, where)
        before = None
        for iteration in range(1, settings.max_iter + 1):
            probabilities, terms = trainer.forward(iteration)
            total = torch.stack(list(terms.values())).sum()
            if not torch.isfinite(total):
                raise DivergedError(f"The loss is not finite at iteration {iteration}. Try a smaller learning rate.")
            history.append({name: float(term.detach()) for name, term in terms.items()})
            probabilities = probabilities.detach()
            clusters = probabilities.argmax(dim=1)[0].cpu().numpy()
            same_size = before is not None and before.shape == clusters.shape
            changed = float(np.mean(clusters != before)) if same_size else 1.0
            before, n_labels = clusters, len(np.unique(clusters))
            shot = None
            if preview_seconds is not None and time.perf_counter() - shown >= preview_seconds:
                shot, shown = preview(clusters, image.shape), time.perf_counter()
            stopped = bool((yield Step(iteration, settings.max_iter, history[-1], n_labels, shot)))
            if stopped or iteration == settings.max_iter or trainer.is_done(iteration, n_labels, changed):
                break  # before the network moves on: what it knows is what made these labels
            trainer.optimiser.zero_grad()
            torch.autograd.backward(total)
            trainer.optimiser.step()
        state = state_of(trainer.network) if settings.variant == "s3net" else {}
        del trainer, total, terms  # the last ones would hold the graph of the last look
        proposal = propose(clusters, plane, settings)
        labels, foreground, meanings = postprocess(plane, probabilities, proposal, settings)
    provenance = Provenance(
        settings=settings,
        version=__version__,
        device=str(where),
        seconds=time.perf_counter() - started,
        stopped=stopped,
        confidence=proposal.confidence,
        image=image.facts,
        iterations=len(history),
        losses=tuple(history),
    )
    return Segmentation(
        labels=labels,
        foreground=foreground,
        geometry=image.geometry,
        provenance=provenance,
        names={i: meaning.name for i, meaning in meanings.items()},
        meanings=meanings,
        object_name=proposal.names[0],
        state=state,
        image=image,
    )
