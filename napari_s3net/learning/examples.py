"""Images and what is labelled of them, read into memory at the working size."""

from __future__ import annotations

import re
import warnings
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray

from napari_s3net.errors import InvalidImageError, ReadError, ReadWarning
from napari_s3net.image import Image
from napari_s3net.learning.files import MASK_VALUES, UNLABELLED, ImageWithLabels, default_names
from napari_s3net.learning.keypoints import Keypoints, find_keypoints
from napari_s3net.learning.planes import (
    InputNormalisation,
    choose_normalisation,
    labels_to_square,
    to_square,
)
from napari_s3net.learning.steps import ReadStep
from napari_s3net.network.class_losses import IGNORED
from napari_s3net.segments import Colour, Segment

#: The normalisation is chosen by this many images, those with labels first.
LOOKED_AT = 24
MOST_CLASSES = 126


@dataclass(frozen=True, eq=False)
class ExampleSet:
    """Planes to learn from.

    Attributes
    ----------
    images : numpy.ndarray
        (n, C, S, S) float16, normalised.
    labels : numpy.ndarray
        (n, S, S) int8: the class of each pixel, 0 the background; `IGNORED` where nobody has labelled.
    files : numpy.ndarray
        (n,): which of `names` each plane belongs to.
    positions : numpy.ndarray
        (n,) float32: of slices from 0 to 1 within their volume, of planes that stand alone 0.
    names : tuple of str
        Of the images.
    classes : dict of int to str
        The value of each class in files, in the order of the channels from 1 on, and its name.
    normalisation : InputNormalisation
        What the images went through.
    colours : dict of int to tuple of int
        Those that label files give to classes, by value.
    stacks : bool
        Whether some are volumes.
    keypoints : tuple of Keypoints
        Of each plane; empty where nobody asked for them.
    left_out : tuple of str
        What is said of images that could not be read.
    """

    images: NDArray[np.float16]
    labels: NDArray[np.int8]
    files: NDArray[np.int64]
    positions: NDArray[np.float32]
    names: tuple[str, ...]
    classes: dict[int, str]
    normalisation: InputNormalisation
    colours: dict[int, Colour] = field(default_factory=dict)
    stacks: bool = False
    keypoints: tuple[Keypoints, ...] = ()
    left_out: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.images)

    @property
    def labelled(self) -> NDArray[np.bool_]:
        """(n,): whether anything of the plane is labelled."""
        return np.asarray((self.labels != IGNORED).any(axis=(1, 2)))

    @property
    def size(self) -> int:
        """Pixels along each side of a plane."""
        return int(self.images.shape[-1])

    def part(self, chosen: NDArray[Any]) -> ExampleSet:
        """Take some of the planes.

        Parameters
        ----------
        chosen : numpy.ndarray
            Indices, or (n,) bool, of the planes.

        Returns
        -------
        ExampleSet
            The names stay as they are.
        """
        index = np.flatnonzero(chosen) if chosen.dtype == bool else chosen
        return replace(
            self,
            images=self.images[index],
            labels=self.labels[index],
            files=self.files[index],
            positions=self.positions[index],
            keypoints=tuple(self.keypoints[i] for i in index) if self.keypoints else (),
        )

    def with_keypoints(self, most: int) -> ExampleSet:
        """Find the keypoints of each plane.

        Parameters
        ----------
        most : int
            How many keypoints a plane has at most.

        Returns
        -------
        ExampleSet
            With at most `most` keypoints a plane.
        """
        return replace(self, keypoints=tuple(find_keypoints(grey_of(image), most) for image in self.images))

    def shrunk(self) -> ExampleSet:
        """Halve the working size, for where memory ran out.

        Returns
        -------
        ExampleSet
            Keypoints move along.
        """
        half = self.size // 2
        images = F.interpolate(torch.from_numpy(self.images).float(), (half, half), mode="bilinear", antialias=True)
        labels = np.ascontiguousarray(self.labels[:, 1::2, 1::2])
        keypoints = tuple(Keypoints(k.places * np.float32(0.5), k.descriptors) for k in self.keypoints)
        return replace(self, images=images.half().numpy(), labels=labels, keypoints=keypoints)


def grey_of(image: NDArray[np.floating]) -> NDArray[np.float32]:
    """Average the channels of a plane.

    Parameters
    ----------
    image : numpy.ndarray
        (C, H, W).

    Returns
    -------
    numpy.ndarray
        (H, W) float32, from (C, H, W).
    """
    return np.asarray(image.astype(np.float32).mean(axis=0))


def parse_classes(text: str) -> dict[int, str]:
    """Read names of classes.

    Parameters
    ----------
    text : str
        Such as "1=Right ventricle,2=Myocardium".

    Returns
    -------
    dict of int to str
        Empty for an empty text.

    Raises
    ------
    InvalidImageError
        If it is something else.
    """
    found: dict[int, str] = {}
    for part in filter(None, text.split(",")):
        match = re.fullmatch(r"\s*(\d+)\s*=\s*(\S.*?)\s*", part)
        if match is None or not 0 < int(match[1]) < UNLABELLED:
            raise InvalidImageError(f'Classes are numbers from 1 to 254 with names, "1=Lesion,2=Hair"; got {part!r}.')
        found[int(match[1])] = match[2]
    return found


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
    opened: dict[Path, Image] = {}
    left_out: list[str] = []
    if normalisation is None:
        for pair in order[:LOOKED_AT]:
            if (image := _read(pair, left_out)) is not None:
                opened[pair.image] = image
        if not opened:
            raise InvalidImageError(f"None of the {len(pairs)} images can be read: {' '.join(left_out[:3])}")
        normalisation = choose_normalisation(list(opened.values()))
    planes: list[tuple[NDArray[np.float16], NDArray[np.int64] | None, int, float]] = []
    names: list[str] = []
    told: dict[int, Segment] = {}
    stacks = False
    for done, pair in enumerate(order, 1):
        image = opened.pop(pair.image, None) or _read(pair, left_out)
        if image is not None:
            labels = None if pair.labels is None else _read_labels(pair, image, told)
            stacks |= image.is_stack
            planes += _planes(image, labels, len(names), size, normalisation, empty_slices)
            names.append(pair.name)
        yield ReadStep(done, len(order))
    if not planes:
        raise InvalidImageError(f"None of the {len(pairs)} images can be read: {' '.join(left_out[:3])}")
    values = _values([labels for _, labels, _, _ in planes if labels is not None])
    known = _name_classes(values, classes, told, has_labels=any(pair.labels for pair in pairs))
    return ExampleSet(
        images=np.stack([image for image, _, _, _ in planes]),
        labels=np.stack([_to_channels(labels, known, size) for _, labels, _, _ in planes]),
        files=np.array([file for _, _, file, _ in planes]),
        positions=np.array([position for _, _, _, position in planes], np.float32),
        names=tuple(names),
        classes=known,
        normalisation=normalisation,
        colours={i: one.colour for i, one in told.items() if i in known and one.colour},
        stacks=stacks,
        left_out=tuple(dict.fromkeys(left_out)),
    )


def _read(pair: ImageWithLabels, left_out: list[str]) -> Image | None:
    """An image; None where it cannot be read, such as because it was deleted meanwhile."""
    from napari_s3net.io import read_image

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ReadWarning)
            return read_image(pair.image)
    except ReadError as error:
        if pair.labels is not None and pair.image.exists():
            raise
        left_out.append(str(error))
        return None


def _read_labels(pair: ImageWithLabels, image: Image, told: dict[int, Segment]) -> NDArray[np.int64]:
    """Labels of the image's shape; a mask of 0 and 255 has class 1. What the first file tells of a class is kept."""
    from napari_s3net.io.on_image import read_labels_on

    assert pair.labels is not None  # noqa: S101 - asked for only where there are some
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ReadWarning)
        read = read_labels_on(image, pair.image, pair.labels)
    for one in read.segments:
        told.setdefault(one.label, one)
    labels = read.array.astype(np.int64)
    found = set(np.unique(labels).tolist())
    return np.where(labels == UNLABELLED, 1, 0) if found == MASK_VALUES else labels


def _planes(
    image: Image,
    labels: NDArray[np.int64] | None,
    file: int,
    size: int,
    normalisation: InputNormalisation,
    empty_slices: str,
) -> list[tuple[NDArray[np.float16], NDArray[np.int64] | None, int, float]]:
    """Each plane at the working size, its labels, its file, and where it lies in its volume."""
    if not image.is_stack:
        small = None if labels is None else _shrink_labels(labels, size)
        return [(to_square(normalisation(image), size), small, file, 0.0)]
    found = []
    for z in range(len(image.array)):
        nobody = labels is None or (empty_slices == "unlabelled" and not (labels[z] % UNLABELLED).any())
        small = None if nobody or labels is None else _shrink_labels(labels[z], size)
        position = z / max(1, len(image.array) - 1)
        found.append((to_square(normalisation(image.slice(z)), size), small, file, position))
    return found


def _shrink_labels(labels: NDArray[np.int64], size: int) -> NDArray[np.int64]:
    """Values of a file at the working size, by way of their ranks, which fit eight bits."""
    values, ranks = np.unique(labels, return_inverse=True)
    square = labels_to_square(ranks.reshape(labels.shape), size)
    return np.where(square == IGNORED, IGNORED, values[np.maximum(square, 0)])


def _values(labels: Sequence[NDArray[np.int64]]) -> set[int]:
    """Every class that occurs."""
    found = set[int]().union(*(np.unique(plane).tolist() for plane in labels)) if labels else set[int]()
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
        return dict(classes)
    if len(values) > MOST_CLASSES:
        raise InvalidImageError(f"Expected at most {MOST_CLASSES} classes; the labels have {len(values)}.")
    names = {value: told[value].own_name for value in values if value in told and told[value].own_name}
    return {**default_names(sorted(values)), **names}


def _to_channels(labels: NDArray[np.int64] | None, classes: Mapping[int, str], size: int) -> NDArray[np.int8]:
    """Values of a file as channels of the network."""
    if labels is None:
        return np.full((size, size), IGNORED, np.int8)
    channels = np.full(labels.shape, IGNORED, np.int8)
    channels[labels == 0] = 0
    for channel, value in enumerate(classes, 1):
        channels[labels == value] = channel
    return channels
