"""The object of a result as a label layer of its own."""

from __future__ import annotations

from typing import Any

from napari.layers import Labels
from napari.utils.colormaps import DirectLabelColormap

from napari_s3net.plugin.layers.metadata import mask_of_layer
from napari_s3net.plugin.layers.palette import MASK
from napari_s3net.plugin.layers.placement import KEY, transform_of
from napari_s3net.plugin.layers.result_layer import OPACITY


def mask_name(image_name: str) -> str:
    """Name of the layer that holds just the object of an image.

    Parameters
    ----------
    image_name : str
        What the image's layer is called.

    Returns
    -------
    str
        Such as "IMD002 – object".
    """
    return f"{image_name} – object"


def mask_of(layer: Labels) -> Labels:
    """Make a layer that holds just the object of a result, where the result lies; not in any viewer yet.

    Parameters
    ----------
    layer : napari.layers.Labels
        A result.

    Returns
    -------
    napari.layers.Labels
        uint8: 1 is the object, 0 the rest.
    """
    metadata = layer.metadata[KEY]
    return Labels(
        mask_of_layer(layer.data, metadata),
        name=mask_name(metadata["source"]),
        opacity=OPACITY,
        colormap=DirectLabelColormap(color_dict=MASK),
        metadata={KEY: {**metadata, "mask_of": layer.name, "foreground": [1], "names": {1: "Object"}}},
        **transform_of(layer),
    )


def add_mask(viewer: Any, layer: Labels) -> Labels:
    """Add a layer that holds just the object of a result; the result itself stays selected.

    Parameters
    ----------
    viewer : napari.Viewer
        Gets the layer.
    layer : napari.layers.Labels
        The result.

    Returns
    -------
    napari.layers.Labels
        The new layer, uint8: 1 is the object, 0 the rest.
    """
    mask = mask_of(layer)
    viewer.add_layer(mask)
    viewer.layers.selection.active = layer
    return mask
