"""A length in the image between two clicks, with the line in view while it is drawn."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import numpy as np
from napari.layers import Image as ImageLayer
from numpy.typing import NDArray
from qtpy.QtCore import QObject, Qt, Signal
from qtpy.QtGui import QKeySequence, QShortcut
from qtpy.QtWidgets import QWidget

from napari_s3net.plugin.layers.outline import Outline

#: A button that moved further than this on the screen, in pixels, has dragged the view and not clicked.
STILL = 4.0


class Ruler(QObject):
    """Waits for two clicks in the view; dragging still moves it, Esc ends it.

    Parameters
    ----------
    viewer : napari.Viewer
        Where is clicked.
    dock : QWidget
        The ruler goes with it.

    Signals
    -------
    measured(float)
        The length in world units, after the second click; the line stays until `end`.
    ended()
        Nothing is waited for any more, and the line is gone.
    """

    measured = Signal(float)
    ended = Signal()

    def __init__(self, viewer: Any, dock: QWidget) -> None:
        super().__init__(dock)
        self._viewer, self._dock, self._line = viewer, dock, Outline(viewer)
        self._layer: ImageLayer | None = None
        self._points: list[NDArray[np.float64]] = []
        self._escape: QShortcut | None = None

    @property
    def is_on(self) -> bool:
        """Whether clicks are waited for, or the line is in view."""
        return self._layer is not None

    def begin(self, layer: ImageLayer) -> None:
        """Wait for two clicks on an image, which becomes the active layer so that nothing is painted.

        Parameters
        ----------
        layer : napari.layers.Image
            Is clicked on.
        """
        self.end()
        self._layer, self._points = layer, []
        self._viewer.layers.selection.active = layer
        layer.mode = "pan_zoom"
        self._viewer.mouse_drag_callbacks.append(self._press)
        self._viewer.mouse_move_callbacks.append(self._move)
        self._escape = QShortcut(QKeySequence("Escape"), self._dock)
        self._escape.setContext(Qt.ShortcutContext.ApplicationShortcut)  # the dock may float
        for pressed in (self._escape.activated, self._escape.activatedAmbiguously):
            pressed.connect(self.end)

    def click(self, position: NDArray[np.float64]) -> None:
        """Take one end of the length; what is clicked twice is one end.

        Parameters
        ----------
        position : numpy.ndarray
            In world units.
        """
        if self._points and np.allclose(position, self._points[0]):
            return
        self._points.append(position)
        if len(self._points) == 2:
            self._draw(position)
            self.measured.emit(float(np.linalg.norm(self._points[1] - self._points[0])))

    def end(self) -> None:
        """Wait no more, and take the line away; nothing where nothing was begun."""
        if self._layer is None:
            return
        self._layer = None
        self._line.clear()
        self._viewer.mouse_drag_callbacks.remove(self._press)
        self._viewer.mouse_move_callbacks.remove(self._move)
        if self._escape is not None:
            self._escape.setEnabled(False)
            self._escape.deleteLater()
            self._escape = None
        self.ended.emit()

    def _press(self, _: Any, event: Any) -> Generator[None, None, None]:
        start, position = np.array(event.pos, float), np.array(event.position, float)
        is_click = event.button == 1
        yield
        while event.type == "mouse_move":
            is_click = is_click and float(np.linalg.norm(np.array(event.pos) - start)) <= STILL
            yield
        if is_click and self.is_on and len(self._points) < 2:
            self.click(position)

    def _move(self, _: Any, event: Any) -> None:
        if len(self._points) == 1:
            self._draw(np.array(event.position, float))

    def _draw(self, to: NDArray[np.float64]) -> None:
        """The line from the first click to a place."""
        assert self._layer is not None  # noqa: S101 - it is being measured on
        axes = list(self._viewer.dims.displayed[-2:])
        ends = [np.asarray(self._layer.world_to_data(place))[axes][::-1] for place in (self._points[0], to)]
        self._line.draw_segments(self._layer, np.array(ends, np.float32))
