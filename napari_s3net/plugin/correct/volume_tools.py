"""Label tools that act on all slices of a volume at once, as one step that undo takes back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from math import prod
from typing import Any

from napari_s3net.errors import InvalidImageError
from napari_s3net.plugin.correct.label_editor import LabelEditor
from napari_s3net.plugin.correct.stack_editor import StackEditor
from napari_s3net.plugin.correct.tools import Scope, reshape


def reshape_volume(editor: LabelEditor, scope: Scope, change: Callable[..., Any]) -> bool:
    """Change the shape of regions of a volume.

    Parameters
    ----------
    editor : LabelEditor
        Knows the labels, their locks, and the plane in view, which is one of the volume's.
    scope : "object", "all", int or sequence of int
        Which regions.
    change : callable
        Takes labels (Z, H, W) and the labels of one region, and returns new labels.

    Returns
    -------
    bool
        Whether anything has changed.

    Raises
    ------
    InvalidImageError
        If there is nothing to act on, or the image is a single plane.
    """
    layer, source = editor.target()
    if source.key.axis is None:
        raise InvalidImageError("This image is a single plane, not a volume: leave out the whole volume.")
    before = source.key.stack_in(layer.data)
    after = reshape(replace(editor.plane, labels=before.copy()), scope, editor.locks.labels, change).labels
    changed = {n: plane for n, plane in enumerate(after) if (plane != before[n]).any()}
    return StackEditor(editor).write(layer, source, changed) > 0


def voxel_size(editor: LabelEditor) -> float:
    """Return the volume of a voxel, by which sizes in mm³ become voxels.

    Parameters
    ----------
    editor : LabelEditor
        Knows the image.

    Returns
    -------
    float
        In mm³; 1 where the image does not know its spacing.
    """
    geometry = editor.target()[1].stack_geometry
    return prod(geometry.spacing) if geometry is not None and geometry.unit == "mm" else 1.0
