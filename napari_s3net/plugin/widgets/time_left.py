"""The time that work still takes, estimated from its pace so far."""

from __future__ import annotations

import time
from collections.abc import Callable


class TimeLeft:
    """Knows when work has begun, and with how much of it done.

    Parameters
    ----------
    clock : callable
        Seconds, from any moment on.
    """

    def __init__(self, clock: Callable[[], float] = time.perf_counter) -> None:
        self._clock = clock
        self._first: tuple[float, float] | None = None

    def restart(self) -> None:
        """Forget the pace, as after a pause."""
        self._first = None

    def begin(self, done: float) -> None:
        """Start the clock, unless it runs; work that has begun anew starts it again.

        Parameters
        ----------
        done : float
            What is done by now: iterations, slices or files.
        """
        if self._first is None or done < self._first[0]:
            self._first = done, self._clock()

    def after(self, done: float, to_do: float) -> float | None:
        """Estimate the time left.

        Parameters
        ----------
        done, to_do : float
            What is done by now, and what is left.

        Returns
        -------
        float or None
            Seconds; None while fewer than two are done since the clock was started.
        """
        self.begin(done)
        assert self._first is not None  # noqa: S101 - just begun
        since = done - self._first[0]
        return None if since < 2 else (self._clock() - self._first[1]) / since * to_do
