"""Spread strokes to the pixels that were not painted: Gaussian process regression on signed distances.

*Model.* The labels are described by one function for each region: the signed distance, how many pixels inside the
region a pixel lies. The distances to the previous labels, m, are the prior mean of a Gaussian process. Painted pixels
are its observations y. With the kernel matrices K, the posterior mean

    f = m + K(all, painted) · (K(painted, painted) + σ² I)⁻¹ · (y − m)

(Rasmussen and Williams 2006, *Gaussian Processes for Machine Learning*, equation 2.38) is the new signed distance of
every pixel, and the region with the largest one its new label.

*Observations.* Who corrects paints the middle of what is wrong. So the border is expected about as far behind a
stroke as it now lies before it: a pixel d outside of the region that it is painted with is observed to lie d inside.

*Kernel.* Influence falls with distance and with difference of appearance: (1 − a) exp(−½ |Δu|²) + a exp(−½ |Δv|²). u
holds place and appearance. v reaches farther and holds, besides, the previous signed distances: a stroke at one side of
a rim moves the rest of the rim a little as well, where it looks alike and lies as deep. Far from every stroke nothing
moves.

*Components.* Three rules come before and after, in `region_repair`: a component that stands apart follows its stroke as
a whole, a change that appears by itself is undone, and small fragments that a change cut off are absorbed.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.linalg import cho_factor, cho_solve

from napari_s3net.correction.region_repair import absorb_fragments, reassign_whole_components, revert_detached_changes
from napari_s3net.correction.signed_distance import signed_distances

#: The influence is computed at every other row and column, and interpolated between them.
STEP = 2


@dataclass(frozen=True, kw_only=True)
class PropagationConstants:
    """What was chosen by hand on half *a* of the development sets; see `docs/correcting.md`.

    Lengths are shares of the image's longer side. Colour distances are shares of the spread of the image's colours.

    Parameters
    ----------
    reach, far_reach : float
        Length at which the influence has fallen to exp(−½): of the near part, and of the part that reaches farther.
    far_share : float
        a, the share of the influence that reaches farther.
    colour, far_colour : float
        Colour distance at which the influence of either part has fallen to exp(−½).
    far_distance : float
        Difference of signed distances, as a length, at which the influence that reaches farther has fallen so.
    learned : float
        Distance of the taught network's features, a share of their spread, at which the influence has fallen so.
    least_spread : float
        The spread is at least this, in units of Lab, or of intensities from 0 to 100.
    distance_limit : float
        Length at which signed distances are clipped: a stroke far from its region makes a spot of this size.
    least_observed, most_observed : float
        Lengths: an observed signed distance is at least the first, the radius of a stroke, and at most the second.
    noise : float
        σ², beside a kernel that is 1 for equal pixels.
    similar : tuple of float
        Two colour distances within which a component looks like its stroke.
    most_growth : float
        A component has a sharp edge if it has at most this many times the pixels between the first and the second.
    most_of_region : float
        A component that follows its stroke as a whole is at most this share of its old region.
    most_points : int
        The most painted pixels at which the process is observed.
    point_spacing : float
        Distance between these, as a multiple of `least_observed`.
    """

    reach: float = 0.1
    far_reach: float = 0.4
    far_share: float = 0.15
    colour: float = 0.7
    far_colour: float = 0.47
    far_distance: float = 0.03
    learned: float = np.inf
    least_spread: float = 3.0
    distance_limit: float = 0.1
    least_observed: float = 0.015
    most_observed: float = 0.05
    noise: float = 0.05
    similar: tuple[float, float] = (0.6, 1.0)
    most_growth: float = 1.3
    most_of_region: float = 0.5
    most_points: int = 128
    point_spacing: float = 1.5


#: Where the colours alone say what looks alike.
CONSTANTS = PropagationConstants()
#: Where a taught network says so as well, a stroke may reach farther: among pixels that the network holds for the same.
#: Chosen on every other image of PH2, ISIC 2018 and HAM10000.
WITH_NETWORK = PropagationConstants(reach=0.2, far_reach=0.8, far_colour=1.0, far_distance=0.06, learned=0.7)
#: In a slice of CT: a tissue has the same Hounsfield units wherever it lies, so that a consolidated lung looks like the
#: chest wall beside it, and bowel gas like lung. There a stroke is about its own place, and likeness says little.
#: Chosen on synthetic chests and on every other slice of the lung CT set; see `docs/correcting.md`.
IN_HOUNSFIELD = PropagationConstants(reach=0.03, far_share=0.0, colour=0.4)


@dataclass(frozen=True, eq=False)
class PixelFeatures:
    """What each pixel looks like, at the size at which strokes spread.

    Parameters
    ----------
    colours : numpy.ndarray
        (h, w, C) float32, smoothed: Lab, or intensities from 0 to 100.
    learned : numpy.ndarray or None
        (⌈h/2⌉, ⌈w/2⌉, n) float32 of spread one: what a taught network tells apart, at every other row and column; None
        where no network knows the object.
    in_hounsfield : bool
        Whether the colours are Hounsfield units, and a stroke is about its own place.
    """

    colours: NDArray[np.float32]
    learned: NDArray[np.float32] | None = None
    in_hounsfield: bool = False

    @property
    def constants(self) -> PropagationConstants:
        """How a stroke spreads over these pixels."""
        if self.learned is not None:
            return WITH_NETWORK
        return IN_HOUNSFIELD if self.in_hounsfield else CONSTANTS

    @property
    def coarse_shape(self) -> tuple[int, int]:
        """The number of every other row, and of every other column."""
        h, w = self.colours.shape[:2]
        return -(-h // STEP), -(-w // STEP)


def propagate(
    labels: NDArray[np.integer], strokes: NDArray[np.integer], features: PixelFeatures, n: int
) -> NDArray[np.float32]:
    """Compute the signed distance of each pixel to each region once the strokes are obeyed.

    Parameters
    ----------
    labels : numpy.ndarray
        (h, w) from 0 to n − 1: the previous labels.
    strokes : numpy.ndarray
        (h, w): the label that was painted, −1 where nothing was.
    features : PixelFeatures
        Of the same size.
    n : int
        How many regions there are.

    Returns
    -------
    numpy.ndarray
        (n, h, w) float32, in pixels: the arg-max is the new label. Painted pixels get the label that they were painted
        with; without strokes no label changes.
    """
    c, side = CONSTANTS, max(labels.shape)
    points = observation_points(strokes)
    if not len(points):
        return signed_distances(labels, n, c.distance_limit * side)
    features = replace(features, colours=features.colours / colour_spread(features.colours))
    labels = reassign_whole_components(
        labels,
        strokes,
        points,
        features.colours,
        similar=c.similar,
        most_growth=c.most_growth,
        most_of_region=c.most_of_region,
    )
    prior = signed_distances(labels, n, c.distance_limit * side)
    moved = prior + _posterior_change(prior, strokes, points, features)
    new = np.where(strokes >= 0, strokes, moved.argmax(axis=0))
    new = revert_detached_changes(new, labels, strokes)
    new = absorb_fragments(new, labels, strokes, np.pi * (c.least_observed * side) ** 2)
    return _made_consistent(moved, new)


def colour_spread(colours: NDArray[np.float32]) -> float:
    """Compute the standard deviation of an image's colours, all channels together.

    Parameters
    ----------
    colours : numpy.ndarray
        (h, w, C): Lab, or intensities from 0 to 100.

    Returns
    -------
    float
        In the unit of the colours; no less than `PropagationConstants.least_spread`.
    """
    spread = float(np.sqrt(colours.reshape(-1, colours.shape[2]).var(axis=0).sum()))
    return max(spread, CONSTANTS.least_spread)


def observation_points(strokes: NDArray[np.integer]) -> NDArray[np.intp]:
    """Choose few painted pixels that stand for all: the middle of each stroke, and others along it.

    Of each connected stroke of one label the innermost pixel comes first, then always the pixel that is farthest from
    those chosen, until none is farther than the spacing of points; the spacing grows until there are few enough.

    Parameters
    ----------
    strokes : numpy.ndarray
        (h, w): the label that was painted, −1 where nothing was.

    Returns
    -------
    numpy.ndarray
        (m,) flat indices, at most `most_points`.
    """
    most = CONSTANTS.most_points
    spacing = CONSTANTS.point_spacing * CONSTANTS.least_observed * max(strokes.shape)
    components = [pixels for k in np.unique(strokes[strokes >= 0]) for pixels in _component_pixels(strokes == k)]
    components = sorted(components, key=len, reverse=True)[:most]
    while True:
        chosen = [np.ravel_multi_index(tuple(_thinned(pixels, spacing).T), strokes.shape) for pixels in components]
        if sum(map(len, chosen)) <= most:
            return np.concatenate(chosen) if chosen else np.empty(0, np.intp)
        spacing *= 1.5


def _component_pixels(mask: NDArray[np.bool_]) -> list[NDArray[np.intp]]:
    """The pixels (m, 2) of each connected component, its innermost pixel first."""
    marked, n = ndimage.label(mask, np.ones((3, 3)))
    found = []
    for number, box in enumerate(ndimage.find_objects(marked, n), 1):
        component = marked[box] == number
        depth = ndimage.distance_transform_edt(np.pad(component, 1))[1:-1, 1:-1]
        pixels = np.argwhere(component)
        rank = np.lexsort((((pixels - pixels.mean(axis=0)) ** 2).sum(axis=1), -np.round(depth[component])))
        found.append(pixels[rank] + [side.start for side in box])
    return found


def _thinned(pixels: NDArray[np.intp], spacing: float) -> NDArray[np.intp]:
    """Farthest-point sampling of pixels (m, 2) from the first one on, until none is farther than the spacing."""
    chosen = [0]
    left = ((pixels - pixels[0]) ** 2).sum(axis=1)
    while left.max() > spacing**2 and len(chosen) <= CONSTANTS.most_points:
        chosen.append(int(left.argmax()))
        left = np.minimum(left, ((pixels - pixels[chosen[-1]]) ** 2).sum(axis=1))
    return pixels[chosen]


def _posterior_change(
    prior: NDArray[np.float32], strokes: NDArray[np.integer], points: NDArray[np.intp], features: PixelFeatures
) -> NDArray[np.float32]:
    """The posterior mean less the prior mean, (n, h, w)."""
    n, *shape = prior.shape
    at = np.ravel_multi_index([i // STEP for i in np.unravel_index(points, shape)], features.coarse_shape)
    near, far = _kernel_coordinates(features, prior)
    influence = _kernel(near, near[at], far, far[at], features.constants.far_share)
    covariance = influence[at].astype(np.float64) + CONSTANTS.noise * np.eye(len(points))
    observed = _observed_change(prior.reshape(n, -1)[:, points], strokes.ravel()[points], max(shape))
    weights = cho_solve(cho_factor(covariance), observed.T).astype(np.float32)
    return _interpolated((influence @ weights).T.reshape(n, *features.coarse_shape), tuple(shape))


def _observed_change(prior: NDArray[np.float32], painted: NDArray[np.integer], longer_side: int) -> NDArray[np.float64]:
    """Observations less prior mean at the points, (n, m): as deep inside the painted region as now outside."""
    column = np.arange(len(painted))
    least, most = CONSTANTS.least_observed * longer_side, CONSTANTS.most_observed * longer_side
    wanted = np.clip(np.abs(prior[painted, column]), least, most)
    change: NDArray[np.float64] = np.minimum(-wanted - prior, 0).astype(np.float64)
    change[painted, column] = np.maximum(wanted - prior[painted, column], 0)
    return change


def _kernel_coordinates(
    features: PixelFeatures, prior: NDArray[np.float32]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """The kernel's u and v of every other pixel, (pixels, coordinates) each."""
    c, (h, w) = features.constants, prior.shape[1:]
    place = np.stack(np.meshgrid(*(np.arange(0, n, STEP) / max(h, w) for n in (h, w)), indexing="ij"))
    colours = _coarse(np.moveaxis(features.colours, -1, 0))
    learned = [] if features.learned is None else [np.moveaxis(features.learned, -1, 0) / c.learned]
    distances = _coarse(prior) / (max(h, w) * c.far_distance * np.sqrt(2))
    near = [place / c.reach, colours / c.colour, *learned]
    far = [place / c.far_reach, colours / c.far_colour, distances, *learned]
    u, v = (np.concatenate(part).reshape(sum(map(len, part)), -1).T.astype(np.float32) for part in (near, far))
    return u, v


def _kernel(
    near: NDArray[np.float32],
    near_at: NDArray[np.float32],
    far: NDArray[np.float32],
    far_at: NDArray[np.float32],
    a: float,
) -> NDArray[np.float32]:
    """Influence of each point on each pixel, (pixels, points), from 0 to 1; a is the share that reaches farther."""
    return (1 - a) * _gaussian(near, near_at) + a * _gaussian(far, far_at)


def _gaussian(a: NDArray[np.float32], b: NDArray[np.float32]) -> NDArray[np.float32]:
    """exp(−½ |a − b|²) of every pair."""
    middle = b.mean(axis=0)
    a, b = a - middle, b - middle
    exponent = a @ b.T
    exponent -= 0.5 * (a * a).sum(axis=1)[:, None]
    exponent -= 0.5 * (b * b).sum(axis=1)
    return np.asarray(np.exp(np.minimum(exponent, 0, out=exponent), out=exponent))


def _coarse(maps: NDArray[Any]) -> NDArray[Any]:
    """Every other row and column of maps (·, h, w)."""
    return maps[:, ::STEP, ::STEP]


def _interpolated(maps: NDArray[np.float32], shape: tuple[int, ...]) -> NDArray[np.float32]:
    """Maps (·, ⌈h/2⌉, ⌈w/2⌉) at the size (h, w), with the means of neighbours between them."""
    for axis, n in enumerate(shape, 1):
        at, last = np.arange(n), maps.shape[axis] - 1
        maps = (maps.take(at // STEP, axis) + maps.take(np.minimum((at + 1) // STEP, last), axis)) / 2
    return maps


def _made_consistent(distances: NDArray[np.float32], labels: NDArray[np.intp]) -> NDArray[np.float32]:
    """Distances (n, h, w) whose arg-max is the labels; where it was not, the pixel lies half a pixel in its region."""
    other = distances.argmax(axis=0) != labels
    distances[:, other] = np.minimum(distances[:, other], -0.5)
    distances[labels[other], *np.nonzero(other)] = 0.5
    return distances
