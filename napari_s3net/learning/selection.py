"""Which image to correct next: one that the model is unsure of, and that is unlike those corrected before."""

from __future__ import annotations

from collections.abc import Collection, Generator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from napari_s3net.errors import InvalidImageError, S3NetError
from napari_s3net.image import Image
from napari_s3net.learning.examples import grey_of
from napari_s3net.learning.keypoints import find_keypoints, pad_points
from napari_s3net.learning.model import LearnedModel
from napari_s3net.learning.planes import to_square
from napari_s3net.learning.steps import ReadStep


@dataclass(frozen=True, eq=False)
class ImageUncertainty:
    """What a model makes of an image.

    Attributes
    ----------
    uncertainty : float
        Mean entropy of the classes over the pixels, in nats.
    features : numpy.ndarray
        (D,) mean of the encoder's coarsest features.
    """

    uncertainty: float
    features: NDArray[np.float32]


def measure_uncertainty(model: LearnedModel, image: Image) -> ImageUncertainty:
    """Look at an image; of a stack at its middle slice.

    Parameters
    ----------
    model : LearnedModel
        What was learned.
    image : Image
        A plane or a stack.

    Returns
    -------
    ImageUncertainty
        Its uncertainty and features.

    Raises
    ------
    InvalidImageError
        If it is not of the kind that the model was learned on.
    """
    plane = image.slice(len(image.array) // 2) if image.is_stack else image
    settings, network = model.card.settings, model.network
    square = to_square(model.card.normalisation(plane), settings.size)
    device = next(network.parameters()).device
    points = None
    if network.config.keypoints:
        points = pad_points([find_keypoints(grey_of(square), settings.most_keypoints)], device)
    with torch.no_grad():
        x = torch.from_numpy(square[None]).to(device).float()
        features, _ = network.encoder(x, points)
        logits = torch.stack(network.decode(features, (settings.size, settings.size))).mean(dim=0)
        log_p = logits.log_softmax(dim=1)
        entropy = -(log_p.exp() * log_p).sum(dim=1)
        return ImageUncertainty(float(entropy.mean()), features[-1].mean(dim=(2, 3))[0].cpu().numpy())


def choose_next(uncertainties: Sequence[ImageUncertainty], corrected: Collection[int], n: int = 1) -> list[int]:
    """Choose images one after the other, each by the product of two ranks: how unsure, and how far from the others.

    Parameters
    ----------
    uncertainties : sequence of ImageUncertainty
        Of every image.
    corrected : collection of int
        Which of them were corrected before.
    n : int
        How many are wanted.

    Returns
    -------
    list of int
        The best first; fewer where fewer are left. How far an image is from the others is its distance to the nearest
        one that is corrected or chosen; before there is one, uncertainty alone counts.
    """
    if not uncertainties:
        return []
    features = np.stack([one.features for one in uncertainties]).astype(np.float64)
    spread = features.std(axis=0)
    features = (features - features.mean(axis=0)) / np.where(spread > 0, spread, 1)
    unsure = _ranks(np.array([one.uncertainty for one in uncertainties]))
    taken, chosen = list(corrected), list[int]()
    while len(chosen) < n and len(taken) < len(uncertainties):
        score = unsure.copy()
        if taken:
            apart = np.linalg.norm(features[:, None] - features[None, taken], axis=2).min(axis=1)
            score *= _ranks(apart)
        score[taken] = -1
        chosen.append(int(score.argmax()))
        taken.append(chosen[-1])
    return chosen


def iter_next(
    model: LearnedModel, paths: Sequence[Path], corrected: Collection[Path], n: int = 1
) -> Generator[ReadStep, bool | None, list[Path]]:
    """Look at the images of a folder, and choose those whose correction would teach most.

    Parameters
    ----------
    model : LearnedModel
        What was learned.
    paths : sequence of Path
        Every image, corrected or not.
    corrected : collection of Path
        Those that were.
    n : int
        How many are wanted.

    Yields
    ------
    ReadStep
        After each image. Answer True to choose among those looked at.

    Returns
    -------
    list of Path
        The best first; images that cannot be read are never chosen. Empty where it was stopped before one without
        labels was looked at.

    Raises
    ------
    InvalidImageError
        If every image was corrected, or no other one can be read.
    """
    from napari_s3net.io import read_image
    from napari_s3net.training.sampling import evenly_spaced

    others = [path for path in paths if path not in corrected]
    looked_at = [*corrected, *evenly_spaced(others)]
    measured: list[tuple[Path, ImageUncertainty]] = []
    failed: list[str] = []
    stopped = False
    for done, path in enumerate(looked_at, 1):
        try:
            measured.append((path, measure_uncertainty(model, read_image(path))))
        except S3NetError as error:
            failed.append(str(error))
        if (yield ReadStep(done, len(looked_at))):
            stopped = done < len(looked_at)
            break
    places = [i for i, (path, _) in enumerate(measured) if path in corrected]
    chosen = choose_next([one for _, one in measured], places, n)
    if not chosen and stopped:
        return []
    if not chosen and others and failed:
        raise InvalidImageError(f"No image without labels can be looked at. {failed[-1]}")
    if not chosen:
        raise InvalidImageError("Every image that can be read was corrected: there is no next one.")
    return [measured[i][0] for i in chosen]


def _ranks(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """From just above 0 for the least to 1 for the largest."""
    ranks = np.empty(len(values))
    ranks[np.argsort(values, kind="stable")] = np.arange(1, len(values) + 1)
    return ranks / len(values)
