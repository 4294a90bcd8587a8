"""What was learned, in the viewer: labels that every other dock takes as a result, and corrections that are kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from napari.layers import Image as ImageLayer
from napari.layers import Labels
from numpy.typing import NDArray

from napari_s3net.batch.review import Review
from napari_s3net.errors import InvalidImageError
from napari_s3net.export.result import label_suffix
from napari_s3net.image import Image
from napari_s3net.io import read_image, write_labels
from napari_s3net.learning.files import CORRECTED, REPORT, UNLABELLED, file_for_labels, place_of_labels
from napari_s3net.plugin.batch.corrected_classes import batch_of, note_correction, row_of
from napari_s3net.plugin.contributions.reader import layer_data
from napari_s3net.plugin.layers.metadata import Metadata
from napari_s3net.plugin.layers.metadata_history import history_of
from napari_s3net.plugin.layers.object_outline import outline_object
from napari_s3net.plugin.layers.packed import check_sum
from napari_s3net.plugin.layers.placement import KEY
from napari_s3net.plugin.layers.plane_key import PlaneKey
from napari_s3net.plugin.layers.proxy import plain
from napari_s3net.plugin.layers.renewal import PerLayer
from napari_s3net.plugin.layers.result_layer import find_result, metadata_of, recolour, result_layer, result_name
from napari_s3net.plugin.layers.run_cache import cache_run, is_changed
from napari_s3net.plugin.layers.slice_states import reviewed_pixels
from napari_s3net.plugin.layers.stack import Stack
from napari_s3net.plugin.layers.target import refuse_preview
from napari_s3net.plugin.layers.written_labels import write_planes_undoable
from napari_s3net.plugin.learn.open_layers import class_labels, class_segments
from napari_s3net.plugin.widgets.text import plural
from napari_s3net.result import Segmentation

#: Check sums of labels as they were written last.
_kept: PerLayer[Labels, int] = PerLayer()


def open_image(viewer: Any, image: Image) -> ImageLayer:
    """Put an image into a viewer.

    Parameters
    ----------
    viewer : napari.Viewer
        Gets the layer.
    image : Image
        A plane or a stack.

    Returns
    -------
    napari.layers.Image
        With its spacing and geometry.
    """
    layer: ImageLayer = plain(viewer.add_image(image.array, **layer_data(image)[1]))
    return layer


def put_result(
    viewer: Any, image_layer: ImageLayer, stack: Stack, result: Segmentation, colours: Mapping[int, str] | None = None
) -> Labels:
    """Put a model's labels onto an image: in place of those of a model that are there, as one step of undo.

    Parameters
    ----------
    viewer : napari.Viewer
        Holds the image.
    image_layer : napari.layers.Image
        What the model was applied to.
    stack : Stack
        The image's planes that it was applied to.
    result : Segmentation
        Of the stack.
    colours : mapping of int to str, optional
        "#rrggbb" of classes that have a colour of their own.

    Returns
    -------
    napari.layers.Labels
        The layer that has them now; it is the active one.
    """
    layer = find_result(viewer.layers, image_layer, stack.source, "model")
    if layer is None:
        return add_result(viewer, image_layer, replace(result, labels=stack.spread(result.labels)), colours)
    old, new = layer.metadata[KEY], _metadata(image_layer, result, colours)
    planes = result.labels.reshape(len(stack), *stack.source.plane_shape)
    keys = [stack.key(n) for n in range(len(stack))]
    history = history_of(layer)
    history.remember_planes({key: check_sum(layer.data[key.index]) for key in keys}, old)
    after = write_planes_undoable(layer, dict(zip(keys, planes, strict=True)))
    history.remember_planes({key: plane.check_sum for key, plane in after.items()}, new)
    for key, plane in after.items():
        cache_run(layer, key, {}, packed=plane)  # what a re-run with strokes and Revert begin from
    layer.metadata = {**layer.metadata, KEY: new}
    recolour(layer)
    viewer.layers.selection.active = layer
    return layer


def add_result(
    viewer: Any, image_layer: ImageLayer, result: Segmentation, colours: Mapping[int, str] | None = None
) -> Labels:
    """Put labels onto an image as a result layer, to be corrected like any other.

    Parameters
    ----------
    viewer : napari.Viewer
        Gets the layer.
    image_layer : napari.layers.Image
        What the model was applied to.
    result : Segmentation
        Of the layer's plane or stack.
    colours : mapping of int to str, optional
        "#rrggbb" of classes that have a colour of their own.

    Returns
    -------
    napari.layers.Labels
        With names and object in its metadata.
    """
    layer = result_layer(result.labels.copy(), image_layer, result_name(image_layer.name, of_model=True))
    layer.metadata = {KEY: _metadata(image_layer, result, colours)}
    recolour(layer)
    for steps in np.ndindex(layer.data.shape[:-2]):
        cache_run(layer, PlaneKey((*steps, None, None)), {})  # what a re-run with strokes and Revert begin from
    viewer.add_layer(layer)
    outline_object(viewer, layer)
    return layer


def replaces_changes(viewer: Any, image_layer: ImageLayer, stack: Stack) -> bool:
    """Whether `put_result` takes the place of labels that were changed since a model made them.

    Parameters
    ----------
    viewer : napari.Viewer
        Holds the image.
    image_layer : napari.layers.Image
        What a model was applied to.
    stack : Stack
        The image's planes that it was applied to.

    Returns
    -------
    bool
        False where there are no such labels.
    """
    layer = find_result(viewer.layers, image_layer, stack.source, "model")
    return layer is not None and any(_has_changed(layer, stack.key(n)) for n in range(len(stack)))


def is_kept(layer: Labels) -> bool:
    """Whether nothing of labels would be lost without their layer.

    Parameters
    ----------
    layer : napari.layers.Labels
        A model's labels of an image.

    Returns
    -------
    bool
        Whether they are as the model made them, or as `keep_correction` has written them.
    """
    keys = (PlaneKey((*steps, None, None)) for steps in np.ndindex(layer.data.shape[:-2]))
    return _kept.get(layer) == _sum_of(layer) or not any(_has_changed(layer, key) for key in keys)


def _has_changed(layer: Labels, key: PlaneKey) -> bool:
    return is_changed(layer, key, check_sum(layer.data[key.index]))


def _sum_of(layer: Labels) -> int:
    return check_sum(np.asarray(layer.data))


def _metadata(image_layer: ImageLayer, result: Segmentation, colours: Mapping[int, str] | None) -> Metadata:
    """What the layer of a model's labels knows about itself."""
    kind = result.image.kind if result.image is not None else "grey"
    own = {value: colour for value, colour in (colours or {}).items() if value in result.names}
    known = result.metadata()
    about = {"source": image_layer.name, "kind": kind, "geometry": result.geometry}
    return {**known, **about, "colours": {**known["colours"], **own}}


def keep_correction(path: Path, layer: Labels, folder: Path, images: Path | None = None) -> Path:
    """Write corrected labels where learning finds them: of a batch's output folder among its corrections.

    Of a volume, slices that a run or a model made and nobody has looked at are no corrections: they are written as 255,
    which learning ignores.

    Parameters
    ----------
    path : Path
        The image's file.
    layer : napari.layers.Labels
        Its labels as they are now.
    folder : Path
        Of corrected labels.
    images : Path, optional
        The folder of images; labels of one in a folder within lie in a folder of the same name.

    Returns
    -------
    Path
        The file that was written, named like the image; beside it with an ending. One that was there in another format
        is replaced in that.

    Raises
    ------
    S3NetError
        If the image cannot be read any more, if a run previews in the labels, if there is only background where
        somebody has looked, or if the labels cannot be written.
    """
    image = read_image(path)
    place = place_of_labels(folder)
    if place == folder and (folder / REPORT).is_file():
        place = folder / CORRECTED[0]  # the first of a batch's corrections
    refuse_preview(layer)
    labels, segments = _corrected_labels(layer), class_segments(layer)
    output = batch_of(place)
    row = None if output is None else row_of(output, path, images)
    if images is not None and path.is_relative_to(images):
        place /= path.relative_to(images).parent
    target = file_for_labels(path, place, label_suffix(image))
    if output is not None and row is not None:
        target = Review(output).corrected_path(row, "masks")
    write_labels(target, labels, image.geometry, segments=segments)
    if output is not None and row is not None:
        note_correction(output, row, labels, {one.label: one.name for one in segments})
    _kept[layer] = _sum_of(layer)
    return target


def kept_slices(layer: Labels) -> str:
    """Say how many slices of a volume `keep_correction` writes as corrected.

    Parameters
    ----------
    layer : napari.layers.Labels
        The labels.

    Returns
    -------
    str
        ": 3 of 10 slices, where you have looked"; empty where it is all of them.
    """
    reviewed = _reviewed(layer)
    slices = reviewed.reshape(-1, *reviewed.shape[-2:]).any(axis=(-2, -1))
    return "" if reviewed.all() else f": {slices.sum():,} of {plural(slices.size, 'slice')}, where you have looked"


def _reviewed(layer: Labels) -> NDArray[np.bool_]:
    return reviewed_pixels(layer, made=metadata_of(layer) is not None)


def _corrected_labels(layer: Labels) -> NDArray[np.int32]:
    """The classes where somebody has looked, 255 elsewhere.

    Raises
    ------
    InvalidImageError
        If that would be a file of 0 and 255 alone, which is read as a mask.
    """
    labels = class_labels(layer)
    reviewed = _reviewed(layer)
    if not reviewed.all() and not labels[reviewed].any():
        raise InvalidImageError(
            "The slices that were looked at hold background only, so there is nothing to keep: expected a label on one "
            "of them. Look at a slice on which the object can be seen, too."
        )
    return np.where(reviewed, labels, UNLABELLED).astype(np.int32)
