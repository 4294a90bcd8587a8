"""Whether files have come, gone or changed in folders since they were last looked at; looked at in a thread."""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from itertools import islice
from pathlib import Path

from qtpy.QtCore import QObject, QTimer, Signal

POLL_MS = 50
#: Of folders with more files than that only so many are looked at.
MOST = 20_000


class FolderWatch(QObject):
    """Looks at folders when it is asked to, as when somebody comes back to the window.

    Signals
    -------
    changed()
        The folders are not as they were at the last look.
    """

    changed = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._thread = ThreadPoolExecutor(1, "folders")
        self._running: Future[int] | None = None
        self._asked_again = False
        self._places: tuple[Path, ...] = ()
        self._recursive = True
        #: Of the last look; None before the first one.
        self._known: int | None = None
        self._timer = QTimer(self)
        self._timer.setInterval(POLL_MS)
        self._timer.timeout.connect(self._collect)

    def watch(self, *places: Path, recursive: bool = True) -> None:
        """Take folders and files as they are now for known.

        Parameters
        ----------
        *places : Path
            Need not be there; none to watch nothing any more.
        recursive : bool
            Whether folders within count.
        """
        self._places, self._recursive, self._known, self._running = places, recursive, None, None
        self.look()

    def look(self) -> None:
        """Look whether they have changed; where a look goes on already, once more after it."""
        self._asked_again = self._running is not None
        if self._places and self._running is None:
            self._running = self._thread.submit(fingerprint, self._places, recursive=self._recursive)
            self._timer.start()

    def _collect(self) -> None:
        if self._running is None or not self._running.done():
            return
        (before, self._known), self._running = (self._known, self._running.result()), None
        self._timer.stop()
        if before not in (None, self._known):
            self.changed.emit()
        elif self._asked_again:
            self.look()


def fingerprint(places: tuple[Path, ...], *, recursive: bool) -> int:
    """Compute a number that changes with names, sizes and times of files.

    Parameters
    ----------
    places : tuple of Path
        Folders and files; what is not there counts as empty.
    recursive : bool
        Whether folders within count.

    Returns
    -------
    int
        Of at most 20,000 files of each place.
    """
    found = set()
    for place in places:
        for path in islice(_files(place, recursive=recursive), MOST):
            with suppress(OSError):  # it has just gone, or may not be looked at
                about = path.stat()
                found.add((str(path), about.st_size, about.st_mtime_ns))
    return hash(frozenset(found))


def _files(place: Path, *, recursive: bool) -> Iterator[Path]:
    """The files of a folder; a file itself."""
    if place.is_file():
        yield place
    for folder, within, names in os.walk(place):
        if not recursive:
            within.clear()
        yield from (Path(folder, name) for name in names)
