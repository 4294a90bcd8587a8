"""From probabilities at the working size to clean, numbered and named labels at the image's size."""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from scipy import ndimage
from torch import Tensor

from napari_s3net.foreground import Proposal, lens_shadow
from napari_s3net.image import Image
from napari_s3net.labels.measure import tissue_name
from napari_s3net.preprocess import to_unit
from napari_s3net.settings import Settings

#: Clusters and parts of clusters below this share of the image are joined to their neighbours.
SMALLEST_SHARE = 0.004
#: So are parts below this share of their cluster: the rim between the network's border and the object's.
SMALLEST_OF_CLUSTER = 0.1
#: Guided filter: radius in pixels of the working size, and the variance below which the image counts as flat.
GUIDE_RADIUS, GUIDE_FLAT = 3, 0.01


def finish(
    image: Image, features: NDArray[np.float32], probabilities: Tensor, proposal: Proposal, settings: Settings
) -> tuple[NDArray[np.int32], tuple[int, ...], dict[int, str]]:
    """Bring clusters and object to the image's size, number and name them.

    Parameters
    ----------
    image : Image
        The plane that was segmented.
    features : numpy.ndarray
        (h, w, C) in [0, 1].
    probabilities : torch.Tensor
        (1, K, h, w).
    proposal : Proposal
        The object at the working size.

    Returns
    -------
    labels : numpy.ndarray
        (H, W) int32 from 1: the object's labels first, each side from dark to light.
    foreground : tuple of int
        The object's labels.
    names : dict of int to str
    """
    unit = to_unit(image, settings)
    grey = unit.mean(axis=2)
    mask = object_mask(proposal.object_probability, features.mean(axis=2), grey, settings)
    pairs = 2 * full_clusters(probabilities, image.shape) + ~mask
    pairs = join_small(pairs)
    values, index = np.unique(pairs, return_inverse=True)
    index = index.reshape(pairs.shape)
    means = np.bincount(index.ravel(), grey.ravel()) / np.bincount(index.ravel())
    order = sorted(range(len(values)), key=lambda i: (values[i] % 2, means[i]))
    rank = np.empty(len(values), np.int32)
    rank[order] = np.arange(1, len(values) + 1)
    labels = rank[index]
    foreground = tuple(sorted(int(rank[i]) for i in range(len(values)) if values[i] % 2 == 0))
    return labels, foreground, name_labels(labels, foreground, image, unit, proposal.names)


def object_mask(
    probability: NDArray[np.float32], small: NDArray[np.float32], grey: NDArray[np.float32], settings: Settings
) -> NDArray[np.bool_]:
    """Where the object is, at the image's size.

    A probability of the image's size is taken as it is. A smaller one (h, w) is enlarged smoothly, or by a guided
    filter that lets its border follow the image `grey` (H, W), of which `small` is the copy at the working size; then
    parts below `min_area` are dropped.
    """
    if probability.shape == grey.shape:
        return np.asarray(probability > 0.5)
    enlarged = guided(probability, small, grey) if settings.sharpen_boundary else _enlarge(probability, grey.shape)
    mask = enlarged > 0.5
    parts, n = ndimage.label(mask)
    if n > 1:
        sizes = np.bincount(parts.ravel())
        sizes[0] = 0
        keep = sizes >= settings.min_area / 100 * mask.size
        keep[int(np.argmax(sizes))] = True
        mask = keep[parts]
    return np.asarray(ndimage.binary_fill_holes(mask))


def guided(p: NDArray[np.float32], guide: NDArray[np.float32], full: NDArray[np.float32]) -> NDArray[np.float32]:
    """Fast guided filter (He and Sun 2015): p ≈ a · guide + b in every window, with a and b enlarged to `full`."""

    def mean(values: NDArray[np.floating]) -> NDArray[np.floating]:
        return np.asarray(ndimage.uniform_filter(values, 2 * GUIDE_RADIUS + 1))

    mean_g, mean_p = mean(guide), mean(p)
    a = (mean(guide * p) - mean_g * mean_p) / (mean(guide * guide) - mean_g**2 + GUIDE_FLAT)
    b = mean_p - a * mean_g
    return _enlarge(mean(a), full.shape) * full + _enlarge(mean(b), full.shape)


def full_clusters(probabilities: Tensor, shape: tuple[int, ...]) -> NDArray[np.int64]:
    """Arg-max of the enlarged probabilities (1, K, h, w), one map at a time, over clusters that are not tiny."""
    p = probabilities.detach().float().cpu()[0]
    shares = torch.bincount(p.argmax(dim=0).ravel(), minlength=len(p)) / p[0].numel()
    used = [k for k in range(len(p)) if shares[k] >= SMALLEST_SHARE] or [int(shares.argmax())]
    best = np.full(shape, -1.0, np.float32)
    clusters = np.zeros(shape, np.int64)
    for k in used:
        enlarged = _enlarge(p[k].numpy(), shape)
        better = enlarged > best
        clusters[better], best[better] = k, enlarged[better]
    return clusters


def join_small(pairs: NDArray[np.int64]) -> NDArray[np.int64]:
    """Let what is tiny, or a mere rim of its cluster across the object's border, take the nearest label of its side.

    A pair is twice the cluster, plus one outside the object: odd numbers are background, even ones object.
    """
    counts = np.bincount(pairs.ravel(), minlength=int(pairs.max() | 1) + 1)
    of_cluster = (counts[0::2] + counts[1::2]).repeat(2)
    stays = (counts >= SMALLEST_SHARE * pairs.size) & (counts >= SMALLEST_OF_CLUSTER * of_cluster)
    for side in (0, 1):
        if not stays[side::2].any():
            stays[side + 2 * int(np.argmax(counts[side::2]))] = True
    joined = pairs.copy()
    for side in (0, 1):
        own = pairs % 2 == side
        lost = own & ~stays[pairs]
        if lost.any():
            near = ndimage.distance_transform_edt(~(own & ~lost), return_distances=False, return_indices=True)
            joined[lost] = pairs[near[0][lost], near[1][lost]]
    return joined


def name_labels(
    labels: NDArray[np.int32],
    foreground: tuple[int, ...],
    image: Image,
    unit: NDArray[np.float32],
    names: tuple[str, str],
) -> dict[int, str]:
    """A short name for each label: the tissue for CT; else what it is, and whether darker or lighter than the main."""
    flat = labels.ravel()
    n = np.maximum(np.bincount(flat), 1)
    grey = np.bincount(flat, unit.mean(axis=2).ravel()) / n
    values = np.bincount(flat, image.array.ravel()) / n if image.kind == "ct" else grey
    shadow = lens_shadow(unit).ravel() if image.kind == "rgb" else np.zeros(flat.size, bool)
    in_shadow = np.bincount(flat, shadow) / n
    given: dict[int, str] = {}
    for i in np.unique(flat):
        is_object = i in foreground
        if image.kind == "ct" and not is_object:
            tissue = tissue_name(float(values[i]))
            given[int(i)] = "Air and tissue" if tissue == names[0] else tissue
        elif in_shadow[i] > 0.5 and not is_object:
            given[int(i)] = "Dark corner"
        else:
            side = [j for j in np.unique(flat) if (j in foreground) == is_object and in_shadow[j] <= 0.5] or [i]
            main = max(side, key=lambda j: n[j])
            word = "" if i == main else ", darker" if grey[i] < grey[main] else ", lighter"
            given[int(i)] = names[0 if is_object else 1] + word
    return given


def preview(clusters: NDArray[np.int64], shape: tuple[int, ...]) -> NDArray[np.uint8]:
    """Clusters at the image's size, nearest neighbour, from 1: a quick look while the run goes on."""
    rows = np.arange(shape[0]) * clusters.shape[0] // shape[0]
    columns = np.arange(shape[1]) * clusters.shape[1] // shape[1]
    return (clusters + 1).astype(np.uint8)[np.ix_(rows, columns)]


def _enlarge(values: NDArray[np.floating], shape: tuple[int, ...]) -> NDArray[np.float32]:
    """Bilinear, to the image's size."""
    small = torch.from_numpy(np.ascontiguousarray(values, np.float32))[None, None]
    return np.asarray(F.interpolate(small, tuple(shape), mode="bilinear", align_corners=False)[0, 0].numpy())
