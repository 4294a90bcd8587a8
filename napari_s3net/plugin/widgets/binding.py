"""A Qt binding that is about to end the process, which nothing here can prevent: it is told while there is time."""

from __future__ import annotations

import sys
from functools import cache

import qtpy
from napari.utils.notifications import show_warning
from qtpy.QtCore import QObject

#: How often a function without a result is called, to see whether it costs a reference each time.
CALLS = 1000


@cache
def warn_of_binding() -> None:
    """Say once in a process that the Qt binding will end it soon, where it will."""
    if loses_references():
        show_warning(
            f"{qtpy.API_NAME} {qtpy.PYSIDE_VERSION or qtpy.PYQT_VERSION} does not work with Python "
            f"{sys.version_info[0]}.{sys.version_info[1]}: napari will end without a word after some minutes, with or "
            "without plugins. Save your work, close napari and install another one: "
            'pip install "PySide6!=6.12.0", or Python 3.12 or later.'
        )


def loses_references() -> bool:
    """Whether each call into Qt takes a reference to None away, which was not its own.

    PySide6 6.12.0 does so; Python before 3.12 counts these references, and ends the process when none is left, after a
    hundred thousand calls or so. `docs/pyside_references.py` shows it with PySide6 alone.

    Returns
    -------
    bool
        As seen in calls that are made here; False on Python 3.12 and later, for which None is not counted.
    """
    one, before = QObject(), sys.getrefcount(None)
    for _ in range(CALLS):
        one.setObjectName("")
    return before - sys.getrefcount(None) > CALLS // 2
