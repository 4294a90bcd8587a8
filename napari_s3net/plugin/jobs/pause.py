"""Work that waits until there was a pause, so that many changes in a row are followed once."""

from __future__ import annotations

from collections.abc import Callable

from qtpy.QtCore import QObject, QTimer


def after_pause(milliseconds: int, slot: Callable[[], object], parent: QObject | None = None) -> QTimer:
    """Make a timer that fires once, that long after it was last started.

    Parameters
    ----------
    milliseconds : int
        The pause.
    slot : callable
        What is done then.
    parent : QObject, optional
        Owns the timer.

    Returns
    -------
    qtpy.QtCore.QTimer
        `start` puts off what was to be done, `stop` leaves it out.
    """
    timer = QTimer(parent)
    timer.setSingleShot(True)
    timer.setInterval(milliseconds)
    timer.timeout.connect(slot)
    return timer
