"""What of a folder is corrected: which images, how much of each, and which classes. Imports no torch by itself."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from napari_s3net.errors import ReadError, S3NetError
from napari_s3net.learning.files import (
    MASK_VALUES,
    UNLABELLED,
    ImageWithLabels,
    find_images_with_labels,
    has_images,
    place_of_labels,
)
from napari_s3net.segments import Segment, hex_of_colour

if TYPE_CHECKING:
    from napari_s3net.io.read import LabelImage


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
    pairs, note = _find_pairs(images, labels)
    whole = partly = 0
    values: set[int] = set()
    told: dict[int, Segment] = {}
    for file in [pair.labels for pair in pairs if pair.labels is not None]:
        read = _read(file)
        found = set(np.unique(read.array).tolist())
        is_mask = found == MASK_VALUES
        is_whole = is_mask or UNLABELLED not in found
        whole, partly = whole + is_whole, partly + (not is_whole)
        values |= {1} if is_mask else found - {0, UNLABELLED}
        told = {one.label: one for one in read.segments} | told
    names, colours = _known_classes(model)
    ordered = tuple(sorted(values | names.keys()))
    in_files = [told[value] for value in ordered if value in told]
    names = {one.label: one.own_name for one in in_files if one.own_name} | names
    colours = {one.label: hex_of_colour(one.colour) for one in in_files if one.colour} | colours
    return Labelled(tuple(pairs), whole, partly, ordered, names, colours, note)


def _read(file: Path) -> LabelImage:
    """Labels that are to be learned from; of those that cannot be read the way out is told as well."""
    from napari_s3net.io import read_labels

    try:
        return read_labels(file)
    except S3NetError as error:
        raise ReadError(f"{error} Mend {file.name}, or move it out of {file.parent}, and Train can begin.") from None


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
