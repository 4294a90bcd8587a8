"""Strokes to a file and back, as label images: with the geometry of their labels."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from napari.utils.notifications import show_info
from numpy.typing import NDArray
from qtpy.QtWidgets import QFileDialog, QWidget

from napari_s3net.errors import InvalidConstraintsError
from napari_s3net.image import Image
from napari_s3net.io import read_labels
from napari_s3net.io.on_image import labels_on, read_labels_on
from napari_s3net.plugin.contributions.writer import label_placement, write_labels
from napari_s3net.plugin.correct.label_editor import LabelEditor
from napari_s3net.plugin.segment.save_result import LABEL_FILTERS


def save_strokes(parent: QWidget, editor: LabelEditor) -> None:
    """Ask for a file, and write all strokes of the labels to it.

    Parameters
    ----------
    parent : QWidget
        The window that the question stands before.
    editor : LabelEditor
        Knows the strokes, and the geometry of their labels.

    Raises
    ------
    InvalidConstraintsError
        If there are no strokes.
    WriteError
        If the file cannot be written.
    """
    strokes = editor.strokes.layer
    if strokes is None or not strokes.data.any():
        raise InvalidConstraintsError("There are no strokes to save yet.")
    flat = strokes.ndim == 2
    name = f"{strokes.name}{'.png' if flat else '.nii.gz'}"
    formats = ";;".join(sorted(LABEL_FILTERS, key=lambda f: f.startswith("PNG") != flat))
    path, _ = QFileDialog.getSaveFileName(parent, "Save strokes", name, formats)
    if path:
        write_labels(path, *_attributes(editor, strokes))
        show_info("Strokes saved.")


def load_strokes(parent: QWidget, editor: LabelEditor) -> None:
    """Ask for a file, and put its strokes in the place of those that are there.

    Parameters
    ----------
    parent : QWidget
        The window that the question stands before.
    editor : LabelEditor
        Gets the strokes.

    Raises
    ------
    ReadError
        If the file cannot be read, or holds colours or fractions.
    InvalidImageError
        If the strokes lie elsewhere than the labels, or are of another size where one of them knows no place.
    """
    path, _ = QFileDialog.getOpenFileName(parent, "Load strokes", "", ";;".join((*LABEL_FILTERS, "All files (*)")))
    if path:
        editor.strokes.put(_read_onto(editor, Path(path)))


def _read_onto(editor: LabelEditor, path: Path) -> NDArray[Any]:
    """Strokes of a file where they lie on the labels; of several times those of the same shape."""
    strokes = editor.strokes.make()
    data, attributes = _attributes(editor, strokes)
    geometry = label_placement(data.shape, attributes).geometry
    if data.ndim > 3:
        read = read_labels(path, times=True)
        if read.array.ndim < data.ndim:
            return read.array
        moment = Image(data[(0,) * (data.ndim - 3)], geometry, "grey")
        return np.stack([labels_on(moment, volume, read.geometry) for volume in read.array])
    drawn_on = Image(data, geometry, "grey")
    return read_labels_on(drawn_on, Path(strokes.name), path).array


def _attributes(editor: LabelEditor, strokes: Any) -> tuple[Any, dict[str, Any]]:
    """The strokes' data, with the metadata of the labels, which know their geometry."""
    data, attributes, _ = strokes.as_layer_data_tuple()
    labels = editor.layer
    return data, {**attributes, "metadata": {} if labels is None else dict(labels.metadata)}
