"""Level and width of the window by dragging in the view, as radiologists' viewers have it."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Generator
from typing import Any

from napari.layers import Labels

from napari_s3net.plugin.layers.proxy import plain
from napari_s3net.plugin.segment.window_controller import WindowController

#: The key that is held; with it, napari's own drag does nothing.
KEY = "Control"
#: Pixels of the screen that double the width, or move the level by half of it.
REACH = 200.0


class WindowDrag:
    """While Ctrl is held, dragging with the left button changes the window; painting on labels goes first.

    Parameters
    ----------
    viewer : napari.Viewer
        In whose view is dragged.
    controller : WindowController
        Knows the window of the image in view.
    """

    def __init__(self, viewer: Any, controller: WindowController) -> None:
        self._viewer, self._begin = viewer, _beginner(controller)
        viewer.mouse_drag_callbacks.append(self._begin)

    def release(self) -> None:
        """Hear nothing of the mouse any more."""
        if self._begin in self._viewer.mouse_drag_callbacks:
            self._viewer.mouse_drag_callbacks.remove(self._begin)


def dragged(window: tuple[float, float], right: float, down: float) -> tuple[float, float]:
    """Compute the window after a drag: to the right it becomes wider, downwards the image becomes brighter.

    Parameters
    ----------
    window : tuple of float
        The lowest and the highest value before.
    right, down : float
        How far was dragged, in pixels of the screen.

    Returns
    -------
    low, high : float
        Low stays below high.
    """
    level, width = (window[0] + window[1]) / 2, window[1] - window[0]
    level -= width * down / (2 * REACH)
    width *= 2 ** (right / REACH)
    return level - width / 2, level + width / 2


def _beginner(controller: WindowController) -> Callable[[Any, Any], Generator[None, None, None]]:
    """What napari calls as a button goes down; knows the dock's controller only as long as it lives."""
    known = weakref.ref(controller)

    def begin(viewer: Any, event: Any) -> Generator[None, None, None]:
        alive, window = known(), None
        if alive is not None and event.button == 1 and KEY in event.modifiers and not _paints(viewer):
            window = alive.window
        start = tuple(event.pos)
        yield
        while event.type == "mouse_move":
            if window is not None and alive is not None:
                alive.set_window(*dragged(window, event.pos[0] - start[0], event.pos[1] - start[1]))
            yield

    return begin


def _paints(viewer: Any) -> bool:
    """Whether the left button paints now."""
    active = plain(viewer.layers.selection.active)
    return isinstance(active, Labels) and str(active.mode) != "pan_zoom"
