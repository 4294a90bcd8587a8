"""What of a folder is corrected: which images, how much of each, and which classes. Imports no torch by itself."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from napari_s3net.errors import ReadError, S3NetError
from napari_s3net.learning.files import (
    UNLABELLED,
    ImageWithLabels,
    find_images_with_labels,
    has_images,
    place_of_labels,
)
from napari_s3net.learning.recommended import are_photographs
from napari_s3net.segments import Segment, hex_of_colour

if TYPE_CHECKING:
    from napari_s3net.io.read import LabelImage

#: So many files of labels are looked at once, as long as they and their images stay as they are.
REMEMBERED = 4096


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
    remarks : tuple of str
        What is not certain of labels, as learning remarks on it.
    is_learned : bool
        Whether a model lies there that can be applied.
    model_fault : str
        Why what lies there cannot be gone on from; empty where it can be, or nothing is there.
    """

    pairs: tuple[ImageWithLabels, ...]
    whole: int
    partly: int
    values: tuple[int, ...] = ()
    names: dict[int, str] = field(default_factory=dict)
    colours: dict[int, str] = field(default_factory=dict)
    note: str = ""
    remarks: tuple[str, ...] = ()
    is_learned: bool = False
    model_fault: str = ""

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
    pairs, note = _find_pairs(images, labels)
    seen = [_look_at(pair) for pair in pairs if pair.labels is not None]
    told = _first_told(seen)
    names, colours, model_fault = _known_classes(model)
    is_learned = bool(names)
    ordered = tuple(sorted(set().union(names, *(one.values for one in seen))))
    in_files = [told[value] for value in ordered if value in told]
    names = {one.label: one.own_name for one in in_files if one.own_name} | names
    colours = {one.label: hex_of_colour(one.colour) for one in in_files if one.colour} | colours
    return Labelled(
        pairs=tuple(pairs),
        whole=sum(one.is_whole for one in seen),
        partly=sum(not one.is_whole for one in seen),
        values=ordered,
        names=names,
        colours=colours,
        note=note,
        remarks=tuple(remark for one in seen for remark in one.remarks),
        is_learned=is_learned,
        model_fault=model_fault,
    )


@dataclass(frozen=True)
class _Seen:
    """What was seen of a file of labels."""

    values: frozenset[int]
    is_whole: bool
    segments: tuple[Segment, ...]
    remarks: tuple[str, ...]


def _look_at(pair: ImageWithLabels) -> _Seen:
    """Look at the labels of an image, unless that was done since both were written."""
    assert pair.labels is not None  # noqa: S101 - of the others there is nothing to look at
    return _seen(pair.image, pair.labels, (_written(pair.image), _written(pair.labels)))


@lru_cache(maxsize=REMEMBERED)
def _seen(image: Path, file: Path, written: tuple[int, int]) -> _Seen:  # noqa: ARG001 - written anew, they are others
    """Read labels that are to be learned from; of those that cannot be read the way out is told as well."""
    from napari_s3net.io import read_labels
    from napari_s3net.io.reader_process import holding_remarks
    from napari_s3net.learning.label_values import class_values

    with holding_remarks() as remarks:
        try:
            read = read_labels(file)
            found = set(np.unique(class_values(read.array)).tolist())
        except S3NetError as error:
            said = str(error) if file.name in str(error) else f"{file.name}: {error}"
            raise ReadError(f"{said} Mend {file.name}, or move it out of {file.parent}, and Train can begin.") from None
        remarks += _remarks_on(image, file, read)
    return _Seen(frozenset(found - {0, UNLABELLED}), UNLABELLED not in found, read.segments, tuple(remarks))


def _remarks_on(image: Path, file: Path, read: LabelImage) -> list[str]:
    """What is not certain of how labels lie on their image; what is amiss with the image, learning tells."""
    from napari_s3net.io import read_image
    from napari_s3net.io.on_image import is_placed, lay_on
    from napari_s3net.io.reader_process import holding_remarks

    if is_placed(read.geometry.in_space()) and not are_photographs([image]):
        return []  # they lie where they say
    try:
        with holding_remarks():
            _, remark = lay_on(read_image(image), read.array, read.geometry)
    except S3NetError:
        return []
    return [f"{file.name}: {remark}"] if remark else []


def _first_told(seen: Iterable[_Seen]) -> dict[int, Segment]:
    """What the first file that tells of a class tells of it."""
    told: dict[int, Segment] = {}
    for one in seen:
        told = {segment.label: segment for segment in one.segments} | told
    return told


def _written(path: Path) -> int:
    """When a file was written; 0 where it is gone."""
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0


def _find_pairs(images: Path, labels: Path | None) -> tuple[list[ImageWithLabels], str]:
    """The images, with labels where there are some; and why there are none, where it is not plain to see."""
    if labels is not None and not labels.is_dir():
        return find_images_with_labels(images), (
            f"There is no folder {labels} yet: it is made with the first labels that are kept."
        )
    if labels is None or not any(labels.iterdir()):
        return find_images_with_labels(images), ""
    try:
        return find_images_with_labels(images, labels), ""
    except S3NetError as error:
        return find_images_with_labels(images), str(error) if has_images(place_of_labels(labels)) else ""


def _known_classes(model: Path | None) -> tuple[dict[int, str], dict[int, str], str]:
    """Names and colours of a model's classes; and why it cannot be read, where that is so."""
    from napari_s3net.learning.model import load_model

    if model is None or not model.is_file():
        return {}, {}, ""
    try:
        card = load_model(model).card
    except S3NetError as error:
        return {}, {}, str(error)
    return dict(card.classes), {value: hex_of_colour(colour) for value, colour in card.colours.items()}, ""
