"""Work in one of napari's worker threads. The thread leaves what it has; a timer of the main thread collects it.

Everything that goes wrong is handed over as data: superqt's workers swallow a RuntimeError, torch's running out of
memory among them, and then neither `errored` nor `finished` fires. Nothing large stays behind either: napari keeps
finished workers, and through them the job, so it lets go of what it holds when it is over and collected.
"""

from __future__ import annotations

import atexit
import traceback
import weakref
from dataclasses import dataclass
from functools import partial
from threading import Event
from typing import Any

from napari.qt.threading import FunctionWorker, create_worker
from qtpy.QtCore import QThreadPool

from napari_s3net.errors import S3NetError

WAIT, GO_ON = "Wait for it, or stop it there.", "Let it go on, or stop it there."
#: Time that a last iteration gets when napari is closed during a job.
EXIT_MS = 60_000


@dataclass(frozen=True)
class Failure:
    """What went wrong, in plain words; of an unexpected error also its traceback as text.

    Not the exception itself, which would hold on to arrays.
    """

    message: str
    details: str = ""


class ThreadJob:
    """Something done in a thread. A subclass says what in `_do`."""

    #: What the job is called in the message of an unexpected error.
    title = "work"

    def __init__(self) -> None:
        self._cancelled = Event()
        self._outcome: Any = None
        self._over = False

    def start(self) -> None:
        """Begin in a thread of its own."""
        create_worker(self.work, _worker_class=_Worker).start()

    def cancel(self) -> None:
        """Ask to end and keep nothing. Never waits, so it may be called while a window closes."""
        self._cancelled.set()

    @property
    def is_over(self) -> bool:
        """Whether the thread is done."""
        return self._over

    @property
    def is_cancelled(self) -> bool:
        """Whether it was asked to end and keep nothing."""
        return self._cancelled.is_set()

    def take_outcome(self) -> Any:
        """What came of it, handed over once.

        Returns
        -------
        object
            What `_do` returned, or a `Failure`; None until it is over, and after a cancel.
        """
        if not self._over:
            return None
        outcome, self._outcome = self._outcome, None
        return None if self._cancelled.is_set() else outcome  # it may have come to its end just before

    def work(self) -> None:
        """Body of the thread: nothing raised here gets out."""
        try:
            outcome = self._do()
        except Exception as error:  # noqa: BLE001 - whatever it is, the dock has to hear of it
            outcome = failure_of(error, self.title)
        self._let_go()
        self._outcome = None if self._cancelled.is_set() else outcome
        self._over = True

    def _do(self) -> Any:
        """The work itself."""
        raise NotImplementedError

    def _let_go(self) -> None:
        """Drop what the job was given, when it is over."""


class LongJob(ThreadJob):
    """A run or a batch: one at a time, whichever window or dock it belongs to."""

    #: What it is for those who look for it elsewhere; empty for what all docks know of.
    what = ""

    @property
    def is_paused(self) -> bool:
        """Whether it waits until it is told to go on."""
        return False

    def start(self) -> None:
        """Begin in a thread of its own.

        Raises
        ------
        RuntimeError
            If another run, job or batch goes on in any window.
        """
        global _active  # noqa: PLW0603 - the one place for all windows
        if is_busy():
            raise RuntimeError("Another run is still going on.")
        _active = self
        super().start()


class PausableJob(LongJob):
    """A long job that can wait, and be stopped with what there is. A subclass heeds `_paused` and `_stop`."""

    def __init__(self) -> None:
        super().__init__()
        self._stop, self._paused = Event(), Event()

    def pause(self, paused: bool) -> None:
        """Wait after the step or the files under way; False goes on.

        Parameters
        ----------
        paused : bool
            True to wait, False to go on.
        """
        (self._paused.set if paused else self._paused.clear)()

    @property
    def is_paused(self) -> bool:
        """Whether it waits until it is told to go on."""
        return self._paused.is_set() and not self._stop.is_set()

    def stop(self) -> None:
        """Ask to end and keep what there is. Returns at once."""
        self._stop.set()


_active: LongJob | None = None


def is_busy() -> bool:
    """Whether a run or a batch is going on anywhere in this process.

    Returns
    -------
    bool
        True while one holds the processor.
    """
    return _active is not None and not _active.is_over


def busy_words(what: str) -> str:
    """Say why nothing else can begin now.

    Parameters
    ----------
    what : str
        What may be going on: "A run or a batch"; a job that knows better says so.

    Returns
    -------
    str
        What to do; of work that was cancelled, as by a dock that was closed, there is nothing left to stop.
    """
    if _active is not None and _active.is_cancelled:
        return "What was cancelled ends with the step that it is at. Try again in a moment."
    if _active is None or _active.is_over:
        return f"{what} is still going on. {WAIT}"
    own = _active.what or what
    return f"{own} is paused. {GO_ON}" if _active.is_paused else f"{own} is still going on. {WAIT}"


def failure_of(error: Exception, title: str) -> Failure:
    """Put an exception into plain words.

    Parameters
    ----------
    error : Exception
        What was raised in the job.
    title : str
        What the job is called in the words for an unexpected error: "run", "batch".

    Returns
    -------
    Failure
        The words; of an unexpected error its traceback as well.
    """
    if isinstance(error, S3NetError):
        return Failure(str(error))
    from napari_s3net.runtime.device import is_out_of_memory

    if is_out_of_memory(error):
        return Failure("Out of memory. Choose a smaller working size or fewer feature channels, or compute on the CPU.")
    words = f"The {title} ended with an unexpected error: {type(error).__name__}: {error}"
    return Failure(words, "".join(traceback.format_exception(error)))


class _Worker(FunctionWorker):
    """A worker whose `quit`, which napari calls as its window closes, reaches the job at once.

    Napari keeps that `quit` of every worker for good; as a bound method it would keep the worker.
    """

    def __init__(self, work: Any) -> None:
        super().__init__(work)
        self.quit = partial(_quit, weakref.ref(work.__self__))


def _quit(job: weakref.ref[ThreadJob]) -> None:
    """Cancel a job that is still there; it ends by itself."""
    if (alive := job()) is not None:
        alive.cancel()


@atexit.register
def _wait_for_thread() -> None:
    """Let a job's last step end before Python takes Qt down: a worker that reports to nobody aborts the process.

    The window is closed by then, so nobody is kept waiting.
    """
    if _active is not None:
        _active.cancel()
        QThreadPool.globalInstance().waitForDone(EXIT_MS)
