"""Labels from a file lie on the image that is open by their place in space: layers are shown without one."""

from __future__ import annotations

import warnings
from contextlib import suppress
from typing import Any

import numpy as np
from napari import current_viewer
from napari.layers import Image as ImageLayer
from numpy.typing import NDArray

from napari_s3net.errors import InvalidImageError, ReadWarning
from napari_s3net.image import Geometry, Image
from napari_s3net.io.on_image import is_placed, labels_on, lay_on
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
        If images that know their place are open and the labels lie on none of them; of labels that count by their size
        as `lay_on` remarks on them.
    """
    times = labels.array.ndim - labels.geometry.ndim
    if not is_placed(labels.geometry.in_space()):
        return (labels, {}) if times else _lay_by_size(labels, name)
    others = []
    for layer, geometry in _known_images():
        if not is_placed(geometry.in_space()) or (times and layer.ndim != geometry.ndim + times):
            continue
        try:
            array = _laid_on(_image_of(layer, geometry), labels)
        except InvalidImageError:
            others.append(layer.name)
        else:
            return labels._replace(array=array, geometry=geometry), _transform(layer, geometry.ndim + times)
    if others:
        text = f"{name}: its labels lie elsewhere in space than {', '.join(others[:3])}: they are of another image."
        warnings.warn(text, ReadWarning, stacklevel=2)
    return labels, {}


def _laid_on(image: Image, labels: LabelImage) -> NDArray[Any]:
    """Labels where they lie on an image; of a series each of its moments."""
    if labels.array.ndim == labels.geometry.ndim:
        return labels_on(image, labels.array, labels.geometry)
    return np.stack([labels_on(image, moment, labels.geometry) for moment in labels.array])


def _lay_by_size(labels: LabelImage, name: str) -> tuple[LabelImage, dict[str, Any]]:
    """Labels without a place: as they are, but for those on the stored pixels of a photograph, which its note turns."""
    fitting = []
    for layer, geometry in _known_images():
        with suppress(InvalidImageError):
            fitting.append((layer, geometry, *lay_on(_image_of(layer, geometry), labels.array, labels.geometry)))
    if not fitting:
        return labels, {}
    layer, geometry, array, remark = min(fitting, key=lambda one: one[2] is not labels.array)
    if remark:
        warnings.warn(f"{name} on {layer.name}: {remark}", ReadWarning, stacklevel=3)
    if array is labels.array:
        return labels, {}
    return labels._replace(array=array, geometry=geometry), _transform(layer, geometry.ndim)


def _image_of(layer: ImageLayer, geometry: Geometry) -> Image:
    """An image of a layer's shape, without its pixels."""
    return Image(np.broadcast_to(np.uint8(0), layer.data.shape[: layer.ndim][-geometry.ndim :]), geometry, "grey")


def _known_images() -> list[tuple[ImageLayer, Geometry]]:
    """Images in the viewer that were read from files here, the uppermost first."""
    viewer = current_viewer()
    layers = [] if viewer is None else [layer for layer in reversed(viewer.layers) if isinstance(layer, ImageLayer)]
    known = [(layer, (layer.metadata.get(KEY) or {}).get("geometry")) for layer in layers if not layer.multiscale]
    return [
        (layer, geometry) for layer, geometry in known if isinstance(geometry, Geometry) and geometry.ndim <= layer.ndim
    ]


def _transform(layer: ImageLayer, ndim: int) -> dict[str, Any]:
    """What places a layer on an image; of one with an axis of time what places it on each moment."""
    if layer.ndim == ndim:
        return transform_of(layer)
    return {"scale": layer.scale[-ndim:], "translate": layer.translate[-ndim:], "units": layer.units[-ndim:]}
