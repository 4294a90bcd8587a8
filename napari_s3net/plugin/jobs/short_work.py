"""What takes a moment and stands in nobody's way, such as a look into a folder."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from qtpy.QtCore import QObject, QTimer, Signal

from napari_s3net.plugin.jobs.thread_job import ThreadJob

POLL_MS = 100


class ShortWork(QObject):
    """Work in a thread beside any run; where it is begun anew, what was under way is left to itself.

    Parameters
    ----------
    title : str
        What it is called in the message of an unexpected error.
    parent : QObject
        Owns it.

    Signals
    -------
    done(object)
        What the newest work has returned, or a `Failure`.
    """

    done = Signal(object)

    def __init__(self, title: str, parent: QObject) -> None:
        super().__init__(parent)
        self._title = title
        self._job: ThreadJob | None = None
        self._timer = QTimer(self)
        self._timer.setInterval(POLL_MS)
        self._timer.timeout.connect(self._collect)

    @property
    def is_on(self) -> bool:
        """Whether `done` is still to come."""
        return self._job is not None

    def begin(self, work: Callable[[], Any]) -> None:
        """Do something in a thread of its own.

        Parameters
        ----------
        work : callable
            Touches no widget and no layer.
        """
        self._job = _Once(work, self._title)
        self._job.start()
        self._timer.start()

    def forget(self) -> None:
        """Hear nothing more of what is under way."""
        self._job = None
        self._timer.stop()

    def _collect(self) -> None:
        if self._job is not None and self._job.is_over:
            job = self._job
            self.forget()
            if not job.is_cancelled:  # as while napari closes
                self.done.emit(job.take_outcome())


class _Once(ThreadJob):
    def __init__(self, work: Callable[[], Any], title: str) -> None:
        super().__init__()
        self._work, self.title = work, title

    def _do(self) -> Any:
        return self._work()
