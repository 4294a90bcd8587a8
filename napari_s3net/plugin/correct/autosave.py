"""Sessions on the disk: labels, strokes, locks and settings, one file for each image and label layer.

They lie in the user's own folder on the user's own machine, readable by nobody else. Each holds where its image came
from, so that it can be opened again, and is written nowhere else.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from qtpy.QtCore import QStandardPaths

from napari_s3net.errors import ReadError, WriteError
from napari_s3net.plugin.layers.metadata import BY_ID
from napari_s3net.plugin.layers.packed import PackedPlane, check_sum
from napari_s3net.plugin.layers.plane_key import PlaneKey
from napari_s3net.plugin.layers.slice_states import SliceStates

#: So many sessions are kept; older ones go.
MOST = 500


def session_folder() -> Path:
    """Where sessions are saved.

    Returns
    -------
    Path
        "napari-s3net/sessions" in the user's folder for program data; it need not exist.
    """
    place = QStandardPaths.writableLocation(QStandardPaths.StandardLocation.GenericDataLocation)
    return Path(place) / "napari-s3net" / "sessions"


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
    pixels : int or None
        Check sum of the image's values, by which another image in the place of this one is noticed; None where they
        are not in memory.
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
    pixels: int | None = None


@dataclass(frozen=True)
class RecentSession:
    """A session in a list.

    Parameters
    ----------
    file : Path
        From which `load` reads it.
    image : str
        What its image was called.
    when : datetime
        When it was saved.
    """

    file: Path
    image: str
    when: datetime


def save(folder: Path, session: SavedSession) -> None:
    """Write a session, whole or not at all, in the place of the one of the same image and label layer.

    Parameters
    ----------
    folder : Path
        Is made where it is missing, and readable by the user alone. The oldest sessions above `MOST` go.
    session : SavedSession
        What to save.

    Raises
    ------
    WriteError
        If the folder or the file cannot be written.
    """
    target = folder / f"{image_key(session.image, session.path, session.labels.shape)}-{_digest(session.name)}.npz"
    partial = target.with_suffix(".partial")
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
        "pixels": session.pixels,
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
        partial.replace(target)
        for old in _newest_first(folder)[MOST:]:
            old.unlink()
    except OSError as error:
        raise WriteError(f"Cannot save the session: {error.strerror}. Save the labels yourself.") from error


def load(file: Path) -> SavedSession:
    """Read a session.

    Parameters
    ----------
    file : Path
        As `find` and `recent` name it.

    Returns
    -------
    SavedSession
        With ids of names and meanings as numbers again.

    Raises
    ------
    ReadError
        If there is none, or it is damaged or made by another version.
    """
    if not file.is_file():
        raise ReadError("There is no earlier session to reopen.")
    try:
        # Opened here, as numpy leaves a damaged file open.
        with file.open("rb") as stream, np.load(stream, allow_pickle=False) as parts:
            about, labels, strokes = json.loads(bytes(parts["about"])), parts["labels"], parts["strokes"]
            locked_part = parts["held"].astype(bool) if "held" in parts else None
            keys = [PlaneKey(tuple(steps)) for steps in about.get("first", ())]
            first = {key: PackedPlane.of(parts[f"first{n}"]) for n, key in enumerate(keys)}
        metadata = about["note"]
        # JSON has text for keys
        metadata |= {key: {int(i): value for i, value in metadata[key].items()} for key in BY_ID if key in metadata}
        locked = tuple(about["locked"])
        states = _states_of_json(about.get("slices", {}))
        return SavedSession(
            image=about["image"],
            path=about["path"],
            labels=labels,
            strokes=strokes,
            name=about["name"],
            metadata=metadata,
            locked=locked,
            locked_part=locked_part,
            states=states,
            first=first,
            pixels=about.get("pixels"),
        )
    except Exception as error:
        raise ReadError("The session is damaged or made by another version. Open the labels you saved.") from error


def find(folder: Path, image: str, path: str | None, shape: tuple[int, ...]) -> Path | None:
    """Find the newest session of an image.

    Parameters
    ----------
    folder : Path
        Of the sessions.
    image : str
        Name of the image's layer.
    path : str or None
        The file that it was opened from; where there is one, the name does not matter.
    shape : tuple of int
        Of its labels.

    Returns
    -------
    Path or None
        None where there is no session of this image.
    """
    return next(iter(_newest_first(folder, f"{image_key(image, path, shape)}-*.npz")), None)


def recent(folder: Path, most: int = 8) -> list[RecentSession]:
    """List the newest sessions; what is damaged is left out.

    Parameters
    ----------
    folder : Path
        Of the sessions.
    most : int, optional
        At most so many.

    Returns
    -------
    list of RecentSession
        The newest first.
    """
    found = []
    for file in _newest_first(folder)[:most]:
        try:
            with file.open("rb") as stream, np.load(stream, allow_pickle=False) as parts:
                image = str(json.loads(bytes(parts["about"]))["image"])
        except Exception:  # noqa: BLE001, S112 - a damaged file may fail in any way, and the others are to be listed
            continue
        found.append(RecentSession(file, image, saved_at(file)))
    return found


def saved_at(file: Path) -> datetime:
    """When a session was saved.

    Parameters
    ----------
    file : Path
        Of the session.

    Returns
    -------
    datetime
        In local time.
    """
    return datetime.fromtimestamp(file.stat().st_mtime).astimezone()


def image_key(image: str, path: str | None, shape: tuple[int, ...]) -> str:
    """What tells an image from all others: its file, or its name and size where it is from none.

    Parameters
    ----------
    image : str
        Name of the layer.
    path : str or None
        The file.
    shape : tuple of int
        Of its labels.

    Returns
    -------
    str
        Sixteen hexadecimal digits.
    """
    return _digest(os.path.abspath(path) if path is not None else f"{image} {shape}")  # noqa: PTH100 - a link stays


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


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()[:16]


def _newest_first(folder: Path, pattern: str = "*.npz") -> list[Path]:
    files = []
    for file in folder.glob(pattern):
        with suppress(OSError):
            files.append((file.stat().st_mtime_ns, file))
    return [file for _, file in sorted(files, reverse=True)]


#: One thread for the one folder, however many docks there are; Python waits for it as it ends.
_THREAD = ThreadPoolExecutor(1, "autosave")


class SessionWriter:
    """Saves in a thread, one session after another."""

    def __init__(self) -> None:
        self._begun: list[tuple[Future[None], Any]] = []

    def save(self, session: SavedSession, owner: Any = None) -> None:
        """Begin to save in a thread; nobody may change the session's arrays after that.

        Parameters
        ----------
        session : SavedSession
            Labels, strokes and settings as they are now.
        owner : object, optional
            What is handed back by `collect` if saving fails; held until then.
        """
        self._begun.append((_THREAD.submit(save, session_folder(), session), owner))

    @property
    def is_busy(self) -> bool:
        """Whether a session is not on the disk yet."""
        return any(not future.done() for future, _ in self._begun)

    def collect(self) -> tuple[str, list[Any]]:
        """Hear how what has ended came out; once.

        Returns
        -------
        words : str
            What went wrong last; empty if nothing did.
        owners : list
            Of the sessions that could not be saved.
        """
        over = [(future, owner) for future, owner in self._begun if future.done()]
        self._begun = [one for one in self._begun if one not in over]
        failed = [(str(error), owner) for future, owner in over if (error := future.exception()) is not None]
        return (failed[-1][0] if failed else ""), [owner for _, owner in failed]

    def wait(self) -> None:
        """Wait until every save that was begun is on the disk, those of other docks too."""
        _THREAD.submit(lambda: None).result()
