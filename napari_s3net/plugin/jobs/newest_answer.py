"""What is asked again whenever something has changed, answered beside the window: the newest question alone."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from qtpy.QtCore import QObject, QTimer, Signal

POLL_MS = 30


class NewestAnswer(QObject):
    """Answers one question after another in a thread; a question that was overtaken is dropped.

    Parameters
    ----------
    parent : QObject, optional
        Owns it.

    Signals
    -------
    answered(object)
        What the question has returned.
    """

    answered = Signal(object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._thread = ThreadPoolExecutor(1, "answer")
        self._running: Future[Any] | None = None
        self._next: Callable[[], Any] | None = None
        self._timer = QTimer(self)
        self._timer.setInterval(POLL_MS)
        self._timer.timeout.connect(self._collect)

    def ask(self, question: Callable[[], Any]) -> None:
        """Answer a question soon.

        Parameters
        ----------
        question : callable
            Called in a thread; of what changes meanwhile somebody asks again.
        """
        self._next = question
        if self._running is None:
            self._begin()

    def drop(self) -> None:
        """Forget all questions that have no answer yet."""
        self._running = self._next = None
        self._timer.stop()

    def _begin(self) -> None:
        assert self._next is not None  # noqa: S101 - called with a question
        self._running, self._next = self._thread.submit(self._next), None
        self._timer.start()

    def _collect(self) -> None:
        if self._running is None or not self._running.done():
            return
        future, self._running = self._running, None
        self._timer.stop()
        if self._next is not None:
            self._begin()
        else:
            self.answered.emit(future.result())
