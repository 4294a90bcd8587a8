"""Many guesses at the object.

No single threshold finds every lesion: one with a pale rim needs another than one in uneven light. So thresholds of
several colour channels, with and without the light's gradient taken out, each give a candidate. How much each looks
like an object, `properties.measure` says.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from skimage.color import rgb2lab
from skimage.filters import threshold_otsu

from napari_s3net.foreground.morphology import central_parts, centre_weight, opened
from napari_s3net.preprocessing.features import over_channels

#: Blur before thresholds, in pixels at the size at which candidates are made.
BLUR = 1.5
#: Thresholds, as shifts from Otsu's by this share of the distance between its two classes.
SHIFTS = (0.1, 0.0, -0.12, -0.25)
#: Levels between which Otsu's threshold tells values apart.
BINS = 256
#: Candidates smaller or larger than these shares of the image are no object.
AREA_RANGE = (0.0025, 0.9)


def central_part(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The connected part with the most weight around the middle, without holes."""
    return np.asarray(central_parts(mask[None], centre_weight((mask.shape[0], mask.shape[1])))[0])


def lesion_channels(rgb: NDArray[np.floating], inside: NDArray[np.bool_]) -> NDArray[np.floating]:
    """Maps (n, h, w) in which a lesion is bright: lack of blue, of light, colourfulness, and the main colour axis."""
    smooth = ndimage.gaussian_filter(rgb, (BLUR, BLUR, 0))
    lab = rgb2lab(smooth)
    dark, light, total = (over_channels(ufunc, smooth) for ufunc in (np.minimum, np.maximum, np.add))
    blue = smooth[..., 2]
    saturation, share_of_blue = 1 - dark / np.maximum(light, 1e-3), blue / np.maximum(total, 1e-3)
    seen = lab[inside]
    middle = seen.mean(axis=0)
    axis = np.linalg.eigh((seen - middle).T @ (seen - middle))[1][:, -1]
    along = _towards_centre((lab - middle) @ axis, inside)
    return np.stack([-blue, -lab[..., 0], saturation, -share_of_blue, along])


def grey_channels(grey: NDArray[np.floating], inside: NDArray[np.bool_]) -> NDArray[np.floating]:
    """Maps (2, h, w): the smoothed intensity, with the image's middle brighter than its border; and minus it."""
    smooth = ndimage.gaussian_filter(grey.astype(np.float64), BLUR)
    turned = _towards_centre(smooth - smooth[inside].mean(), inside)
    return np.stack([turned, -turned])


def _towards_centre(values: NDArray[np.float64], inside: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Flip the sign where the middle of the image would come out dark."""
    weight = centre_weight((values.shape[0], values.shape[1])) * inside
    return -values if (weight * values).sum() < 0 else values


def without_light(channels: NDArray[np.floating], inside: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Take out of each channel (n, h, w) a quadratic surface fitted robustly to the background.

    It stands for uneven light and the roundness of a limb. Pixels far above it, the object, lose their weight from
    round to round.
    """
    terms = _surface_terms((inside.shape[0], inside.shape[1]))
    used = inside[::2, ::2]  # every fourth pixel is plenty for six numbers
    points, wanted = terms[::2, ::2][used], channels[:, ::2, ::2][:, used]  # (pixels, 6), (n, pixels)
    products = (points[:, :, None] * points[:, None]).reshape(len(points), -1)
    weight = np.ones_like(wanted)
    fit = np.zeros((len(channels), terms.shape[2]))
    for _ in range(4):
        gram = (weight @ products).reshape(-1, *fit.shape[1:] * 2)
        ridge = (1e-12 + 1e-9 * np.trace(gram, axis1=1, axis2=2))[:, None, None] * np.eye(fit.shape[1])
        fit = np.linalg.solve(gram + ridge, (weight * wanted @ points)[..., None])[..., 0]
        rest = wanted - fit @ points.T
        square = (rest / (1.48 * np.median(np.abs(rest), axis=1, keepdims=True) + 1e-6)) ** 2
        weight = 1 / (1 + np.where(rest > 0, square * square, square / 4))
    return np.asarray(channels - np.moveaxis(terms @ fit.T, -1, 0))


@lru_cache(maxsize=8)
def _surface_terms(shape: tuple[int, int]) -> NDArray[np.float64]:
    """The six terms of a quadratic surface, (h, w, 6); not to be written to."""
    y, x = np.meshgrid(*(np.linspace(-1, 1, n) for n in shape), indexing="ij")
    terms = np.stack([np.ones_like(x), x, y, x * x, y * y, x * y], axis=-1)
    terms.flags.writeable = False
    return terms


def make_candidates(channels: NDArray[np.floating], inside: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Threshold channels (n, h, w), with and without the light's gradient, at several levels; keep the central parts.

    No two of the candidates (m, h, w) are the same.
    """
    above = [
        values > np.reshape(_thresholds(values[inside]), (-1, 1, 1))
        for values in (*channels, *without_light(channels, inside))
    ]
    found = _objects_among(np.concatenate(above) & inside)
    different = {mask.tobytes(): i for i, mask in enumerate(found)}
    return np.asarray(found[sorted(different.values())])


def cluster_unions(
    clusters: NDArray[np.int64], channel: NDArray[np.floating], inside: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """The network's clusters (h, w), joined one by one from the brightest in a channel on; the central part of each."""
    n = np.bincount(clusters[inside])
    means = np.bincount(clusters[inside], channel[inside]) / np.maximum(n, 1)
    order = [k for k in np.argsort(-means) if n[k]]
    rank = np.full(int(clusters.max()) + 1, len(order))
    rank[order] = np.arange(len(order))
    steps = np.arange(len(order) - 1).reshape(-1, 1, 1)
    return _objects_among((rank[clusters] <= steps) & inside)


def _objects_among(masks: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Of each mask (n, h, w) the central part, without what is thin; those too small or too large are left out."""
    parts = central_parts(opened(masks), centre_weight((masks.shape[1], masks.shape[2])))
    areas = parts.mean(axis=(1, 2))
    return np.asarray(parts[(AREA_RANGE[0] <= areas) & (areas <= AREA_RANGE[1])])


def _thresholds(values: NDArray[np.floating]) -> list[float]:
    """Otsu's threshold, shifted; and Otsu's within the upper class, for something small in uneven surroundings."""
    if np.ptp(values) == 0:
        return []
    otsu = _otsu(values)
    above, below = values[values > otsu], values[values <= otsu]
    gap = float(above.mean() - below.mean()) if above.size and below.size else 0.0
    upper = [_otsu(above)] if above.size > 50 and np.ptp(above) > 0 else []
    return [otsu + shift * gap for shift in SHIFTS] + upper


def _otsu(values: NDArray[np.floating]) -> float:
    """Otsu's threshold of values that are not all the same; counting them by hand is several times faster."""
    low, high = float(values.min()), float(values.max())
    width = (high - low) / BINS
    counts = np.bincount(np.minimum((values - low) / width, BINS - 1).astype(np.intp), minlength=BINS)
    return float(threshold_otsu(hist=(counts, low + width * (np.arange(BINS) + 0.5))))
