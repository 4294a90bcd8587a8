"""Work that is a generator, in a thread: its steps are collected; it can be paused, and stopped with what there is."""

from __future__ import annotations

import time
from collections import deque
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_s3net.plugin.jobs.thread_job import PausableJob
from napari_s3net.progress import Notice
from napari_s3net.runtime.generators import follow

PAUSE_SECONDS = 0.1
LEARN = "Work of the Learn tab"


@dataclass(frozen=True, eq=False)
class JobUpdate:
    """What has come of a job since the last time.

    Parameters
    ----------
    steps : tuple
        Of learning, `LearnStep` without the network; of other work, steps with `done` and `total`.
    notices : tuple of str
        Sentences for the screen, the newest last; what is being done ends with "…".
    preview : numpy.ndarray or None
        Labels of the previewed plane, as the network sees it now.
    """

    steps: tuple[Any, ...] = ()
    notices: tuple[str, ...] = ()
    preview: NDArray[np.int32] | None = None


class SteppedJob(PausableJob):
    """Work that is a generator: its steps are collected, it may be paused, and stopped with what there is."""

    what = LEARN
    #: What is done when all images are read, and what becomes of work that is stopped; for the screen.
    after_reading = ""
    if_stopped = ""

    def __init__(self) -> None:
        super().__init__()
        self._steps: deque[Any] = deque()
        self._notices: deque[str] = deque()
        self._preview: NDArray[np.int32] | None = None

    def cancel(self) -> None:
        """End and keep nothing, also while paused."""
        super().cancel()
        self._stop.set()

    def collect(self) -> JobUpdate:
        """Take what has come since the last call.

        Returns
        -------
        JobUpdate
            Each step, notice and preview is handed over once.
        """
        steps = tuple(self._steps.popleft() for _ in range(len(self._steps)))
        notices = tuple(self._notices.popleft() for _ in range(len(self._notices)))
        preview, self._preview = self._preview, None
        return JobUpdate(steps, notices, preview)

    def _follow(self, steps: Any) -> Any:
        return follow(steps, self._on_step)

    def _on_step(self, step: Any) -> bool | None:
        if isinstance(step, Notice):
            self._notices.append(step.text)
        else:
            self._look(step)
            self._steps.append(replace(step, network=None) if hasattr(step, "network") else step)
        while self._paused.is_set() and not self._stop.is_set():
            time.sleep(PAUSE_SECONDS)
        return self._stop.is_set() or None

    def _look(self, step: Any) -> None:
        """See the step before its network is let go of."""
