"""What napari calls to save a labels layer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from napari import current_viewer
from napari.layers import Image as ImageLayer
from napari.utils.notifications import show_warning

from napari_s3net import io
from napari_s3net.plugin.layers.layer_segments import layer_segments
from napari_s3net.plugin.layers.placement import KEY, Placement, lies_on, placement_of
from napari_s3net.plugin.layers.source import finest_level, layer_placement


def write_labels(path: str, data: Any, attributes: Mapping[str, Any]) -> list[str]:
    """Save one labels layer with names and colours, and with the geometry of the image that it lies on.

    Parameters
    ----------
    path : str
        With one of the suffixes that `napari_s3net.io.write_labels` takes; of a stack as PNG each slice becomes a file,
        in a folder of this name.
    data : array-like
        The layer's labels; of a multiscale layer the finest level is saved.
    attributes : mapping
        The layer's attributes. Labels that lie on an image in the viewer take its geometry, also those made by napari's
        "New labels"; any others are placed by their own transform, see `placement_of`. What of that cannot be saved is
        said in a notification.

    Returns
    -------
    list of str
        The files that were written.

    Raises
    ------
    WriteError
        With a message for the user.
    """
    labels = np.asarray(data[0] if attributes.get("multiscale") else data)
    placement = label_placement(labels.shape, attributes)
    if placement.problem:
        show_warning(f"{attributes.get('name', 'Labels')}: {placement.problem}.")
    known, segments = (attributes.get("metadata") or {}).get(KEY) or {}, layer_segments(attributes, labels)
    is_mask = "mask_of" in known
    if path.lower().endswith(".png") and labels.ndim == 3:
        folder = path[: -len(".png")]
        written = io.write_label_slices(folder, labels, placement.geometry, mask=is_mask, segments=segments)
        return [str(one) for one in written]
    io.write_labels(path, labels, placement.geometry, mask=is_mask, segments=segments)
    return [path]


def label_placement(shape: tuple[int, ...], attributes: Mapping[str, Any]) -> Placement:
    """Where a labels layer lies: as the uppermost image that it lies on pixel by pixel, else by its own transform.

    Parameters
    ----------
    shape : tuple of int
        Of its labels.
    attributes : mapping
        The layer's attributes.

    Returns
    -------
    Placement
        See `placement_of`.
    """
    return _image_placement(shape, attributes) or placement_of(attributes, shape)


def _image_placement(shape: tuple[int, ...], attributes: Mapping[str, Any]) -> Placement | None:
    """The placement of the uppermost image in the viewer that labels lie on pixel by pixel; None without one."""
    viewer = current_viewer()
    images = [] if viewer is None else [layer for layer in viewer.layers if isinstance(layer, ImageLayer)]
    for image in reversed(images):
        if not image.multiscale and lies_on(attributes, shape, image, finest_level(image)[1]):
            return layer_placement(image, shape)
    return None
