"""Where to look next: how unsure each pixel is which side of the object it lies on, and the places worth a stroke."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from scipy import ndimage

from napari_s3net.correction.refine import load_weights, look_of, shrink, small_trainer
from napari_s3net.image import Image, Segmentation
from napari_s3net.network.warps import WarpRange, draw_theta, make_grid, visible, warp
from napari_s3net.runtime.device import resolve_device
from napari_s3net.segmentation import segment

Over = Literal["probabilities", "seeds", "transformations"]
#: How far from its region, as a share of the longer side, a label is still likely; and how likely it is anywhere.
NEAR, ANYWHERE = 0.01, 0.01
#: A place is where the entropy is above this, and where more than this share of the image is expected to change.
UNSURE, WORTH = 0.6, 0.001
#: Places are no larger than this share of the longer side: a rim is gone along piece by piece.
PIECE = 0.12


@dataclass(frozen=True)
class Place:
    """A part of the image in which the result may be wrong.

    Parameters
    ----------
    row, column : float
        Its middle, in pixels.
    extent : float
        Its longer side in pixels.
    expected : float
        Share of the image that is expected to change here.
    """

    row: float
    column: float
    extent: float
    expected: float


def uncertainty(
    image: Image, result: Segmentation, *, over: Over = "probabilities", n: int = 4, device: str = "auto"
) -> NDArray[np.float32]:
    """Entropy of the labels' probabilities in bits: 0 sure, 1 as good as a coin.

    Probabilities of the object and of the rest; of each label where the result has no object. What the network (or,
    without its weights, the colours) says of a pixel counts together with how near each region lies.

    Parameters
    ----------
    image : Image
        One plane.
    result : Segmentation
        Its labels.
    over : {"probabilities", "seeds", "transformations"}
        Of the kept network alone; of the masks of `n` runs with other seeds; or averaged over `n` random affine
        transformations of the input to the kept network.
    n : int
        How many seeds or transformations.
    device : str
        As in `segment`.

    Returns
    -------
    numpy.ndarray
        (H, W) float32 from 0 to 1.
    """
    regions = _regions(result)
    if over == "seeds":
        p = _over_seeds(image, result, n, device)
    else:
        look = look_of(image, result.settings).colours
        small = np.stack([shrink(region, look.shape[:2]) for region in regions])
        said = _network(image, result, small, n if over == "transformations" else 0, device) if result.state else None
        p = _colours(look, small) if said is None else said
        near = [ndimage.gaussian_filter(r.astype(np.float32), NEAR * max(r.shape)) + ANYWHERE for r in small]
        p = p * np.stack(near)
        p /= np.maximum(p.sum(axis=0), 1e-9)
    entropy = -(p * np.log2(np.clip(p, 1e-9, 1))).sum(axis=0) / np.log2(max(2, len(p)))
    large = F.interpolate(torch.from_numpy(entropy.astype(np.float32))[None, None], image.shape, mode="bilinear")
    return np.asarray(large[0, 0].clamp(0, 1).numpy())


def places(entropy: NDArray[np.float32], constraints: NDArray[Any] | None = None) -> list[Place]:
    """Where a stroke is worth most, the best first; none where little is left to gain.

    Parameters
    ----------
    entropy : numpy.ndarray
        (H, W), from `uncertainty`.
    constraints : numpy.ndarray, optional
        (H, W), what was drawn: a place that holds a stroke is done.
    """
    side = max(1, round(PIECE * max(entropy.shape)))
    pieces = np.arange(entropy.shape[0])[:, None] // side * entropy.shape[1] + np.arange(entropy.shape[1]) // side
    numbers, index = np.unique(np.where(entropy > UNSURE, pieces, -1), return_inverse=True)
    parts, n = (index.reshape(entropy.shape) + (numbers[0] >= 0)), len(numbers) - (numbers[0] < 0)
    doubt = np.bincount(parts.ravel(), (entropy.ravel() ** 2) / 2, minlength=n + 1) / entropy.size
    done = set() if constraints is None else set(np.unique(parts[np.asarray(constraints) > 0]).tolist())
    found = []
    for number, box in enumerate(ndimage.find_objects(parts, n), 1):
        if number in done or doubt[number] < WORTH:
            continue
        rows, columns = np.nonzero(parts[box] == number)
        middle = np.argmin((rows - rows.mean()) ** 2 + (columns - columns.mean()) ** 2)
        top, left = (side.start for side in box)
        extent = max(side.stop - side.start for side in box)
        found.append(Place(float(rows[middle] + top), float(columns[middle] + left), extent, float(doubt[number])))
    return sorted(found, key=lambda place: -place.expected)


def _regions(result: Segmentation) -> list[NDArray[np.bool_]]:
    """The object and the rest; without an object each label."""
    if result.foreground and not result.mask.all():
        return [result.mask, ~result.mask]
    return [result.labels == i for i in np.unique(result.labels)]


def _network(
    image: Image, result: Segmentation, regions: NDArray[np.bool_], n: int, device: str
) -> NDArray[np.float32]:
    """What the kept network says of each region, (regions, h, w) at their size."""
    trainer = small_trainer(image, result.settings, resolve_device(device))
    load_weights(trainer.network, result.state)
    with torch.no_grad():
        p = torch.stack(list(_views(trainer.network, trainer.full.x, n, result.settings.seed))).mean(dim=0)
        large = F.interpolate(p[None], regions.shape[1:], mode="bilinear")[0].cpu()
    inside = torch.from_numpy(regions.astype(np.float32))
    shares = torch.einsum("rhw,khw->rk", inside, large)
    shares = shares / shares.sum(dim=0).clamp(min=1e-6)
    return np.asarray(torch.einsum("rk,khw->rhw", shares, large).numpy())


def _views(network: torch.nn.Module, x: torch.Tensor, n: int, seed: int) -> Iterator[torch.Tensor]:
    """Probabilities (K, h, w) of the image, and of warped copies of it, warped back."""
    first = network(x)[0].softmax(dim=1)[0]
    yield first
    draw = torch.Generator().manual_seed(seed)
    size = (x.shape[2], x.shape[3])
    for _ in range(n):
        theta = draw_theta(WarpRange(rotation=20, scale=0.1, shear=0.05, translation=0.05), size, draw)
        there, back = make_grid(theta, x), make_grid(_inverse(theta), x)
        seen = visible(back, x)[0]
        p = warp(network(warp(x, there))[0].softmax(dim=1), back)[0]
        yield p * seen + first * (1 - seen)


def _inverse(theta: torch.Tensor) -> torch.Tensor:
    """The theta (2, 3) that undoes another."""
    linear = torch.linalg.inv(theta[:, :2])
    return torch.cat((linear, -linear @ theta[:, 2:]), dim=1)


def _colours(look: NDArray[np.float32], regions: NDArray[np.bool_]) -> NDArray[np.float32]:
    """How well each pixel's colour fits each region's (regions, h, w): a Gaussian with independent channels."""
    logs = []
    for region in regions:
        inside = look[region] if region.any() else look.reshape(-1, look.shape[2])
        mean, sd = inside.mean(axis=0), inside.std(axis=0) + 1.0
        logs.append(-0.5 * (((look - mean) / sd) ** 2).sum(axis=2) - np.log(sd).sum())
    fits = np.exp(np.stack(logs) - np.max(logs, axis=0))
    return np.asarray(fits / fits.sum(axis=0), np.float32)


def _over_seeds(image: Image, result: Segmentation, n: int, device: str) -> NDArray[np.float32]:
    """How often each pixel is the object, and how often not, over runs with other seeds and the result itself."""
    settings = result.settings
    masks = [result.mask]
    for i in range(1, n + 1):
        other = replace(segment(image, settings=settings, seed=settings.seed + i, device=device), state={})
        masks.append(other.mask)
    share = np.mean(masks, axis=0, dtype=np.float32)
    return np.stack([share, 1 - share])
