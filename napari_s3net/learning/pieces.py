"""What is in one piece in every volume that was corrected as a whole is in one piece in others."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from napari_s3net.labels.edit import keep_largest
from napari_s3net.learning.examples import ExampleSet
from napari_s3net.network.class_losses import IGNORED

#: Under this key a model's record names the groups of classes, by their values, that are in one piece.
ONE_PIECE = "one piece"
#: A region is in one piece if its largest component has this share of it, in each of at least so many volumes. Set by
#: hand: on patients 1 to 30 of ACDC the largest has 0.99 and more, in each volume and of each class.
LEAST_SHARE, FEWEST_VOLUMES = 0.95, 2


def one_piece_groups(data: ExampleSet) -> list[list[int]]:
    """Find what is in one piece, by the values of the classes.

    Parameters
    ----------
    data : ExampleSet
        Labelled and other planes, at the working size.

    Returns
    -------
    list of list of int
        As `one_piece_channels`, but values.
    """
    values = dict(enumerate(data.classes, 1))
    return [[values[channel] for channel in group] for group in one_piece_channels(data)]


def one_piece_channels(data: ExampleSet) -> list[list[int]]:
    """Find which classes, and whether all of them together, are in one piece wherever whole volumes are labelled.

    The rule is nnU-Net's (Isensee et al., Nature Methods 2021, "empirical parameters"), but what decides is the labels
    and not a validation, for which a handful of corrected volumes is too few.

    Parameters
    ----------
    data : ExampleSet
        Labelled and other planes, at the working size.

    Returns
    -------
    list of list of int
        Channels: all together first, then single ones; empty without at least two whole labelled volumes.
    """
    volumes = list(whole_volumes(data))
    channels = list(range(1, len(data.classes) + 1))
    groups = [channels, *([channel] for channel in channels if len(channels) > 1)]
    return [group for group in groups if is_one_piece([np.isin(labels, group) for labels in volumes])]


def keep_one_piece(labels: NDArray[np.int32], groups: Iterable[Collection[int]]) -> NDArray[np.int32]:
    """Keep the largest component of each group of classes; others take the nearest label beside them.

    Parameters
    ----------
    labels : numpy.ndarray
        (Z, H, W) values of classes, 0 the background.
    groups : iterable of collection of int
        As `one_piece_groups` returns them.

    Returns
    -------
    numpy.ndarray
        A copy where there are groups.
    """
    for group in groups:
        labels = keep_largest(labels, group, in_3d=True)
    return labels


def whole_volumes(data: ExampleSet) -> Iterator[NDArray[np.int8]]:
    """Give the labels of each volume whose labelled slices follow each other, and have no unlabelled pixel.

    Parameters
    ----------
    data : ExampleSet
        Labelled and other planes.

    Yields
    ------
    numpy.ndarray
        (Z, S, S) channels, of the labelled slices in their order.
    """
    for file in np.unique(data.files[data.labelled]):
        labels = data.labels[data.planes_of(file)]
        known = np.flatnonzero((labels != IGNORED).any(axis=(1, 2)))
        run = labels[known[0] : known[-1] + 1]
        if len(run) > 1 and not (run == IGNORED).any():
            yield run


def is_one_piece(masks: Iterable[NDArray[np.bool_]]) -> bool:
    """Say whether enough volumes have an object, and all of these in one piece.

    Parameters
    ----------
    masks : iterable of numpy.ndarray
        (Z, H, W) of each volume.

    Returns
    -------
    bool
        False below `FEWEST_VOLUMES`.
    """
    there = [mask for mask in masks if mask.any()]
    return len(there) >= FEWEST_VOLUMES and all(largest_piece(mask).sum() >= LEAST_SHARE * mask.sum() for mask in there)


def largest_piece(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Keep the largest piece of an object.

    Parameters
    ----------
    mask : numpy.ndarray
        (Z, H, W).

    Returns
    -------
    numpy.ndarray
        (Z, H, W); voxels touch through slices.
    """
    return keep_largest(mask.astype(np.int8), (1,), in_3d=True) > 0
