"""The object of a result as a label layer of its own, which follows the result."""

from __future__ import annotations

from typing import Any
from weakref import WeakKeyDictionary

from napari.layers import Labels
from napari.utils.colormaps import DirectLabelColormap

from napari_s3net.plugin.layers.metadata import Metadata, mask_of_layer
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


class ObjectLayers:
    """The objects' own layers that were added, brought up to date with their results.

    Parameters
    ----------
    viewer : napari.Viewer
        Gets the layers.
    """

    def __init__(self, viewer: Any) -> None:
        self._viewer = viewer
        self._masks: WeakKeyDictionary[Labels, Labels] = WeakKeyDictionary()
        #: Metadata that each was last made for, as a whole.
        self._made_for: WeakKeyDictionary[Labels, Metadata] = WeakKeyDictionary()

    def add(self, layer: Labels) -> None:
        """Add a layer that holds just the object.

        Parameters
        ----------
        layer : napari.layers.Labels
            The result.
        """
        self._masks[layer], self._made_for[layer] = add_mask(self._viewer, layer), layer.metadata[KEY]

    def update(self, layer: Labels) -> None:
        """Bring all of a result's object up to date, as after a tick.

        Parameters
        ----------
        layer : napari.layers.Labels
            The result.
        """
        mask = self._mask_of(layer)
        if mask is not None:
            mask.data[...] = mask_of_layer(layer.data, layer.metadata[KEY])
            self._made_for[layer] = layer.metadata[KEY]
            mask.refresh(extent=False)

    def update_plane(self, layer: Labels, index: tuple[Any, ...]) -> None:
        """Bring a plane of a result's object up to date; all of it after a run or a tick.

        Parameters
        ----------
        layer : napari.layers.Labels
            The result.
        index : tuple
            The plane in view.
        """
        mask = self._mask_of(layer)
        if mask is None:
            return
        if self._made_for[layer] is not layer.metadata[KEY]:
            self.update(layer)
            return
        plane = mask_of_layer(layer.data[index], layer.metadata[KEY])
        if (mask.data[index] != plane).any():
            mask.data[index] = plane
            mask.refresh(extent=False)

    def _mask_of(self, layer: Labels) -> Labels | None:
        """The object's own layer, where there is one of the result's shape."""
        mask = self._masks.get(layer)
        return mask if mask is not None and mask.data.shape == layer.data.shape else None
