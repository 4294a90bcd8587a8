"""What will be wanted next, read in a thread while the user still looks at what is there."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Hashable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Generic, TypeVar

from napari_s3net.errors import ReadWarning
from napari_s3net.io.reader_process import holding_remarks

Read = TypeVar("Read")
#: Files above this size in bytes are not read ahead: what is held for later takes memory from what is in view.
MOST = 16 * 2**20


class Prefetch(Generic[Read]):
    """One thing that is read ahead, and what is remarked on it; asking for another one drops both."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="prefetch")
        self._ahead: tuple[Hashable, Future[tuple[Read, list[str]]]] | None = None

    def begin(self, key: Hashable, read: Callable[[], Read]) -> None:
        """Begin to read in a thread; nothing is done where this is being read already.

        Parameters
        ----------
        key : hashable
            By which it is taken; whatever changes the answer has to be part of it.
        read : callable
            Reads it; touches no widget and no layer.
        """
        if self._ahead is not None and self._ahead[0] == key:
            return
        self.forget()
        self._ahead = key, self._thread.submit(_read_quietly, read)

    def take(self, key: Hashable, read: Callable[[], Read]) -> Read:
        """Hand over what was read ahead, once; what was not is read now.

        Parameters
        ----------
        key : hashable
            As for `begin`.
        read : callable
            Reads it, where nothing was read ahead under this key.

        Returns
        -------
        object
            What `read` returns; what it raised is raised here.

        Warns
        -----
        ReadWarning
            For each remark on it.
        """
        ahead, self._ahead = self._ahead, None
        if ahead is None:
            return read()
        if ahead[0] != key:
            ahead[1].cancel()
            return read()
        result, remarks = ahead[1].result()
        for remark in remarks:
            warnings.warn(remark, ReadWarning, stacklevel=2)
        return result

    def forget(self) -> None:
        """Let go of what was read ahead."""
        if self._ahead is not None:
            self._ahead[1].cancel()
            self._ahead = None


def _read_quietly(read: Callable[[], Read]) -> tuple[Read, list[str]]:
    """Read, and hold back what is remarked on it: nobody has asked for it yet."""
    with holding_remarks() as remarks:
        return read(), remarks


def stamp(path: Path) -> tuple[str, int, int] | None:
    """What tells a file from what it was before, without reading it.

    Parameters
    ----------
    path : Path
        A file.

    Returns
    -------
    tuple or None
        Path, size in bytes and time of the last change in nanoseconds; None where it is no file, or larger than what is
        read ahead.
    """
    try:
        about = path.stat()
    except OSError:
        return None
    if not path.is_file() or about.st_size > MOST:
        return None
    return str(path), about.st_size, about.st_mtime_ns
