"""Many guesses at the object, each weighed by how much it looks like one.

No single threshold finds every lesion: one with a pale rim needs another than one in uneven light. So thresholds of
several colour channels, with and without the light's gradient taken out, each give a candidate; a candidate that is
central, compact, well bounded and away from the image's border gets a large vote. Nothing here is learned: the weights
are few round numbers, chosen once on development images and the same for every image.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from skimage.color import rgb2lab
from skimage.filters import threshold_otsu

from napari_s3net.stacks import central_parts, grow, opened, perimeters

#: Blur before thresholds, in pixels at the size at which candidates are made.
BLUR = 1.5
#: Thresholds, as shifts from Otsu's by this share of the distance between its two classes.
SHIFTS = (0.1, 0.0, -0.12, -0.25)
#: Candidates smaller or larger than these shares of the image are no object.
AREA_RANGE = (0.0025, 0.9)
#: The exponents of a candidate's properties in its vote; `touch` and `pale` count linearly in the exponent.
WEIGHTS: Mapping[str, float] = {
    "boundary": 1.0,
    "compact": 2.0,
    "central": 2.0,
    "separate": 0.5,
    "area": 1.5,
    "even": 0.5,
    "touch": -4.5,
    "pale": -1.0,
}


@dataclass(frozen=True, kw_only=True)
class Properties:
    """What makes a candidate look like an object.

    Parameters
    ----------
    boundary : float
        Distance between the mean colours just inside and just outside, in standard deviations of the image.
    compact : float
        4πA/P², 1 for a disc.
    central : float
        Mean over the candidate of a Gaussian around the image's middle.
    separate : float
        Distance of the mean colours inside and outside over their spreads (Fisher's criterion).
    area : float
        Share of the image.
    even : float
        Inverse spread of the colours outside: the surroundings of the object are alike.
    touch : float
        Share of the image's border that the candidate covers.
    pale : float
        How much lighter than its surroundings, in standard deviations; 0 when darker.
    """

    boundary: float
    compact: float
    central: float
    separate: float
    area: float
    even: float
    touch: float
    pale: float

    def log_vote(self) -> float:
        """The logarithm of the candidate's vote."""
        powers = ("boundary", "compact", "central", "separate", "area", "even")
        log = sum(WEIGHTS[name] * np.log(getattr(self, name) + 0.05 * (name != "area")) for name in powers)
        return float(log + WEIGHTS["touch"] * self.touch + WEIGHTS["pale"] * self.pale)


@lru_cache(maxsize=8)
def centre_weight(shape: tuple[int, int], width: float = 0.35) -> NDArray[np.float64]:
    """A Gaussian around the middle of the image, `width` of its height and width; not to be written to."""
    y, x = np.ogrid[-0.5 : 0.5 : shape[0] * 1j, -0.5 : 0.5 : shape[1] * 1j]
    weight = np.asarray(np.exp(-((y / width) ** 2) - (x / width) ** 2))
    weight.flags.writeable = False
    return weight


def central_part(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The connected part with the most weight around the middle, without holes."""
    return np.asarray(central_parts(mask[None], centre_weight((mask.shape[0], mask.shape[1])))[0])


def lesion_channels(rgb: NDArray[np.floating], inside: NDArray[np.bool_]) -> list[NDArray[np.float64]]:
    """Maps (h, w) in which a lesion is bright: lack of blue, of light, colourfulness, and the main colour axis."""
    smooth = ndimage.gaussian_filter(rgb, (BLUR, BLUR, 0))
    lab = rgb2lab(smooth)
    light, blue = smooth.max(axis=2), smooth[..., 2]
    saturation = 1 - smooth.min(axis=2) / np.maximum(light, 1e-3)
    share_of_blue = blue / np.maximum(smooth.sum(axis=2), 1e-3)
    centred = lab - lab[inside].mean(axis=0)
    axis = np.linalg.svd(centred[inside], full_matrices=False)[2][0]
    return [-blue, -lab[..., 0], saturation, -share_of_blue, _towards_centre(centred @ axis, inside)]


def grey_channels(grey: NDArray[np.floating], inside: NDArray[np.bool_]) -> list[NDArray[np.float64]]:
    """The smoothed intensity, turned so that the middle of the image is brighter than its border; and its inverse."""
    smooth = ndimage.gaussian_filter(grey.astype(np.float64), BLUR)
    turned = _towards_centre(smooth - smooth[inside].mean(), inside)
    return [turned, -turned]


def _towards_centre(values: NDArray[np.float64], inside: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Flip the sign where the middle of the image would come out dark."""
    weight = centre_weight((values.shape[0], values.shape[1])) * inside
    return -values if (weight * values).sum() < 0 else values


def without_light(values: NDArray[np.float64], inside: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Take out a quadratic surface fitted robustly to the background: uneven light, the roundness of a limb.

    Pixels far above the surface, the object, lose their weight from round to round.
    """
    terms = _surface_terms((values.shape[0], values.shape[1]))
    used = inside[::2, ::2]  # every fourth pixel is plenty for six numbers
    points, wanted = terms[::2, ::2][used], values[::2, ::2][used]
    weight: NDArray[Any] = np.ones_like(wanted)
    fit = np.zeros(terms.shape[2])
    for _ in range(4):
        weighted = points * weight[:, None]
        fit = np.linalg.lstsq(weighted.T @ points, weighted.T @ wanted, rcond=None)[0]
        rest = wanted - points @ fit
        square = (rest / (1.48 * float(np.median(np.abs(rest))) + 1e-6)) ** 2
        weight = 1 / (1 + np.where(rest > 0, square * square, square / 4))
    return np.asarray(values - terms @ fit)


@lru_cache(maxsize=8)
def _surface_terms(shape: tuple[int, int]) -> NDArray[np.float64]:
    """The six terms of a quadratic surface, (h, w, 6); not to be written to."""
    y, x = np.meshgrid(*(np.linspace(-1, 1, n) for n in shape), indexing="ij")
    terms = np.stack([np.ones_like(x), x, y, x * x, y * y, x * y], axis=-1)
    terms.flags.writeable = False
    return terms


def make_candidates(channels: Iterable[NDArray[np.float64]], inside: NDArray[np.bool_]) -> list[NDArray[np.bool_]]:
    """Threshold every channel, with and without the light's gradient, at several levels; keep the central part."""
    found: dict[bytes, NDArray[np.bool_]] = {}
    weight = centre_weight((inside.shape[0], inside.shape[1]))
    for channel in channels:
        for values in (channel, without_light(channel, inside)):
            thresholds = np.reshape(_thresholds(values[inside]), (-1, 1, 1))
            for mask in _of_fair_size(central_parts(opened((values > thresholds) & inside), weight)):
                found[mask.tobytes()] = mask
    return list(found.values())


def cluster_unions(
    clusters: NDArray[np.int64], channel: NDArray[np.float64], inside: NDArray[np.bool_]
) -> list[NDArray[np.bool_]]:
    """The network's clusters (h, w), joined one by one from the brightest in a channel on; the central part of each."""
    n = np.maximum(np.bincount(clusters[inside]), 1)
    means = np.bincount(clusters[inside], channel[inside]) / n
    order = [k for k in np.argsort(-means) if np.any(clusters[inside] == k)]
    unions = np.reshape(
        [np.isin(clusters, order[: i + 1]) & inside for i in range(len(order) - 1)], (-1, *inside.shape)
    )
    weight = centre_weight((inside.shape[0], inside.shape[1]))
    return list(_of_fair_size(central_parts(opened(unions.astype(bool)), weight)))


def _of_fair_size(masks: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Those of the masks (n, h, w) that are neither too small nor too large for an object."""
    areas = masks.mean(axis=(1, 2))
    return np.asarray(masks[(AREA_RANGE[0] <= areas) & (areas <= AREA_RANGE[1])])


def _thresholds(values: NDArray[np.float64]) -> list[float]:
    """Otsu's threshold, shifted; and Otsu's within the upper class, for something small in uneven surroundings."""
    if np.ptp(values) == 0:
        return []
    otsu = float(threshold_otsu(values))
    above, below = values[values > otsu], values[values <= otsu]
    gap = float(above.mean() - below.mean()) if above.size and below.size else 0.0
    upper = [float(threshold_otsu(above))] if above.size > 50 and np.ptp(above) > 0 else []
    return [otsu + shift * gap for shift in SHIFTS] + upper


def measure(masks: NDArray[np.bool_], colours: NDArray[np.floating], inside: NDArray[np.bool_]) -> list[Properties]:
    """Properties of each candidate.

    Parameters
    ----------
    masks : numpy.ndarray
        (n, h, w) bool.
    colours : numpy.ndarray
        (h, w, 3) Lab or (h, w, 1) intensities, in units of the image's standard deviation; the first axis is lightness.
    inside : numpy.ndarray
        (h, w) bool: what is image, and not the dark corner of the lens.
    """
    outside = inside & ~masks
    n, mean, spreads = moments(masks, colours)
    n_out, mean_out, spreads_out = moments(outside, colours)
    n_rim, mean_rim, _ = moments(masks & grow(~masks, 3) & inside, colours)
    n_skin, mean_skin, _ = moments(grow(masks, 3) & outside, colours)
    rims = np.linalg.norm(mean_rim - mean_skin, axis=1) * (np.minimum(n_rim, n_skin) >= 5)
    gap = (mean - mean_out) * (n_out > 0)[:, None]
    spread, spread_out = spreads.mean(axis=1), np.where(n_out > 0, spreads_out.mean(axis=1), 1.0)
    frame = ndimage.binary_dilation(~inside)
    frame[[0, -1]] = frame[:, [0, -1]] = True
    lengths = np.maximum(perimeters(masks), 1.0)
    weight = centre_weight((inside.shape[0], inside.shape[1]))
    flat = masks.reshape(len(masks), frame.size).astype(np.float32)
    areas = flat.sum(axis=1)
    central = flat @ weight.ravel().astype(np.float32) / np.maximum(areas, 1)
    touch = flat @ (frame.ravel() / frame.sum()).astype(np.float32)
    return [
        Properties(
            boundary=float(rims[i]),
            compact=float(min(1.0, 4 * np.pi * n[i] / lengths[i] ** 2)),
            central=float(central[i]),
            separate=float(np.linalg.norm(gap[i]) / (spread[i] + spread_out[i] + 0.1)),
            area=float(areas[i] / inside.size),
            even=float(1 / (spread_out[i] + 0.05)),
            touch=float(touch[i]),
            pale=max(0.0, float(gap[i, 0])),
        )
        for i in range(len(masks))
    ]


def moments(
    regions: NDArray[np.bool_], colours: NDArray[np.floating]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Of each region (n, h, w): pixels (n,), mean colour less the image's (n, C), and standard deviations (n, C)."""
    C = colours.shape[2]
    values = colours.reshape(-1, C)
    # In single precision, around the mean: only differences of means are asked for, and half the bytes are moved.
    values = (values - values.mean(axis=0)).astype(np.float32)
    table = np.concatenate([values, values**2, np.ones((len(values), 1), np.float32)], axis=1)
    sums = (regions.reshape(len(regions), len(values)).astype(np.float32) @ table).astype(np.float64)
    n = sums[:, -1]
    mean, square = sums[:, :C] / np.maximum(n, 1)[:, None], sums[:, C:-1] / np.maximum(n, 1)[:, None]
    return n, mean, np.sqrt(np.maximum(square - mean**2, 0))
