"""Measures a result; a large one in a thread, so that painting on it stays smooth."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from qtpy.QtCore import QObject, Signal

from napari_s3net.image import Image
from napari_s3net.labels.measure import measure_clusters
from napari_s3net.plugin.jobs.newest_answer import NewestAnswer

#: Planes of up to this many pixels are measured at once, in a few hundredths of a second.
SMALL = 2**20


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
        self._newest = NewestAnswer(self)
        self._newest.answered.connect(self._tell)

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
        measure = self._measure or measure_clusters
        if labels.size <= SMALL and not aside:
            self.drop()
            self.measured.emit(key, measure(labels, image))
        else:
            copy = np.array(labels)
            self._newest.ask(lambda: (key, measure(copy, image)))

    def drop(self) -> None:
        """Forget all questions that have no answer yet."""
        self._newest.drop()

    def _tell(self, answer: tuple[Hashable, Any]) -> None:
        self.measured.emit(*answer)
