"""The clusters that training starts from: k-means of the colours and of the depth below the image's border."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.cluster.vq import ClusterError, kmeans2, vq
from skimage.color import rgb2lab
from skimage.morphology import reconstruction


@dataclass(frozen=True, kw_only=True)
class ClusteringConstants:
    """How colours and depth become clusters.

    Round numbers, set on the development images of PH2, ISIC 2018 and HAM10000 together with the depth itself; no
    measurement of each by itself is on record.

    Parameters
    ----------
    blur : float
        Standard deviation of the blur before colours and depth are measured, in pixels of the working size.
    depth_weight : float
        Weight of the depth beside the colours, which have unit variance together.
    least_depth_spread : float
        Depths are divided by their standard deviation, but by no less than this share of that of the intensities: an
        image without a basin has no depth but noise.
    pigment_lightness : tuple of float
        Shares of red, green and blue in the intensity whose basins are filled: pigment absorbs blue most and red least.
    kmeans_iterations : int
        Iterations of k-means.
    """

    blur: float = 1.5
    depth_weight: float = 0.5
    least_depth_spread: float = 0.25
    pigment_lightness: tuple[float, float, float] = (0.2, 0.3, 0.5)
    kmeans_iterations: int = 10


CLUSTERING = ClusteringConstants()


def initial_clusters(features: NDArray[np.float32], n: int) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Give each pixel the cluster that the network is first taught, and the depth that it sees beside the colours.

    Parameters
    ----------
    features : numpy.ndarray
        (h, w, C) in [0, 1].
    n : int
        The number of clusters; fewer are used where there are fewer colours.

    Returns
    -------
    clusters : numpy.ndarray
        (h, w), numbered from dark to light; see `cluster_colours`.
    depth : numpy.ndarray
        (h, w); see `depth_below_border`.
    """
    smooth = ndimage.gaussian_filter(features, (CLUSTERING.blur, CLUSTERING.blur, 0))
    depth = depth_below_border(smooth)
    return cluster_colours(smooth, depth, n), depth


def depth_below_border(smooth: NDArray[np.float32]) -> NDArray[np.float32]:
    """Measure how far each pixel lies below the lowest way out to the image's border.

    Water let in from the border fills every basin up to its lowest rim; the height of the water is the depth
    (reconstruction by erosion, Vincent 1993). It tells a lesion from a dark corner, and a lung from the air of the
    room, that have the same colour.

    Parameters
    ----------
    smooth : numpy.ndarray
        (h, w, C) in [0, 1].

    Returns
    -------
    numpy.ndarray
        (h, w), zero mean and at most unit variance; no unit.
    """
    depth, grey = depth_and_grey(smooth)
    mean, scale = depth_scale(depth, grey)
    return np.asarray((depth - mean) / scale, np.float32)


def depth_and_grey(smooth: NDArray[np.float32]) -> tuple[NDArray[np.floating], NDArray[np.float32]]:
    """Measure the depth below the lowest way out to the border, in units of intensity; see `depth_below_border`.

    Parameters
    ----------
    smooth : numpy.ndarray
        (h, w, C) in [0, 1].

    Returns
    -------
    depth, grey : numpy.ndarray
        (h, w) each: the depth, and the intensity whose basins are filled.
    """
    grey = smooth @ np.array(CLUSTERING.pigment_lightness, np.float32) if smooth.shape[2] == 3 else smooth[..., 0]
    seed = np.full_like(grey, grey.max())
    seed[[0, -1]], seed[:, [0, -1]] = grey[[0, -1]], grey[:, [0, -1]]
    return reconstruction(seed, grey, method="erosion") - grey, grey


def depth_scale(depth: NDArray[np.floating], grey: NDArray[np.floating]) -> tuple[float, float]:
    """Say by what depths are brought to zero mean and at most unit variance.

    Parameters
    ----------
    depth, grey : numpy.ndarray
        From `depth_and_grey`; those of several slices together have one scale.

    Returns
    -------
    tuple of float
        What to subtract, and what to divide by.
    """
    return float(depth.mean()), max(float(depth.std()), CLUSTERING.least_depth_spread * float(grey.std()), 1e-6)


def cluster_colours(smooth: NDArray[np.float32], depth: NDArray[np.float32], n: int) -> NDArray[np.int64]:
    """Cluster smoothed colours and depth by k-means.

    k-means begins at equally spaced quantiles of the main axis of the colours, so that it draws no random number and
    every run numbers alike. Its centres are computed from every other row and column.

    Parameters
    ----------
    smooth : numpy.ndarray
        (h, w, C) in [0, 1]; three channels are compared as Lab colours.
    depth : numpy.ndarray
        (h, w), from `depth_below_border`; counts `ClusteringConstants.depth_weight` beside the colours.
    n : int
        The number of clusters.

    Returns
    -------
    numpy.ndarray
        (h, w) int64 from 0 (dark) to n − 1 (light); some may not occur where there are fewer colours.
    """
    colours = rgb2lab(smooth) if smooth.shape[2] == 3 else 100 * smooth
    weighted = CLUSTERING.depth_weight * depth[..., None]
    values = np.concatenate([_unit_variance(colours), weighted], axis=2).astype(np.float64)
    points = values[::2, ::2].reshape(-1, values.shape[2])
    points = points + 1e-6 * np.arange(len(points))[:, None] / len(points)  # no two centres alike in two-valued images
    centred = points - points.mean(axis=0)
    along = centred @ np.linalg.eigh(centred.T @ centred)[1][:, -1]
    order = np.argsort(along if np.corrcoef(along, points[:, 0])[0, 1] >= 0 else -along)
    centres = points[order[((np.arange(n) + 0.5) / n * len(points)).astype(int)]]
    with suppress(ClusterError):  # fewer colours than clusters: the quantiles themselves are as good
        centres = kmeans2(points, centres, iter=CLUSTERING.kmeans_iterations, minit="matrix", missing="raise")[0]
    return np.asarray(vq(values.reshape(-1, values.shape[2]), centres)[0], np.int64).reshape(smooth.shape[:2])


def _unit_variance(values: NDArray[np.floating]) -> NDArray[np.floating]:
    """Zero mean, and unit variance over all channels (h, w, C) together."""
    flat = values.reshape(-1, values.shape[2])
    centred = flat - flat.mean(axis=0)
    scale = float(np.sqrt(np.vdot(centred, centred) / len(centred)))
    return np.asarray(centred / max(scale, 1e-6)).reshape(values.shape)
