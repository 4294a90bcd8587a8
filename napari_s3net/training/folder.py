"""Folder mode: one judge, fitted without labels on many images of one kind, weighs the candidates of each.

Each image gives a ballot of candidates, as when it is segmented alone. The judge learns from the outcomes of all of
them what an object of this folder looks like beside what else stood for election; what it expects goes back into each
count.
"""

from __future__ import annotations

import json
import time
from collections.abc import Generator, Iterable
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F

from napari_s3net import __version__
from napari_s3net.errors import InvalidImageError, InvalidSettingsError, ReadError
from napari_s3net.foreground.propose import VOTED_ON, count, make_ballot
from napari_s3net.foreground.voting import Ballot
from napari_s3net.image import Image, Segmentation, Step
from napari_s3net.postprocessing.postprocess import finish
from napari_s3net.preprocessing.features import check_plane, to_features
from napari_s3net.runtime.generators import drain
from napari_s3net.settings import Settings
from napari_s3net.training.initial_clusters import starting_point
from napari_s3net.training.linear_scorer import Judge, Lesson, fit_judge, learn_from

#: Fewer than this many images have nothing in common to learn.
FEWEST_IMAGES = 4


@dataclass(frozen=True, eq=False)
class FolderModel:
    """What was learned from a folder.

    Parameters
    ----------
    judge : Judge
        What is expected of a candidate.
    settings : Settings
        With which it was fitted, and with which it segments.
    """

    judge: Judge
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
            As `segment` gives it; the clusters are those from which single images start.

        Raises
        ------
        InvalidImageError
            If there is nothing to segment, or grey was fitted and colour came, or the reverse.
        """
        started = time.perf_counter()
        check_plane(image)
        features = to_features(image, self.settings)
        clusters, _ = starting_point(features, self.settings.clusters)
        ballot = make_ballot(clusters, features, self.settings)
        if not self.judge.knows(ballot):
            raise InvalidImageError(
                f"The model was fitted on other images than this one with {features.shape[2]} channels: colour on the "
                "one side, grey on the other. Fit one on images of this kind."
            )
        proposal = count(ballot, features.shape[:2], self.judge.favour(ballot))
        one_hot = F.one_hot(torch.from_numpy(clusters), self.settings.clusters).permute(2, 0, 1)[None].float()
        labels, foreground, names = finish(image, features, one_hot, proposal, self.settings)
        return Segmentation(
            labels=labels,
            foreground=foreground,
            geometry=image.geometry,
            settings=self.settings,
            names=names,
            confidence=proposal.confidence,
            version=__version__,
            seconds=time.perf_counter() - started,
            image=image,
        )

    def save(self, path: Path) -> None:
        """Write the judge and the settings to a safetensors file."""
        from safetensors.numpy import save_file

        about = {"napari-s3net": "folder", "settings": json.dumps(self.settings.to_dict())}
        judge = self.judge
        save_file({"mean": judge.mean, "scale": judge.scale, "weights": judge.weights}, path, about)


def load_folder_model(path: Path) -> FolderModel:
    """Read what `FolderModel.save` wrote.

    Raises
    ------
    ReadError
        If the file is no such model.
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, "np") as file:
            about = file.metadata() or {}
            if about.get("napari-s3net") != "folder":
                raise ReadError(f"{Path(path).name} holds other weights; expected a model fitted on a folder.")
            judge = Judge(*(file.get_tensor(name) for name in ("mean", "scale", "weights")))
        return FolderModel(judge, Settings.from_dict(json.loads(about["settings"])))
    except (OSError, SafetensorError, KeyError, ValueError) as error:
        raise ReadError(f"{Path(path).name} is no model of this program: {error}") from None


def fit_folder(images: Iterable[Image], settings: Settings) -> FolderModel:
    """Fit one model on many images and wait for it; see `iter_fit_folder`."""
    return drain(iter_fit_folder(images, settings))


def iter_fit_folder(images: Iterable[Image], settings: Settings) -> Generator[Step, bool | None, FolderModel]:
    """Fit one model on many images of one kind, without labels; `send(True)` stops and learns from those seen.

    Parameters
    ----------
    images : iterable of Image
        Planes; read one after the other, and none is kept. At most `sampling.MOST_IMAGES` are worth giving.
    settings : Settings
        Their `target` must be one that is voted on: a lesion, or whatever is central.

    Yields
    ------
    Step
        One for each image that was looked at.

    Raises
    ------
    InvalidSettingsError
        If the target is found without a vote.
    InvalidImageError
        If there are fewer than `FEWEST_IMAGES` images, or some are grey and some are not.
    """
    if settings.target not in VOTED_ON:
        raise InvalidSettingsError(
            f"Folder mode is for {' and '.join(VOTED_ON)}; {settings.target} is found in each image alone."
        )
    lessons: list[Lesson] = []
    for seen, image in enumerate(images, start=1):
        ballot = _ballot(image, settings)
        if len(ballot.masks):  # an image without a candidate teaches nothing
            lessons.append(learn_from(ballot))
        if (yield Step(seen, 0, {}, 2)):
            break
    if len(lessons) < FEWEST_IMAGES:
        raise InvalidImageError(f"Expected at least {FEWEST_IMAGES} images to fit on; got {len(lessons)}.")
    if len({lesson.descriptions.shape[1] for lesson in lessons}) > 1:
        raise InvalidImageError("Some of the images are grey and some are not. Fit on one kind at a time.")
    return FolderModel(fit_judge(lessons), settings)


def _ballot(image: Image, settings: Settings) -> Ballot:
    """Look at one image as if it were alone."""
    check_plane(image)
    features = to_features(image, settings)
    clusters, _ = starting_point(features, settings.clusters)
    return make_ballot(clusters, features, settings)
