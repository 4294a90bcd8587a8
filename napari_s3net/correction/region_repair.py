"""What strokes mean for whole connected components, which a smooth movement of borders cannot say."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

_EIGHT = np.ones((3, 3), bool)


def reassign_whole_components(
    labels: NDArray[np.integer],
    strokes: NDArray[np.integer],
    points: NDArray[np.intp],
    colours: NDArray[np.float32],
    *,
    similar: tuple[float, float],
    most_growth: float,
    most_of_region: float,
) -> NDArray[np.integer]:
    """Let a component that stands apart take the label of its stroke as a whole, such as a lung that was missed.

    The component is what is connected with a painted pixel, has its old label and its colour. It stands apart if it
    has a sharp edge, which is to say that it hardly grows when other colours are allowed, and if it touches no pixel of
    the painted label, or none of its old one.

    Parameters
    ----------
    labels : numpy.ndarray
        (h, w): the previous labels.
    strokes : numpy.ndarray
        (h, w): the label that was painted, −1 where nothing was.
    points : numpy.ndarray
        (m,) flat indices of painted pixels, from `observation_points`.
    colours : numpy.ndarray
        (h, w, C), in units of their spread.
    similar : tuple of float
        Two colour distances: the component is what is closer than the second.
    most_growth : float
        It has a sharp edge if it has at most this many times the pixels that are closer than the first distance.
    most_of_region : float
        Largest share of its old region.

    Returns
    -------
    numpy.ndarray
        (h, w), a copy.
    """
    labels = labels.copy()
    for point in zip(*np.unravel_index(points, labels.shape), strict=True):
        old, new = labels[point], strokes[point]
        if old == new:
            continue
        difference = np.where(labels == old, np.linalg.norm(colours - colours[point], axis=2), np.inf)
        small, large = (_component_at(difference <= limit, point) for limit in similar)
        neighbours = labels[ndimage.binary_dilation(large, _EIGHT) & ~large]
        apart = not (neighbours == new).any() or not (neighbours == old).any()
        edged = large.sum() <= most_growth * small.sum()
        if apart and edged and large.sum() <= most_of_region * (labels == old).sum():
            labels[large] = new
    return labels


def revert_detached_changes(
    new: NDArray[np.intp], old: NDArray[np.integer], strokes: NDArray[np.integer]
) -> NDArray[np.intp]:
    """Undo changes that appear by themselves: components without a pixel of their old region or of a stroke.

    Parameters
    ----------
    new, old : numpy.ndarray
        (h, w) labels from 0, after and before.
    strokes : numpy.ndarray
        (h, w): the label that was painted, −1 where nothing was.

    Returns
    -------
    numpy.ndarray
        (h, w), a copy of `new` with the old labels in such components.
    """
    kept = new.copy()
    changed = new != old
    for k in np.unique(new[changed]):
        components, n = ndimage.label(new == k)
        rooted = np.zeros(n + 1, bool)
        rooted[components[(old == k) | (strokes == k)]] = True
        detached = ~rooted[components] & (new == k)
        kept[detached] = old[detached]
    return kept


def absorb_fragments(
    new: NDArray[np.intp], old: NDArray[np.integer], strokes: NDArray[np.integer], smallest: float
) -> NDArray[np.intp]:
    """Give small components that a change cut off to what is around them.

    Components with a stroke stay, and so do those that no change touches.

    Parameters
    ----------
    new, old : numpy.ndarray
        (h, w) labels from 0, after and before.
    strokes : numpy.ndarray
        (h, w): the label that was painted, −1 where nothing was.
    smallest : float
        Pixels: a component with fewer is small.

    Returns
    -------
    numpy.ndarray
        (h, w), a copy of `new`.
    """
    kept, changed = new.copy(), new != old
    beside = ndimage.binary_dilation(changed, _EIGHT)
    for k in np.unique(old[changed]):
        components, _ = ndimage.label(new == k)
        is_fragment = np.bincount(components.ravel()) < smallest
        is_fragment[0] = False
        is_fragment[components[strokes == k]] = False
        for number in np.unique(components[beside & is_fragment[components]]):
            fragment = components == number
            kept[fragment] = np.bincount(new[ndimage.binary_dilation(fragment, _EIGHT) & ~fragment]).argmax()
    return kept


def _component_at(mask: NDArray[np.bool_], point: tuple[np.intp, ...]) -> NDArray[np.bool_]:
    """The connected component of a mask that a point lies in."""
    components, _ = ndimage.label(mask)
    return np.asarray(components == components[point])
