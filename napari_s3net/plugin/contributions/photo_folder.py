"""A folder of images that are no series, dropped on the window: it leads to the Batch dock."""

from __future__ import annotations

from pathlib import Path

from napari import current_viewer
from napari.utils.notifications import show_info

from napari_s3net.io import is_readable
from napari_s3net.plugin.widgets.dock import show_dock


def lead_to_batch(folder: Path) -> bool:
    """Open the Batch dock of the window in use on a folder, where that holds images.

    Parameters
    ----------
    folder : Path
        One that cannot be opened as an image itself.

    Returns
    -------
    bool
        False where there is no window, or no image in the folder: nothing was done.
    """
    viewer = current_viewer()
    if getattr(viewer, "window", None) is None or not folder.is_dir():
        return False
    count = sum(file.is_file() and is_readable(file) for file in folder.iterdir() if not file.name.startswith("."))
    if not count:
        return False
    show_dock(viewer, "Batch").form.take_source(folder)
    images = "an image" if count == 1 else f"{count:,} images"
    show_info(f"This folder holds {images} and no series. Batch works through them: Start writes beside it.")
    return True
