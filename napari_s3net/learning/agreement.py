"""Volumes without labels on which both looks agree: a second round learns from them as if they had been labelled."""

from __future__ import annotations

from collections.abc import Collection, Generator, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from napari_s3net.labels.metrics import dice
from napari_s3net.learning.closer import look_twice
from napari_s3net.learning.examples import ExampleSet
from napari_s3net.learning.model import LearnedModel
from napari_s3net.learning.pieces import keep_one_piece
from napari_s3net.learning.steps import LearnStep

#: This share of the volumes without labels is learned from, those on which both looks agree most. Chosen on the pool of
#: ACDC (docs/learning-tried.md).
AGREED = 0.6


def unlabelled_volumes(data: ExampleSet) -> NDArray[np.int64]:
    """Find the volumes of which nothing is labelled.

    Parameters
    ----------
    data : ExampleSet
        Labelled and other planes.

    Returns
    -------
    numpy.ndarray
        Numbers of files of more than one plane.
    """
    files, planes = np.unique(data.files, return_counts=True)
    return files[(planes > 1) & ~np.isin(files, data.files[data.labelled])]


def iter_agreed(
    model: LearnedModel, data: ExampleSet, groups: Sequence[Collection[int]]
) -> Generator[LearnStep, bool | None, ExampleSet | None]:
    """Give the volumes without labels on which both looks agree most the labels that the closer one sees.

    Parameters
    ----------
    model : LearnedModel
        With both looks.
    data : ExampleSet
        Labelled and other planes.
    groups : sequence of collection of int
        Channels that are in one piece, as `one_piece_channels` finds them.

    Yields
    ------
    LearnStep
        One a volume, of iteration 0 and without losses. Answer True to stop.

    Returns
    -------
    ExampleSet or None
        With their labels; None where it was stopped.
    """
    seen: dict[int, tuple[float, NDArray[np.int8]]] = {}
    files = unlabelled_volumes(data)
    for file in files:
        planes = data.planes_of(file)
        first, second = look_twice(model.network, model.closer, data.part(planes), model.card.settings.most_keypoints)
        if second is not None:
            whole, near = (keep_one_piece(found.astype(np.int32), groups) for found in (first, second))
            seen[int(file)] = agreement(whole, near), near.astype(np.int8)
        if (yield LearnStep(0, 0, {}, None, model.network, model.closer)):
            return None
    labels = data.labels.copy()
    for file in sorted(seen, key=lambda file: -seen[file][0])[: round(AGREED * len(files))]:
        labels[data.planes_of(file)] = seen[file][1]
    return replace(data, labels=labels)


def agreement(first: NDArray[np.integer], second: NDArray[np.integer]) -> float:
    """Say how much two ways to see a volume agree.

    Parameters
    ----------
    first, second : numpy.ndarray
        (Z, H, W) classes.

    Returns
    -------
    float
        Mean Dice of the classes that either has; 0 where there are none.
    """
    classes = np.union1d(first, second)
    shares = [dice(first == one, second == one) for one in classes[classes > 0]]
    return float(np.mean(shares)) if shares else 0.0


def drawn_from(data: ExampleSet, own: NDArray[np.int64], aside: NDArray[np.int64]) -> NDArray[np.int64]:
    """Say which planes are drawn: those that somebody has labelled as often as those that the looks agree on.

    Parameters
    ----------
    data : ExampleSet
        Labelled and other planes.
    own : numpy.ndarray
        Numbers of files that somebody has labelled.
    aside : numpy.ndarray
        Numbers of files that are not learned from.

    Returns
    -------
    numpy.ndarray
        Numbers of planes, some of them several times.
    """
    labelled = np.flatnonzero(data.labelled & ~np.isin(data.files, aside))
    is_own = np.isin(data.files[labelled], own)
    mine, others = labelled[is_own], labelled[~is_own]
    return np.concatenate([np.resize(mine, max(len(mine), len(others))), others]) if len(mine) else others
