"""Which file a layer was read from; whoever asks, asks here."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from napari_s3net.provenance import PROGRAM


def file_of(layer: Any) -> Path | None:
    """Say which file, or folder of a series, a layer was read from.

    Parameters
    ----------
    layer : napari.layers.Layer
        An image or labels, opened by napari or noted by `note_file`.

    Returns
    -------
    Path or None
        None for what is from no file; the file need not be there any more.
    """
    path = layer.source.path
    return None if path is None else Path(path)


def note_file(layer: Any, path: Path | None) -> None:
    """Let a layer know its file, as napari does of a file that it opens by this program's reader.

    Parameters
    ----------
    layer : napari.layers.Layer
        The layer.
    path : Path or None
        None where its data is from no file.
    """
    known = None if path is None else str(path)
    layer._source = layer.source.model_copy(  # noqa: SLF001 - no public way
        update={"path": known, "reader_plugin": known and PROGRAM, "sample": None, "parent": None}
    )
