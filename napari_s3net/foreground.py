"""Which clusters are the object, without looking at any label."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from skimage.filters import threshold_otsu
from skimage.segmentation import clear_border

#: HU below which CT shows air or lung.
AIR_OR_LUNG_HU = -400.0


@dataclass(frozen=True, eq=False)
class Proposal:
    """The proposed object at the working size.

    Parameters
    ----------
    mask : numpy.ndarray
        (h, w) bool.
    names : tuple of str
        What to call the object, and what to call the rest.
    confidence : float
        0 to 1.
    """

    mask: NDArray[np.bool_]
    names: tuple[str, str]
    confidence: float


def propose(
    clusters: NDArray[np.int64], features: NDArray[np.float32], target: str, window: tuple[float, float]
) -> Proposal:
    """Choose the object among the clusters.

    Parameters
    ----------
    clusters : numpy.ndarray
        (h, w) cluster of each pixel.
    features : numpy.ndarray
        (h, w, C) in [0, 1].
    target : {"lesion", "lung", "body", "central"}
        What kind of object is looked for.
    window : tuple of float
        HU at 0 and at 1 of the features; only used for CT.
    """
    rule = _RULES[target]
    return rule(clusters, features, window)


def _lesion(clusters: NDArray[np.int64], features: NDArray[np.float32], window: tuple[float, float]) -> Proposal:
    """The clusters that differ most from the skin around, in one central part."""
    corners = _dark_corners(features)
    means = _cluster_means(clusters, features)
    ring = _border_ring(clusters.shape) & ~corners
    skin = np.median(features[ring], axis=0) if ring.any() else np.median(features[~corners], axis=0)
    distance = (skin - means).mean(axis=1)[clusters] if features.shape[2] == 1 else _darkness(skin, means)[clusters]
    inside = ~corners
    mask = (distance > threshold_otsu(distance[inside])) & inside if np.ptp(distance[inside]) > 0 else inside
    chosen, dominance = _central_part(ndimage.binary_fill_holes(mask))
    return Proposal(chosen, ("Lesion", "Skin"), dominance)


def _central(clusters: NDArray[np.int64], features: NDArray[np.float32], window: tuple[float, float]) -> Proposal:
    """The clusters that differ from what lies along the border."""
    means = _cluster_means(clusters, features)
    border = np.median(features[_border_ring(clusters.shape)], axis=0)
    distance = np.linalg.norm(means - border, axis=1)[clusters]
    mask = distance > threshold_otsu(distance) if np.ptp(distance) > 0 else np.ones_like(clusters, bool)
    chosen, dominance = _central_part(ndimage.binary_fill_holes(mask))
    return Proposal(chosen, ("Object", "Background"), dominance)


def _lung(clusters: NDArray[np.int64], features: NDArray[np.float32], window: tuple[float, float]) -> Proposal:
    """Air inside the body: dark clusters that are not connected to the image's border."""
    hu = window[0] + _cluster_means(clusters, features)[:, 0] * (window[1] - window[0])
    air = (hu < AIR_OR_LUNG_HU)[clusters]
    inside = clear_border(air)
    closed = ndimage.binary_closing(np.pad(inside, 4), iterations=2)[4:-4, 4:-4]
    mask = ndimage.binary_fill_holes(closed)
    return Proposal(mask, ("Lung", "Other"), float(mask.any()))


def _body(clusters: NDArray[np.int64], features: NDArray[np.float32], window: tuple[float, float]) -> Proposal:
    """Tissue inside the body: the largest part above the window's lower end, holes filled."""
    grey = features[..., 0]
    tissue = ndimage.binary_opening(grey > 0.02, iterations=1)
    parts, n = ndimage.label(tissue)
    if n == 0:
        return Proposal(grey > threshold_otsu(grey), ("Tissue", "Air"), 0.0)
    largest = 1 + int(np.argmax(np.bincount(parts.ravel())[1:]))
    return Proposal(ndimage.binary_fill_holes(parts == largest), ("Tissue", "Air"), 1.0)


_RULES: Mapping[str, object] = {"lesion": _lesion, "lung": _lung, "body": _body, "central": _central}


def _cluster_means(clusters: NDArray[np.int64], features: NDArray[np.float32]) -> NDArray[np.float64]:
    """Mean feature of each cluster, (K, C); a cluster without pixels has zeros."""
    flat = clusters.ravel()
    n = np.maximum(np.bincount(flat), 1)
    return np.stack([np.bincount(flat, f.ravel()) / n for f in np.moveaxis(features, 2, 0)], axis=1)


def _darkness(skin: NDArray[np.floating], means: NDArray[np.floating]) -> NDArray[np.floating]:
    """How much darker than skin, blue counting most: lesions absorb short wavelengths."""
    return (skin - means) @ np.array([0.2, 0.3, 0.5])


def _border_ring(shape: tuple[int, ...]) -> NDArray[np.bool_]:
    """The outermost eighth of the image."""
    ring = np.ones(shape, bool)
    m = max(1, min(shape) // 12)
    ring[m:-m, m:-m] = False
    return ring


def _dark_corners(features: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Near-black parts that touch the image's corner or border: the shadow of the lens."""
    dark = features.max(axis=2) < 0.2
    parts, _ = ndimage.label(dark)
    h, w = dark.shape
    touching = np.unique(parts[[0, 0, h - 1, h - 1], [0, w - 1, 0, w - 1]])
    return ndimage.binary_dilation(np.isin(parts, touching[touching > 0]), iterations=3)


def _central_part(mask: NDArray[np.bool_]) -> tuple[NDArray[np.bool_], float]:
    """The connected part with the most weight around the middle, and its share of all weight."""
    parts, n = ndimage.label(mask)
    if n == 0:
        return mask, 0.0
    h, w = mask.shape
    y, x = np.mgrid[:h, :w]
    weight = np.exp(-(((y - h / 2) / (0.35 * h)) ** 2 + ((x - w / 2) / (0.35 * w)) ** 2))
    sums = np.bincount(parts.ravel(), weight.ravel())[1:]
    best = int(np.argmax(sums))
    return parts == best + 1, float(sums[best] / max(sums.sum(), 1e-12))
