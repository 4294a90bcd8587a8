"""The label layer of a result: made, found, written, coloured."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from napari.layers import Labels
from napari.utils.colormaps import DirectLabelColormap
from numpy.typing import NDArray

from napari_s3net.plugin.layers.metadata import Metadata, mask_of_layer
from napari_s3net.plugin.layers.ownership import belongs_to, set_owner
from napari_s3net.plugin.layers.palette import MASK, colour_table
from napari_s3net.plugin.layers.placement import KEY, transform_of
from napari_s3net.plugin.layers.plane_key import Index
from napari_s3net.plugin.layers.source import Source, level_scale

OPACITY = 0.55


def plain(layer: Any) -> Any:
    """The layer itself where napari hands plugins a proxy: layers are compared by identity."""
    return getattr(layer, "__wrapped__", layer)


def result_name(image_name: str) -> str:
    """Name of the label layer of an image."""
    return f"{image_name} – S³-Net"


def mask_name(image_name: str) -> str:
    """Name of the layer of its object."""
    return f"{image_name} – object"


def metadata_of(layer: Any) -> Metadata | None:
    """What a result layer knows about itself; None for any other layer."""
    metadata: Metadata | None = layer.metadata.get(KEY) if isinstance(layer, Labels) else None
    return metadata if metadata and "settings" in metadata and "mask_of" not in metadata else None


def is_result_of(layer: Any, image_layer: Any) -> bool:
    """Whether a layer is a result of this very image layer, whatever the two are called."""
    metadata = metadata_of(layer)
    return metadata is not None and belongs_to(layer, image_layer, metadata["source"])


def find_result(layers: Iterable[Any], image_layer: Any, source: Source) -> Labels | None:
    """The newest result of an image that can take another one; None if there is none."""
    for layer in reversed([plain(layer) for layer in layers]):
        if is_result_of(layer, image_layer) and fits_source(layer, source):
            return layer
    return None


def follow_name(layers: Iterable[Any], image_layer: Any) -> None:
    """Tell the results of an image what it is called now."""
    for layer in map(plain, layers):
        if is_result_of(layer, image_layer) and layer.metadata[KEY]["source"] != image_layer.name:
            layer.metadata = {**layer.metadata, KEY: {**layer.metadata[KEY], "source": image_layer.name}}


def why_not_writable(layer: Labels) -> str:
    """Why labels cannot be written to; the one definition of labels that the plugin can use.

    Returns
    -------
    str
        A clause for the user, such as "they are multiscale"; empty for labels that can be written to.
    """
    if layer.multiscale:
        return "they are multiscale"
    if not isinstance(layer.data, np.ndarray):
        return f"they are computed as they are shown ({type(layer.data).__module__.partition('.')[0]})"
    return "" if layer.data.flags.writeable else "they are read-only"


def fits_source(layer: Labels, source: Source) -> bool:
    """Whether a label layer can take a result of this source."""
    return not why_not_writable(layer) and layer.data.shape == source.shape


def add_layer(viewer: Any, image_layer: Any, source: Source, name: str) -> Labels:
    """Add an empty label layer that lies on the image."""
    layer = result_layer(np.zeros(source.shape, np.int32), image_layer, name)
    viewer.add_layer(layer)
    return layer


def result_layer(labels: NDArray[Any], image_layer: Any, name: str) -> Labels:
    """A label layer that lies on the image, and belongs to it; not in any viewer yet."""
    place = {**transform_of(image_layer), "scale": level_scale(image_layer, labels.shape)}
    layer = Labels(labels, name=name, opacity=OPACITY, **place)
    set_owner(layer, image_layer)
    return layer


def write_unrecorded(layer: Labels, index: Index, plane: NDArray[Any]) -> None:
    """Write a plane without a trace in the history: for previews and for going back."""
    layer.data[index] = plane
    layer.refresh(extent=False)


def write_undoable(layer: Labels, index: Index, plane: NDArray[Any]) -> None:
    """Write a plane as one step that undo takes back."""
    changed = np.nonzero(layer.data[index] != plane)
    axes = iter(axis.astype(np.int32) for axis in changed)
    where = tuple(next(axes) if isinstance(i, slice) else np.full(len(changed[0]), i, np.int32) for i in index)
    with layer.block_history():
        layer.data_setitem(where, plane[changed].astype(layer.data.dtype))
    layer.refresh(extent=False)


def recolour(layer: Labels, *, object_only: bool = False) -> None:
    """Colour a result layer by its metadata."""
    metadata = metadata_of(layer) or {"names": {}, "foreground": []}
    ids = sorted({*metadata["names"], *metadata["foreground"]})
    table = colour_table(ids, metadata["foreground"], object_only=object_only)
    layer.colormap = DirectLabelColormap(color_dict=table)


def mask_of(layer: Labels) -> Labels:
    """A layer that holds just the object of a result, where the result lies; not in any viewer yet."""
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
    """Add a layer that holds just the object of a result; the result itself stays selected."""
    mask = mask_of(layer)
    viewer.add_layer(mask)
    viewer.layers.selection.active = layer
    return mask
