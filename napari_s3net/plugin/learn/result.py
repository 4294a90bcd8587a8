"""What was learned, in the viewer: labels that every other dock takes as a result, and corrections that are kept."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from napari.layers import Image as ImageLayer
from napari.layers import Labels

from napari_s3net.export.result import label_suffix
from napari_s3net.image import Image, Segmentation
from napari_s3net.io import read_image, write_labels
from napari_s3net.plugin.contributions.reader import layer_data
from napari_s3net.plugin.layers.object_outline import outline_object
from napari_s3net.plugin.layers.placement import KEY
from napari_s3net.plugin.layers.result_layer import plain, recolour, result_layer, result_name
from napari_s3net.plugin.learn.open_layers import class_labels, class_segments


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
    layer = result_layer(result.labels.copy(), image_layer, result_name(image_layer.name))
    kind = result.image.kind if result.image is not None else "grey"
    about = {"source": image_layer.name, "kind": kind, "geometry": result.geometry}
    own = {value: colour for value, colour in (colours or {}).items() if value in result.names}
    known = result.metadata()
    layer.metadata = {KEY: {**known, **about, "colours": {**known["colours"], **own}}}
    recolour(layer)
    viewer.add_layer(layer)
    outline_object(viewer, layer)
    return layer


def keep_correction(path: Path, layer: Labels, folder: Path) -> Path:
    """Write corrected labels where learning finds them.

    Parameters
    ----------
    path : Path
        The image's file.
    layer : napari.layers.Labels
        Its labels as they are now.
    folder : Path
        Of corrected labels.

    Returns
    -------
    Path
        The file that was written, named like the image.

    Raises
    ------
    S3NetError
        If the image cannot be read any more, or the labels cannot be written.
    """
    from napari_s3net.io.validation.headers import stem

    image = read_image(path)
    target = folder / f"{stem(path)}{label_suffix(image)}"
    write_labels(target, class_labels(layer), image.geometry, segments=class_segments(layer))
    return target
