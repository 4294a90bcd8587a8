"""The child's side of `napari_s3net.runtime.child_process`: answer requests until there will be no more.

A request is a line of JSON on the standard input. What goes back is any number of lines with news or with another time
limit, one line with the reply, and the bytes of an array where the reply tells its shape.
"""

from __future__ import annotations

import faulthandler
import json
import os
import queue
import re
import shutil
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO, NoReturn

import numpy as np
from numpy.typing import NDArray

#: The parent ends a request that takes too long; should the parent be gone, the child ends itself this much later.
GRACE_SECONDS = 30.0
#: Of an array that is sent, what is brought into order at a time.
_BLOCK_BYTES = 1 << 24

Reply = tuple[dict[str, Any], NDArray[Any] | None]


class Caller:
    """The one who waits for an answer of this process. This base class passes nothing on, within one process."""

    def tell(self, **news: Any) -> None:
        """Tell something before the answer is there, as values that JSON knows."""

    def allow(self, seconds: float) -> None:
        """Ask for more time: the job may take this long from now on.

        Parameters
        ----------
        seconds : float
            From this moment on.
        """

    def wear_out(self) -> None:
        """Say that this process is not to be used again, because its memory may be damaged."""


#: For answers that nobody waits for in another process.
NOBODY = Caller()


class PipeCaller(Caller):
    """The parent process that waits for an answer, reached through a pipe.

    Parameters
    ----------
    stream : binary stream
        The pipe that it reads.
    """

    def __init__(self, stream: BinaryIO) -> None:
        self._stream, self._worn = stream, False

    def tell(self, **news: Any) -> None:
        """Send a line with the news."""
        self._write({"news": news})

    def allow(self, seconds: float) -> None:
        """Send a line with the seconds; if the parent does not end this process then, it ends itself a little later.

        Parameters
        ----------
        seconds : float
            From this moment on.
        """
        _end_after(seconds)
        self._write({"seconds": seconds})

    def wear_out(self) -> None:
        """Say with the next reply that this process is not to be used again."""
        self._worn = True

    def reply(self, reply: Mapping[str, Any], array: NDArray[Any] | None) -> None:
        """Send the answer.

        Parameters
        ----------
        reply : mapping
            Values that JSON knows.
        array : numpy.ndarray or None
            Of any layout and order of bytes; what follows the reply, which tells its shape and type, is contiguous and
            in this machine's order.
        """
        shape = {} if array is None else {"shape": array.shape, "dtype": array.dtype.newbyteorder("=").str}
        self._write({**reply, **shape, **({"worn": True} if self._worn else {})}, array)

    def _write(self, line: Mapping[str, Any], array: NDArray[Any] | None = None) -> None:
        self._stream.write(json.dumps(line).encode() + b"\n")
        if array is not None and array.size:
            rows = max(1, _BLOCK_BYTES * len(array) // array.nbytes)
            for start in range(0, len(array), rows):  # in blocks: no second copy of a large image
                block = array[start : start + rows]
                block = np.ascontiguousarray(block, block.dtype.newbyteorder("="))
                self._stream.write(block.data.cast("B"))
        self._stream.flush()


def serve(answer: Callable[[dict[str, Any], Caller], Reply]) -> NoReturn:
    """Answer requests until the standard input is closed, and end this process.

    Parameters
    ----------
    answer : callable
        (request, caller) → (reply for JSON, array or None).
    """
    _take_blame()
    caller = PipeCaller(os.fdopen(os.dup(1), "wb"))
    os.dup2(2, 1)  # libraries chatter on the standard output; the answers have their own way
    requests: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(sys.stdin.buffer, requests), daemon=True).start()
    with suppress(OSError, KeyboardInterrupt):
        while True:
            request = json.loads(requests.get())
            _end_after(request.pop("seconds"))
            caller.reply(*answer(request, caller))
            faulthandler.cancel_dump_traceback_later()
    _end()


def _listen(stream: BinaryIO, requests: queue.SimpleQueue[bytes]) -> None:
    """Pass requests on. Once the asking process is gone, end at once, so that a killed run writes nothing more."""
    for line in stream:
        requests.put(line)
    _end()


def _end() -> NoReturn:
    """End without last words, for the heap may be damaged; the parent may be gone, and cannot clear up."""
    folder = os.environ.get("TMPDIR", "")
    if re.match(r"napari-s3net-", Path(folder).name):
        shutil.rmtree(folder, ignore_errors=True)
    os._exit(0)


def _end_after(seconds: float) -> None:
    """End by itself where the parent does not do so in time."""
    faulthandler.dump_traceback_later(seconds + GRACE_SECONDS, exit=True)


def _take_blame() -> None:
    """Where the system has to end a process because memory ran out, let it be this one (Linux)."""
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000", encoding="ascii")


@contextmanager
def limited_memory(more: int) -> Iterator[Callable[[int], None]]:
    """Let this process allocate only so much more than it holds now; an allocation beyond that fails.

    Parameters
    ----------
    more : int
        Bytes on top of what it holds now.

    Yields
    ------
    callable
        Takes another number of bytes, counted from the same start, and sets that limit.

    Notes
    -----
    It limits `RLIMIT_DATA`, which counts what a process could write to, and not address space, of which graphics cards
    and thread pools reserve much that they never use. Only Linux heeds it; elsewhere nothing is limited.
    """
    try:
        import resource

        with Path("/proc/self/statm").open("rb", buffering=0) as file:
            held = resource.getpagesize() * int(file.read().split()[5])  # data and stack
        before, hard = resource.getrlimit(resource.RLIMIT_DATA)
    except (ImportError, OSError, ValueError, IndexError):
        yield lambda _: None
        return

    def limit(more: int) -> None:
        with suppress(ValueError, OSError):  # above the hard limit, which then holds
            resource.setrlimit(resource.RLIMIT_DATA, (held + more, hard))

    limit(more)
    try:
        yield limit
    finally:
        resource.setrlimit(resource.RLIMIT_DATA, (before, hard))
