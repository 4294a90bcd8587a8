"""The session on the disk: labels, strokes, locks and settings in a folder of their own, written and read back.

There is one session, the last one. It is the user's own folder on the user's own machine, readable by nobody else; it
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
from napari_s3net.plugin.layers.packed import PackedPlane, check_sum
from napari_s3net.plugin.layers.plane_key import PlaneKey
from napari_s3net.plugin.layers.slice_states import SliceStates


def session_folder() -> Path:
    """Where the last session is saved.

    Returns
    -------
    Path
        "napari-s3net/session" in the user's folder for program data; it need not exist.
    """
    place = QStandardPaths.writableLocation(QStandardPaths.StandardLocation.GenericDataLocation)
    return Path(place) / "napari-s3net" / "session"


@dataclass(frozen=True, eq=False)
class SavedSession:
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
    metadata : mapping
        What the label layer knows about itself, without its geometry; empty for labels made elsewhere.
    locked : tuple of int
        Locked labels.
    locked_part : numpy.ndarray or None
        Locked pixels, bool, of the labels' shape; None where there are none.
    states : SliceStates
        Which planes somebody has looked at, or corrected.
    first : mapping of PlaneKey to PackedPlane
        Planes as the run made them; those that have other labels now are written.
    """

    image: str
    path: str | None
    labels: NDArray[Any]
    strokes: NDArray[Any]
    name: str
    metadata: Mapping[str, Any] = field(default_factory=dict)
    locked: tuple[int, ...] = ()
    locked_part: NDArray[np.bool_] | None = None
    states: SliceStates = field(default_factory=SliceStates)
    first: Mapping[PlaneKey, PackedPlane] = field(default_factory=dict)


def save(folder: Path, session: SavedSession) -> None:
    """Write a session as `session.npz`, whole or not at all.

    Parameters
    ----------
    folder : Path
        Is made where it is missing, and readable by the user alone.
    session : SavedSession
        Takes the place of the one that was saved before.

    Raises
    ------
    WriteError
        If the folder or the file cannot be written.
    """
    partial = folder / "session.partial"
    first = {
        key: plane.labels
        for key, plane in session.first.items()
        if plane.check_sum != check_sum(session.labels[key.index])
    }
    about = {
        "image": session.image,
        "path": session.path,
        "name": session.name,
        "note": {key: value for key, value in session.metadata.items() if key != "geometry"},
        "locked": list(session.locked),
        "slices": _states_to_json(session.states),
        "first": [key.steps for key in first],
    }
    try:
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o700)
        with partial.open("wb") as file:
            text = np.frombuffer(json.dumps(about).encode(), np.uint8)
            arrays = {"about": text, "labels": session.labels, "strokes": session.strokes}
            if session.locked_part is not None:
                arrays["held"] = session.locked_part
            arrays |= {f"first{n}": plane for n, plane in enumerate(first.values())}
            np.savez_compressed(file, **arrays)  # type: ignore[arg-type]  # its stub takes every name for `allow_pickle`
            file.flush()
            os.fsync(file.fileno())
        partial.replace(folder / "session.npz")
    except OSError as error:
        raise WriteError(f"Cannot save the session: {error.strerror}. Save the labels yourself.") from error


def load(folder: Path) -> SavedSession:
    """Read the session that was saved.

    Parameters
    ----------
    folder : Path
        Where `SessionWriter` saved it.

    Returns
    -------
    SavedSession
        With ids of names and meanings as numbers again.

    Raises
    ------
    ReadError
        If there is none, or it is damaged or made by another version.
    """
    path = folder / "session.npz"
    if not path.is_file():
        raise ReadError("There is no earlier session to reopen.")
    try:
        # Opened here, as numpy leaves a damaged file open.
        with path.open("rb") as stream, np.load(stream, allow_pickle=False) as file:
            about, labels, strokes = json.loads(bytes(file["about"])), file["labels"], file["strokes"]
            locked_part = file["held"].astype(bool) if "held" in file else None
            keys = [PlaneKey(tuple(steps)) for steps in about.get("first", ())]
            first = {key: PackedPlane.of(file[f"first{n}"]) for n, key in enumerate(keys)}
        metadata = about["note"]
        by_id = ("names", "meanings")  # JSON has text for keys
        metadata |= {key: {int(i): value for i, value in metadata[key].items()} for key in by_id if key in metadata}
        locked = tuple(about["locked"])
        states = _states_of_json(about.get("slices", {}))
        return SavedSession(
            about["image"], about["path"], labels, strokes, about["name"], metadata, locked, locked_part, states, first
        )
    except Exception as error:
        raise ReadError("The last session is damaged or made by another version. Open the labels you saved.") from error


def _states_to_json(states: SliceStates) -> dict[str, list[Any]]:
    """States of slices as plain lists: each plane by its steps."""
    return {
        "seen": [key.steps for key in states.seen],
        "corrected": [key.steps for key in states.corrected],
        "carried": [(key.steps, number) for key, number in states.carried.items()],
    }


def _states_of_json(values: Mapping[str, Any]) -> SliceStates:
    """States of slices that have been through JSON; none where an earlier version has written none."""
    seen, corrected = ({PlaneKey(tuple(steps)) for steps in values.get(name, ())} for name in ("seen", "corrected"))
    carried = {PlaneKey(tuple(steps)): int(number) for steps, number in values.get("carried", ())}
    return SliceStates(seen, corrected, carried)


#: One thread for the one folder, however many docks there are; Python waits for it as it ends.
_THREAD = ThreadPoolExecutor(1, "autosave")


class SessionWriter:
    """Saves in a thread, one session after another."""

    def __init__(self) -> None:
        self._newest: Future[None] | None = None

    def save(self, session: SavedSession) -> None:
        """Begin to save in a thread; nobody may change the session's arrays after that.

        Parameters
        ----------
        session : SavedSession
            Labels, strokes and settings as they are now.
        """
        self._newest = _THREAD.submit(save, session_folder(), session)

    @property
    def is_busy(self) -> bool:
        """Whether the newest session is not on the disk yet."""
        return self._newest is not None and not self._newest.done()

    @property
    def failure(self) -> str:
        """What went wrong with the newest one, in words; empty if nothing did, or it still goes on."""
        error = self._newest.exception() if self._newest is not None and self._newest.done() else None
        return "" if error is None else str(error)

    def wait(self) -> None:
        """Wait until every save that was begun is on the disk, those of other docks too."""
        _THREAD.submit(lambda: None).result()
