"""A long job in napari's activity bar."""

from __future__ import annotations

import io
import weakref
from functools import partial
from typing import Any

from napari.utils import progress
from qtpy.QtCore import QTimer
from qtpy.QtWidgets import QApplication, QLabel, QStatusBar

#: How fast napari's busy sign turns while a job goes on, in hundredths.
CALM = 25


class Activity:
    """One long job after another in napari's activity bar. For the main thread.

    While one goes on, napari's busy sign turns slower: where the processor draws OpenGL, each of its pictures draws the
    whole window anew, which took a third of the time of a volume's run on two cores.
    """

    def __init__(self) -> None:
        self._bar: Any = None
        #: What was last asked to be shown.
        self._last = 0, 0

    def begin(self, text: str) -> None:
        """Show that a job has begun.

        Parameters
        ----------
        text : str
            What goes on.
        """
        self.close()
        # Where there is no window, tqdm would write to the terminal.
        self._bar = progress(total=0, desc=text, file=io.StringIO())
        self._last = 0, 0
        _going_on.add(self)
        _turn_busy_signs(CALM)

    def show(self, done: int, total: int) -> None:
        """Move the bar, as soon as whoever calls is done.

        Napari's bar handles the user's clicks before it comes back: within the caller a click on Cancel would take away
        what the caller still works with.

        Parameters
        ----------
        done : int
            How much is done.
        total : int
            Of how much, in the same unit: iterations of a run, hundredths of files of a batch.
        """
        self._last = done, total
        QTimer.singleShot(0, partial(self._move_later, self._bar, done, total))

    def _move_later(self, bar: Any, done: int, total: int) -> None:
        if bar is not None and bar is self._bar:
            _move(bar, done, total)

    def close(self) -> None:
        """Take the bar away; the job is over."""
        if self._bar is None:
            return
        bar, self._bar = self._bar, None
        _move(bar, *self._last)
        bar.close()
        _going_on.discard(self)
        if not _going_on:
            _turn_busy_signs(100)


def _move(bar: Any, done: int, total: int) -> None:
    if bar.total != total:
        bar.total = total
    if done != bar.n:
        bar.update(done - bar.n)


#: Those of all windows with a job that goes on.
_going_on: weakref.WeakSet[Activity] = weakref.WeakSet()


def _turn_busy_signs(speed: int) -> None:
    """Let napari's busy signs turn at so many hundredths of their speed."""
    for window in QApplication.topLevelWidgets():
        for bar in window.findChildren(QStatusBar):
            for label in bar.findChildren(QLabel):
                if (movie := label.movie()) is not None:
                    movie.setSpeed(speed)
