"""What napari calls to save a labels layer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from napari import current_viewer
from napari.layers import Image as ImageLayer
from napari.utils.notifications import show_warning

from napari_s3net import io
from napari_s3net.errors import WriteError
from napari_s3net.plugin.layers.file_of import file_of
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
    refuse_image(Path(path), [file_of(image) for image in _images()])
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


def refuse_image(path: Path, images: Iterable[Path | None]) -> None:
    """See that labels do not take the place of an image that is open.

    Parameters
    ----------
    path : Path
        Where they are to be written.
    images : iterable of Path or None
        Files of images; None for one that is from no file.

    Raises
    ------
    WriteError
        If it is one of them.
    """
    for image in images:
        if image is not None and path.exists() and image.exists() and path.samefile(image):
            raise WriteError(f"{path.name} is the image itself, which is not replaced. Give the labels another name.")


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
    for image in reversed(_images()):
        if not image.multiscale and lies_on(attributes, shape, image, finest_level(image)[1]):
            return layer_placement(image, shape)
    return None


def _images() -> list[ImageLayer]:
    """The images in the viewer."""
    viewer = current_viewer()
    return [] if viewer is None else [layer for layer in viewer.layers if isinstance(layer, ImageLayer)]
