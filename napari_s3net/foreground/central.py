"""What is central, compact and well bounded, whether light or dark: MRI, and any other grey or colour image."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from napari_s3net.foreground.candidates import brighter_in_the_middle
from napari_s3net.foreground.constants import VotingConstants
from napari_s3net.foreground.voting import ScoredCandidates, score_candidates
from napari_s3net.preprocessing.resize import shrink_to
from napari_s3net.preprocessing.window import to_grey

#: A pixel is object for the majority of the votes: the lower threshold of skin follows the generous outlines of
#: dermatologists, and a scan has none. The other values are the defaults; no development images of this target stand
#: behind them.
CENTRAL = VotingConstants(threshold=0.5)


def score_central(clusters: NDArray[np.int64], features: NDArray[np.float32]) -> ScoredCandidates:
    """Make candidates for the central object, and score them.

    Parameters
    ----------
    clusters : numpy.ndarray
        (h, w), from the network.
    features : numpy.ndarray
        (h, w, C) in [0, 1]; of colours the mean counts.

    Returns
    -------
    ScoredCandidates
        At a longer side of `CENTRAL.size` pixels.
    """
    grey = to_grey(shrink_to(features, CENTRAL.size))
    inside = np.ones(grey.shape, bool)
    # Light objects are as welcome as dark ones: the first axis, lightness, is left empty, so that none is too light.
    colours = 100 * np.stack([np.zeros_like(grey), ndimage.gaussian_filter(grey, CENTRAL.colour_blur)], axis=2)
    return score_candidates(clusters, grey_channels(grey, inside), colours, inside, ("Object", "Background"), CENTRAL)


def grey_channels(grey: NDArray[np.floating], inside: NDArray[np.bool_]) -> NDArray[np.floating]:
    """Make the two maps that are thresholded for the central object, which may be light or dark.

    Parameters
    ----------
    grey : numpy.ndarray
        (h, w) in [0, 1].
    inside : numpy.ndarray
        (h, w) bool: what is image.

    Returns
    -------
    numpy.ndarray
        (2, h, w): the smoothed intensity with its sign such that the middle is brighter than the border, and minus it.
    """
    smooth = ndimage.gaussian_filter(grey.astype(np.float64), CENTRAL.blur)
    turned = brighter_in_the_middle(smooth - smooth[inside].mean(), inside)
    return np.stack([turned, -turned])
