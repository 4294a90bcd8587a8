"""A child process that may die, so that no file and no image can take the program down.

Some damaged headers of a few hundred bytes corrupt the heap inside a decoder and abort the interpreter; some images
take more memory than there is. So files are read, and the images of a batch are worked on, in fresh interpreters. They
hold nothing, so that they may be killed at any moment.

The child's side is `napari_s3net.runtime.child_server`; `child_pool` keeps children warm for the next request.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_s3net.runtime.deadline import Deadlines

#: A first answer includes starting Python and importing libraries, which is slow from a cold or busy disk.
START_SECONDS = 60.0
#: One thread each, whichever library computes or decodes: children do not fight over cores.
ONE_THREAD = dict.fromkeys(
    ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS"), "1"
)
#: What the system ends a process with when memory runs out.
_KILLED = (-9, 137)
_ROOT = Path(__file__).resolve().parents[2]
_PIPE_BYTES = 1 << 20

Reply = tuple[dict[str, Any], NDArray[Any] | None]
#: Takes what a child has to tell before it answers; plain values, from the thread that asked.
OnNews = Callable[[dict[str, Any]], None]

_deadlines = Deadlines()


class ChildError(Exception):
    """A child process gave no answer; the one who asked says what that means for the file or image."""


class ChildDiedError(ChildError):
    """The child ended before it had answered.

    Attributes
    ----------
    code : int
        What it ended with; minus the number of the signal that ended it.
    """

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code

    @property
    def was_killed(self) -> bool:
        """Whether the system ended it, as it does when memory runs out."""
        return self.code in _KILLED


class ChildTimeoutError(ChildError):
    """The child was killed because its time was up.

    Attributes
    ----------
    seconds : float
        The time that it had.
    """

    def __init__(self, seconds: float) -> None:
        super().__init__(seconds)
        self.seconds = seconds


class ChildStartError(ChildError):
    """No child could be started; the text says what the system says."""


def python_module(name: str) -> tuple[str, ...]:
    """Return the command that runs a module in a fresh interpreter.

    Parameters
    ----------
    name : str
        As after `python -m`.

    Returns
    -------
    tuple of str
        The program and its arguments; warnings are off.
    """
    return sys.executable, "-W", "ignore", "-m", name


class Child:
    """A fresh interpreter that answers requests and may die of them; used by one thread at a time.

    Parameters
    ----------
    command : sequence of str
        What it runs; `slot` is added to it.
    slot : int
        Its number among the children of a pool.
    environment : mapping, optional
        Variables on top of this process's own.
    """

    def __init__(self, command: Sequence[str], slot: int = 0, environment: Mapping[str, str] | None = None) -> None:
        self.slot, self.is_used = slot, False
        # A session of its own: Ctrl-C in the terminal is for the parent. Windows: no console window flashes up.
        own: dict[str, Any] = (
            {"creationflags": 0x08000000}  # CREATE_NO_WINDOW
            if sys.platform == "win32"
            else {"start_new_session": True, "pipesize": _PIPE_BYTES}
        )
        self._folder = ""
        try:
            # What it unpacks lies here and is cleared away with it, even when it is killed.
            self._folder = tempfile.mkdtemp(prefix="napari-s3net-")
            self._process = subprocess.Popen(
                (*command, str(slot)),
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
            raise ChildStartError(error.strerror or str(error)) from error

    @property
    def pid(self) -> int:
        """The number that the system knows it by."""
        return self._process.pid

    def ask(self, request: Mapping[str, Any], seconds: float, on_news: OnNews | None = None) -> Reply:
        """Send a request and receive its answer, or kill the child when time is up.

        Parameters
        ----------
        request : mapping
            Values that JSON knows, for the child's `answer`.
        seconds : float
            Time that the answer may take; a first answer has `START_SECONDS` more. The child may ask for another time.
        on_news : callable, optional
            Takes what the child tells before it answers.

        Returns
        -------
        reply : dict
            As the child gave it; `worn` is true in it if the child is not to be used again.
        array : numpy.ndarray or None
            What came with it.

        Raises
        ------
        ChildDiedError
            If it ended before it had answered.
        ChildTimeoutError
            If time was up.
        """
        expired = threading.Event()

        def expire() -> None:
            expired.set()
            self._process.kill()

        starting = 0.0 if self.is_used else START_SECONDS
        self.is_used = True
        with _deadlines.after(seconds + starting, expire) as renew:
            try:
                self._send({**request, "seconds": seconds + starting})
                while not {"news", "seconds"}.isdisjoint(line := self._receive()):
                    if "seconds" in line:
                        seconds = float(line["seconds"])
                        renew(seconds)
                    elif on_news is not None:
                        on_news(line["news"])
                return line, self._receive_array(line)
            except (OSError, EOFError, ValueError):
                code = self._last_code()
                self.close()
                if expired.is_set():
                    raise ChildTimeoutError(seconds) from None
                raise ChildDiedError(code) from None

    def _send(self, request: Mapping[str, Any]) -> None:
        assert self._process.stdin is not None  # noqa: S101 - it is a pipe, for the type checker
        self._process.stdin.write(json.dumps(request).encode() + b"\n")
        self._process.stdin.flush()

    def _receive(self) -> dict[str, Any]:
        """One line: news, another time, or the reply."""
        assert self._process.stdout is not None  # noqa: S101 - as above
        text = self._process.stdout.readline()
        if not text.endswith(b"\n"):
            raise EOFError
        line = json.loads(text)
        if not isinstance(line, dict):
            raise ValueError("Expected a JSON object.")  # noqa: TRY004 - what came is damaged, not of a wrong type
        return line

    def _receive_array(self, reply: Mapping[str, Any]) -> NDArray[Any] | None:
        """The bytes that follow a reply which tells their shape."""
        if "shape" not in reply:
            return None
        assert self._process.stdout is not None  # noqa: S101 - as above
        array = np.empty(reply["shape"], np.dtype(reply["dtype"]))
        if self._process.stdout.readinto(array.data.cast("B")) != array.nbytes:  # type: ignore[attr-defined]
            raise EOFError
        return array

    def _last_code(self) -> int:
        """What the child ended with, if it ended by itself."""
        try:
            return self._process.wait(timeout=1.0)
        except subprocess.TimeoutExpired:
            return 0

    def kill(self) -> None:
        """End the child at once, from any thread; the thread that waits for its answer gets `ChildDiedError`."""
        self._process.kill()

    def close(self) -> None:
        """Kill the child and wait for its end, so that no zombie stays."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with suppress(OSError):  # what was not sent cannot be sent any more
                    pipe.close()
        shutil.rmtree(self._folder, ignore_errors=True)


def _forget_deadlines() -> None:
    """In a forked copy of this process their thread and lock are the other process's."""
    global _deadlines  # noqa: PLW0603 - one for all children
    _deadlines = Deadlines()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_deadlines)
