"""Where a result is unsure: the entropy of each pixel's label, and the places where a stroke is worth most."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from scipy import ndimage

from napari_s3net.correction.refiner import colour_features
from napari_s3net.correction.relabel import downsample_labels
from napari_s3net.correction.restored_network import restore_network, small_view
from napari_s3net.errors import InvalidImageError
from napari_s3net.image import Image
from napari_s3net.network.warps import WarpRange, draw_theta, make_grid, visible, warp
from napari_s3net.result import Segmentation
from napari_s3net.runtime.device import resolve_device
from napari_s3net.segmentation import segment

Over = Literal["probabilities", "seeds", "transformations"]


@dataclass(frozen=True, kw_only=True)
class UncertaintyConstants:
    """What was set by hand for the uncertainty and the places that are asked about; tuned on nothing.

    Parameters
    ----------
    near : float
        Standard deviation of the blur of each region, as a share of the longer side: how far from its border a label is
        still likely.
    anywhere : float
        What is added to the blurred regions, which are from 0 to 1: how likely each label is anywhere.
    unsure : float
        A pixel is unsure where the entropy, as a share of the largest possible, is above this.
    worth : float
        Least share of the image that is expected to change at a place worth a stroke.
    piece : float
        Side of the squares into which the image is divided, as a share of the longer side; of each the unsure pixels
        are one place.
    least_spread : float
        What is added to the spread of the colours of a region, in units of Lab, or of intensities from 0 to 100.
    warps : WarpRange
        How far the transformations go that the network's answers are averaged over.
    """

    near: float = 0.01
    anywhere: float = 0.01
    unsure: float = 0.6
    worth: float = 0.001
    piece: float = 0.12
    least_spread: float = 1.0
    warps: WarpRange = field(default_factory=lambda: WarpRange(rotation=20, scale=0.1, shear=0.05, translation=0.05))


UNCERTAINTY = UncertaintyConstants()


@dataclass(frozen=True)
class QuerySite:
    """A place where the result may be wrong: the user is asked for a stroke here.

    Parameters
    ----------
    row, column : float
        Its middle, in pixels.
    extent : float
        Its longer side, in pixels.
    expected : float
        Share of the image that is expected to change here.
    """

    row: float
    column: float
    extent: float
    expected: float


def uncertainty(
    image: Image, result: Segmentation, *, over: Over = "probabilities", n: int = 4, device: str | torch.device = "auto"
) -> NDArray[np.float32]:
    """Compute the entropy of each pixel's label: 0 where it is sure, 1 where all labels are equally likely.

    The labels are object and rest; where the result has no object, they are its own. How likely the network finds each
    (or, without its weights, how well the pixel's colour fits) is multiplied by how near the label's region lies.

    Parameters
    ----------
    image : Image
        One plane.
    result : Segmentation
        Its labels.
    over : {"probabilities", "seeds", "transformations"}
        Of the network's probabilities; of the masks of `n` more runs with other seeds; or of the probabilities averaged
        over `n` random affine transformations of the network's input.
    n : int
        How many seeds or transformations; at least 1.
    device : str or torch.device
        As in `segment`.

    Returns
    -------
    numpy.ndarray
        (H, W) float32 from 0 to 1, as a share of the largest possible entropy: bits where there are two labels.

    Raises
    ------
    InvalidImageError
        If the labels are not of the image's shape.
    InvalidSettingsError
        If the network's weights do not fit the settings of the result.
    DeviceError
        If there is no such device.
    S3NetError
        Over seeds, as in `segment`.
    """
    if result.labels.shape != image.shape:
        raise InvalidImageError(
            f"The labels are {result.labels.shape}, the image is {image.shape}; expected the same shape."
        )
    regions, device = _regions(result), resolve_device(device)
    if over == "seeds":
        p = _over_seeds(image, result, n, device)
    else:
        colours = colour_features(image, result.settings).colours
        small = np.stack([downsample_labels(region, colours.shape[:2]) for region in regions])
        if result.state:
            p = _network_probabilities(image, result, small, n if over == "transformations" else 0, device)
        else:
            p = _colour_probabilities(colours, small)
        near = [
            ndimage.gaussian_filter(r.astype(np.float32), UNCERTAINTY.near * max(r.shape)) + UNCERTAINTY.anywhere
            for r in small
        ]
        p = p * np.stack(near)
        p /= np.maximum(p.sum(axis=0), 1e-9)
    entropy = -(p * np.log2(np.clip(p, 1e-9, 1))).sum(axis=0) / np.log2(max(2, len(p)))
    large = F.interpolate(torch.from_numpy(entropy.astype(np.float32))[None, None], image.shape, mode="bilinear")
    return np.asarray(large[0, 0].clamp(0, 1).numpy())


def query_sites(entropy: NDArray[np.float32], constraints: NDArray[Any] | None = None) -> list[QuerySite]:
    """List the places where a stroke is worth most; none where little is left to gain.

    What is expected to change is estimated as the sum of half the squared entropy over the place.

    Parameters
    ----------
    entropy : numpy.ndarray
        (H, W), from `uncertainty`.
    constraints : numpy.ndarray, optional
        (H, W), what was drawn: a place that holds a stroke is left out.

    Returns
    -------
    list of QuerySite
        The one where most is expected to change first.
    """
    side = max(1, round(UNCERTAINTY.piece * max(entropy.shape)))
    pieces = np.arange(entropy.shape[0])[:, None] // side * entropy.shape[1] + np.arange(entropy.shape[1]) // side
    numbers, index = np.unique(np.where(entropy > UNCERTAINTY.unsure, pieces, -1), return_inverse=True)
    sites, n = (index.reshape(entropy.shape) + (numbers[0] >= 0)), len(numbers) - (numbers[0] < 0)
    expected = np.bincount(sites.ravel(), (entropy.ravel() ** 2) / 2, minlength=n + 1) / entropy.size
    done = set() if constraints is None else set(np.unique(sites[np.asarray(constraints) > 0]).tolist())
    found = []
    for number, box in enumerate(ndimage.find_objects(sites, n), 1):
        if number in done or expected[number] < UNCERTAINTY.worth:
            continue
        rows, columns = np.nonzero(sites[box] == number)
        middle = np.argmin((rows - rows.mean()) ** 2 + (columns - columns.mean()) ** 2)
        top, left = (side.start for side in box)
        extent = max(side.stop - side.start for side in box)
        row, column = float(rows[middle] + top), float(columns[middle] + left)
        found.append(QuerySite(row, column, extent, float(expected[number])))
    return sorted(found, key=lambda site: -site.expected)


def _regions(result: Segmentation) -> list[NDArray[np.bool_]]:
    """Masks of the object and of the rest; without an object, of each label."""
    if result.foreground and not result.mask.all():
        return [result.mask, ~result.mask]
    return [result.labels == i for i in np.unique(result.labels)]


def _network_probabilities(
    image: Image, result: Segmentation, regions: NDArray[np.bool_], n: int, device: torch.device
) -> NDArray[np.float32]:
    """How likely the network finds each region, (regions, h, w) for regions (regions, h, w)."""
    view = small_view(image, result.settings, device)
    network = restore_network(result.state, view, result.settings)
    with torch.no_grad():
        p = torch.stack(list(_transformed(network, view.x, n, result.settings.seed))).mean(dim=0)
        large = F.interpolate(p[None], regions.shape[1:], mode="bilinear")[0].cpu()
    inside = torch.from_numpy(regions.astype(np.float32))
    shares = torch.einsum("rhw,khw->rk", inside, large)
    shares = shares / shares.sum(dim=0).clamp(min=1e-6)
    return np.asarray(torch.einsum("rk,khw->rhw", shares, large).numpy())


def _transformed(network: torch.nn.Module, x: torch.Tensor, n: int, seed: int) -> Iterator[torch.Tensor]:
    """Probabilities (K, h, w) of the image, then those of n warped copies of it, warped back."""
    first = network(x)[0].softmax(dim=1)[0]
    yield first
    generator = torch.Generator().manual_seed(seed)
    size = (x.shape[2], x.shape[3])
    for _ in range(n):
        theta = draw_theta(UNCERTAINTY.warps, size, generator)
        there, back = make_grid(theta, x), make_grid(_inverse(theta), x)
        known = visible(back, x)[0]
        p = warp(network(warp(x, there))[0].softmax(dim=1), back)[0]
        yield p * known + first * (1 - known)


def _inverse(theta: torch.Tensor) -> torch.Tensor:
    """The theta (2, 3) that undoes another."""
    linear = torch.linalg.inv(theta[:, :2])
    return torch.cat((linear, -linear @ theta[:, 2:]), dim=1)


def _colour_probabilities(colours: NDArray[np.float32], regions: NDArray[np.bool_]) -> NDArray[np.float32]:
    """How well each pixel's colour (h, w, C) fits the colours of each region, (regions, h, w).

    A naive Bayes classifier: in each region, each channel is normally distributed, with a little added to its spread.
    """
    logs = []
    for region in regions:
        inside = colours[region] if region.any() else colours.reshape(-1, colours.shape[2])
        mean, sd = inside.mean(axis=0), inside.std(axis=0) + UNCERTAINTY.least_spread
        logs.append(-0.5 * (((colours - mean) / sd) ** 2).sum(axis=2) - np.log(sd).sum())
    fits = np.exp(np.stack(logs) - np.max(logs, axis=0))
    return np.asarray(fits / fits.sum(axis=0), np.float32)


def _over_seeds(image: Image, result: Segmentation, n: int, device: torch.device) -> NDArray[np.float32]:
    """How often each pixel is the object, and how often not, over runs with other seeds and the result itself."""
    settings = result.settings
    others = [segment(image, settings=settings, seed=settings.seed + i, device=device) for i in range(1, n + 1)]
    share = np.mean([one.mask for one in (result, *others)], axis=0, dtype=np.float32)
    return np.stack([share, 1 - share])
