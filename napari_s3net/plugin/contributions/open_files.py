"""Ways to an image, from the dock and the File menu: file, folder, sample. Errors become notifications."""

from __future__ import annotations

from typing import Any

from napari import current_viewer
from napari.utils.notifications import show_error
from qtpy.QtWidgets import QApplication, QFileDialog, QInputDialog, QWidget

from napari_s3net.errors import AmbiguousSeriesError, S3NetError
from napari_s3net.image import Image
from napari_s3net.io import read_image
from napari_s3net.plugin.contributions.reader import layer_data

PLUGIN = "napari-s3net"
PATTERNS = "*.png *.jpg *.jpeg *.bmp *.tif *.tiff *.dcm *.ima *.nii *.nii.gz *.hdr *.mha *.mhd *.nrrd *.nhdr"
FILES = f"Images ({PATTERNS});;All files (*)"


def open_file() -> None:
    """Ask for files and open them in the window in use, whatever their names are."""
    open_image(current_viewer(), QApplication.activeWindow(), "file")


def open_folder() -> None:
    """Ask for a folder and open its DICOM series in the window in use; where there are several, ask for one."""
    open_image(current_viewer(), QApplication.activeWindow(), "folder")


def open_image(viewer: Any, parent: QWidget | None, what: str) -> None:
    """Ask for an image and open it; what goes wrong is told in a notification.

    Parameters
    ----------
    viewer : napari.Viewer
        Gets the layers.
    parent : QWidget or None
        The window that the questions stand before.
    what : str
        "file" asks for files, "folder" for a DICOM folder; anything else is the key of a sample.
    """
    if what == "file":
        paths, _ = QFileDialog.getOpenFileNames(parent, "Open image", "", FILES)
    elif what == "folder":
        folder = QFileDialog.getExistingDirectory(parent, "Open DICOM folder")
        paths = [folder] if folder else []
    else:
        viewer.open_sample(PLUGIN, what)
        return
    for path in paths:
        try:
            _open(viewer, path)
        except AmbiguousSeriesError as error:
            _open_series(viewer, parent, path, error)
        except Exception as error:  # noqa: BLE001 - a reader may fail in any way, and napari must not go down with it
            show_error(str(error))


def _open(viewer: Any, path: str) -> None:
    """Through napari, which remembers the path; what has a name that napari does not hand to us, by ourselves."""
    try:
        viewer.open(path, plugin=PLUGIN)
    except S3NetError:
        raise
    except Exception:  # noqa: BLE001 - napari's refusals are of many kinds
        _add(viewer, read_image(path))


def _add(viewer: Any, image: Image) -> None:
    array, attributes, _ = layer_data(image)
    viewer.add_image(array, **attributes)


def _open_series(viewer: Any, parent: QWidget | None, folder: str, error: AmbiguousSeriesError) -> None:
    """Ask which of several series is meant, and open that one."""
    texts = [f"{n}. {text}" for n, (_, text) in enumerate(error.series, 1)]
    question = f"{len(texts)} series are in this folder. Open:"
    text, chosen = QInputDialog.getItem(parent, "Open DICOM folder", question, texts, editable=False)
    if chosen:
        _add(viewer, read_image(folder, series=error.series[texts.index(text)][0]))
