"""Nothing is lost: labels, strokes, locks and settings in a folder of their own, every minute and at the end.

One session is kept, the last one. It is the user's own folder on the user's own machine, readable by nobody else; it
holds where the image came from, so that it can be opened again, and is written nowhere else.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from qtpy.QtCore import QStandardPaths

from napari_s3net.errors import ReadError, WriteError


def session_folder() -> Path:
    """Where the last session is kept."""
    place = QStandardPaths.writableLocation(QStandardPaths.StandardLocation.GenericDataLocation)
    return Path(place) / "napari-s3net" / "session"


@dataclass(frozen=True, eq=False)
class Saved:
    """A session.

    Parameters
    ----------
    image : str
        Name of the image layer.
    path : str or None
        The file that it was opened from.
    labels, strokes : numpy.ndarray
        Of the layers; strokes are empty where none were drawn.
    name : str
        Of the label layer.
    note : mapping
        What the label layer knows about itself, without its geometry; empty for labels made elsewhere.
    locked : tuple of int
        Locked labels.
    held : numpy.ndarray or None
        Locked pixels, bool, of the labels' shape; None where there are none.
    """

    image: str
    path: str | None
    labels: NDArray[Any]
    strokes: NDArray[Any]
    name: str
    note: Mapping[str, Any] = field(default_factory=dict)
    locked: tuple[int, ...] = ()
    held: NDArray[np.bool_] | None = None


def save(folder: Path, session: Saved) -> None:
    """Write a session, whole or not at all.

    Raises
    ------
    WriteError
        If that is not possible.
    """
    partial = folder / "session.partial"
    about = {
        "image": session.image,
        "path": session.path,
        "name": session.name,
        "note": {key: value for key, value in session.note.items() if key != "geometry"},
        "locked": list(session.locked),
    }
    try:
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o700)
        with partial.open("wb") as file:
            text = np.frombuffer(json.dumps(about).encode(), np.uint8)
            held = {} if session.held is None else {"held": session.held}
            np.savez_compressed(file, about=text, labels=session.labels, strokes=session.strokes, **held)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(folder / "session.npz")
    except OSError as error:
        raise WriteError(f"Cannot save the session: {error.strerror}. Save the labels yourself.") from error


def load(folder: Path) -> Saved:
    """The session that was saved.

    Raises
    ------
    ReadError
        If there is none, or it is damaged.
    """
    path = folder / "session.npz"
    if not path.is_file():
        raise ReadError("There is no earlier session to reopen.")
    try:
        # Opened here, as numpy leaves a damaged file open.
        with path.open("rb") as stream, np.load(stream, allow_pickle=False) as file:
            about, labels, strokes = json.loads(bytes(file["about"])), file["labels"], file["strokes"]
            held = file["held"].astype(bool) if "held" in file else None
        note = about["note"]
        by_id = ("names", "meanings")  # JSON has text for keys
        note |= {key: {int(i): value for i, value in note[key].items()} for key in by_id if key in note}
        locked = tuple(about["locked"])
        return Saved(about["image"], about["path"], labels, strokes, about["name"], note, locked, held)
    except Exception as error:
        raise ReadError("The last session is damaged or made by another version. Open the labels you saved.") from error


#: One thread for the one folder, however many docks there are; Python waits for it as it ends.
_THREAD = ThreadPoolExecutor(1, "keep")


class Keeper:
    """Saves in a thread, one session after another."""

    def __init__(self) -> None:
        self._going: Future[None] | None = None

    def save(self, session: Saved) -> None:
        """Begin to save; the arrays are copies of the caller's making."""
        self._going = _THREAD.submit(save, session_folder(), session)

    def failure(self) -> str:
        """What went wrong with the last one, in words; empty if nothing did, or it still goes on."""
        if self._going is None or not self._going.done():
            return ""
        error = self._going.exception()
        return str(error) if error is not None else ""

    def wait(self) -> None:
        """Until what was begun is on the disk, by a dock that was closed just before as well."""
        _THREAD.submit(lambda: None).result()
