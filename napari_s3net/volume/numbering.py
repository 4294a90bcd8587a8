"""Which number a cluster has on its side of the object's border: the same in every slice of a volume."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from napari_s3net.postprocessing.naming import name_labels
from napari_s3net.postprocessing.postprocess import number_pairs
from napari_s3net.postprocessing.small_regions import absorb, large_pairs
from napari_s3net.preprocessing.prepare import PreparedPlane
from napari_s3net.preprocessing.window import sampling_step, to_grey
from napari_s3net.segments import Meaning

#: Pixels on each side that an edge takes in which two tissues share voxels.
EDGE = 2
#: A pair of which a smaller share lies away from edges is the edge between others, not a region; the second is the
#: share of the volume above which a pair is never taken for one. Both chosen on the three development volumes.
INNER_SHARE, LARGEST_EDGE = 0.3, 0.05


@dataclass(frozen=True, eq=False)
class Numbering:
    """From pairs of cluster and side to labels.

    Parameters
    ----------
    stays : numpy.ndarray
        (2K,) bool: the pairs that have a label of their own.
    numbers : numpy.ndarray
        (2K,) int32: the label of each pair, from 1; a pair without one has that of the nearest cluster of its side.
    foreground : tuple of int
        The object's labels.
    meanings : dict of int to Meaning
        What each label is.
    """

    stays: NDArray[np.bool_]
    numbers: NDArray[np.int32]
    foreground: tuple[int, ...]
    meanings: dict[int, Meaning]

    def labels(
        self, clusters: NDArray[np.uint8], is_object: NDArray[np.bool_], missing: NDArray[np.bool_] | None
    ) -> NDArray[np.int32]:
        """Number the clusters of one slice.

        Parameters
        ----------
        clusters : numpy.ndarray
            (H, W), from 0 to K − 1.
        is_object : numpy.ndarray
            (H, W) bool.
        missing : numpy.ndarray or None
            (H, W) bool: where nothing was measured.

        Returns
        -------
        numpy.ndarray
            (H, W) int32 from 1; 0 where nothing was measured.
        """
        labels = self.numbers.take(absorb(pairs_of(clusters, is_object), self.stays))
        if missing is not None:
            labels[missing] = 0
        return labels


def pairs_of(clusters: NDArray[np.uint8], is_object: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """Combine cluster and side: twice the cluster, plus one outside the object.

    Parameters
    ----------
    clusters : numpy.ndarray
        (H, W), from 0 to 127.
    is_object : numpy.ndarray
        (H, W) bool.

    Returns
    -------
    numpy.ndarray
        (H, W) uint8.
    """
    return np.asarray(2 * clusters + ~is_object, np.uint8)


def number_volume(
    clusters: Sequence[NDArray[np.uint8]],
    masks: Sequence[NDArray[np.bool_]],
    montage: PreparedPlane,
    n_clusters: int,
    names: tuple[str, str],
) -> Numbering:
    """Decide on the sampled slices which pairs get a label, in which order, and what they mean.

    Parameters
    ----------
    clusters, masks : sequence of numpy.ndarray
        (H, W) each: clusters and object of the sampled slices.
    montage : PreparedPlane
        These slices below one another.
    n_clusters : int
        K.
    names : tuple of str
        What to call the object, and what to call the rest.

    Returns
    -------
    Numbering
        The object's labels first, each side from dark to light.
    """
    planes = [pairs_of(plane, mask) for plane, mask in zip(clusters, masks, strict=True)]
    pairs = np.concatenate(planes)
    counts = np.bincount(pairs.ravel(), minlength=2 * n_clusters)
    stays = large_pairs(np.where(_mere_edges(planes, counts), 0, counts))
    pairs = absorb(pairs, stays)
    step = sampling_step(pairs.shape)
    grey = to_grey(montage.to_unit(step=step))
    numbers, foreground = number_pairs(pairs, grey, montage.missing)
    labels = numbers.take(pairs)
    if montage.missing is not None:
        labels[montage.missing] = 0
    meanings = name_labels(labels[::step, ::step], int(numbers.max()), foreground, montage, grey, names)
    numbers = np.pad(numbers, (0, 2 * n_clusters - len(numbers)))
    if not foreground:  # no sampled slice shows the object; another may
        foreground = (int(numbers.max()) + 1,)
        numbers[0::2] = foreground
        meanings[foreground[0]] = Meaning(names[0])
    return Numbering(stays, _without_gaps(numbers), foreground, meanings)


def _mere_edges(planes: Sequence[NDArray[np.uint8]], counts: NDArray[np.integer]) -> NDArray[np.bool_]:
    """Pairs that are but the edge between others, where a voxel holds two tissues, (2K,)."""
    inner, middle = np.zeros(len(counts)), (slice(EDGE, -EDGE), slice(EDGE, -EDGE))
    for plane in planes:
        least, most = (
            extreme(plane, 2 * EDGE + 1)[middle] for extreme in (ndimage.minimum_filter, ndimage.maximum_filter)
        )
        inner += np.bincount(plane[middle][least == most], minlength=len(counts))
    return np.asarray((inner < INNER_SHARE * counts) & (counts < LARGEST_EDGE * counts.sum()))


def _without_gaps(numbers: NDArray[np.int32]) -> NDArray[np.int32]:
    """Give a pair without a number that of the nearest cluster of its side; clusters go from dark to light."""
    filled = numbers.copy()
    for side in (0, 1):
        known = np.flatnonzero(numbers[side::2])
        for cluster in np.flatnonzero(numbers[side::2] == 0) if known.size else ():
            filled[2 * cluster + side] = numbers[side::2][known[np.argmin(np.abs(known - cluster))]]
    return filled
