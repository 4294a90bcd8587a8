"""Another image in an image layer that is there: whether the layer can take it, and how it is given."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from napari.layers import Image as ImageLayer
from napari.layers import Labels, Layer

from napari_s3net.plugin.layers.file_of import note_file
from napari_s3net.plugin.layers.one_update import one_update
from napari_s3net.plugin.layers.placement import KEY, lies_on
from napari_s3net.plugin.layers.renewal import beginning_anew
from napari_s3net.plugin.layers.result_layer import is_of_model, layers_of, result_name
from napari_s3net.plugin.layers.source import finest_level
from napari_s3net.plugin.layers.stroke_layer import empty_strokes, find_strokes

LayerData = tuple[Any, dict[str, Any], str]


def can_take(layer: ImageLayer, data: LayerData) -> bool:
    """Whether another image can be shown in an image layer.

    Parameters
    ----------
    layer : napari.layers.Image
        Shows an image that this plugin has opened.
    data : tuple
        The other image, as `contributions.reader` hands it to napari.

    Returns
    -------
    bool
        True where both are planes of one kind, type and pixel size, and nobody has moved the layer. The shape may be
        another one.
    """
    array, attributes, what = data
    known, other = (metadata.get(KEY, {}) for metadata in (layer.metadata, attributes.get("metadata", {})))
    return (
        what == "image"
        and not layer.multiscale
        and layer.data.ndim == array.ndim
        and len(attributes["scale"]) == 2
        and layer.data.dtype == array.dtype
        and known.get("kind") == other["kind"]
        and known["geometry"].unit == other["geometry"].unit
        and lies_at(layer, attributes["scale"])
    )


def lies_at(layer: Layer, spacing: tuple[float, ...]) -> bool:
    """Whether a layer lies where images begin, with pixels of a size.

    Parameters
    ----------
    layer : napari.layers.Layer
        An image or labels.
    spacing : tuple of float
        Size of the pixels, in the layer's unit.

    Returns
    -------
    bool
        Whether it does; False for a layer that was moved, turned or scaled.
    """
    shape = finest_level(layer)[1]
    return len(shape) == len(spacing) and lies_on({"scale": spacing}, shape, layer, shape)


@contextmanager
def another_image(
    viewer: Any, layer: ImageLayer, labels: Labels | None, data: LayerData, path: Path | None
) -> Iterator[None]:
    """Show another image in the layers of one that is done with; whatever else was made from that one goes.

    Parameters
    ----------
    viewer : napari.Viewer
        Holds the layers.
    layer : napari.layers.Image
        Can take the image.
    labels : napari.layers.Labels or None
        The labels that stay, with their strokes; they get the new image's data and name within.
    data : tuple
        The image, as `contributions.reader` hands it to napari.
    path : Path or None
        The image's file; None for one that is from no file.

    Yields
    ------
    None
        While the labels may be given their data, before the image gets its own.
    """
    strokes = None if labels is None else find_strokes(viewer.layers, labels)
    if strokes is not None and not lies_at(strokes, data[1]["scale"]):
        strokes = None
    stay = [one for one in (layer, labels, strokes) if one is not None]
    made = [one for one in layers_of(viewer.layers, layer) if not any(one is other for other in stay)]
    if made:
        with one_update(viewer):
            for one in reversed(made):
                viewer.layers.remove(one)
    renamed = viewer.layers.events.renamed
    with beginning_anew(viewer, *stay), renamed.blocker():
        yield
        if labels is not None and strokes is not None:
            empty_strokes(strokes, labels, result_name(data[1]["name"], of_model=is_of_model(labels)))
        _put(layer, data, path)
        for one in stay:
            if not one.visible:  # napari draws anew even where it is
                one.visible = True
    renamed(index=viewer.layers.index(layer))  # once for all


def _put(layer: ImageLayer, data: LayerData, path: Path | None) -> None:
    """Give an image layer another image."""
    array, attributes, _ = data
    layer.metadata = attributes["metadata"]
    note_file(layer, path)
    layer.data = array
    if "contrast_limits" in attributes:
        layer.contrast_limits = attributes["contrast_limits"]
    layer.name = attributes["name"]
