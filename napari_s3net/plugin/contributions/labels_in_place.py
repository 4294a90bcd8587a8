"""Labels from a file lie on the image that is open by their place in space: layers are shown without one."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from napari import current_viewer
from napari.layers import Image as ImageLayer

from napari_s3net.errors import InvalidImageError, ReadWarning
from napari_s3net.image import Geometry, Image
from napari_s3net.io.on_image import is_placed, labels_on
from napari_s3net.io.read import LabelImage
from napari_s3net.plugin.layers.placement import KEY, transform_of


def lay_on_open_image(labels: LabelImage, name: str) -> tuple[LabelImage, dict[str, Any]]:
    """Lay labels on the uppermost image in the viewer whose voxels they are, those of a part with nothing around them.

    Parameters
    ----------
    labels : LabelImage
        As they are in their file.
    name : str
        Of their file, for what is said.

    Returns
    -------
    labels : LabelImage
        Of that image's shape and geometry; as they were where no image that is open knows its place, or none is theirs.
    transform : dict
        Attributes that place a layer of them: those of the image; empty where they were not laid on one.

    Warns
    -----
    ReadWarning
        If images that know their place are open and the labels lie on none of them.
    """
    if labels.array.ndim > 3 or not is_placed(labels.geometry.in_space()):
        return labels, {}
    others = []
    for layer, geometry in _placed_images():
        image = Image(np.broadcast_to(np.uint8(0), layer.data.shape[: layer.ndim][-geometry.ndim :]), geometry, "grey")
        try:
            array = labels_on(image, labels.array, labels.geometry)
        except InvalidImageError:
            others.append(layer.name)
        else:
            return labels._replace(array=array, geometry=geometry), _transform(layer, geometry.ndim)
    if others:
        text = f"{name}: its labels lie elsewhere in space than {', '.join(others[:3])}: they are of another image."
        warnings.warn(text, ReadWarning, stacklevel=2)
    return labels, {}


def _placed_images() -> list[tuple[ImageLayer, Geometry]]:
    """Images in the viewer whose files have told where they lie, the uppermost first."""
    viewer = current_viewer()
    layers = [] if viewer is None else [layer for layer in reversed(viewer.layers) if isinstance(layer, ImageLayer)]
    known = [(layer, (layer.metadata.get(KEY) or {}).get("geometry")) for layer in layers if not layer.multiscale]
    return [
        (layer, geometry)
        for layer, geometry in known
        if isinstance(geometry, Geometry) and geometry.ndim <= layer.ndim and is_placed(geometry.in_space())
    ]


def _transform(layer: ImageLayer, ndim: int) -> dict[str, Any]:
    """What places a layer on an image; of one with an axis of time what places it on each moment."""
    if layer.ndim == ndim:
        return transform_of(layer)
    return {"scale": layer.scale[-ndim:], "translate": layer.translate[-ndim:], "units": layer.units[-ndim:]}
