"""One run in a worker thread. The thread leaves what it has; a timer of the main thread collects it.

Everything that goes wrong is handed over as data: superqt's workers swallow a RuntimeError, torch's running out of
memory among them, and then neither `errored` nor `finished` fires. Nothing large stays behind either: napari keeps
finished workers, and through them this object, so it lets go of images, steps and results when they are collected.
"""

from __future__ import annotations

import atexit
import queue
import traceback
import weakref
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from threading import Event
from typing import Any

import numpy as np
from napari.qt.threading import FunctionWorker, create_worker
from numpy.typing import NDArray
from qtpy.QtCore import QThreadPool

from napari_s3net.errors import S3NetError
from napari_s3net.image import Image, Notice, Segmentation, Step
from napari_s3net.plugin.layers.source import Source
from napari_s3net.runtime.generators import follow
from napari_s3net.runtime.machine import cores
from napari_s3net.settings import Settings

#: At most five previews a second.
PREVIEW_SECONDS = 0.2
#: Time that a last iteration gets when napari is closed during a run.
EXIT_MS = 60_000


@dataclass(frozen=True)
class Failure:
    """What went wrong, in plain words; of an unexpected error also its traceback as text.

    Not the exception itself, which would hold on to arrays.
    """

    message: str
    details: str = ""


@dataclass(frozen=True, eq=False)
class RunUpdate:
    """What has come of a run since the last report.

    Parameters
    ----------
    stage : str
        What is going on, in words.
    steps : tuple of Step
        Without previews, oldest first.
    preview : numpy.ndarray or None
        (H, W) uint8, the newest.
    over : bool
        Whether the thread is done.
    outcome : Segmentation, Failure or None
        None until it is over, and after a cancel.
    devices : tuple of str
        Devices of this machine, once known.
    """

    stage: str
    steps: tuple[Step, ...] = ()
    preview: NDArray[np.uint8] | None = None
    over: bool = False
    outcome: Segmentation | Failure | None = None
    devices: tuple[str, ...] = ()


class _CancelledError(Exception):
    """The user wants nothing of this run any more."""


class Run:
    """A run and its mailbox."""

    def __init__(self, source: Source, settings: Settings, device: str) -> None:
        self.settings = settings
        self._task: tuple[Source, Settings, str] | None = (source, settings, device)
        self._stop, self._cancel = Event(), Event()
        self._steps: queue.SimpleQueue[Step] = queue.SimpleQueue()
        self._preview: NDArray[np.uint8] | None = None
        self._outcome: Segmentation | Failure | None = None
        self._stage, self._devices, self._over = "Starting…", (), False

    def start(self) -> None:
        """Begin in a thread of its own; refuses while another run goes on."""
        global _active  # noqa: PLW0603 - one long job at a time, whichever window or dock it belongs to
        if is_busy():
            raise RuntimeError("Another run is still going on.")
        _active = self
        create_worker(self.work, _worker_class=_Worker).start()

    def stop(self) -> None:
        """Ask to end after this iteration and keep the result."""
        self._stop.set()

    def cancel(self) -> None:
        """Ask to end and keep nothing. Never waits, so it may be called while a window closes."""
        self._cancel.set()

    @property
    def is_over(self) -> bool:
        """Whether the thread is done."""
        return self._over

    def collect(self) -> RunUpdate:
        """Take what has come since the last time; what is taken is no longer held here."""
        over = self._over
        steps = []
        while True:
            try:
                steps.append(self._steps.get_nowait())
            except queue.Empty:
                break
        preview, self._preview = self._preview, None
        outcome = None
        if over:
            outcome, self._outcome = self._outcome, None
        return RunUpdate(self._stage, tuple(steps), preview, over, outcome, self._devices)

    def work(self) -> None:
        """Body of the worker thread: nothing raised here gets out."""
        try:
            outcome = self._segment()
        except Exception as error:  # noqa: BLE001 - whatever it is, the dock has to hear of it
            outcome = _failure(error)
        self._task = None
        if self._cancel.is_set():
            self._preview = outcome = None
        self._outcome, self._over = outcome, True

    def _segment(self) -> Segmentation | None:
        assert self._task is not None  # noqa: S101 - set until the end of `work`
        source, settings, device = self._task
        self._stage = "Loading the network library…"
        from napari_s3net.runtime.device import available_devices
        from napari_s3net.runtime.oom_retry import iter_retrying
        from napari_s3net.segmentation import iter_segment

        self._devices = tuple(available_devices())
        self._stage = "Preparing the image…"
        image = source.read()
        if self._cancel.is_set():
            return None

        def make(used: Settings, where: str) -> Generator[Step, bool | None, Segmentation]:
            return iter_segment(image, used, device=where, preview_seconds=PREVIEW_SECONDS)

        with spare_core():
            return self._drain(iter_retrying(make, settings, device))

    def _drain(self, steps: Generator[Step | Notice, bool | None, Segmentation]) -> Segmentation | None:
        """Run to the end, and leave the steps in the mailbox; None after a cancel."""
        try:
            return follow(steps, self._on_step)
        except _CancelledError:
            return None

    def _on_step(self, step: Step | Notice) -> bool | None:
        if self._cancel.is_set():
            raise _CancelledError
        if isinstance(step, Notice):
            self._stage = step.text
            return None
        self._stage = ""
        if step.preview is not None:
            self._preview = step.preview
        self._steps.put(replace(step, preview=None))
        return True if self._stop.is_set() else None


class PlaneJob(Run):
    """Something else than a run of the network from nothing, with the same mailbox and the same one place at a time.

    Parameters
    ----------
    source : Source
        The plane that it works on.
    settings : Settings
        Those of the result.
    make : callable
        Called in the thread with the image; a generator of steps, as `iter_segment` is one.
    """

    def __init__(
        self, source: Source, settings: Settings, make: Callable[[Image], Generator[Step | Notice, bool | None, Any]]
    ) -> None:
        super().__init__(source, settings, "")
        self._make: Callable[[Image], Generator[Step | Notice, bool | None, Any]] | None = make

    def _segment(self) -> Any:
        assert self._task is not None  # noqa: S101 - set until the end of `work`
        assert self._make is not None  # noqa: S101 - taken here, once
        make, self._make = self._make, None
        image = self._task[0].read()
        with spare_core():
            return self._drain(make(image))


class _Worker(FunctionWorker):
    """A worker whose `quit`, which napari calls as its window closes, reaches the run at once.

    Napari keeps that `quit` of every worker for good; as a bound method it would keep the worker.
    """

    def __init__(self, work: Any) -> None:
        super().__init__(work)
        self.quit = partial(_quit, weakref.ref(work.__self__))


def _quit(run: weakref.ref[Run]) -> None:
    """Cancel a run that is still there; it ends by itself."""
    if (alive := run()) is not None:
        alive.cancel()


_active: Run | None = None


@atexit.register
def _wait_for_thread() -> None:
    """Let a run's last iteration end before Python takes Qt down: a worker that reports to nobody aborts the process.

    The window is closed by then, so nobody is kept waiting.
    """
    if _active is not None:
        _active.cancel()
        QThreadPool.globalInstance().waitForDone(EXIT_MS)


def is_busy() -> bool:
    """Whether a run is going on anywhere in this process."""
    return _active is not None and not _active.is_over


@contextmanager
def spare_core() -> Iterator[None]:
    """Leave one core to the screen while torch computes."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(max(1, min(before, cores() - 1)))
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _failure(error: Exception) -> Failure:
    """Plain words for an exception."""
    if isinstance(error, S3NetError):
        return Failure(str(error))
    from napari_s3net.runtime.device import is_out_of_memory

    if is_out_of_memory(error):
        return Failure(
            "Out of memory. Under Advanced, choose a smaller working size or fewer feature channels; or compute on the "
            "CPU."
        )
    words = f"The run ended with an unexpected error: {type(error).__name__}: {error}"
    return Failure(words, "".join(traceback.format_exception(error)))
