"""Folder mode: one scorer of candidates, fitted without labels on many images of one kind, for all of them.

Candidates are made for each image as when it is segmented alone. The scorer learns from the outcomes of all images what
an object of this folder looks like beside the other candidates; what it expects is then added to each candidate's own
score.
"""

from __future__ import annotations

import json
import time
from collections.abc import Generator, Iterable, Sized
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray

from napari_s3net.errors import InvalidImageError, InvalidSettingsError, ModelFileError, ReadError
from napari_s3net.foreground.propose import SCORERS
from napari_s3net.foreground.voting import ScoredCandidates
from napari_s3net.image import Image
from napari_s3net.postprocessing.postprocess import postprocess
from napari_s3net.preprocessing.prepare import PreparedPlane, prepare
from napari_s3net.result import Segmentation
from napari_s3net.runtime.generators import drain
from napari_s3net.settings import Settings
from napari_s3net.training.initial_clusters import initial_clusters
from napari_s3net.training.linear_scorer import LinearScorer, TrainingSample, fit_scorer, sample_from
from napari_s3net.training.taught import view_object
from napari_s3net.training.weights import read_tensors

#: Fewer than this many images have nothing in common to learn.
FEWEST_IMAGES = 4
#: The scorer's arrays in a file, in the order of its fields.
_ARRAYS = ("mean", "scale", "weights")


@dataclass(frozen=True)
class FitStep:
    """Progress of a fit: images looked at, and how many there are where that is known.

    Parameters
    ----------
    done : int
        Images looked at, from 1.
    total : int or None
        How many images there are; None where they come one after the other.
    """

    done: int
    total: int | None = None


@dataclass(frozen=True, eq=False)
class FolderModel:
    """What was learned from a folder.

    Parameters
    ----------
    scorer : LinearScorer
        Says what to expect of a candidate.
    settings : Settings
        With which it was fitted, and with which it segments.
    """

    scorer: LinearScorer
    settings: Settings

    def segment(self, image: Image) -> Segmentation:
        """Segment one plane.

        Parameters
        ----------
        image : Image
            (H, W) or (H, W, 3), of the kind that the model was fitted on.

        Returns
        -------
        Segmentation
            As `segment` gives it; its clusters are the initial ones, no network is trained.

        Raises
        ------
        InvalidImageError
            If there is nothing to segment, or grey was fitted and colour came, or the reverse.
        """
        started = time.perf_counter()
        plane, clusters, candidates, views = _inspect(image, self.settings)
        if not self.scorer.fits(candidates):
            raise InvalidImageError(
                f"The model was fitted on other images than this with {plane.features.shape[2]} channels: colour on "
                "the one side, grey on the other. Fit one on images of this kind."
            )
        proposal = candidates.elect(plane.features.shape, self.scorer.score(candidates), views)
        one_hot = F.one_hot(torch.from_numpy(clusters), self.settings.clusters).permute(2, 0, 1)[None].float()
        result = postprocess(image, plane, one_hot, proposal, self.settings)
        return result.with_provenance(device="cpu", seconds=time.perf_counter() - started)

    def save(self, path: Path) -> None:
        """Write scorer and settings to a safetensors file, from which `load_folder_model` reads them.

        Parameters
        ----------
        path : Path
            The file; one that is there is replaced.
        """
        from safetensors.numpy import save

        about = {"napari-s3net": "folder", "settings": json.dumps(self.settings.to_dict())}
        path.write_bytes(save({name: getattr(self.scorer, name) for name in _ARRAYS}, about))


def load_folder_model(path: Path) -> FolderModel:
    """Read what `FolderModel.save` wrote.

    Parameters
    ----------
    path : Path
        The file.

    Returns
    -------
    FolderModel
        With the settings it was fitted with.

    Raises
    ------
    ReadError
        If the file is missing or no such model.
    """
    try:
        arrays, about = read_tensors(Path(path))
        if about.get("napari-s3net") != "folder":
            raise ReadError(f"{Path(path).name} holds other weights; expected a model fitted on a folder.")
        scorer = LinearScorer(*(arrays[name].numpy() for name in _ARRAYS))
        return FolderModel(scorer, Settings.from_dict(json.loads(about["settings"])))
    except (ModelFileError, KeyError, ValueError) as error:
        raise ReadError(f"{Path(path).name} is no model of this program: {error}") from None


def fit_folder(images: Iterable[Image], settings: Settings) -> FolderModel:
    """Fit one model on many images of one kind, without labels, and wait for it.

    Parameters
    ----------
    images : iterable of Image
        Planes; read one after the other, and none is kept.
    settings : Settings
        Their `target` must be one that candidates are scored for: a lesion, or whatever is central.

    Returns
    -------
    FolderModel
        It segments further images of this kind.

    Raises
    ------
    InvalidSettingsError, InvalidImageError
        As in `iter_fit_folder`.
    """
    return drain(iter_fit_folder(images, settings))


def iter_fit_folder(images: Iterable[Image], settings: Settings) -> Generator[FitStep, bool | None, FolderModel]:
    """Fit one model on many images of one kind, without labels; `send(True)` stops and fits on those looked at.

    Parameters
    ----------
    images : iterable of Image
        Planes; read one after the other, and none is kept. Take at most `sampling.MOST_IMAGES`, by
        `sampling.evenly_spaced`.
    settings : Settings
        Their `target` must be one that candidates are scored for: a lesion, or whatever is central.

    Yields
    ------
    FitStep
        One for each image.

    Returns
    -------
    FolderModel
        It segments further images of this kind.

    Raises
    ------
    InvalidSettingsError
        If the target is found without candidates.
    InvalidImageError
        If there are fewer than `FEWEST_IMAGES` images with a candidate, or some are grey and some are not.
    """
    if settings.target not in SCORERS:
        raise InvalidSettingsError(
            f"Folder mode is for {' and '.join(SCORERS)}; {settings.target} is found in each image alone."
        )
    total = len(images) if isinstance(images, Sized) else None
    samples: list[TrainingSample] = []
    for done, image in enumerate(images, start=1):
        _, _, candidates, views = _inspect(image, settings)
        if len(candidates.masks):
            samples.append(sample_from(candidates, views))
        if (yield FitStep(done, total)):
            break
    if len(samples) < FEWEST_IMAGES:
        raise InvalidImageError(f"Expected at least {FEWEST_IMAGES} images to fit on; got {len(samples)}.")
    if len({sample.features.shape[1] for sample in samples}) > 1:
        raise InvalidImageError("Some of the images are grey and some are not. Fit on one kind at a time.")
    return FolderModel(fit_scorer(samples), settings)


def _inspect(
    image: Image, settings: Settings
) -> tuple[PreparedPlane, NDArray[np.int64], ScoredCandidates, NDArray[np.float32] | None]:
    """Plane, initial clusters (h, w), scored candidates, and what taught networks see, of one image alone."""
    plane = prepare(image, settings)
    clusters, _ = initial_clusters(plane.features, settings.clusters)
    views = view_object(plane, settings)
    return plane, clusters, SCORERS[settings.target](clusters, plane.features), views
