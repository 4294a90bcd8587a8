"""A skin lesion: central, compact, well bounded, and darker or more coloured than the skin around it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from skimage.color import rgb2lab

from napari_s3net.foreground.candidates import brighter_in_the_middle
from napari_s3net.foreground.central import score_central
from napari_s3net.foreground.constants import VotingConstants
from napari_s3net.foreground.voting import ScoredCandidates, score_candidates
from napari_s3net.preprocessing.artefacts import lens_shadow, marker
from napari_s3net.preprocessing.resize import shrink_to
from napari_s3net.preprocessing.window import over_channels

#: The defaults were chosen for this target.
LESION = VotingConstants()


def score_lesions(clusters: NDArray[np.int64], features: NDArray[np.float32]) -> ScoredCandidates:
    """Make candidates for the skin lesion, and score them.

    Parameters
    ----------
    clusters : numpy.ndarray
        (h, w), from the network.
    features : numpy.ndarray
        (h, w, 3) in [0, 1]; a grey photograph (h, w, 1) says nothing about colour, so that what is central is taken.

    Returns
    -------
    ScoredCandidates
        At a longer side of `LESION.size` pixels.
    """
    if features.shape[2] != 3:
        return score_central(clusters, features)
    small = shrink_to(features, LESION.size)
    inside = ~(lens_shadow(small) | marker(small))
    if inside.mean() < LESION.smallest_view:
        inside[:] = True
    colours = rgb2lab(ndimage.gaussian_filter(small, (LESION.colour_blur, LESION.colour_blur, 0)))
    channels = lesion_channels(small, inside)
    return score_candidates(clusters, channels, colours, inside, ("Lesion", "Skin"), LESION)


def lesion_channels(rgb: NDArray[np.floating], inside: NDArray[np.bool_]) -> NDArray[np.floating]:
    """Make the maps that are thresholded for a lesion; it is bright in each of them.

    Parameters
    ----------
    rgb : numpy.ndarray
        (h, w, 3) in [0, 1].
    inside : numpy.ndarray
        (h, w) bool: what is skin or lesion.

    Returns
    -------
    numpy.ndarray
        (5, h, w): minus blue, minus Lab lightness, saturation, minus the share of blue in the colour, and the place
        along the main axis of the Lab colours.
    """
    smooth = ndimage.gaussian_filter(rgb, (LESION.blur, LESION.blur, 0))
    lab = rgb2lab(smooth)
    dark, light, total = (over_channels(ufunc, smooth) for ufunc in (np.minimum, np.maximum, np.add))
    blue = smooth[..., 2]
    saturation, share_of_blue = 1 - dark / np.maximum(light, 1e-3), blue / np.maximum(total, 1e-3)
    visible = lab[inside]
    middle = visible.mean(axis=0)
    axis = np.linalg.eigh((visible - middle).T @ (visible - middle))[1][:, -1]
    along = brighter_in_the_middle((lab - middle) @ axis, inside)
    return np.stack([-blue, -lab[..., 0], saturation, -share_of_blue, along])
