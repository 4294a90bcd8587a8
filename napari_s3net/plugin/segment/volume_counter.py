"""How many voxels each label of a stack has, counted beside the window whenever labels may have changed."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from numpy.typing import NDArray
from qtpy.QtCore import QObject, QTimer, Signal

from napari_s3net.labels.measure import count_voxels

POLL_MS = 50


class VolumeCounter(QObject):
    """Counts one stack after another; a question that was overtaken is dropped.

    Signals
    -------
    counted(dict)
        Voxels of each label above 0, by its id.
    """

    counted = Signal(object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._threads = ThreadPoolExecutor(1, "count")
        self._running: Future[dict[int, int]] | None = None
        self._next: NDArray[Any] | None = None
        self._timer = QTimer(self)
        self._timer.setInterval(POLL_MS)
        self._timer.timeout.connect(self._collect)

    def ask(self, labels: NDArray[Any]) -> None:
        """Count a stack in a thread.

        Parameters
        ----------
        labels : numpy.ndarray
            (Z, H, W) whole numbers; a view, of which changes meanwhile ask again.
        """
        self._next = labels
        if self._running is None:
            self._begin()

    def drop(self) -> None:
        """Forget all questions that have no answer yet."""
        self._running = self._next = None
        self._timer.stop()

    def _begin(self) -> None:
        labels, self._next = self._next, None
        assert labels is not None  # noqa: S101 - called with a question
        self._running = self._threads.submit(count_voxels, labels)
        self._timer.start()

    def _collect(self) -> None:
        if self._running is None or not self._running.done():
            return
        future, self._running = self._running, None
        self._timer.stop()
        if self._next is not None:
            self._begin()
        else:
            self.counted.emit(future.result())
