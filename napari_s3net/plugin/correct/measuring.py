"""Measures a result; a large one in a thread, so that painting on it stays smooth."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import numpy as np
from numpy.typing import NDArray
from qtpy.QtCore import QObject, QTimer, Signal

from napari_s3net.image import Image
from napari_s3net.labels.measure import measure_clusters

#: Planes of up to this many pixels are measured at once, in a few hundredths of a second.
SMALL = 2**20
POLL_MS = 30


class Measurer(QObject):
    """Answers the newest question; questions that were overtaken are dropped.

    Parameters
    ----------
    parent : QObject, optional
        Owns it.
    measure : callable, optional
        What is asked of labels and image; by default `measure_clusters`.

    Signals
    -------
    measured(key, answer)
        The key is the question's own, the answer what `measure` returns.
    """

    measured = Signal(object, object)

    def __init__(
        self, parent: QObject | None = None, measure: Callable[[NDArray[Any], Image], Any] | None = None
    ) -> None:
        super().__init__(parent)
        self._measure = measure
        self._threads = ThreadPoolExecutor(1, "measure")
        self._running: tuple[Hashable, Future[Any]] | None = None
        self._next: tuple[Hashable, NDArray[Any], Image] | None = None
        self._timer = QTimer(self)
        self._timer.setInterval(POLL_MS)
        self._timer.timeout.connect(self._collect)

    def ask(self, key: Hashable, labels: NDArray[Any], image: Image, *, aside: bool = False) -> None:
        """Measure the labels of a plane; up to 2²⁰ pixels at once, more in a thread.

        Parameters
        ----------
        key : hashable
            Comes back with the answer.
        labels : numpy.ndarray
            (H, W) whole numbers; a thread measures a copy.
        image : Image
            The plane, of the same shape.
        aside : bool
            Whether a small plane is measured in a thread as well, as one of many that go by.
        """
        if labels.size <= SMALL and not aside:
            self.drop()
            self.measured.emit(key, (self._measure or measure_clusters)(labels, image))
            return
        self._next = key, labels, image
        if self._running is None:
            self._begin()

    def drop(self) -> None:
        """Forget all questions that have no answer yet."""
        self._running = self._next = None
        self._timer.stop()

    def _begin(self) -> None:
        assert self._next is not None  # noqa: S101 - called with a question
        (key, labels, image), self._next = self._next, None
        self._running = key, self._threads.submit(self._measure or measure_clusters, np.array(labels), image)
        self._timer.start()

    def _collect(self) -> None:
        if self._running is None or not self._running[1].done():
            return
        (key, future), self._running = self._running, None
        self._timer.stop()
        if self._next is not None:
            self._begin()
        else:
            self.measured.emit(key, future.result())
