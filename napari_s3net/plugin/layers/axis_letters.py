"""Which side of the patient lies at which edge of the view."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from napari_s3net.geometry import OPPOSITE
from napari_s3net.image import Geometry
from napari_s3net.plugin.layers.placement import KEY
from napari_s3net.plugin.layers.source import Source

_NIFTI = re.compile(r"(?i)\.(nii|hdr|img)(\.gz)?$")


class AxisLetters(NamedTuple):
    """The letters at the four edges of the view.

    Parameters
    ----------
    left, right, top, bottom : str
        One of `OPPOSITE` each.
    """

    left: str
    right: str
    top: str
    bottom: str


def axis_letters(layer: Any, source: Source, displayed: Sequence[int], camera: Any = None) -> AxisLetters | None:
    """Say which side of the patient lies at which edge of the view.

    Parameters
    ----------
    layer : napari.layers.Image
        A volume, or a slice of one.
    source : Source
        Its plane in view.
    displayed : sequence of int
        The viewer's axes in view, rows first.
    camera : napari.components.Camera, optional
        Says whether rows run down and columns to the right, as they do unless somebody has turned the view.

    Returns
    -------
    AxisLetters or None
        The letters of the nearest axes. None where the file does not say how the patient lies, the layer was turned in
        napari, or the view is three-dimensional.
    """
    grows = _growing(layer, source)
    if grows is None or len(displayed) != 2:
        return None
    rows, columns = source.key.axes if displayed[0] < displayed[1] else source.key.axes[::-1]
    if layer.ndim - min(rows, columns) > len(grows):  # an axis of time is in view
        return None
    bottom, right = grows[layer.ndim - 1 - rows], grows[layer.ndim - 1 - columns]
    down, to_right = (str(way) for way in getattr(camera, "orientation2d", ("down", "right")))
    if down == "up":
        bottom = OPPOSITE[bottom]
    if to_right == "left":
        right = OPPOSITE[right]
    return AxisLetters(OPPOSITE[right], right, OPPOSITE[bottom], bottom)


def _growing(layer: Any, source: Source) -> str | None:
    """To which side the index grows along the layer's last axes, the last one first; None where that is not known."""
    known = layer.metadata.get(KEY, {}).get("geometry")
    volume = known.volume or known if isinstance(known, Geometry) else None
    if volume is None or volume.ndim != 3 or volume.unit != "mm" or not volume.orientation:
        return None
    forms = volume.nifti_forms
    if source.path is not None and _NIFTI.search(source.path) and (forms is None or not forms.is_placed):
        return None  # a header without placings tells a spacing, and not where the patient's left is
    turned = np.asarray(layer.affine.affine_matrix)[:-1, :-1] @ np.asarray(layer.rotate)
    return volume.shown if np.allclose(turned, np.eye(layer.ndim)) and not np.any(layer.shear) else None
