"""Learning, applying and choosing beside the window: threads that leave what they have for a timer to collect."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from threading import Event
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_s3net.errors import S3NetError
from napari_s3net.image import Image, Notice, Segmentation
from napari_s3net.learning.files import (
    ImageWithLabels,
    checkpoint_of,
    find_images_with_labels,
    has_images,
    place_of_labels,
)
from napari_s3net.learning.settings import LearnSettings
from napari_s3net.plugin.jobs.thread_job import LongJob, ThreadJob
from napari_s3net.runtime.generators import follow
from napari_s3net.segments import Segment, colour_of_hex, hex_of_colour

#: Seconds between two previews, at least.
PREVIEW_SECONDS = 2.0
PAUSE_SECONDS = 0.1


@dataclass(frozen=True)
class Labelled:
    """What of a folder is corrected.

    Parameters
    ----------
    pairs : tuple of ImageWithLabels
        Every image, with its labels where there are some.
    whole, partly : int
        How many images are labelled at every pixel, and how many only in part.
    values : tuple of int
        Of the classes, in the labels and in the model that was learned before.
    names, colours : dict
        Of the classes, as that model knows them.
    note : str
        Why there are no labels of any image; empty where there are some, or where their folder is empty.
    """

    pairs: tuple[ImageWithLabels, ...]
    whole: int
    partly: int
    values: tuple[int, ...] = ()
    names: dict[int, str] = field(default_factory=dict)
    colours: dict[int, str] = field(default_factory=dict)
    note: str = ""

    @property
    def corrected(self) -> tuple[Path, ...]:
        """The images that have labels."""
        return tuple(pair.image for pair in self.pairs if pair.labels is not None)


def scan_labels(images: Path, labels: Path | None, model: Path | None = None) -> Labelled:
    """List the images of a folder, and look at the labels that there are.

    Parameters
    ----------
    images : Path
        Folder of images.
    labels : Path or None
        Folder of labels.
    model : Path, optional
        What was learned before; it need not be there.

    Returns
    -------
    Labelled
        Counts, pairs and classes.

    Raises
    ------
    S3NetError
        If a folder is missing, or there are no images, or labels that cannot be read.
    """
    from napari_s3net.io import read_labels
    from napari_s3net.learning.examples import MASK_VALUES, UNLABELLED

    has_labels = labels is not None and labels.is_dir() and any(labels.iterdir())
    note = ""
    try:
        pairs = find_images_with_labels(images, labels if has_labels else None)
    except S3NetError as error:
        pairs = find_images_with_labels(images)
        note = str(error) if labels is not None and has_images(place_of_labels(labels)) else ""
    if labels is not None and not labels.is_dir():
        note = f"There is no folder {labels} yet: it is made with the first labels that are kept."
    whole = partly = 0
    values: set[int] = set()
    told: dict[int, Segment] = {}
    for pair in pairs:
        if pair.labels is not None:
            read = read_labels(pair.labels)
            found = set(np.unique(read.array).tolist())
            told = {one.label: one for one in read.segments} | told
            is_whole = UNLABELLED not in found or found == MASK_VALUES
            whole, partly = whole + is_whole, partly + (not is_whole)
            values |= {1} if found == MASK_VALUES else found - {0, UNLABELLED}
    names, colours = _known_classes(model)
    ordered = tuple(sorted(values | names.keys()))
    in_files = [told[value] for value in ordered if value in told]
    names = {one.label: one.own_name for one in in_files if one.own_name} | names
    colours = {one.label: hex_of_colour(one.colour) for one in in_files if one.colour} | colours
    return Labelled(tuple(pairs), whole, partly, ordered, names, colours, note)


def _known_classes(model: Path | None) -> tuple[dict[int, str], dict[int, str]]:
    """Names and colours of a model's classes; none where there is no model that can be read."""
    from napari_s3net.learning.model import load_model

    try:
        card = load_model(model).card if model is not None and model.is_file() else None
    except S3NetError:
        card = None
    if card is None:
        return {}, {}
    return dict(card.classes), {value: hex_of_colour(colour) for value, colour in card.colours.items()}


class LabelScan(ThreadJob):
    """`scan_labels` in a thread."""

    title = "look at the folders"

    def __init__(self, images: Path, labels: Path | None, model: Path | None = None) -> None:
        super().__init__()
        self._folders = images, labels, model

    def _do(self) -> Labelled:
        return scan_labels(*self._folders)


@dataclass(frozen=True, eq=False)
class LearnUpdate:
    """What has come of a job since the last time.

    Parameters
    ----------
    steps : tuple
        Of learning, `LearnStep` without the network; of other work, steps with `done` and `total`.
    notice : str
        The newest sentence for the screen; empty where nothing is new.
    preview : numpy.ndarray or None
        Labels of the previewed plane, as the network sees it now.
    """

    steps: tuple[Any, ...] = ()
    notice: str = ""
    preview: NDArray[np.int32] | None = None


class SteppedJob(LongJob):
    """Work that is a generator: its steps are collected, it may be paused, and stopped with what there is."""

    #: What is done when all images are read, and what becomes of work that is stopped; for the screen.
    after_reading = ""
    if_stopped = ""

    def __init__(self) -> None:
        super().__init__()
        self._stop, self._paused = Event(), Event()
        self._steps: deque[Any] = deque()
        self._notice = ""
        self._preview: NDArray[np.int32] | None = None

    def pause(self, paused: bool) -> None:
        """Wait after the step under way; False goes on.

        Parameters
        ----------
        paused : bool
            True to wait, False to go on.
        """
        (self._paused.set if paused else self._paused.clear)()

    def stop(self) -> None:
        """Ask to end and keep what there is. Returns at once."""
        self._stop.set()

    def cancel(self) -> None:
        """End and keep nothing, also while paused."""
        super().cancel()
        self._stop.set()

    def collect(self) -> LearnUpdate:
        """Take what has come since the last call.

        Returns
        -------
        LearnUpdate
            Each step, notice and preview is handed over once.
        """
        steps = tuple(self._steps.popleft() for _ in range(len(self._steps)))
        notice, self._notice = self._notice, ""
        preview, self._preview = self._preview, None
        return LearnUpdate(steps, notice, preview)

    def _follow(self, steps: Any) -> Any:
        return follow(steps, self._on_step)

    def _on_step(self, step: Any) -> bool | None:
        if isinstance(step, Notice):
            self._notice = step.text
        else:
            self._look(step)
            self._steps.append(replace(step, network=None) if hasattr(step, "network") else step)
        while self._paused.is_set() and not self._stop.is_set():
            time.sleep(PAUSE_SECONDS)
        return self._stop.is_set() or None

    def _look(self, step: Any) -> None:
        """See the step before its network is let go of."""


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
        Go on from the model that is there.
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
        from napari_s3net.learning.examples import iter_examples
        from napari_s3net.learning.model import load_model, save_model
        from napari_s3net.learning.run import belongs_to_run
        from napari_s3net.learning.train import iter_learn
        from napari_s3net.runtime.device import resolve_device

        asked = self._request
        assert asked is not None  # noqa: S101 - let go of only when over
        card = load_model(asked.model).card if asked.again else None
        steps = iter_examples(
            asked.pairs,
            asked.settings.size,
            classes=asked.classes or (card.classes if card else None),
            normalisation=card.normalisation if card else None,
        )
        data = self._follow(steps)
        if data.left_out:
            self._notice = f"{len(data.left_out)} left out: {data.left_out[0]}"
        self._plane = self._prepared(data)
        init = asked.model if asked.again else None
        checkpoint = checkpoint_of(asked.model)
        if not belongs_to_run(checkpoint, data, asked.settings, init):
            checkpoint.unlink(missing_ok=True)  # of labels or settings as they were before
        device = resolve_device("auto")
        learned = self._follow(iter_learn(data, asked.settings, device, init=init, checkpoint=checkpoint))
        colours = {value: colour_of_hex(text) for value, text in asked.colours.items()}
        learned = replace(learned, card=replace(learned.card, colours={**learned.card.colours, **colours}))
        if not self._cancelled.is_set():
            save_model(asked.model, learned)
        return learned.card

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
        self._preview = values[predict_square(step.network, square, shape, most_keypoints).argmax(axis=0)]
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
        self.slices_done += 1

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

    def _do(self) -> tuple[Path, Segmentation]:
        from napari_s3net.io import read_image
        from napari_s3net.learning.model import load_model
        from napari_s3net.learning.predict import iter_apply
        from napari_s3net.learning.selection import iter_next
        from napari_s3net.runtime.generators import drain

        model = load_model(self._model)
        path = self._follow(iter_next(model, self._paths, self._corrected))[0]
        return path, drain(iter_apply(read_image(path), model))


def _nothing() -> Image:
    raise RuntimeError("This job is over.")
