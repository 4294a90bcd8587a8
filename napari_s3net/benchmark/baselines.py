"""Plain methods that look at no mask and learn nothing, written to win.

Each works on an image reduced to `WORKING_SIZE`, in which the object is darker than what surrounds it, cleans up what
it found in the same way, and comes back at full size with smooth boundaries.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.cluster.vq import kmeans2
from skimage.color import rgb2lab
from skimage.filters import sobel, threshold_otsu
from skimage.measure import label
from skimage.morphology import closing, disk, remove_small_objects
from skimage.segmentation import clear_border, morphological_chan_vese, random_walker, watershed
from skimage.transform import resize

from napari_s3net.image import Kind

#: Longer side, in pixels, at which the plain methods work …
WORKING_SIZE = 192
#: … and for CT, where lungs begin and end in small spots.
WORKING_SIZE_CT = 384
#: Standard deviation of the blur, as a share of the longer side; CT is not noisy at this scale.
BLUR, BLUR_CT = 0.012, 0.002
#: HU below which CT shows air or lung, and the range in which it is looked at.
AIR_HU, CT_RANGE = -400.0, (-1000.0, 200.0)
#: An object that fills more of the border than this share has taken in what surrounds it.
BORDER_SHARE = 0.25
#: Spots of air smaller than this share of the image are bowel, bronchi or noise.
SMALLEST_LUNG = 0.0002


@dataclass(frozen=True, eq=False)
class MethodResult:
    """What a plain method says about an image.

    Parameters
    ----------
    labels : numpy.ndarray
        (H, W) int32 from 1 on: the method's clusters, cut along its own proposal.
    mask : numpy.ndarray
        (H, W) bool: the object that it proposes, a union of `labels`.
    """

    labels: NDArray[np.int32]
    mask: NDArray[np.bool_]


def otsu(array: NDArray[Any], kind: Kind) -> MethodResult:
    """Take what is darker than Otsu's threshold (1979): of the blue channel for colours, of the intensities for others.

    Parameters
    ----------
    array : numpy.ndarray
        (H, W) or (H, W, 3), pixels of one plane as they were read; HU for CT.
    kind : str
        Of the image.

    Returns
    -------
    MethodResult
        (H, W) labels and mask, cleaned up.
    """
    contrast = _contrast(array, kind)
    return _proposal(contrast < threshold_otsu(contrast), array, kind)


def kmeans(array: NDArray[Any], kind: Kind, k: int) -> MethodResult:
    """Take as many of the darkest clusters of k-means as leave the border alone, at most k − 1.

    Parameters
    ----------
    array : numpy.ndarray
        (H, W) or (H, W, 3), pixels of one plane as they were read; colours are clustered in Lab.
    kind : str
        Of the image.
    k : int
        Number of clusters.

    Returns
    -------
    MethodResult
        (H, W) labels and mask, cleaned up.
    """
    contrast = _contrast(array, kind)
    features = rgb2lab(_blurred(_reduced(array, kind), kind) / 255) if kind == "rgb" else contrast[..., None]
    usable = ~_black_corners(array, kind)
    ring = _ring(contrast.shape) & usable
    clusters = np.zeros(contrast.shape, np.int32)
    clusters[usable] = _clustered(features[usable], k)
    for n in range(k - 1, 0, -1):
        dark = (clusters > 0) & (clusters <= n)
        if _cleaned(dark, kind)[ring].mean() < BORDER_SHARE:
            break
    return _proposal(dark, array, kind, clusters)


def chan_vese(array: NDArray[Any], kind: Kind) -> MethodResult:
    """Take one of two regions of even intensity with a smooth border, from Otsu's on (morphological Chan–Vese).

    Parameters
    ----------
    array : numpy.ndarray
        (H, W) or (H, W, 3), pixels of one plane as they were read.
    kind : str
        Of the image.

    Returns
    -------
    MethodResult
        (H, W) labels and mask, cleaned up.
    """
    contrast = _contrast(array, kind)
    low, high = np.percentile(contrast, (1, 99))
    unit = np.clip((contrast - low) / max(high - low, 1e-6), 0, 1)
    start = unit < threshold_otsu(unit)
    region = morphological_chan_vese(unit, 40, init_level_set=start, smoothing=1) > 0
    return _proposal(region if (region & start).sum() >= (~region & start).sum() else ~region, array, kind)


def random_walk(array: NDArray[Any], kind: Kind) -> MethodResult:
    """Run a random walker (Grady 2006) from seeds in the central dark part and along the border.

    Where there are no such seeds, the result is that of `otsu`.

    Parameters
    ----------
    array : numpy.ndarray
        (H, W) or (H, W, 3), pixels of one plane as they were read.
    kind : str
        Of the image.

    Returns
    -------
    MethodResult
        (H, W) labels and mask, cleaned up.
    """
    contrast = _contrast(array, kind)
    seeds = _seeds(contrast, kind)
    if len(np.unique(seeds)) < 3:
        return otsu(array, kind)
    scaled = (contrast - contrast.min()) / np.ptp(contrast)
    return _proposal(random_walker(scaled, seeds, beta=300, mode="bf") == 1, array, kind)


def flooding(array: NDArray[Any], kind: Kind) -> MethodResult:
    """Run a watershed of the gradient from seeds in the central dark part and along the border.

    Parameters
    ----------
    array : numpy.ndarray
        (H, W) or (H, W, 3), pixels of one plane as they were read.
    kind : str
        Of the image.

    Returns
    -------
    MethodResult
        (H, W) labels and mask, cleaned up.
    """
    contrast = _contrast(array, kind)
    return _proposal(watershed(sobel(contrast), _seeds(contrast, kind)) == 1, array, kind)


def lung_threshold(array: NDArray[Any]) -> MethodResult:
    """Take CT below −400 HU at full size, without what touches the border, closed and filled.

    Parameters
    ----------
    array : numpy.ndarray
        (H, W), Hounsfield units.

    Returns
    -------
    MethodResult
        (H, W) labels and the lungs as mask.
    """
    air = array < AIR_HU
    lungs = _lungs(air, radius=5)
    return MethodResult((1 + air + 2 * lungs).astype(np.int32), lungs)


def one_label(array: NDArray[Any]) -> MethodResult:
    """Call the whole image the object, as a control: a score that is high for this measures nothing.

    Parameters
    ----------
    array : numpy.ndarray
        (H, W) or (H, W, 3); only its size counts.

    Returns
    -------
    MethodResult
        (H, W), label 1 and True everywhere.
    """
    shape = array.shape[:2]
    return MethodResult(np.ones(shape, np.int32), np.ones(shape, bool))


BASELINES: Mapping[str, Callable[[NDArray[Any], Kind], MethodResult]] = {
    "one-label": lambda array, _: one_label(array),
    "otsu": otsu,
    "kmeans2": lambda array, kind: kmeans(array, kind, 2),
    "kmeans3": lambda array, kind: kmeans(array, kind, 3),
    "chan-vese": chan_vese,
    "random-walker": random_walk,
    "watershed": flooding,
    "threshold": lambda array, _: lung_threshold(array),
}


def suits(name: str, kind: Kind) -> bool:
    """Return whether a plain method has a meaning for images of a kind: "threshold" is in HU.

    Parameters
    ----------
    name : str
        A name in `BASELINES`.
    kind : str
        Of the images.

    Returns
    -------
    bool
        Whether to measure it on them.
    """
    return name != "threshold" or kind == "ct"


def _reduced(array: NDArray[Any], kind: Kind) -> NDArray[np.float32]:
    """The image at the working size, never enlarged."""
    size = WORKING_SIZE_CT if kind == "ct" else WORKING_SIZE
    factor = min(1.0, size / max(array.shape[:2]))
    shape = tuple(max(8, round(n * factor)) for n in array.shape[:2])
    small: NDArray[Any] = resize(array.astype(np.float32), (*shape, *array.shape[2:]), order=1, anti_aliasing=True)
    return small.astype(np.float32)


def _blurred(small: NDArray[np.float32], kind: Kind) -> NDArray[np.float32]:
    """The image without hairs, pores and noise."""
    sigma = (BLUR_CT if kind == "ct" else BLUR) * max(small.shape[:2])
    blurred: NDArray[np.float32] = ndimage.gaussian_filter(small, (sigma, sigma, 0)[: small.ndim])
    return blurred


def _contrast(array: NDArray[Any], kind: Kind) -> NDArray[np.float32]:
    """One channel, small and blurred, in which the object is darker than what surrounds it."""
    small = _reduced(array, kind)
    if kind == "rgb":
        return _blurred(small[..., 2], kind)
    if kind == "ct":
        return _blurred(np.clip(small, *CT_RANGE), kind)
    grey = _blurred(small, kind)
    return -grey if np.median(grey[_ring(grey.shape)]) < threshold_otsu(grey) else grey


def _ring(shape: tuple[int, ...]) -> NDArray[np.bool_]:
    """The border of an image, 2 % of its longer side."""
    width = max(1, round(0.02 * max(shape)))
    ring = np.ones(shape, bool)
    ring[width:-width, width:-width] = False
    return ring


def _black_corners(array: NDArray[Any], kind: Kind) -> NDArray[np.bool_]:
    """What is nearly black and reaches a corner: the tube of the dermatoscope."""
    small = _reduced(array, kind)
    black = np.zeros(small.shape[:2], bool)
    if kind != "rgb":
        return black
    parts = label(ndimage.gaussian_filter(small.mean(axis=2), 1) < 45, connectivity=1)
    ids = {int(parts[y, x]) for y in (0, -1) for x in (0, -1)} - {0}
    tube = ndimage.binary_dilation(np.isin(parts, sorted(ids)), iterations=4)
    return tube if tube.mean() < 0.4 else black


def _clustered(points: NDArray[np.float32], k: int) -> NDArray[np.int32]:
    """The cluster of each point, from 1 on, the darkest first: the tightest of several runs from different starts."""
    runs = [kmeans2(points, k, iter=30, minit="++", seed=seed) for seed in range(3)]
    centres, found = min(runs, key=lambda run: float(((points - run[0][run[1]]) ** 2).sum()))
    rank = np.argsort(np.argsort(centres[:, 0]))
    return (1 + rank[found]).astype(np.int32)


def _seeds(contrast: NDArray[np.float32], kind: Kind) -> NDArray[np.int32]:
    """1 in all but the palest tenth of Otsu's object, 2 along the bright border and in the brighter half elsewhere."""
    threshold = threshold_otsu(contrast)
    dark = contrast < threshold
    core = _cleaned(dark, kind)
    seeds = np.zeros(contrast.shape, np.int32)
    seeds[_ring(contrast.shape) & ~dark] = 2
    seeds[~core & (contrast >= np.median(contrast[~core]))] = 2
    if core.any():
        seeds[core & (contrast <= np.percentile(contrast[core], 90))] = 1
    return seeds


def _cleaned(dark: NDArray[np.bool_], kind: Kind) -> NDArray[np.bool_]:
    """The object among everything dark: the lungs of a CT, else the most central part with its holes filled."""
    return _lungs(dark, radius=3) if kind == "ct" else _central(dark)


def _central(dark: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The part with most pixels near the centre, its holes filled."""
    parts, n = label(dark, connectivity=1, return_num=True)
    if not n:
        return dark
    y, x = (np.linspace(-0.5, 0.5, size) for size in dark.shape)
    nearness = np.exp(-(y[:, None] ** 2 + x**2) / (2 * 0.2**2))
    weights = np.bincount(parts.ravel(), weights=nearness.ravel())
    return ndimage.binary_fill_holes(parts == 1 + np.argmax(weights[1:]))


def _lungs(air: NDArray[np.bool_], radius: int) -> NDArray[np.bool_]:
    """Air that does not reach the border, without small spots, closed over vessels and filled."""
    inside = remove_small_objects(clear_border(air), max_size=round(SMALLEST_LUNG * air.size))
    padded = np.pad(inside, radius)
    closed = closing(padded, disk(radius))[radius:-radius, radius:-radius]
    return ndimage.binary_fill_holes(closed)


def _proposal(
    dark: NDArray[np.bool_], array: NDArray[Any], kind: Kind, clusters: NDArray[np.int32] | None = None
) -> MethodResult:
    """Clean up, come back to full size, and cut the clusters along the object."""
    clusters = dark.astype(np.int32) if clusters is None else clusters
    shape = array.shape[:2]
    mask = resize(_cleaned(dark, kind).astype(np.float32), shape, order=1) > 0.5
    rows, columns = (np.arange(n) * small // n for n, small in zip(shape, dark.shape, strict=True))
    full = clusters[np.ix_(rows, columns)]
    return MethodResult((1 + full + (1 + clusters.max()) * mask).astype(np.int32), mask)
