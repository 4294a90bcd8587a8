"""Names and colours of a label layer, as files hold them: of a result, of labels from a file, of any others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from napari.utils.colormaps import DirectLabelColormap
from numpy.typing import NDArray

from napari_s3net.export.formats import mask_segment, segments_of
from napari_s3net.image import Geometry
from napari_s3net.labels.ids import ids_in
from napari_s3net.plugin.layers.palette import colormap_of
from napari_s3net.plugin.layers.placement import KEY
from napari_s3net.result import Segmentation
from napari_s3net.segments import Colour, Segment, name_of_label

#: Labels that are painted by hand are few; more are instances, which have no names.
MOST_NAMED = 255


def layer_segments(attributes: Mapping[str, Any], labels: NDArray[Any]) -> list[Segment]:
    """Say how the labels of a layer are called and coloured.

    Parameters
    ----------
    attributes : mapping
        Of the layer, as napari gives them to writers.
    labels : numpy.ndarray
        Its data.

    Returns
    -------
    list of Segment
        Of a result every label that it knows, of a mask the object; of any other layer the labels that occur, by the
        names in its features and the colours in which it is shown. Empty where these are more than `MOST_NAMED`.
    """
    about = (attributes.get("metadata") or {}).get(KEY) or {}
    if "mask_of" in about:
        return [mask_segment(about.get("object_name", "Object"))]
    if "settings" in about:
        nowhere = Geometry.identity(labels.ndim)  # where the labels lie says nothing of what they are called
        return segments_of(Segmentation.from_metadata(labels, nowhere, about))
    ids = np.array(ids_in(labels), int)
    named = names_in_features(attributes.get("features", ()))
    if len(ids) > MOST_NAMED or labels.min(initial=0) < 0:
        return []
    codes = about.get("codes", {})
    return [
        Segment(label, named.get(label) or name_of_label(label), colour, codes=codes.get(label))
        for label, colour in zip(ids.tolist(), _shown_colours(attributes.get("colormap"), ids), strict=True)
    ]


def names_in_features(features: Any) -> dict[int, str]:
    """Names of labels that were opened from a file, as from a DICOM segmentation.

    Parameters
    ----------
    features : pandas.DataFrame
        Of the label layer; the reader puts "index" and "name" there.

    Returns
    -------
    dict of int to str
        Empty where there are none.
    """
    if not {"index", "name"} <= set(features):
        return {}
    return {int(i): str(name) for i, name in zip(features["index"], features["name"], strict=True)}


def segment_colormap(segments: Sequence[Segment]) -> DirectLabelColormap:
    """Make the colours of a layer from those of segments.

    Parameters
    ----------
    segments : sequence of Segment
        As read from a file.

    Returns
    -------
    DirectLabelColormap
        Labels without a colour are grey.
    """
    table: dict[int | None, Any] = {None: (0.6, 0.6, 0.6, 1.0), 0: (0.0, 0.0, 0.0, 0.0)}
    for segment in segments:
        if segment.colour is not None:
            table[segment.label] = (*(value / 255 for value in segment.colour), 1.0)
    return colormap_of(table)


def _shown_colours(colormap: Any, ids: NDArray[Any]) -> list[Colour | None]:
    """The colours of labels in a layer; None of those that cannot be seen."""
    if colormap is None:
        return [None] * len(ids)
    colours: list[Colour | None] = []
    for label in ids.tolist():
        red, green, blue, opacity = np.asarray(colormap.map(label), float).ravel().tolist()
        seen = (round(255 * red), round(255 * green), round(255 * blue))
        colours.append(seen if opacity else None)
    return colours
