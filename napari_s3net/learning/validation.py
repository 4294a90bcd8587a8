"""Images that learning does not see, and how well a network does on them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from napari_s3net.labels.metrics import dice
from napari_s3net.learning.closer import look_twice
from napari_s3net.learning.examples import ExampleSet
from napari_s3net.learning.settings import LEARNING, LearnSettings
from napari_s3net.learning.start import Start
from napari_s3net.network.class_losses import IGNORED
from napari_s3net.network.unet import ClassNetwork


def set_aside(data: ExampleSet, settings: LearnSettings, start: Start | None = None) -> NDArray[np.int64]:
    """Choose the images that learning does not see, so that they can tell how good it is.

    Where a model is learned again, it has seen none of them before: those that were set aside then come first.

    Parameters
    ----------
    data : ExampleSet
        Labelled and other planes.
    settings : LearnSettings
        Whether it is wanted, and the seed.
    start : Start, optional
        Knows what the initial weights were learned from.

    Returns
    -------
    numpy.ndarray
        Numbers of files; empty below five labelled ones, and where all were learned from.
    """
    files = np.unique(data.files[data.labelled])
    if not settings.validate or len(files) < LEARNING.validate_from:
        return files[:0]
    shuffled = np.random.default_rng(settings.seed).permutation(files)
    if start is not None and start.seen:
        digests = {file: data.digest(file) for file in shuffled}
        unseen = [file for file in shuffled if digests[file] not in start.seen]
        shuffled = np.array(sorted(unseen, key=lambda file: digests[file] not in start.aside), np.int64)
    return np.sort(shuffled[: max(1, len(files) // LEARNING.set_aside)])


def validate(
    network: ClassNetwork,
    data: ExampleSet,
    aside: NDArray[np.int64],
    settings: LearnSettings,
    closer: ClassNetwork | None = None,
) -> float:
    """Compute the mean Dice of the classes on files set aside, each class pooled over a file, at the working size.

    Parameters
    ----------
    network : ClassNetwork
        As far as it has learned.
    data : ExampleSet
        Labelled and other planes.
    aside : numpy.ndarray
        Numbers of files, from `set_aside`.
    settings : LearnSettings
        Most keypoints.
    closer : ClassNetwork, optional
        The second one, that looks closer.

    Returns
    -------
    float
        From 0 to 1; NaN where no class is seen or found.
    """
    scores = []
    for file in aside:
        planes = data.planes_of(file)
        truth = data.labels[planes]
        first, second = look_twice(network, closer, data.part(planes), settings.most_keypoints)
        predicted = first if second is None else second
        for label in range(1, network.config.classes):
            proposed, mask = (predicted == label) & (truth != IGNORED), truth == label
            if proposed.any() or mask.any():
                scores.append(dice(proposed, mask))
    return float(np.mean(scores)) if scores else float("nan")
