"""The label layer of a result: made, found, written, coloured."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal

import numpy as np
from napari.layers import Labels
from napari.utils.colormaps import DirectLabelColormap
from numpy.typing import NDArray

from napari_s3net.plugin.layers.metadata import Metadata
from napari_s3net.plugin.layers.metadata_history import history_of
from napari_s3net.plugin.layers.ownership import belongs_to, set_owner
from napari_s3net.plugin.layers.palette import colormap_of, colour_table, hex_colour, object_table
from napari_s3net.plugin.layers.placement import KEY, lies_on, transform_of
from napari_s3net.plugin.layers.plane_key import PlaneKey
from napari_s3net.plugin.layers.proxy import plain
from napari_s3net.plugin.layers.shown import Shown, groups_of, shown_of
from napari_s3net.plugin.layers.source import Source, level_scale
from napari_s3net.plugin.layers.waiting import take_waiting, waits_for

OPACITY = 0.55
#: What has made the labels of a result.
Made = Literal["any", "run", "model"]
#: Entry of a result's metadata: its labels are classes that somebody has kept, though a run has made the result.
HAS_CLASSES = "has_classes"


def result_name(image_name: str, *, of_model: bool = False) -> str:
    """Name of the label layer of an image.

    Parameters
    ----------
    image_name : str
        What the image's layer is called.
    of_model : bool
        Whether the labels are those of a learned model; a result of a run may lie beside them.

    Returns
    -------
    str
        Such as "IMD002 – S³-Net", or "IMD002 – learned".
    """
    return f"{image_name} – {'learned' if of_model else 'S³-Net'}"


def metadata_of(layer: Any) -> Metadata | None:
    """What a result layer knows about itself.

    Parameters
    ----------
    layer : napari.layers.Layer
        Any layer.

    Returns
    -------
    dict or None
        As from `make_metadata`; None for any other layer, also for a mask of a result.
    """
    metadata: Metadata | None = layer.metadata.get(KEY) if isinstance(layer, Labels) else None
    return metadata if metadata and "settings" in metadata and "mask_of" not in metadata else None


def is_result_of(layer: Any, image_layer: Any) -> bool:
    """Whether a layer is a result of this very image layer, whatever the two are called.

    Parameters
    ----------
    layer : napari.layers.Layer
        Of any kind.
    image_layer : napari.layers.Image
        The image.

    Returns
    -------
    bool
        Whether it is.
    """
    metadata = metadata_of(layer)
    return metadata is not None and belongs_to(layer, image_layer, metadata["source"])


def find_result(layers: Iterable[Any], image_layer: Any, source: Source, of: Made = "any") -> Labels | None:
    """Find the result layer of an image.

    Parameters
    ----------
    layers : iterable of napari.layers.Layer
        Those of the viewer, the uppermost last.
    image_layer : napari.layers.Image
        The image.
    source : Source
        Its plane, whose layer shape the result has to have.
    of : {"any", "run", "model"}
        Whose labels count: a run writes to those of a run alone, and a model to those of a model.

    Returns
    -------
    napari.layers.Labels or None
        The uppermost one that can be written to; None if there is none.
    """
    for layer in reversed([plain(layer) for layer in layers]):
        counts = of == "any" or is_of_model(layer) == (of == "model")
        if counts and is_result_of(layer, image_layer) and fits_source(layer, source):
            return layer
    return None


def is_of_model(layer: Any) -> bool:
    """Whether a result's labels are the classes of a model that learned them, and not the clusters of a run.

    Parameters
    ----------
    layer : napari.layers.Layer
        Of any kind.

    Returns
    -------
    bool
        Whether they are.
    """
    return bool((metadata_of(layer) or {}).get("model"))


def holds_classes(layer: Any) -> bool:
    """Whether a result's labels are classes, of a model or as somebody has kept them, and not the clusters of a run.

    Parameters
    ----------
    layer : napari.layers.Layer
        Of any kind.

    Returns
    -------
    bool
        Whether they are.
    """
    return is_of_model(layer) or bool((metadata_of(layer) or {}).get(HAS_CLASSES))


def layers_of(layers: Iterable[Any], image_layer: Any) -> list[Any]:
    """List an image with all that was made from it, results, their masks, strokes; and what waits for its result.

    Parameters
    ----------
    layers : iterable of napari.layers.Layer
        Those of the viewer.
    image_layer : napari.layers.Image
        The image.

    Returns
    -------
    list of napari.layers.Layer
        In the order of the layer list.
    """
    found = [image_layer]
    everything = list(map(plain, layers))
    labels = [one for one in everything if is_result_of(one, image_layer) or waits_for(one, image_layer)]
    for layer in everything:
        known = layer.metadata.get(KEY, {})
        made_from = next((known[name] for name in ("mask_of", "strokes_of", "uncertainty_of") if name in known), None)
        if layer in labels or any(belongs_to(layer, one, made_from) for one in labels if made_from is not None):
            found.append(layer)
    return [layer for layer in everything if layer in found]


def follow_name(layers: Iterable[Any], image_layer: Any) -> None:
    """Write an image's present name into the metadata of its results.

    Parameters
    ----------
    layers : iterable of napari.layers.Layer
        Those of the viewer.
    image_layer : napari.layers.Image
        The image, which may have been renamed.
    """
    for layer in map(plain, layers):
        if is_result_of(layer, image_layer) and layer.metadata[KEY]["source"] != image_layer.name:
            layer.metadata = {**layer.metadata, KEY: {**layer.metadata[KEY], "source": image_layer.name}}


def why_not_writable(layer: Labels) -> str:
    """Why labels cannot be written to; the one definition of labels that the plugin can use.

    Parameters
    ----------
    layer : napari.layers.Labels
        Any label layer.

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
    """Whether a label layer can take a result: it can be written to and has the shape that the source asks for.

    Parameters
    ----------
    layer : napari.layers.Labels
        The labels.
    source : Source
        The plane of the image.

    Returns
    -------
    bool
        Whether it can.
    """
    return not why_not_writable(layer) and layer.data.shape == source.shape


def add_layer(viewer: Any, image_layer: Any, source: Source, name: str) -> Labels:
    """Add an empty label layer that lies on an image; one that waits for the image's result is taken.

    Parameters
    ----------
    viewer : napari.Viewer
        Gets the layer.
    image_layer : napari.layers.Image
        The layer belongs to it and lies where it lies.
    source : Source
        Says which shape the labels have.
    name : str
        Of the layer.

    Returns
    -------
    napari.layers.Labels
        All 0, int32.
    """
    for layer in map(plain, viewer.layers):
        if waits_for(layer, image_layer) and lies_on(transform_of(layer), layer.data.shape, image_layer, source.shape):
            take_waiting(layer, name)
            return layer
    layer = result_layer(np.zeros(source.shape, np.int32), image_layer, name)
    viewer.add_layer(layer)
    return layer


def result_layer(labels: NDArray[Any], image_layer: Any, name: str) -> Labels:
    """Make a label layer that lies on an image and belongs to it; not in any viewer yet.

    Parameters
    ----------
    labels : numpy.ndarray
        Whole numbers, of the image's shape without colours or of one of its coarser levels. Not copied.
    image_layer : napari.layers.Image
        The image.
    name : str
        Of the layer.

    Returns
    -------
    napari.layers.Labels
        Without metadata.
    """
    place = {**transform_of(image_layer), "scale": level_scale(image_layer, labels.shape)}
    layer = Labels(labels, name=name, opacity=OPACITY, **place)
    set_owner(layer, image_layer)
    return layer


def write_metadata(layer: Labels, key: PlaneKey, metadata: Metadata) -> None:
    """Write what a result knows about itself; an undo back to the labels that a plane has now brings it back.

    Parameters
    ----------
    layer : napari.layers.Labels
        Gets the metadata, and the colours that follow from it.
    key : PlaneKey
        The plane whose labels it belongs to.
    metadata : dict
        As from `make_metadata`.
    """
    layer.metadata = {**layer.metadata, KEY: metadata}
    history_of(layer).remember(key, layer.data[key.index], metadata)
    recolour(layer)


def recolour(layer: Labels) -> None:
    """Colour a result layer by its metadata and by what of it is shown, see `layers.shown`.

    Parameters
    ----------
    layer : napari.layers.Labels
        A result.
    """
    metadata: Metadata = metadata_of(layer) or {"names": {}, "foreground": []}
    names, foreground, shown = metadata["names"], metadata["foreground"], shown_of(layer, metadata)
    ids = sorted({*names, *foreground})
    if shown is Shown.OBJECT:
        table = object_table(ids, foreground, [i for i in ids if not names.get(i)])
    else:
        table = colour_table(ids, foreground, groups_of(metadata) if shown is Shown.GROUPS else ())
    given = metadata.get("colours", {}).items()
    # What the palette gives anyway, as it comes back from a file, is not a colour that somebody chose.
    own = {i: colour for i, colour in given if colour != hex_colour(i, is_object=i in foreground)}
    colormap = colormap_of({**table, **own})
    # Another colour map draws the layer anew and tells everybody, even where it is the same.
    if not _is_same(layer.colormap, colormap):
        layer.colormap = colormap


def _is_same(one: Any, other: DirectLabelColormap) -> bool:
    """Whether two colour maps are of the same colours."""
    if not isinstance(one, DirectLabelColormap) or one.color_dict.keys() != other.color_dict.keys():
        return False
    return all(np.array_equal(colour, other.color_dict[label]) for label, colour in one.color_dict.items())
