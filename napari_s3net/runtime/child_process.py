"""Children that decode files, so that a file can never take the program down.

Some damaged headers of a few hundred bytes corrupt the heap inside SimpleITK and abort the interpreter. A child is a
fresh interpreter that stays warm for the next file. It is used by one thread at a time; several threads use several
children. It holds nothing, so it may be killed at any moment.
"""

from __future__ import annotations

import atexit
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_s3net.errors import ReadError
from napari_s3net.runtime.deadline import Deadlines

#: Warm children that are kept between files.
KEEP = 2
#: A first answer includes starting Python and importing the decoder, which is slow from a cold or busy disk.
START_SECONDS = 60.0
COMMAND = (sys.executable, "-W", "ignore", "-m", "napari_s3net.io.child")
_ROOT = Path(__file__).resolve().parents[2]
_PIPE_BYTES = 1 << 20

_idle: deque[Child] = deque()
_living: set[Child] = set()
_deadlines = Deadlines()


def ask(request: Mapping[str, Any], seconds: float) -> tuple[dict[str, Any], NDArray[Any] | None]:
    """Have a child answer a request.

    Parameters
    ----------
    request : mapping
        Plain values for `napari_s3net.io.child.answer`.
    seconds : float
        Time that the decoding may take.

    Returns
    -------
    reply : dict
        As the child gave it.
    array : numpy.ndarray or None
        The pixels, in memory of this process.

    Raises
    ------
    ReadError
        If the child died of the file, or took too long; the reason alone, without the file's name.
    """
    try:
        child = _idle.pop()
    except IndexError:
        child = Child()
    else:
        # What an earlier file did to the heap may show only now: the file gets a second chance in a new child.
        try:
            return _ask(child, request, seconds)
        except DiedError:
            child = Child()
    try:
        return _ask(child, request, seconds)
    except DiedError as died:
        raise ReadError(_KILLED if died.code in (-9, 137) else _CRASHED.format(died.code)) from None


_KILLED = "the system ended the process that was reading it, probably because memory ran out."
_CRASHED = "it is damaged in a way that makes its decoder crash (code {})."


def _ask(child: Child, request: Mapping[str, Any], seconds: float) -> tuple[dict[str, Any], NDArray[Any] | None]:
    """Ask one child, and keep it if it is still good."""
    try:
        reply, array = child.ask(request, seconds)
    except BaseException as error:  # KeyboardInterrupt too: half an answer may be left in the pipe
        child.close()
        if isinstance(error, MemoryError):
            raise ReadError("there is not enough memory for it.") from None
        raise
    if reply.get("worn") or len(_idle) >= KEEP:
        child.close()
    else:
        _idle.append(child)
    return reply, array


class DiedError(Exception):
    """The child ended before it had answered.

    Attributes
    ----------
    code : int
        What it ended with; minus the number of the signal that ended it.
    """

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


class Child:
    """A fresh interpreter that answers requests and may die of them.

    Parameters
    ----------
    command : sequence of str
        What it runs; that of `napari_s3net.io.child` when left out.
    environment : mapping, optional
        Variables on top of this process's own.
    """

    def __init__(self, command: Sequence[str] = (), environment: Mapping[str, str] | None = None) -> None:
        # A session of its own: Ctrl-C in the terminal is for the parent. Windows: no console window flashes up.
        own: dict[str, Any] = (
            {"creationflags": 0x08000000}  # CREATE_NO_WINDOW
            if sys.platform == "win32"
            else {"start_new_session": True, "pipesize": _PIPE_BYTES}
        )
        # What it unpacks is cleared away with it, even when it is killed.
        self._folder = ""
        try:
            self._folder = tempfile.mkdtemp(prefix="napari-s3net-")
            self._process = subprocess.Popen(
                command or COMMAND,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                cwd=_ROOT,
                env={
                    **os.environ,
                    **(environment or {}),
                    **dict.fromkeys(("TMPDIR", "TEMP", "TMP"), self._folder),
                },
                **own,
            )
        except OSError as error:
            shutil.rmtree(self._folder, ignore_errors=True)
            raise ReadError(f"the process that reads files could not be started: {error.strerror}.") from error
        self._new = True
        _living.add(self)

    def ask(
        self, request: Mapping[str, Any], seconds: float, hear: Callable[[Any], None] | None = None
    ) -> tuple[dict[str, Any], NDArray[Any] | None]:
        """Send a request and receive its answer, or kill the child when time is up.

        What the child has to tell before it answers goes to `hear`.

        Raises
        ------
        DiedError
            If it ended before it had answered.
        ReadError
            If time was up.
        """
        expired = threading.Event()

        def expire() -> None:
            expired.set()
            self._process.kill()

        limit, self._new = seconds + START_SECONDS * self._new, False
        try:
            with _deadlines.after(limit, expire):
                return self._exchange({**request, "seconds": seconds}, hear)
        except (OSError, EOFError, ValueError):
            code = self._last_code()
            self.close()
            if expired.is_set():
                raise ReadError(f"reading it took longer than {seconds:.0f} seconds and was given up.") from None
            raise DiedError(code) from None

    def _exchange(
        self, request: Mapping[str, Any], hear: Callable[[Any], None] | None
    ) -> tuple[dict[str, Any], NDArray[Any] | None]:
        """One line there; maybe news, one line and the bytes of the array back."""
        assert self._process.stdin is not None  # noqa: S101 - both are pipes, for the type checker
        assert self._process.stdout is not None  # noqa: S101
        self._process.stdin.write(json.dumps(request).encode() + b"\n")
        self._process.stdin.flush()
        reply: dict[str, Any] = {"news": None}
        while "news" in reply:
            line = self._process.stdout.readline()
            if not line.endswith(b"\n"):
                raise EOFError
            reply = json.loads(line)
            if "news" in reply and hear is not None:
                hear(reply["news"])
        if "shape" not in reply:
            return reply, None
        array = np.empty(reply["shape"], np.dtype(reply["dtype"]))
        if self._process.stdout.readinto(array.data.cast("B")) != array.nbytes:  # type: ignore[attr-defined]
            raise EOFError
        return reply, array

    def _last_code(self) -> int:
        """What the child ended with, if it ended by itself."""
        try:
            return self._process.wait(timeout=1.0)
        except subprocess.TimeoutExpired:
            return 0

    def kill(self) -> None:
        """End the child at once, from any thread; whoever waits for its answer gets `DiedError`."""
        self._process.kill()

    def close(self) -> None:
        """Kill the child and wait for its end, so that no zombie stays."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                try:
                    pipe.close()
                except OSError:  # what was not sent cannot be sent any more
                    continue
        shutil.rmtree(self._folder, ignore_errors=True)
        _living.discard(self)


@atexit.register
def close_all() -> None:
    """End every child; the next file starts a new one."""
    _idle.clear()
    for child in list(_living):
        child.close()


def _forget() -> None:
    """In a forked copy of this process the children are somebody else's, and no thread but one has come along."""
    global _deadlines  # noqa: PLW0603 - its thread and lock are the other process's
    _deadlines = Deadlines()
    _idle.clear()
    _living.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)
