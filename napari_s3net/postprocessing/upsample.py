"""From the working size to the image's size."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from scipy import ndimage
from torch import Tensor

from napari_s3net.postprocessing.small_regions import SMALL_REGIONS

#: Pixels at the borders of clusters that are interpolated at a time, for the sake of memory; changes no result.
BORDER_PIXELS = 2**18


@dataclass(frozen=True, kw_only=True)
class GuideConstants:
    """The guided filter that lets a border follow the image. Chosen on the development images.

    Parameters
    ----------
    radius : int
        Of its windows, in pixels of the working size.
    flat : float
        Variance, of intensities from 0 to 1, below which the image counts as flat; ε in the paper.
    """

    radius: int = 3
    flat: float = 0.01


GUIDE = GuideConstants()


def enlarge(values: NDArray[np.floating], shape: tuple[int, ...]) -> NDArray[np.float32]:
    """Interpolate values at another size, bilinearly.

    Parameters
    ----------
    values : numpy.ndarray
        (h, w).
    shape : tuple of int
        (H, W).

    Returns
    -------
    numpy.ndarray
        (H, W) float32.
    """
    small = torch.from_numpy(np.ascontiguousarray(values, np.float32))[None, None]
    return np.asarray(F.interpolate(small, tuple(shape), mode="bilinear", align_corners=False)[0, 0].numpy())


def enlarge_guided(
    p: NDArray[np.float32], guide: NDArray[np.float32], full: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Enlarge so that borders follow the image: fast guided filter (He and Sun 2015, arXiv 1505.00996, algorithm 2).

    In every window p ≈ a · guide + b, with a and b enlarged.

    Parameters
    ----------
    p : numpy.ndarray
        (h, w), what is enlarged.
    guide, full : numpy.ndarray
        (h, w) and (H, W), the image in [0, 1] at both sizes.

    Returns
    -------
    numpy.ndarray
        (H, W).
    """

    def mean(values: NDArray[np.floating]) -> NDArray[np.floating]:
        return np.asarray(ndimage.uniform_filter(values, 2 * GUIDE.radius + 1))

    mean_g, mean_p = mean(guide), mean(p)
    a = (mean(guide * p) - mean_g * mean_p) / (mean(guide * guide) - mean_g**2 + GUIDE.flat)
    b = mean_p - a * mean_g
    return enlarge(mean(a), full.shape) * full + enlarge(mean(b), full.shape)


def enlarge_clusters(probabilities: Tensor, shape: tuple[int, ...]) -> NDArray[np.uint8]:
    """Arg-max of the probabilities enlarged bilinearly, over clusters that are not tiny.

    Between four pixels of one cluster all of the enlarged ones are of that cluster, so only what lies at the borders
    of clusters is interpolated.

    Parameters
    ----------
    probabilities : torch.Tensor
        (1, K, h, w).
    shape : tuple of int
        (H, W).

    Returns
    -------
    numpy.ndarray
        (H, W) uint8, from 0 to K − 1.
    """
    p = probabilities.detach().float().cpu()[0].permute(1, 2, 0).contiguous()  # (h, w, K)
    shares = torch.bincount(p.argmax(dim=2).ravel(), minlength=p.shape[2]) / p[..., 0].numel()
    p = p.where(shares >= min(SMALL_REGIONS.share, float(shares.max())), -1.0)  # a copy: p may be the caller's memory
    small = p.argmax(dim=2).numpy().astype(np.uint8)
    corner = small[:-1, :-1]
    alike = (corner == small[:-1, 1:]) & (corner == small[1:, :-1]) & (corner == small[1:, 1:])
    (top, down), (left, right) = (_between(n, m) for n, m in zip(shape, small.shape, strict=True))
    clusters = corner.take(left, axis=1).take(top, axis=0)
    borders = np.flatnonzero(~alike.take(left, axis=1).take(top, axis=0))
    table, wide = p.flatten(0, 1), small.shape[1]
    for part in range(0, len(borders), BORDER_PIXELS):
        places = borders[part : part + BORDER_PIXELS]
        rows, columns = places // shape[1], places % shape[1]
        first = top[rows] * wide + left[columns]
        around = np.stack([first, first + 1, first + wide, first + wide + 1], axis=1)
        y, x = down[rows], right[columns]
        weights = np.stack([(1 - y) * (1 - x), (1 - y) * x, y * (1 - x), y * x], axis=1)
        mixed = F.embedding_bag(
            torch.from_numpy(around), table, per_sample_weights=torch.from_numpy(weights), mode="sum"
        )
        clusters.ravel()[places] = mixed.argmax(dim=1).numpy()
    return clusters


def preview(clusters: NDArray[np.int64], shape: tuple[int, ...]) -> NDArray[np.uint8]:
    """Bring clusters to the image's size, nearest neighbour: for the screen while a run goes on.

    Parameters
    ----------
    clusters : numpy.ndarray
        (h, w), from 0 to at most 254.
    shape : tuple of int
        (H, W) of the image.

    Returns
    -------
    numpy.ndarray
        (H, W) uint8, counted from 1.
    """
    return nearest((clusters + 1).astype(np.uint8), shape)


def nearest(values: NDArray[Any], shape: tuple[int, ...]) -> NDArray[Any]:
    """Bring values to another size, nearest neighbour.

    Parameters
    ----------
    values : numpy.ndarray
        (h, w).
    shape : tuple of int
        (H, W).

    Returns
    -------
    numpy.ndarray
        (H, W) of the same type.
    """
    rows, columns = (np.arange(n) * m // n for n, m in zip(shape, values.shape, strict=True))
    return np.asarray(values[np.ix_(rows, columns)])


def _between(n: int, m: int) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Where n enlarged pixels lie among m: the pixel before, (n,), and the share of the way to the next one."""
    place = np.clip((np.arange(n) + 0.5) * (m / n) - 0.5, 0, m - 1)
    before = np.minimum(place.astype(np.int64), m - 2)
    return before, (place - before).astype(np.float32)
