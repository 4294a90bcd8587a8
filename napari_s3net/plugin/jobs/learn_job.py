"""What the Learn dock has done beside the window: look at labels, learn, apply a model, choose the next image."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_s3net.errors import ModelFileError, S3NetError
from napari_s3net.image import Image
from napari_s3net.learning.files import ImageWithLabels, checkpoint_of
from napari_s3net.learning.settings import LearnSettings
from napari_s3net.plugin.jobs.stepped_job import SteppedJob
from napari_s3net.result import Segmentation
from napari_s3net.segments import colour_of_hex

if TYPE_CHECKING:
    from napari_s3net.learning.stopped import Beginning

#: What to do about a model that cannot be read.
REPLACE = "Without Go on from before, under Advanced, Train replaces it."
#: Seconds between two previews, at least.
PREVIEW_SECONDS = 2.0


@dataclass(frozen=True, eq=False)
class LearnRequest:
    """What is to be learned.

    Parameters
    ----------
    pairs : tuple of ImageWithLabels
        Images and labels.
    model : Path
        The file to write.
    settings : LearnSettings
        How.
    classes : dict of int to str
        Names of the values that labels may have; empty for those that occur.
    again : bool
        Go on from what was learned before, where there is something: from a run of the same labels and settings that
        was stopped at its step, else from the weights of the model.
    preview : Image or None
        A plane to show the network's answer on.
    colours : dict of int to str
        "#rrggbb" of classes; goes into the model's file.
    """

    pairs: tuple[ImageWithLabels, ...]
    model: Path
    settings: LearnSettings
    classes: dict[int, str]
    again: bool = False
    preview: Image | None = None
    colours: dict[int, str] = field(default_factory=dict)


class LearnJob(SteppedJob):
    """Read, learn and write the model."""

    title = "learning"
    after_reading = "Images are read. Preparing to learn…"
    if_stopped = "Stopping after this step; what was learned is kept…"

    def __init__(self, request: LearnRequest) -> None:
        super().__init__()
        self._request: LearnRequest | None = request
        self._previewed = 0.0
        self._plane: Any = None

    def _do(self) -> Any:
        from napari_s3net.learning.read_examples import iter_examples
        from napari_s3net.learning.stopped import begin, keep_model
        from napari_s3net.learning.train import iter_learn
        from napari_s3net.runtime.device import resolve_device

        asked = self._request
        assert asked is not None  # noqa: S101 - let go of only when over
        card = self._card_before(asked.model) if asked.again and asked.model.is_file() else None
        steps = iter_examples(
            asked.pairs,
            asked.settings.size,
            classes=asked.classes or (card.classes if card else None),
            normalisation=card.normalisation if card else None,
        )
        data = self._follow(steps)
        self._plane = self._prepared(data)
        beginning = begin(asked.model, data, asked.settings, again=asked.again)
        left_out = f"{len(data.left_out)} left out: {data.left_out[0]}" if data.left_out else ""
        self._notices += filter(None, (_beginning_text(beginning), left_out))
        options = {"init": beginning.init, "checkpoint": checkpoint_of(asked.model)}
        learned = self._follow(iter_learn(data, asked.settings, resolve_device("auto"), **options))
        colours = {value: colour_of_hex(text) for value, text in asked.colours.items()}
        learned = replace(learned, card=replace(learned.card, colours={**learned.card.colours, **colours}))
        if not self._cancelled.is_set():
            keep_model(asked.model, learned, beginning.init)
        return learned.card

    @staticmethod
    def _card_before(path: Path) -> Any:
        """What is known of the model that is to be gone on from."""
        from napari_s3net.learning.model import load_model

        try:
            return load_model(path).card
        except ModelFileError as error:
            raise ModelFileError(f"{error} {REPLACE}") from None

    def _prepared(self, data: Any) -> Any:
        """The plane to preview, as the network will see it; None where its kind is another one."""
        from napari_s3net.learning.planes import to_square

        assert self._request is not None  # noqa: S101
        plane = self._request.preview
        if plane is None:
            return None
        try:
            square = to_square(data.normalisation(plane), data.size)
        except S3NetError:
            return None
        most_keypoints = self._request.settings.most_keypoints
        return square, plane.shape, np.array([0, *data.classes], np.int32), most_keypoints

    def _look(self, step: Any) -> None:
        from napari_s3net.learning.predict import predict_square

        now = time.monotonic()
        if self._plane is None or not hasattr(step, "network") or now - self._previewed < PREVIEW_SECONDS:
            return
        square, shape, values, most_keypoints = self._plane
        probabilities = predict_square(step.network, square, shape, most_keypoints, step.closer)
        self._preview = values[probabilities.argmax(axis=0)]
        self._previewed = time.monotonic()

    def _let_go(self) -> None:
        self._request = self._plane = None


class ApplyJob(SteppedJob):
    """Apply a model to one image.

    Parameters
    ----------
    model : Path
        Its file.
    image : Image or callable
        The image, or what reads it.
    """

    title = "applying"
    if_stopped = "Stopping after this slice; those before it are kept…"

    def __init__(self, model: Path, image: Image | Callable[[], Image]) -> None:
        super().__init__()
        self._model, self._image = model, image
        #: Slices that have their labels.
        self.slices_done = 0

    def _do(self) -> Segmentation:
        from napari_s3net.learning.predict import iter_learned

        image = self._image if isinstance(self._image, Image) else self._image()
        result: Segmentation = self._follow(iter_learned(image, self._model, "auto"))
        return result

    def _look(self, step: Any) -> None:
        self.slices_done = max(self.slices_done, step.slice + 1)

    def _let_go(self) -> None:
        self._image = _nothing


class NextJob(SteppedJob):
    """Choose the image to correct next, open it, and apply the model to it.

    Parameters
    ----------
    model : Path
        Its file.
    paths : sequence of Path
        Every image.
    corrected : collection of Path
        Those that have labels.
    """

    title = "choosing"
    after_reading = "Opening the image that teaches most…"
    if_stopped = "Choosing among the images that were looked at…"

    def __init__(self, model: Path, paths: Sequence[Path], corrected: Collection[Path]) -> None:
        super().__init__()
        self._model, self._paths, self._corrected = model, paths, corrected

    def _do(self) -> tuple[Path, Segmentation] | None:
        from napari_s3net.io import read_image
        from napari_s3net.learning.model import load_model
        from napari_s3net.learning.predict import iter_apply
        from napari_s3net.learning.selection import iter_next
        from napari_s3net.runtime.generators import drain

        model = load_model(self._model)
        chosen = self._follow(iter_next(model, self._paths, self._corrected))
        return (chosen[0], drain(iter_apply(read_image(chosen[0]), model))) if chosen else None


def _beginning_text(beginning: Beginning) -> str:
    """Whether a run goes on where one was stopped; empty where none was."""
    if beginning.goes_on:
        return f"Goes on after step {beginning.stopped_at:,} of {beginning.steps:,}, where it was stopped."
    if not beginning.stopped_at:
        return ""
    anew = "begins anew" if beginning.init is None else "begins at step 1 with the weights of that model"
    return f"Labels or settings are others than when it was stopped after step {beginning.stopped_at:,}: it {anew}."


def _nothing() -> Image:
    raise RuntimeError("This job is over.")
