"""What makes a candidate look like an object, and how that is scored.

Nothing here is learned: the weights are few round numbers in each target's `VotingConstants`, the same for every image.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from napari_s3net.foreground.constants import VotingConstants
from napari_s3net.foreground.morphology import centre_weight, dilate_masks, perimeters

#: Features of which the logarithm enters a score, and those that enter as they are.
RATIOS = ("boundary", "compactness", "centrality", "fisher_separation", "area", "background_uniformity")
LINEAR = ("border_contact", "lightness_excess")


@dataclass(frozen=True, eq=False)
class Side:
    """What lies inside, or outside, of each of n candidates.

    Parameters
    ----------
    pixels : numpy.ndarray
        (n,).
    mean : numpy.ndarray
        (n, C), mean colour less the image's.
    spread : numpy.ndarray
        (n, C), standard deviations of the colours.
    """

    pixels: NDArray[np.float64]
    mean: NDArray[np.float64]
    spread: NDArray[np.float64]

    @classmethod
    def from_sums(cls, sums: NDArray[np.float64]) -> Side:
        """Compute pixel number, means and standard deviations from sums.

        Parameters
        ----------
        sums : numpy.ndarray
            (n, 2C + 1): over each of n regions the sums of C colours, of their squares, and of ones.

        Returns
        -------
        Side
            With pixels (n,), mean and spread (n, C); both 0 where a region has no pixel.
        """
        C, pixels = sums.shape[1] // 2, sums[:, -1]
        mean, square = (part / np.maximum(pixels, 1)[:, None] for part in (sums[:, :C], sums[:, C:-1]))
        return cls(pixels, mean, np.sqrt(np.maximum(square - mean**2, 0)))


@dataclass(frozen=True, eq=False, kw_only=True)
class RegionFeatures:
    """Of n candidates; every array is (n,).

    Parameters
    ----------
    boundary : numpy.ndarray
        Distance between the mean colours just inside and just outside, in standard deviations of the image.
    compactness : numpy.ndarray
        4πA/P², 1 for a disc.
    centrality : numpy.ndarray
        Mean over the candidate of a Gaussian around the image's middle.
    fisher_separation : numpy.ndarray
        Distance of the mean colours inside and outside over their spreads (Fisher's criterion).
    area : numpy.ndarray
        Share of the image.
    background_uniformity : numpy.ndarray
        Inverse spread of the colours outside: the surroundings of the object are alike.
    border_contact : numpy.ndarray
        Share of the image's border that the candidate covers.
    lightness_excess : numpy.ndarray
        How much lighter than its surroundings, in standard deviations; 0 when darker.
    distance : numpy.ndarray
        Of its centre from the image's middle, in half heights and half widths; does not enter the score.
    inner, outer : Side
        The colours of the candidate, and of its surroundings.
    """

    boundary: NDArray[np.float64]
    compactness: NDArray[np.float64]
    centrality: NDArray[np.float64]
    fisher_separation: NDArray[np.float64]
    area: NDArray[np.float64]
    background_uniformity: NDArray[np.float64]
    border_contact: NDArray[np.float64]
    lightness_excess: NDArray[np.float64]
    distance: NDArray[np.float64]
    inner: Side
    outer: Side

    def log_scores(self, constants: VotingConstants) -> NDArray[np.float64]:
        """Compute the score of each candidate: a product of powers of the features, taken as its logarithm.

        Parameters
        ----------
        constants : VotingConstants
            Exponents and floors of `RATIOS`, and the factors of `LINEAR`.

        Returns
        -------
        numpy.ndarray
            (n,), without unit; only differences between candidates of one image mean something.
        """
        logs = constants.border_contact * self.border_contact + constants.lightness_excess * self.lightness_excess
        for name, exponent in constants.exponents.items():
            logs = logs + exponent * np.log(getattr(self, name) + constants.floors[name])
        return logs


def measure_candidates(
    masks: NDArray[np.bool_],
    colours: NDArray[np.floating],
    inside: NDArray[np.bool_],
    constants: VotingConstants,
) -> RegionFeatures:
    """Measure the features of each candidate.

    Parameters
    ----------
    masks : numpy.ndarray
        (n, h, w) bool.
    colours : numpy.ndarray
        (h, w, 3) Lab or (h, w, 1) intensities, in units of the image's standard deviation; the first axis is lightness.
    inside : numpy.ndarray
        (h, w) bool: what is image, and not the dark corner of the lens.
    constants : VotingConstants
        Width and least size of rims, and what is added to spreads.

    Returns
    -------
    RegionFeatures
        Of n candidates. A candidate that covers all of `inside` has no surroundings: what compares with them is 0.
    """
    table, flat_inside = _table(colours), inside.reshape(-1, 1)
    visible = table * flat_inside
    y, x = np.meshgrid(*(np.linspace(-1, 1, n) for n in inside.shape), indexing="ij")
    maps = (centre_weight((inside.shape[0], inside.shape[1])), _frame(inside), y, x)
    columns = np.column_stack([table, visible, *(each.ravel() for each in maps)])
    sums = _sums(masks, columns.astype(np.float32))
    C = table.shape[1]
    weight, border_contact, down, right = sums[:, 2 * C :].T
    inner, outer = (
        Side.from_sums(sums[:, :C]),
        Side.from_sums(visible.sum(axis=0, dtype=np.float64) - sums[:, C : 2 * C]),
    )
    surrounded = outer.pixels > 0
    gap = (inner.mean - outer.mean) * surrounded[:, None]
    spread, spread_outside = inner.spread.mean(axis=1), np.where(surrounded, outer.spread.mean(axis=1), 1.0)
    return RegionFeatures(
        boundary=_boundary(masks, table, inside, constants),
        compactness=np.minimum(1.0, 4 * np.pi * inner.pixels / np.maximum(perimeters(masks), 1.0) ** 2),
        centrality=weight / np.maximum(inner.pixels, 1),
        fisher_separation=np.linalg.norm(gap, axis=1) / (spread + spread_outside + constants.spread_floor),
        area=inner.pixels / inside.size,
        background_uniformity=1 / (spread_outside + constants.background_spread_floor),
        border_contact=border_contact,
        lightness_excess=np.maximum(0.0, gap[:, 0]),
        distance=np.hypot(down, right) / np.maximum(inner.pixels, 1),
        inner=inner,
        outer=outer,
    )


def _boundary(
    masks: NDArray[np.bool_], table: NDArray[np.float32], inside: NDArray[np.bool_], constants: VotingConstants
) -> NDArray[np.float64]:
    """How far the mean colours of the rims on both sides are apart, (n,); 0 where a rim is too small to tell."""
    outside = ~masks
    within, without = (
        Side.from_sums(_sums(rim & inside, table))
        for rim in (masks & dilate_masks(outside, constants.rim), outside & dilate_masks(masks, constants.rim))
    )
    enough = np.minimum(within.pixels, without.pixels) >= constants.fewest_in_rim
    return np.asarray(np.linalg.norm(within.mean - without.mean, axis=1) * enough)


def _frame(inside: NDArray[np.bool_]) -> NDArray[np.float64]:
    """The pixels at the image's border, or at what is no image, (h, w); together they make one."""
    frame = ndimage.binary_dilation(~inside)
    frame[[0, -1]] = frame[:, [0, -1]] = True
    return np.asarray(frame / frame.sum())


def _table(colours: NDArray[np.floating]) -> NDArray[np.float32]:
    """Of each pixel its colours (h, w, C) less their mean, their squares, and one: (h · w, 2C + 1).

    In single precision: only differences of means are asked for, and half the bytes are moved.
    """
    values = colours.reshape(-1, colours.shape[2])
    values = (values - values.mean(axis=0)).astype(np.float32)
    return np.concatenate([values, values**2, np.ones((len(values), 1), np.float32)], axis=1)


def _sums(masks: NDArray[np.bool_], columns: NDArray[np.float32]) -> NDArray[np.float64]:
    """Sums of columns (h · w, F) over each mask (n, h, w): (n, F)."""
    return (masks.reshape(len(masks), len(columns)).astype(np.float32) @ columns).astype(np.float64)
