"""Where a run starts: clusters of the colours, and of how deep each pixel lies below the image's border."""

from __future__ import annotations

from contextlib import suppress

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.cluster.vq import ClusterError, kmeans2, vq
from skimage.color import rgb2lab
from skimage.morphology import reconstruction

#: Blur, in pixels of the working size, before colours and depth are looked at.
BLUR = 1.5
#: Weight of the depth below the border beside the colours.
DEPTH_WEIGHT = 0.5
#: An image whose depth varies less than this share of its intensities has no basin.
NO_BASIN = 0.25


def starting_point(features: NDArray[np.float32], clusters: int) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """The clusters from which the network starts, and the depth that it sees beside the colours.

    Parameters
    ----------
    features : numpy.ndarray
        (h, w, C) in [0, 1].
    clusters : int
        How many at most.

    Returns
    -------
    clusters : numpy.ndarray
        (h, w), numbered from dark to light; see `start_clusters`.
    depth : numpy.ndarray
        (h, w); see `depth_below_border`.
    """
    smooth = ndimage.gaussian_filter(features, (BLUR, BLUR, 0))
    depth = depth_below_border(smooth)
    return start_clusters(smooth, depth, clusters), depth


def depth_below_border(smooth: NDArray[np.float32]) -> NDArray[np.float32]:
    """How far each pixel (h, w, C) lies below the way out to the image's border: zero mean, at most unit variance.

    Water let in from the border fills every basin up to its lowest rim; the height of the water is the depth
    (reconstruction by erosion, Vincent 1993). It tells a lesion from a dark corner, and a lung from the air of the
    room, that have the same colour.
    """
    # Pigment absorbs blue most, red least.
    grey = smooth @ np.array([0.2, 0.3, 0.5], np.float32) if smooth.shape[2] == 3 else smooth[..., 0]
    seed = np.full_like(grey, grey.max())
    seed[[0, -1]], seed[:, [0, -1]] = grey[[0, -1]], grey[:, [0, -1]]
    depth = reconstruction(seed, grey, method="erosion") - grey
    # Where there is no basin, the depth is noise, which must not be blown up.
    scale = max(float(depth.std()), NO_BASIN * float(grey.std()), 1e-6)
    return np.asarray((depth - depth.mean()) / scale, np.float32)


def start_clusters(smooth: NDArray[np.float32], depth: NDArray[np.float32], clusters: int) -> NDArray[np.int64]:
    """Clusters of smoothed colours (h, w, C) and depth (h, w), numbered from dark to light.

    k-means begins at equally spaced quantiles of the main axis of the colours, so that it needs no random start and
    another seed keeps the same numbers. Its centres come from every other row and column.
    """
    colours = rgb2lab(smooth) if smooth.shape[2] == 3 else 100 * smooth
    values = np.concatenate([_standardised(colours), DEPTH_WEIGHT * depth[..., None]], axis=2).astype(np.float64)
    points = values[::2, ::2].reshape(-1, values.shape[2])
    points = points + 1e-6 * np.arange(len(points))[:, None] / len(points)  # no two centres alike in two-valued images
    centred = points - points.mean(axis=0)
    along = centred @ np.linalg.eigh(centred.T @ centred)[1][:, -1]
    order = np.argsort(along if np.corrcoef(along, points[:, 0])[0, 1] >= 0 else -along)
    centres = points[order[((np.arange(clusters) + 0.5) / clusters * len(points)).astype(int)]]
    with suppress(ClusterError):  # fewer colours than clusters: the nearest start is as good
        centres = kmeans2(points, centres, iter=10, minit="matrix", missing="raise")[0]
    return np.asarray(vq(values.reshape(-1, values.shape[2]), centres)[0], np.int64).reshape(smooth.shape[:2])


def _standardised(values: NDArray[np.floating]) -> NDArray[np.floating]:
    """Zero mean, and unit variance over all channels (h, w, C) together."""
    flat = values.reshape(-1, values.shape[2])
    centred = flat - flat.mean(axis=0)
    scale = float(np.sqrt(np.vdot(centred, centred) / len(centred)))
    return np.asarray(centred / max(scale, 1e-6)).reshape(values.shape)
