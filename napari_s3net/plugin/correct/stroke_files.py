"""Strokes to a file and back, as label images: with the geometry of their labels."""

from __future__ import annotations

from typing import Any

from napari.utils.notifications import show_info
from qtpy.QtWidgets import QFileDialog, QWidget

from napari_s3net.errors import InvalidConstraintsError
from napari_s3net.io import read_labels
from napari_s3net.plugin.contributions.writer import write_labels
from napari_s3net.plugin.correct.label_editor import LabelEditor

FORMATS = "NIfTI (*.nii.gz *.nii);;PNG (*.png);;TIFF (*.tif *.tiff);;NRRD (*.nrrd);;MetaImage (*.mha)"


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
    formats = ";;".join(sorted(FORMATS.split(";;"), key=lambda f: f.startswith("PNG") != flat))
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
        If the strokes are not of the labels' shape.
    """
    path, _ = QFileDialog.getOpenFileName(parent, "Load strokes", "", f"{FORMATS};;All files (*)")
    if path:
        editor.strokes.put(read_labels(path).array)


def _attributes(editor: LabelEditor, strokes: Any) -> tuple[Any, dict[str, Any]]:
    """The strokes' data, with the metadata of the labels, which know their geometry."""
    data, attributes, _ = strokes.as_layer_data_tuple()
    labels = editor.layer
    return data, {**attributes, "metadata": {} if labels is None else dict(labels.metadata)}
