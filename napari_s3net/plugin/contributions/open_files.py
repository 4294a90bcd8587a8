"""Ways to an image, from the dock and the File menu: file, folder, sample. Errors become notifications."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from napari import current_viewer
from napari.layers import Image as ImageLayer
from napari.utils.notifications import show_error
from qtpy.QtWidgets import QApplication, QFileDialog, QInputDialog, QWidget

from napari_s3net.errors import AmbiguousSeriesError, S3NetError
from napari_s3net.image import Image
from napari_s3net.io import read_image
from napari_s3net.io.listing import images_among
from napari_s3net.io.validation.headers import SUFFIXES, stem
from napari_s3net.plugin import PLUGIN
from napari_s3net.plugin.contributions.reader import LayerData, layer_data, read
from napari_s3net.plugin.jobs.thread_job import is_busy
from napari_s3net.plugin.layers.file_of import note_file
from napari_s3net.plugin.layers.image_in_place import another_image, can_take, lies_at
from napari_s3net.plugin.layers.one_update import one_update
from napari_s3net.plugin.layers.proxy import plain
from napari_s3net.plugin.layers.result_layer import layers_of, metadata_of, why_not_writable
from napari_s3net.plugin.layers.view import show_whole
from napari_s3net.plugin.layers.waiting import is_waiting, let_wait
from napari_s3net.plugin.widgets.remembered import recall, remember

#: Under which the folder of the last image is remembered.
FOLDER = "open/folder"
FILES = f"Images ({' '.join(f'*{suffix}' for suffix in SUFFIXES)});;All files (*)"


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
    last = str(recall(FOLDER, ""))
    if what == "file":
        paths, _ = QFileDialog.getOpenFileNames(parent, "Open image", last, FILES)
    elif what == "folder":
        folder = QFileDialog.getExistingDirectory(parent, "Open DICOM folder", last)
        paths = [folder] if folder else []
    else:
        viewer.open_sample(PLUGIN, what)
        return
    if paths:
        remember(FOLDER, str(Path(paths[0]).parent))
    for path in paths:
        try:
            _open(viewer, path)
        except AmbiguousSeriesError as error:
            _open_series(viewer, parent, path, error)
        except Exception as error:  # noqa: BLE001 - a reader may fail in any way, and napari must not go down with it
            show_error(str(error))


def open_in_place(viewer: Any, path: Path, image: ImageLayer) -> bool:
    """Open an image in the place of one that is done with; that one stays where the other cannot be opened.

    Its layer takes the new image where it can, which takes napari a fifth of the time, and goes otherwise.

    Parameters
    ----------
    viewer : napari.Viewer
        Gets the image, which is fitted into the view.
    path : Path
        The image's file.
    image : napari.layers.Image
        The image that is done with. What was made from it goes.

    Returns
    -------
    bool
        Whether the image is there; what went wrong is told in a notification.
    """
    try:
        data = None if is_busy() else read(str(path))[0]  # a run may still write to the layers
        if data is not None and can_take(image, data):
            _show_in_place(viewer, image, data, path)
        else:
            with one_update(viewer):
                _open(viewer, str(path))
                for layer in reversed(layers_of(viewer.layers, image)):
                    viewer.layers.remove(layer)
    except Exception as error:  # noqa: BLE001 - a reader may fail in any way, and napari must not go down with it
        show_error(str(error))
        return False
    show_whole(viewer)
    return True


def _show_in_place(viewer: Any, image: ImageLayer, data: LayerData, path: Path) -> None:
    """Give the image's layer the next image; its uppermost result layer waits for a result of that."""
    spacing = data[1]["scale"]
    found = [one for one in layers_of(viewer.layers, image) if metadata_of(one) is not None or is_waiting(one)]
    labels = next((one for one in reversed(found) if not why_not_writable(one) and lies_at(one, spacing)), None)
    with another_image(viewer, image, labels, data, path):
        if labels is not None:
            let_wait(labels, image, data[1]["name"], data[0].shape[:2])
        viewer.layers.selection.active = image


def next_image(path: Path | None) -> Path | None:
    """Find the image that comes after another one in its folder, in the order in which people count.

    Parameters
    ----------
    path : Path or None
        A file; a folder, and None, have none after it.

    Returns
    -------
    Path or None
        None after the last one. Hidden files, and results that were saved beside their image, are left out.
    """
    if path is None or not path.is_file():
        return None
    place = _counted(path)
    named = (one for one in path.parent.iterdir() if one.name.lower().endswith(SUFFIXES))
    later = {one: _counted(one) for one in images_among(named)}
    return min((one for one in later if later[one] > place), key=later.__getitem__, default=None)


def _counted(path: Path) -> list[tuple[int, str]]:
    """A name such that 9 comes before 10, and what has no number before both; files of one stem by their endings."""
    parts = re.split(r"(\d+)", stem(path))
    counted = [(int(part), "") if part.isdecimal() else (-1, part.lower()) for part in parts]
    return [*counted, (-1, path.name.lower())]


def _open(viewer: Any, path: str) -> None:
    """Through napari, which remembers the path; what has a name that napari does not hand to us, by ourselves."""
    try:
        viewer.open(path, plugin=PLUGIN)
    except S3NetError:
        raise
    except Exception:  # noqa: BLE001 - napari's refusals are of many kinds
        _add(viewer, read_image(path), Path(path))


def _add(viewer: Any, image: Image, path: Path | None = None) -> None:
    array, attributes, _ = layer_data(image)
    note_file(plain(viewer.add_image(array, **attributes)), path)


def _open_series(viewer: Any, parent: QWidget | None, folder: str, error: AmbiguousSeriesError) -> None:
    """Ask which of several series is meant, and open that one."""
    texts = [f"{n}. {text}" for n, (_, text) in enumerate(error.series, 1)]
    question = f"{len(texts)} series are in this folder. Open:"
    text, chosen = QInputDialog.getItem(parent, "Open DICOM folder", question, texts, editable=False)
    if chosen:
        _add(viewer, read_image(folder, series=error.series[texts.index(text)][0]))
