"""What napari calls to save a labels layer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from napari_s3net import io
from napari_s3net.image import Geometry


def write_labels(path: str, data: Any, attributes: Mapping[str, Any]) -> list[str]:
    """Save one labels layer with the geometry of the image that it belongs to.

    Parameters
    ----------
    path : str
        With one of the suffixes that `napari_s3net.io.write_labels` takes.
    data : array-like
        The layer's labels; of a multiscale layer the finest level is saved.
    attributes : mapping
        The layer's attributes. A layer of ours knows its geometry, and whether it is a mask; any other is placed by its
        scale and translation.

    Returns
    -------
    list of str
        The file that was written.

    Raises
    ------
    WriteError
        With a message for the user.
    """
    labels = np.asarray(data[0] if attributes.get("multiscale") else data)
    note = (attributes.get("metadata") or {}).get("napari_s3net") or {}
    geometry = note.get("geometry")
    if not isinstance(geometry, Geometry) or geometry.ndim != labels.ndim:
        geometry = _placed(labels.ndim, attributes)
    io.write_labels(path, labels, geometry, mask="mask_of" in note)
    return [path]


def _placed(ndim: int, attributes: Mapping[str, Any]) -> Geometry:
    """Geometry from a layer's scale and translation."""
    scale = np.resize(np.abs(attributes.get("scale", 1.0)), ndim)
    origin = np.resize(attributes.get("translate", 0.0), ndim)
    return replace(Geometry.identity(ndim), spacing=tuple(scale.tolist()), origin=tuple(origin.tolist()))
