"""A guided tour of the Segment dock, by napari's own (0.9 and later), from an image to the saved mask."""

from __future__ import annotations

from functools import partial
from importlib.util import find_spec
from typing import Any

from qtpy.QtWidgets import QWidget

#: Where napari keeps its tour; older ones have none.
HOME = "napari._qt.widgets.qt_viewer_tour"
#: The dock's part, a title, and what is said of it.
STOPS = (
    ("choosers", "The image in view", "This image is segmented. Another one, and another preset, are chosen here."),
    ("run_button", "Run", "Press Run now. Next goes on as soon as the object is outlined, which takes a few seconds."),
    ("panel.line", "What was found", "The object, its size, and how sure it is: <i>sure</i>, <i>look</i>, or none."),
    ("panel.correct", "Correct…", "Where the outline is wrong, paint over it; the rest follows. Ctrl-Z takes back."),
    ("panel.save", "Save", "Writes the object beside its image. ▾ has other formats, and all clusters."),
    ("panel.more", "More", "The result in 3-D, as Python or as a command that makes it again."),
)


def has_tour() -> bool:
    """Whether the installed napari has guided tours.

    Returns
    -------
    bool
        False before napari 0.9.
    """
    return find_spec(HOME) is not None


def start_tour(window: Any, dock: QWidget) -> None:
    """Start the tour; nothing where napari has none, or where one is shown already.

    A part of the dock that is not visible yet, as the result before a run, lets the tour wait: *Next* goes on later.

    Parameters
    ----------
    window : QMainWindow
        napari's window.
    dock : SegmentDock
        The dock.
    """
    if not has_tour() or getattr(window, "_viewer_tour", None) is not None:
        return
    from napari._qt.widgets.qt_viewer_tour import GuidedTour, TourAnchor, TourStep

    tour = GuidedTour([TourStep(partial(_part, dock, path), *says, TourAnchor.LEFT) for path, *says in STOPS], window)
    window._viewer_tour = tour  # noqa: SLF001 - where napari looks whether there is one
    tour.finished.connect(partial(setattr, window, "_viewer_tour", None))
    tour.start()


def _part(dock: QWidget, path: str) -> QWidget:
    """A part of the dock by its name, brought into view."""
    part: Any = dock
    for name in path.split("."):
        part = getattr(part, name)
    if part.isVisible():
        dock.ensureWidgetVisible(part)
    widget: QWidget = part
    return widget
