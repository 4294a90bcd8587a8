"""Labels that lie open in the viewer, as labels to learn from: found with their images, and written for learning."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from napari.layers import Image as ImageLayer
from napari.layers import Labels
from numpy.typing import NDArray

from napari_s3net.export.formats import mask_segment
from napari_s3net.plugin.layers.file_of import file_of
from napari_s3net.plugin.layers.layer_segments import layer_segments
from napari_s3net.plugin.layers.metadata import Metadata, mask_of_layer
from napari_s3net.plugin.layers.ownership import belongs_to
from napari_s3net.plugin.layers.proxy import plain
from napari_s3net.plugin.layers.result_layer import holds_classes, is_result_of, metadata_of
from napari_s3net.plugin.layers.stroke_layer import is_helper
from napari_s3net.segments import Segment


def class_labels(layer: Labels) -> NDArray[np.int32]:
    """What a layer of labels says of the classes.

    Parameters
    ----------
    layer : napari.layers.Labels
        A result of the Segment dock, whose labels are clusters, one of a learned model, one of a batch whose classes
        were kept, or labels that were painted.

    Returns
    -------
    numpy.ndarray
        int32: of clusters 1 at the object, of all others the labels as they are.
    """
    clusters, labels = _clusters(layer), np.asarray(layer.data)
    return (labels if clusters is None else mask_of_layer(labels, clusters)).astype(np.int32)


def class_segments(layer: Labels) -> list[Segment]:
    """Say how a layer calls and colours the classes of `class_labels`.

    Parameters
    ----------
    layer : napari.layers.Labels
        As for `class_labels`.

    Returns
    -------
    list of Segment
        By value.
    """
    clusters = _clusters(layer)
    if clusters is not None:
        return [mask_segment(clusters.get("object_name", "Object"))]
    return layer_segments(layer.as_layer_data_tuple()[1], np.asarray(layer.data))


def _clusters(layer: Labels) -> Metadata | None:
    """What is known of a layer whose labels are clusters; None for one whose labels are classes."""
    about = metadata_of(layer)
    return None if holds_classes(layer) else about


def file_among(image: ImageLayer, files: Sequence[Path]) -> Path | None:
    """Find the file of a folder that an image was opened from.

    Parameters
    ----------
    image : napari.layers.Image
        In the viewer.
    files : sequence of Path
        The folder's images.

    Returns
    -------
    Path or None
        One of `files`; None where it is none of them.
    """
    path = file_of(image)
    if path is None:
        return None
    real = path.resolve()
    return next((file for file in files if file.resolve() == real), None)


def open_labels(
    layers: Iterable[Any], files: Sequence[Path], opened: tuple[Path, ImageLayer, Labels] | None = None
) -> list[tuple[Path, Labels]]:
    """Find the labels in the viewer that lie on images of a folder.

    Parameters
    ----------
    layers : iterable of napari.layers.Layer
        Those of the viewer.
    files : sequence of Path
        The folder's images.
    opened : tuple, optional
        An image that the dock opened: its file, its layer and that of its labels.

    Returns
    -------
    list of tuple
        Image file and labels: results by the image they belong to, others by the only open image of their shape.
    """
    all_layers = [plain(layer) for layer in layers]
    images: dict[ImageLayer, Path] = {}
    for layer in all_layers:
        if isinstance(layer, ImageLayer) and (path := file_among(layer, files)) is not None:
            images[layer] = path
    if opened is not None:
        images[opened[1]] = opened[0]
    found = []
    for layer in all_layers:
        if not isinstance(layer, Labels) or is_helper(layer):
            continue
        if metadata_of(layer) is not None:
            of = [image for image in images if is_result_of(layer, image)]
        else:
            of = [image for image in images if belongs_to(layer, image, "")]
            of = of or [image for image in images if image.data.shape[: layer.data.ndim] == layer.data.shape]
        if len(of) == 1:
            found.append((images[of[0]], layer))
    return found


def one_each(found: Iterable[tuple[Path, Labels]]) -> dict[Path, Labels]:
    """Choose the labels of each image: one file takes those of one layer.

    Parameters
    ----------
    found : iterable of tuple
        Image file and labels, as `open_labels` finds them.

    Returns
    -------
    dict of Path to napari.layers.Labels
        Of several that lie on an image those on top, hidden ones only where none is visible.
    """
    return dict(sorted(found, key=lambda one: one[1].visible))
