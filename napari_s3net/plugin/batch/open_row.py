"""A result of a batch in the viewer: the image, and its labels as a result layer like any other."""

from __future__ import annotations

import json
import zlib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
from napari.layers import Image as ImageLayer
from napari.layers import Labels
from numpy.typing import NDArray

from napari_s3net.batch import FileRow, Item, Plan
from napari_s3net.batch.folder import inside
from napari_s3net.batch.items import input_digest
from napari_s3net.batch.review import Review
from napari_s3net.errors import InvalidImageError, ReadError
from napari_s3net.export.formats import mask_segment, segments_of
from napari_s3net.image import Image
from napari_s3net.io import read_image, read_labels, write_labels
from napari_s3net.io.on_image import labels_on
from napari_s3net.io.read import LabelImage
from napari_s3net.plugin.batch.corrected_classes import read_classes
from napari_s3net.plugin.contributions.reader import layer_data
from napari_s3net.plugin.jobs.thread_job import is_busy
from napari_s3net.plugin.layers.file_of import note_file
from napari_s3net.plugin.layers.image_in_place import another_image, can_take, lies_at
from napari_s3net.plugin.layers.metadata import Metadata, mask_of_layer
from napari_s3net.plugin.layers.object_outline import outline_object
from napari_s3net.plugin.layers.one_update import one_update
from napari_s3net.plugin.layers.ownership import set_owner
from napari_s3net.plugin.layers.placement import KEY
from napari_s3net.plugin.layers.proxy import holds, plain
from napari_s3net.plugin.layers.result_layer import (
    HAS_CLASSES,
    holds_classes,
    layers_of,
    recolour,
    result_layer,
    result_name,
)
from napari_s3net.plugin.layers.target import previewed, refuse_preview
from napari_s3net.plugin.layers.view import hide_others, show_whole
from napari_s3net.result import Segmentation
from napari_s3net.settings import Settings


@dataclass(frozen=True, eq=False)
class ReadResult:
    """Image and labels of one result, as read from their files.

    Parameters
    ----------
    row : FileRow
        What became of the file.
    image : Image
        What was segmented.
    labels : numpy.ndarray
        Of the image's shape, int32; corrected where they were.
    about : dict
        What a result layer knows about itself.
    file : Path or None
        The image's file, or the folder of its series; None for one of several series in a folder.
    """

    row: FileRow
    image: Image
    labels: NDArray[Any]
    about: Metadata
    file: Path | None = None

    @property
    def name(self) -> str:
        """Name of the layer of the labels."""
        return result_name(self.image.name, of_model=bool(self.about.get("model")))


def read_result(item: Item, row: FileRow, output: Path) -> ReadResult:
    """Read the image and the labels of a result; touches no window, so that a thread can do it ahead.

    Parameters
    ----------
    item, row : Item, FileRow
        What was segmented and what became of it.
    output : Path
        The output folder.

    Returns
    -------
    ReadResult
        To be shown by `OpenedResult`.

    Raises
    ------
    S3NetError
        If image or labels cannot be read, or the image has changed since.
    """
    if not is_same_input(item, row):
        raise ReadError(f"{row.file} has changed since the batch worked on it. Run the batch again.")
    image = read_image(item.path, series=item.series, files=item.files)
    labels, about = _labels(image, row, output)
    return ReadResult(row, image, labels, about, item.path if item.is_whole else None)


class OpenedResult:
    """Image and labels of one result in a viewer.

    Parameters
    ----------
    viewer : napari.Viewer
        Gets the two layers.
    read : ReadResult
        What they show.
    before : OpenedResult, optional
        A result that is done with: its layers are taken where they suit, which takes napari a fifth of the time, and
        go otherwise.
    """

    def __init__(self, viewer: Any, read: ReadResult, before: OpenedResult | None = None) -> None:
        self._viewer, self.row = viewer, read.row
        self.image_layer: ImageLayer
        self.layer: Labels
        if before is not None and before.suits(read):
            self.image_layer, self.layer = before.image_layer, before.layer
            self._show_in_place(read)
        else:
            with one_update(viewer):
                self._add_layers(read)
                if before is not None:
                    before.close()
        outline_object(viewer, self.layer)
        self._state = self._sum()

    def suits(self, read: ReadResult) -> bool:
        """Whether another result can be shown in the layers of this one.

        Parameters
        ----------
        read : ReadResult
            The other result.

        Returns
        -------
        bool
            True for planes of one kind, type and pixel size, as long as the layers are there, nobody has moved them,
            and no run goes on, which might still write to them.
        """
        image, labels = self.image_layer, self.layer
        return (
            not is_busy()
            and holds(self._viewer, image)
            and holds(self._viewer, labels)
            and can_take(image, layer_data(read.image))
            and lies_at(labels, read.image.geometry.spacing)
        )

    def _add_layers(self, read: ReadResult) -> None:
        image = read.image
        self.image_layer = plain(self._viewer.add_image(image.array, **layer_data(image)[1]))
        note_file(self.image_layer, read.file)
        self.layer = result_layer(read.labels, self.image_layer, read.name)
        self.layer.metadata = {KEY: read.about}
        recolour(self.layer)
        self._viewer.add_layer(self.layer)

    def _show_in_place(self, read: ReadResult) -> None:
        """Give the layers the other result's data, and take away what was made from these."""
        image, labels = self.image_layer, self.layer
        with another_image(self._viewer, image, labels, layer_data(read.image), read.file):
            set_owner(labels, image)
            labels.mode, labels.selected_label = "pan_zoom", 1
            labels.metadata = {KEY: read.about}
            labels.data = read.labels
            labels.name = read.name
            recolour(labels)
            self._viewer.layers.selection.active = labels

    @property
    def is_changed(self) -> bool:
        """Whether labels or object were changed since they were opened or saved."""
        return holds(self._viewer, self.layer) and self._sum() != self._state

    @property
    def share(self) -> float | None:
        """How much of the image is object now, 0 to 1; None where the layer was removed, or a run previews in it."""
        if not holds(self._viewer, self.layer) or self.layer in previewed:
            return None
        return float(mask_of_layer(np.asarray(self.layer.data), self.layer.metadata[KEY]).mean())

    @property
    def is_in_view(self) -> bool:
        """Whether the image is visible, and no other one lies over it; one that was removed cannot be brought back."""
        images = [one for one in map(plain, self._viewer.layers) if isinstance(one, ImageLayer) and one.visible]
        is_seen = bool(images) and images[-1] in layers_of(self._viewer.layers, self.image_layer)
        return is_seen or not holds(self._viewer, self.image_layer)

    def show_alone(self) -> None:
        """Hide what lies over image and labels, and fit the view to them."""
        self.image_layer.visible = True
        hide_others(self._viewer, *layers_of(self._viewer.layers, self.image_layer), self.layer)
        show_whole(self._viewer)

    def save(self, review: Review) -> None:
        """Write labels and mask as the user has corrected them, and remember that.

        Parameters
        ----------
        review : Review
            Where it is remembered.

        Raises
        ------
        WriteError
            If that is not possible.
        InvalidImageError
            While a run previews in them.
        """
        refuse_preview(self.layer)
        about = self.layer.metadata[KEY]
        data = np.asarray(self.layer.data)
        labels, masks = (review.corrected_path(self.row, kind) for kind in ("labels", "masks"))
        result = Segmentation.from_metadata(data, about["geometry"], about)
        write_labels(labels, data, about["geometry"], segments=segments_of(result))
        mask, segment = mask_of_layer(data, about), mask_segment(about.get("object_name", "Object"))
        if holds_classes(self.layer) and set(about["names"]) != {1}:  # learned from again, which looks among the masks
            write_labels(masks, data, about["geometry"], segments=segments_of(result))
        else:
            write_labels(masks, mask, about["geometry"], mask=True, segments=[segment])
        review.decide(self.row, "corrected", tuple(about["foreground"]), about["names"], float(mask.mean()))
        self._state = self._sum()

    def close(self) -> None:
        """Take image and labels out of the viewer, and what was made from them: strokes, uncertainty."""
        for layer in reversed(layers_of(self._viewer.layers, self.image_layer)):
            self._viewer.layers.remove(layer)

    def _sum(self) -> tuple[Any, ...]:
        about = self.layer.metadata.get(KEY, {})
        names = tuple(sorted(about.get("names", {}).items()))
        return zlib.crc32(np.ascontiguousarray(self.layer.data).data), tuple(about.get("foreground", ())), names


def _labels(image: Image, row: FileRow, output: Path) -> tuple[NDArray[Any], Metadata]:
    """The labels of a result, corrected where they were, and what is known about them."""
    kind: Literal["labels", "masks"] = "labels" if "labels" in row.outputs else "masks"
    if kind not in row.outputs:
        raise ReadError(f"{row.file} was done without labels or masks. Run the batch again with one of them.")
    review = Review(output)
    if review.corrected_kind(row) == "masks":
        own = _read(image, row, inside(review.output, row.outputs[kind]), kind)
        corrected = _laid(image, row, read_labels(review.corrected_path(row, "masks")))
        labels, names = read_classes(row, review, own, corrected)
        about = _result(image, row, output, labels)
        known = _known(image, replace(about, foreground=tuple(names), names=names, meanings={}))
        return labels, {**known, HAS_CLASSES: True}
    labels = _read(image, row, review.labels_path(row, kind), kind)
    about = _result(image, row, output, labels)
    if kind == "masks":
        about = replace(about, foreground=(1,), names={1: about.object_name}, meanings={})
    else:
        about = replace(about, foreground=review.foreground(row), names=review.names(row) or about.names)
    return labels, _known(image, about)


def _read(image: Image, row: FileRow, path: Path, kind: str) -> NDArray[Any]:
    labels = _laid(image, row, read_labels(path)).array
    return (labels > 0 if kind == "masks" else labels).astype(np.int32)


def _laid(image: Image, row: FileRow, labels: LabelImage) -> LabelImage:
    """Labels where they lie on the image: another program may have saved what was corrected."""
    try:
        return labels._replace(array=labels_on(image, labels.array, labels.geometry), geometry=image.geometry)
    except InvalidImageError as error:
        raise InvalidImageError(
            f"The labels of {row.file} do not fit the image any more. Run the batch again. {error}"
        ) from error


def _known(image: Image, about: Segmentation) -> Metadata:
    return {**about.metadata(), "source": image.name, "kind": image.kind, "geometry": image.geometry}


def _result(image: Image, row: FileRow, output: Path, labels: NDArray[Any]) -> Segmentation:
    """The result as the report knows it; the settings lie beside the report, once for all rows."""
    try:
        settings = json.loads((output / "settings" / f"{row.used}.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        settings = Settings().to_dict()
    values = {"seconds": row.seconds, **row.metadata, "settings": settings}
    return Segmentation.from_metadata(labels, image.geometry, values)


def is_same_input(item: Item, row: FileRow) -> bool:
    """Whether an image is still the one that a row is about; also True where the files cannot be read.

    Parameters
    ----------
    item : Item
        The image as it lies there now.
    row : FileRow
        Knows the check sum of the image that was segmented; in old reports there is none, and every image passes.

    Returns
    -------
    bool
        Whether the row's result may be shown on it.
    """
    try:
        return row.input in ("", input_digest(item.path, item.files))
    except OSError:
        return True


def item_of(plan: Plan, items: dict[str, Item], row: FileRow) -> Item:
    """Find the image that a row is about.

    Parameters
    ----------
    plan : Plan
        Knows the input folder.
    items : dict of str to Item
        The images that were listed, by file.
    row : FileRow
        Of the report.

    Returns
    -------
    Item
        The listed one; where the images were not listed, the file of that name below the input folder.

    Raises
    ------
    ReadError
        If the file is not there any more.
    """
    found = items.get(row.file) or Item(row.file, plan.source / row.file, "")
    if not found.path.exists():
        raise ReadError(f"{row.file} is not in {plan.source} any more.")
    return found
