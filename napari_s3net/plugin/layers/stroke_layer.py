"""The layer that strokes are painted in: made, found, coloured like the labels it corrects."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from napari.layers import Labels

from napari_s3net.correction.constraints import BACKGROUND
from napari_s3net.correction.constraints import OBJECT as OBJECT_STROKE
from napari_s3net.plugin.layers.ownership import belongs_to, set_owner
from napari_s3net.plugin.layers.palette import CLEAR, OBJECT, OTHER, colormap_of, hex_colour
from napari_s3net.plugin.layers.placement import KEY, transform_of
from napari_s3net.plugin.layers.proxy import plain
from napari_s3net.plugin.layers.result_layer import metadata_of
from napari_s3net.plugin.layers.waiting import is_waiting

#: In a layer's metadata: which label layer its strokes correct; and what is no label layer to correct.
STROKES_OF, HELPER = "strokes_of", "helper"
#: Diameter of the brush as a share of the image's longer side.
BRUSH = 0.03


def is_strokes(layer: Any) -> bool:
    """Whether strokes are painted in a layer.

    Parameters
    ----------
    layer : napari.layers.Layer
        Any layer.

    Returns
    -------
    bool
        True for layers that the Correct dock made.
    """
    return isinstance(layer, Labels) and STROKES_OF in layer.metadata.get(KEY, {})


def is_helper(layer: Any) -> bool:
    """Whether a layer lies beside the labels of an image and is none of them.

    Parameters
    ----------
    layer : napari.layers.Layer
        Any layer.

    Returns
    -------
    bool
        True for strokes, uncertainty, previews of learning, the object alone, and what is empty as yet.
    """
    known = layer.metadata.get(KEY, {})
    return is_strokes(layer) or HELPER in known or "mask_of" in known or is_waiting(layer)


def find_strokes(layers: Iterable[Any], labels: Labels) -> Labels | None:
    """Find the layer of strokes of a label layer.

    Parameters
    ----------
    layers : iterable of napari.layers.Layer
        Those of the viewer.
    labels : napari.layers.Labels
        What the strokes correct.

    Returns
    -------
    napari.layers.Labels or None
        The lowest one of the labels' shape; None if there is none.
    """
    for layer in map(plain, layers):
        is_of = is_strokes(layer) and belongs_to(layer, labels, layer.metadata[KEY][STROKES_OF])
        if is_of and layer.data.shape == labels.data.shape:
            return layer
    return None


def add_strokes(viewer: Any, labels: Labels, ids: Iterable[int] = ()) -> Labels:
    """Add an empty layer of strokes over a label layer.

    Parameters
    ----------
    viewer : napari.Viewer
        Gets the layer.
    labels : napari.layers.Labels
        What the strokes correct; they belong to it and lie where it lies.
    ids : iterable of int
        The labels to colour, beside object and background.

    Returns
    -------
    napari.layers.Labels
        All 0, int32, with a brush of 3 % of the longer side.
    """
    layer = Labels(np.zeros(labels.data.shape, np.int32), opacity=1.0, **transform_of(labels))
    _begin(layer, labels, labels.name)
    recolour_strokes(layer, labels, ids)
    viewer.add_layer(layer)
    return layer


def empty_strokes(layer: Labels, labels: Labels, name: str) -> None:
    """Empty a layer of strokes whose labels have begun anew, see `renewal`.

    Parameters
    ----------
    layer : napari.layers.Labels
        The strokes.
    labels : napari.layers.Labels
        What they correct, with their new data.
    name : str
        What the labels are called, or will be.
    """
    layer.mode = "pan_zoom"
    layer.data = np.zeros(labels.data.shape, np.int32)
    _begin(layer, labels, name)


def _begin(layer: Labels, labels: Labels, name: str) -> None:
    layer.name = f"{name} – strokes"
    layer.metadata = {KEY: {STROKES_OF: name}}
    layer.brush_size = max(3, round(BRUSH * max(labels.data.shape[-2:])))
    set_owner(layer, labels)


def recolour_strokes(layer: Labels, labels: Labels, ids: Iterable[int]) -> None:
    """Give strokes the colours of the labels that they stand for.

    Parameters
    ----------
    layer : napari.layers.Labels
        The strokes.
    labels : napari.layers.Labels
        What they correct; its metadata says which labels are the object.
    ids : iterable of int
        The labels to colour. They all count as object where the layer has no metadata.
    """
    metadata = metadata_of(labels)
    foreground = set(metadata["foreground"]) if metadata else set(ids)
    colours: dict[int | None, Any] = {None: OTHER[1], 0: CLEAR}
    own = (metadata or {}).get("colours", {})
    colours |= {i: own.get(i) or hex_colour(i, is_object=i in foreground) for i in ids if i > 0}
    colours |= {OBJECT_STROKE: OBJECT[0], BACKGROUND: OTHER[0]}
    colormap = colormap_of(colours)
    # Another colour map draws the layer anew and tells everybody, even where it is the same.
    if _colours_of(layer.colormap) != _colours_of(colormap):
        layer.colormap = colormap


def _colours_of(colormap: Any) -> dict[int | None, tuple[float, ...]]:
    """What a colour map shows each label as; none where it is not made of single colours."""
    return {label: tuple(rgba) for label, rgba in getattr(colormap, "color_dict", {}).items()}
