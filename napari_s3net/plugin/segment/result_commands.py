"""What is done with a result as it is: saved, copied, shown in 3-D. What goes wrong becomes a notification."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from napari.layers import Labels
from napari.utils.notifications import show_error, show_info
from qtpy.QtWidgets import QApplication, QWidget

from napari_s3net.errors import S3NetError
from napari_s3net.plugin.layers.source import Source
from napari_s3net.plugin.layers.surface_layer import show_surface
from napari_s3net.plugin.segment.copy_result import ToCopy, as_command, as_python, result_to_copy
from napari_s3net.plugin.segment.save_result import ask_and_save, save_beside


def save(what: str, parent: QWidget, layer: Labels, source: Source | None) -> None:
    """Save a result.

    Parameters
    ----------
    what : str
        "save" beside the image, "save_labels" or "save_mask" to a file that is asked for.
    parent : QWidget
        The dialog stands before it.
    layer : napari.layers.Labels
        The result.
    source : Source or None
        The plane of the image in view.
    """
    if what == "save":
        save_beside(parent, layer, source)
    else:
        ask_and_save(parent, what.removeprefix("save_"), layer, source)


def copy(what: str, layer: Labels, source: Source, device: str) -> None:
    """Put on the clipboard how a result is made again.

    Parameters
    ----------
    what : str
        "copy_python" or "copy_command".
    layer : napari.layers.Labels
        The result.
    source : Source
        The plane of the image in view.
    device : str
        What the copied lines compute on: "auto", "cpu", "cuda:0".
    """
    words: Callable[[ToCopy], str] = as_python if what == "copy_python" else as_command
    made = result_to_copy(layer, source, device)
    QApplication.clipboard().setText(made if isinstance(made, str) else words(made))
    show_info("Copied to the clipboard.")


def show_in_3d(viewer: Any, layer: Labels) -> None:
    """Draw the object's surface; a single plane or an empty object says why there is none.

    Parameters
    ----------
    viewer : napari.Viewer
        Gets the surface.
    layer : napari.layers.Labels
        The result.
    """
    try:
        show_surface(viewer, layer)
    except S3NetError as error:
        show_error(str(error))
