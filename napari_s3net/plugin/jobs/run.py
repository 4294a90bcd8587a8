"""One run of the network: what it tells while it goes on, and what comes of it."""

from __future__ import annotations

import queue
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from threading import Event
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from napari_s3net.image import Image
from napari_s3net.plugin.jobs.preload import preloading
from napari_s3net.plugin.jobs.thread_job import Failure, LongJob
from napari_s3net.plugin.layers.source import Source
from napari_s3net.plugin.layers.stack import Stack
from napari_s3net.progress import Notice, Step
from napari_s3net.result import Segmentation
from napari_s3net.runtime.generators import follow
from napari_s3net.runtime.machine import cores
from napari_s3net.runtime.threads import torch_threads
from napari_s3net.settings import Settings

if TYPE_CHECKING:
    import torch

#: At most five previews a second.
PREVIEW_SECONDS = 0.2


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
    planes : tuple of (int, numpy.ndarray)
        Of a volume: the slices that are done, with their labels (H, W) uint8.
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
    planes: tuple[tuple[int, NDArray[np.uint8]], ...] = ()
    over: bool = False
    outcome: Segmentation | Failure | None = None
    devices: tuple[str, ...] = ()


class _CancelledError(Exception):
    """The user wants nothing of this run any more."""


class Run(LongJob):
    """A run and its mailbox."""

    title = "run"

    def __init__(
        self, source: Source, settings: Settings, device: str, then: Callable[[Segmentation], None] | None = None
    ) -> None:
        super().__init__()
        self.settings = settings
        #: Called in the thread with the result, for what would hold up the window.
        self._then = then
        self._given: tuple[Source, Settings, str] | None = (source, settings, device)
        self._stop = Event()
        self._steps: queue.SimpleQueue[Step] = queue.SimpleQueue()
        self._preview: NDArray[np.uint8] | None = None
        self._stage = "Starting…"
        self._devices: tuple[str, ...] = ()

    def stop(self) -> None:
        """Ask to end after this iteration and keep the result."""
        self._stop.set()

    def collect(self) -> RunUpdate:
        """Take what has come since the last call; what is taken is no longer held here.

        Returns
        -------
        RunUpdate
            The steps since then, the newest preview, and the outcome once the run is over.
        """
        over = self.is_over
        steps = []
        while True:
            try:
                steps.append(self._steps.get_nowait())
            except queue.Empty:
                break
        preview, self._preview = self._preview, None
        outcome = self.take_outcome() if over else None
        planes = tuple((step.slice, step.preview) for step in steps if step.preview is not None)
        bare = tuple(replace(step, preview=None) for step in steps)
        return RunUpdate(self._stage, bare, preview, planes, over, outcome, self._devices)

    def _do(self) -> Any:
        assert self._given is not None  # noqa: S101 - set until the end
        source, settings, device = self._given
        self._load_library()
        from napari_s3net.runtime.oom_retry import iter_retrying
        from napari_s3net.segmentation import iter_segment

        self._stage = "Preparing the image…"
        image = source.read()
        if self._cancelled.is_set():
            return None

        def make(used: Settings, where: torch.device) -> Generator[Step, bool | None, Segmentation]:
            return iter_segment(image, used, device=where, preview_seconds=PREVIEW_SECONDS)

        with spare_core():
            result = self._drain(iter_retrying(make, settings, device))
            if result is not None and self._then is not None:
                self._then(result)
            return result

    def _load_library(self) -> None:
        """Load torch, which takes seconds the first time, and ask it for the devices."""
        self._stage = "Loading the network library…"
        preloading().result()
        from napari_s3net.runtime.device import available_devices

        self._devices = tuple(available_devices())

    def _let_go(self) -> None:
        self._given = self._then = None
        if self._cancelled.is_set():
            self._preview = None

    def _drain(self, steps: Generator[Step | Notice, bool | None, Segmentation]) -> Segmentation | None:
        """Run to the end, and leave the steps in the mailbox; None after a cancel."""
        try:
            return follow(steps, self._on_step)
        except _CancelledError:
            return None

    def _on_step(self, step: Step | Notice) -> bool | None:
        if self._cancelled.is_set():
            raise _CancelledError
        if isinstance(step, Notice):
            self._stage = step.text
            return None
        self._stage = ""
        if step.preview is not None and step.slices == 1:
            self._preview, step = step.preview, replace(step, preview=None)
        self._steps.put(step)
        return True if self._stop.is_set() else None


class VolumeRun(Run):
    """A run on several slices as one volume; photographs, which are none, go slice by slice.

    Parameters
    ----------
    stack : Stack
        The slices.
    settings : Settings
        What the run is asked for.
    device : str
        As `iter_segment` takes it.
    """

    def __init__(self, stack: Stack, settings: Settings, device: str) -> None:
        super().__init__(stack.source, settings, device)
        self._stack: Stack | None = stack

    def _do(self) -> Any:
        assert self._given is not None  # noqa: S101 - set until the end
        assert self._stack is not None  # noqa: S101 - taken here, once
        stack, self._stack = self._stack, None
        _, settings, device = self._given
        self._load_library()
        from napari_s3net.runtime.oom_retry import iter_retrying
        from napari_s3net.volume.whole import iter_mode

        self._stage = "Looking at the slices…"
        image = stack.read()

        def make(used: Settings, where: torch.device) -> Generator[Step, bool | None, Segmentation]:
            return iter_mode(image, used, device=where, previews=True)

        with spare_core():
            return self._drain(iter_retrying(make, settings, device))


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

    def _do(self) -> Any:
        assert self._given is not None  # noqa: S101 - set until the end
        assert self._make is not None  # noqa: S101 - taken here, once
        make, self._make = self._make, None
        return self._drain(make(self._given[0].read()))


def spare_core() -> AbstractContextManager[None]:
    """Leave one core to the screen while torch computes; afterwards torch has its number of threads back.

    Returns
    -------
    context manager
        For the body that computes.
    """
    import torch

    return torch_threads(max(1, min(torch.get_num_threads(), cores() - 1)))
