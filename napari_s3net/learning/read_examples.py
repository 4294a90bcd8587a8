"""Images and what is labelled of them, read into memory at the working size."""

from __future__ import annotations

import warnings
from collections.abc import Collection, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from napari_s3net.errors import InvalidImageError, ReadError, ReadWarning
from napari_s3net.image import Image
from napari_s3net.learning.examples import ExampleSet
from napari_s3net.learning.files import UNLABELLED, ImageWithLabels, default_names
from napari_s3net.learning.label_values import class_values
from napari_s3net.learning.planes import InputNormalisation, choose_normalisation, labels_to_square, to_square
from napari_s3net.learning.steps import ReadStep
from napari_s3net.network.class_losses import IGNORED
from napari_s3net.segments import Segment

#: The normalisation is chosen by this many images, those with labels first.
LOOKED_AT = 24
MOST_CLASSES = 126


def iter_examples(
    pairs: Sequence[ImageWithLabels],
    size: int,
    *,
    classes: Mapping[int, str] | None = None,
    normalisation: InputNormalisation | None = None,
    empty_slices: str = "background",
) -> Generator[ReadStep, bool | None, ExampleSet]:
    """Read images and labels.

    Parameters
    ----------
    pairs : sequence of ImageWithLabels
        From `find_images_with_labels`.
    size : int
        The working size.
    classes : mapping of int to str, optional
        The name of each value that labels may have; where it is left out, they are numbered.
    normalisation : InputNormalisation, optional
        Of a model that goes on learning; else it is chosen by the images.
    empty_slices : {"background", "unlabelled"}
        What a slice means that has no label beside slices that have some.

    Yields
    ------
    ReadStep
        After each image.

    Returns
    -------
    ExampleSet
        Of all that can be read; images that cannot are told in `left_out`.

    Raises
    ------
    InvalidImageError
        If labels do not fit their image, have values that the classes lack, or hold background only; if grey and
        colour are mixed; or if nothing can be read.
    """
    order = sorted(pairs, key=lambda pair: pair.labels is None)
    reader = _Reader()
    if normalisation is None:
        normalisation = reader.choose_normalisation(order)
    view = _View(size, normalisation, is_empty_unlabelled=empty_slices == "unlabelled")
    names: list[str] = []
    planes: list[_Plane] = []
    stacks = False
    for done, pair in enumerate(order, 1):
        if (image := reader.read(pair)) is not None:
            planes += view.planes(image, reader.read_labels(pair, image), len(names))
            stacks |= image.is_stack
            names.append(pair.name)
        yield ReadStep(done, len(order))
    reader.expect_some(planes, pairs)
    found = _values_of(planes)
    known = _name_classes(found, classes, reader.told, has_labels=any(pair.labels for pair in pairs))
    return ExampleSet(
        images=np.stack([plane.image for plane in planes]),
        labels=np.stack([_to_channels(plane.labels, known, size) for plane in planes]),
        files=np.array([plane.file for plane in planes]),
        positions=np.array([plane.position for plane in planes], np.float32),
        names=tuple(names),
        classes=known,
        normalisation=normalisation,
        colours={i: one.colour for i, one in reader.told.items() if i in known and one.colour},
        stacks=stacks,
        left_out=tuple(dict.fromkeys(reader.left_out)),
        remarks=tuple(reader.remarks),
    )


class _Reader:
    """Reads files, and gathers what is told of them."""

    def __init__(self) -> None:
        #: What is said of images that could not be read.
        self.left_out: list[str] = []
        #: What is remarked on labels.
        self.remarks: list[str] = []
        #: What the first file tells of a class.
        self.told: dict[int, Segment] = {}
        self._ahead: dict[Path, Image] = {}

    def choose_normalisation(self, pairs: Sequence[ImageWithLabels]) -> InputNormalisation:
        """Choose it by the first images, which are kept until they are read again."""
        for pair in pairs[:LOOKED_AT]:
            if (image := self.read(pair)) is not None:
                self._ahead[pair.image] = image
        self.expect_some(self._ahead, pairs)
        return choose_normalisation(list(self._ahead.values()))

    def read(self, pair: ImageWithLabels) -> Image | None:
        """Read an image, or take what was read before; None where it cannot be read, as after it was deleted."""
        from napari_s3net.io import read_image

        if (known := self._ahead.pop(pair.image, None)) is not None:
            return known
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", ReadWarning)
                return read_image(pair.image)
        except ReadError as error:
            if pair.labels is not None and pair.image.exists():
                raise ReadError(f"{error} Mend the image, or move its labels out of {pair.labels.parent}.") from None
            self.left_out.append(str(error))
            return None

    def read_labels(self, pair: ImageWithLabels, image: Image) -> NDArray[np.int64] | None:
        """Read labels of the image's shape, where there are some; a mask of 0 and 255 has class 1."""
        from napari_s3net.io.on_image import read_labels_on
        from napari_s3net.io.reader_process import holding_remarks

        if pair.labels is None:
            return None
        with holding_remarks() as remarks:
            read = read_labels_on(image, pair.image, pair.labels)
        self.remarks += remarks
        self.told = {one.label: one for one in read.segments} | self.told
        try:
            return class_values(read.array)
        except InvalidImageError as error:
            raise InvalidImageError(f"{pair.labels.name}: {error}") from None

    def expect_some(self, found: Collection[object], pairs: Sequence[ImageWithLabels]) -> None:
        """Refuse to go on where nothing was read."""
        if not found:
            raise InvalidImageError(f"None of the {len(pairs)} images can be read: {' '.join(self.left_out[:3])}")


class _Plane(NamedTuple):
    """A plane at the working size, its labels as in the file, its file, and where it lies in its volume, 0 to 1."""

    image: NDArray[np.float16]
    labels: NDArray[np.int64] | None
    file: int
    position: float = 0.0


@dataclass(frozen=True)
class _View:
    """How the network sees an image: plane by plane, at the working size."""

    size: int
    normalisation: InputNormalisation
    is_empty_unlabelled: bool

    def planes(self, image: Image, labels: NDArray[np.int64] | None, file: int) -> Iterator[_Plane]:
        """Give each plane of an image with its labels."""
        if not image.is_stack:
            yield _Plane(self._square(image), self._shrunk(labels), file)
            return
        for z in range(len(image.array)):
            here = None if labels is None or self._is_unlabelled(labels[z]) else labels[z]
            position = z / max(1, len(image.array) - 1)
            yield _Plane(self._square(image.slice(z)), self._shrunk(here), file, position)

    def _is_unlabelled(self, labels: NDArray[np.int64]) -> bool:
        return self.is_empty_unlabelled and bool(np.isin(labels, (0, UNLABELLED)).all())

    def _square(self, plane: Image) -> NDArray[np.float16]:
        return to_square(self.normalisation(plane), self.size)

    def _shrunk(self, labels: NDArray[np.int64] | None) -> NDArray[np.int64] | None:
        return None if labels is None else _shrink_labels(labels, self.size)


def _shrink_labels(labels: NDArray[np.int64], size: int) -> NDArray[np.int64]:
    """Values of a file at the working size, by way of their ranks, which fit eight bits."""
    values, ranks = np.unique(labels, return_inverse=True)
    _check_number(len(values) - np.isin(values, (0, UNLABELLED)).sum())
    square = labels_to_square(ranks.reshape(labels.shape), size)
    return np.where(square == IGNORED, IGNORED, values[np.maximum(square, 0)])


def _values_of(planes: Sequence[_Plane]) -> set[int]:
    """Every class that occurs."""
    found: set[int] = set()
    for plane in planes:
        if plane.labels is not None:
            found |= set(np.unique(plane.labels).tolist())
    return found - {0, IGNORED, UNLABELLED}


def _name_classes(
    values: set[int], classes: Mapping[int, str] | None, told: Mapping[int, Segment], *, has_labels: bool
) -> dict[int, str]:
    """The classes in the order of their channels; where nobody names them, by the names in the files.

    Raises
    ------
    InvalidImageError
        If a value has no name, or there is nothing but background.
    """
    if has_labels and not values:
        raise InvalidImageError(
            "All labels are background: there is nothing to learn. Correct an image on which the object can be seen."
        )
    if classes:
        if unknown := sorted(values - classes.keys()):
            listed = ", ".join(f"{value}={name}" for value, name in classes.items())
            raise InvalidImageError(f"Labels have class {unknown[0]}, which the names do not have: {listed}.")
        _check_number(len(classes))
        return dict(classes)
    _check_number(len(values))
    names = {value: told[value].own_name for value in values if value in told and told[value].own_name}
    return {**default_names(sorted(values)), **names}


def _check_number(classes: int) -> None:
    if classes > MOST_CLASSES:
        raise InvalidImageError(
            f"Expected at most {MOST_CLASSES} classes; the labels have {classes}. Numbers that tell single objects "
            "apart, as cells, are no classes: give all objects of a kind the same one."
        )


def _to_channels(labels: NDArray[np.int64] | None, classes: Mapping[int, str], size: int) -> NDArray[np.int8]:
    """Values of a file as channels of the network."""
    if labels is None:
        return np.full((size, size), IGNORED, np.int8)
    channels = np.full(labels.shape, IGNORED, np.int8)
    channels[labels == 0] = 0
    for channel, value in enumerate(classes, 1):
        channels[labels == value] = channel
    return channels
