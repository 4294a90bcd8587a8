"""Label layers that wait for the next result: empty, and kept because napari takes long to remove and add layers."""

from __future__ import annotations

from typing import Any

import numpy as np
from napari.layers import Labels

from napari_s3net.plugin.layers.ownership import belongs_to, set_owner
from napari_s3net.plugin.layers.placement import KEY

#: In a layer's metadata: the image whose result it waits for.
WAITS_FOR = "waits_for"
#: How its name ends meanwhile, and once somebody has painted in it.
WAITING, PAINTED = " – no result yet", " – labels"


def waits_for(layer: Any, image_layer: Any) -> bool:
    """Whether a layer waits for the result of an image.

    Parameters
    ----------
    layer : napari.layers.Layer
        Of any kind.
    image_layer : napari.layers.Image
        The image.

    Returns
    -------
    bool
        Whether it does.
    """
    return is_waiting(layer) and belongs_to(layer, image_layer, layer.metadata[KEY][WAITS_FOR])


def is_waiting(layer: Any) -> bool:
    """Whether a layer waits for a result, and holds nothing yet.

    Parameters
    ----------
    layer : napari.layers.Layer
        Of any kind.

    Returns
    -------
    bool
        Whether it does.
    """
    return isinstance(layer, Labels) and WAITS_FOR in layer.metadata.get(KEY, {})


def let_wait(layer: Labels, image_layer: Any, image_name: str, shape: tuple[int, ...]) -> None:
    """Empty a result layer, so that it waits for the result of another image, or for somebody who paints in it.

    Parameters
    ----------
    layer : napari.layers.Labels
        Was a result; what is known of it beside it has been forgotten, see `renewal`.
    image_layer : napari.layers.Image
        The image.
    image_name : str
        What the image is called.
    shape : tuple of int
        Of the image, without colours.
    """
    layer.mode, layer.selected_label = "pan_zoom", 1
    layer.metadata = {KEY: {WAITS_FOR: image_name}}
    layer.data = np.zeros(shape, np.int32)
    layer.name = f"{image_name}{WAITING}"
    set_owner(layer, image_layer)
    layer.events.paint.connect(_painted)


def take_waiting(layer: Labels, name: str) -> None:
    """Make a layer that waits one that is written to.

    Parameters
    ----------
    layer : napari.layers.Labels
        Waits for a result.
    name : str
        What it is called from now on.
    """
    _end(layer, name)
    if not layer.visible:
        layer.visible = True


def _painted(event: Any) -> None:
    """Somebody paints in it: from now on these are labels like any others, which no result replaces."""
    _end(event.source, event.source.name.removesuffix(WAITING) + PAINTED)


def _end(layer: Labels, name: str) -> None:
    layer.events.paint.disconnect(_painted)
    layer.metadata = {}
    layer.name = name
