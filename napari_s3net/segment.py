"""Image to labels: a network is trained from nothing on the one image, while the caller watches."""

from __future__ import annotations

import time
from collections.abc import Generator
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from napari_s3net import __version__
from napari_s3net.device import memory_errors, resolve_device
from napari_s3net.errors import DivergedError
from napari_s3net.foreground import Proposal, propose
from napari_s3net.image import Image, Segmentation, Step, as_image
from napari_s3net.model.losses import cluster_loss, edge_weights, spatial_loss, transformation_loss
from napari_s3net.model.network import S3Net
from napari_s3net.model.warp import WarpRange, draw_theta, visible, warp
from napari_s3net.preprocess import check_plane, suggest_preset, to_features, to_tensor
from napari_s3net.settings import Settings, preset as preset_settings

#: Memory that a run takes a pixel, cluster and channel of the working size, in MiB.
MIB_PER_VALUE = 1.2e-4


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
    if settings is None:
        settings = preset_settings(suggest_preset(image) if preset == "auto" else preset)
    if seed is not None:
        settings = settings.replace(seed=seed)
    run = iter_segment(image, settings, device=device)
    while True:
        try:
            next(run)
        except StopIteration as end:
            result: Segmentation = end.value
            return result


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
    check_plane(image)
    where = resolve_device(device)
    history: list[dict[str, float]] = []
    stopped = False
    with memory_errors(where, 0.0):
        features = to_features(image, settings)
        x = to_tensor(features, where).contiguous(memory_format=torch.channels_last)
        network, optimiser, draw = _prepare(x, settings)
        weights = edge_weights(x)
        for iteration in range(1, settings.max_iter + 1):
            logits, side = network(x)
            probabilities = logits.softmax(dim=1)
            losses = _losses(network, x, logits, probabilities, weights, settings, draw)
            total = torch.stack(list(losses.values())).sum()
            if not torch.isfinite(total):
                raise DivergedError(f"The loss is not finite at iteration {iteration}. Try a smaller learning rate.")
            optimiser.zero_grad(set_to_none=True)
            total.backward()
            optimiser.step()
            history.append({name: float(loss.detach()) for name, loss in losses.items()})
            clusters = probabilities.detach().argmax(dim=1)[0].cpu().numpy()
            n_labels = len(np.unique(clusters))
            preview = None
            if preview_seconds is not None and time.perf_counter() - shown >= preview_seconds:
                preview, shown = _preview(clusters, image.shape), time.perf_counter()
            stopped = bool((yield Step(iteration, settings.max_iter, history[-1], n_labels, preview)))
            if stopped or n_labels <= settings.min_labels:
                break
        with torch.no_grad():
            labels, foreground, names, proposal = _finish(image, features, probabilities.detach(), settings)
    return Segmentation(
        labels=labels,
        foreground=foreground,
        geometry=image.geometry,
        settings=settings,
        names=names,
        confidence=proposal.confidence,
        history=tuple(history),
        device=str(where),
        version=__version__,
        seconds=time.perf_counter() - started,
        stopped=stopped,
    )


def _prepare(x: Tensor, settings: Settings) -> tuple[S3Net, torch.optim.Optimizer, torch.Generator]:
    """A fresh network, its optimiser and the source of random transformations, all from the seed."""
    with torch.random.fork_rng():
        torch.manual_seed(settings.seed)
        network = S3Net(x.shape[1], settings.channels, settings.clusters)
    network = network.to(x.device, memory_format=torch.channels_last)
    draw = torch.Generator().manual_seed(settings.seed)
    return network, torch.optim.SGD(network.parameters(), lr=settings.learning_rate, momentum=0.9), draw


def _losses(
    network: S3Net,
    x: Tensor,
    logits: Tensor,
    probabilities: Tensor,
    weights: tuple[Tensor, Tensor],
    settings: Settings,
    draw: torch.Generator,
) -> dict[str, Tensor]:
    """The weighted terms of one iteration."""
    limits = WarpRange(
        rotation=settings.rotation, scale=settings.scale, shear=settings.shear, translation=settings.translation
    )
    theta = draw_theta(limits, (x.shape[2], x.shape[3]), draw)
    moved, _ = network(warp(x, theta))
    return {
        "cluster": settings.weight_cluster * cluster_loss(logits),
        "transformation": settings.weight_transformation
        * transformation_loss(moved, warp(probabilities.detach(), theta), visible(theta, x)),
        "spatial": settings.weight_spatial * spatial_loss(probabilities, weights),
    }


def _preview(clusters: NDArray[np.int64], shape: tuple[int, ...]) -> NDArray[np.uint8]:
    """Clusters at the image's size, nearest neighbour, from 1."""
    rows = np.arange(shape[0]) * clusters.shape[0] // shape[0]
    columns = np.arange(shape[1]) * clusters.shape[1] // shape[1]
    return (clusters + 1).astype(np.uint8)[np.ix_(rows, columns)]


def _finish(
    image: Image, features: NDArray[np.float32], probabilities: Tensor, settings: Settings
) -> tuple[NDArray[np.int32], tuple[int, ...], dict[int, str], Proposal]:
    """Choose the object, bring everything to the image's size and number the labels, the object first."""
    clusters = probabilities.argmax(dim=1)[0].cpu().numpy()
    proposal = propose(clusters, features, settings)
    soft = torch.from_numpy(proposal.object_probability[None, None])
    mask = (F.interpolate(soft, image.shape, mode="bicubic", align_corners=False)[0, 0] > 0.5).numpy()
    full = F.interpolate(probabilities, image.shape, mode="bilinear", align_corners=False)[0].argmax(dim=0)
    pairs = 2 * full.cpu().numpy() + ~mask
    values, labels = np.unique(pairs, return_inverse=True)
    order = sorted(range(len(values)), key=lambda i: (values[i] % 2, values[i]))
    rank = np.empty(len(values), np.int32)
    rank[order] = np.arange(1, len(values) + 1)
    foreground = tuple(int(rank[i]) for i in range(len(values)) if values[i] % 2 == 0)
    names = {int(rank[i]): proposal.names[int(values[i] % 2)] for i in range(len(values))}
    return rank[labels.reshape(image.shape)], tuple(sorted(foreground)), names, proposal
