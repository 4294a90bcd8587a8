"""Many guesses at the object.

No single threshold finds every lesion: one with a pale rim needs another than one in uneven light. So thresholds of
several channels, with and without the light's gradient taken out, each give a candidate; and so do unions of the
network's clusters. `region_features.measure_candidates` says how much each looks like an object.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from skimage.filters import threshold_otsu

from napari_s3net.foreground.constants import VotingConstants
from napari_s3net.foreground.illumination import flatten_illumination
from napari_s3net.foreground.morphology import central_components, centre_weight, open_masks


def make_candidates(
    channels: NDArray[np.floating], inside: NDArray[np.bool_], constants: VotingConstants
) -> NDArray[np.bool_]:
    """Threshold channels, with and without the light's gradient, at several levels; keep the central components.

    Parameters
    ----------
    channels : numpy.ndarray
        (n, h, w); the object is bright.
    inside : numpy.ndarray
        (h, w) bool: what is image.
    constants : VotingConstants
        Shifts of the thresholds, and how large an object may be.

    Returns
    -------
    numpy.ndarray
        (m, h, w) bool, no two the same.
    """
    above = [
        values > np.reshape(_thresholds(values[inside], constants), (-1, 1, 1))
        for values in (*channels, *flatten_illumination(channels, inside))
    ]
    found = _objects_among(np.concatenate(above) & inside, constants)
    different = {mask.tobytes(): i for i, mask in enumerate(found)}
    return np.asarray(found[sorted(different.values())])


def cluster_unions(
    clusters: NDArray[np.int64],
    channel: NDArray[np.floating],
    inside: NDArray[np.bool_],
    constants: VotingConstants,
) -> NDArray[np.bool_]:
    """Join the network's clusters one by one, the brightest in a channel first; keep each union's central component.

    Parameters
    ----------
    clusters : numpy.ndarray
        (h, w), from 0.
    channel : numpy.ndarray
        (h, w); the object is bright.
    inside : numpy.ndarray
        (h, w) bool: what is image.
    constants : VotingConstants
        How large an object may be.

    Returns
    -------
    numpy.ndarray
        (m, h, w) bool, with m below the number of clusters: the union of all of them is the image and no candidate.
    """
    n = np.bincount(clusters[inside])
    means = np.bincount(clusters[inside], channel[inside]) / np.maximum(n, 1)
    order = [k for k in np.argsort(-means) if n[k]]
    rank = np.full(int(clusters.max()) + 1, len(order))
    rank[order] = np.arange(len(order))
    steps = np.arange(len(order) - 1).reshape(-1, 1, 1)
    return _objects_among((rank[clusters] <= steps) & inside, constants)


def central_component(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Keep the connected component with the most weight around the middle of the image, and fill its holes.

    Parameters
    ----------
    mask : numpy.ndarray
        (h, w) bool.

    Returns
    -------
    numpy.ndarray
        (h, w) bool; empty where the mask is.
    """
    return np.asarray(central_components(mask[None], centre_weight((mask.shape[0], mask.shape[1])))[0])


def brighter_in_the_middle(values: NDArray[np.float64], inside: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Turn the sign of a map where the middle of the image would come out dark.

    Parameters
    ----------
    values : numpy.ndarray
        (h, w), with a mean of 0 over `inside`.
    inside : numpy.ndarray
        (h, w) bool: the pixels that are weighed, by a Gaussian around the middle.

    Returns
    -------
    numpy.ndarray
        (h, w), the values or minus the values.
    """
    weight = centre_weight((values.shape[0], values.shape[1])) * inside
    return -values if (weight * values).sum() < 0 else values


def _objects_among(masks: NDArray[np.bool_], constants: VotingConstants) -> NDArray[np.bool_]:
    """The central component of each mask (n, h, w), without what is thin; too small or large ones are left out."""
    components = central_components(open_masks(masks), centre_weight((masks.shape[1], masks.shape[2])))
    areas = components.mean(axis=(1, 2))
    return np.asarray(components[(constants.smallest <= areas) & (areas <= constants.largest)])


def _thresholds(values: NDArray[np.floating], constants: VotingConstants) -> list[float]:
    """Otsu's threshold, shifted; and Otsu's within the upper class, for something small in uneven surroundings."""
    if np.ptp(values) == 0:
        return []
    otsu = _otsu(values, constants.otsu_bins)
    above, below = values[values > otsu], values[values <= otsu]
    gap = float(above.mean() - below.mean()) if above.size and below.size else 0.0
    tells = above.size > constants.fewest_above and np.ptp(above) > 0
    upper = [_otsu(above, constants.otsu_bins)] if tells else []
    return [otsu + shift * gap for shift in constants.otsu_shifts] + upper


def _otsu(values: NDArray[np.floating], bins: int) -> float:
    """Otsu's threshold of values that are not all the same; counting them by hand is several times faster."""
    low, high = float(values.min()), float(values.max())
    width = (high - low) / bins
    counts = np.bincount(np.minimum((values - low) / width, bins - 1).astype(np.intp), minlength=bins)
    return float(threshold_otsu(hist=(counts, low + width * (np.arange(bins) + 0.5))))
