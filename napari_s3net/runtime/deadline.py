"""Act when time is up, for many short requests at once: one thread serves them all, and mostly sleeps."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class Deadlines:
    """Calls functions when time is up, unless the work that they limit has ended before."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._due: dict[object, tuple[float, Callable[[], None]]] = {}
        self._wakes = math.inf
        self._thread: threading.Thread | None = None

    @contextmanager
    def after(self, seconds: float, act: Callable[[], None]) -> Iterator[Callable[[float], None]]:
        """Call a function once, from another thread, if the body takes longer than a number of seconds.

        Parameters
        ----------
        seconds : float
            Time that the body has.
        act : callable
            Takes nothing and must return at once, for it holds up all other deadlines.

        Yields
        ------
        callable
            Moves the moment to the given number of seconds from now; without effect once it has passed.
        """
        key = object()

        def renew(seconds: float) -> None:
            with self._changed:
                if key in self._due:
                    self._set(key, seconds, act)

        with self._changed:
            self._set(key, seconds, act)
        try:
            yield renew
        finally:
            with self._changed:
                self._due.pop(key, None)

    def _set(self, key: object, seconds: float, act: Callable[[], None]) -> None:
        """Watch a moment; the lock is held."""
        due = time.monotonic() + seconds
        self._due[key] = due, act
        if self._thread is None:
            self._thread = threading.Thread(target=self._watch, name="deadlines", daemon=True)
            self._thread.start()
        elif due < self._wakes:
            self._changed.notify()

    def _watch(self) -> None:
        with self._changed:
            while True:
                now = time.monotonic()
                for key in [key for key, (due, _) in self._due.items() if due <= now]:
                    self._due.pop(key)[1]()
                self._wakes = min((due for due, _ in self._due.values()), default=math.inf)
                self._changed.wait(min(self._wakes - now, threading.TIMEOUT_MAX))
