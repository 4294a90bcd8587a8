"""The cluster whose row is under the mouse: outlined in the view, once the mouse rests."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from napari.layers import Labels
from numpy.typing import NDArray
from qtpy.QtCore import QObject

from napari_s3net.plugin.jobs.pause import after_pause
from napari_s3net.plugin.layers.outline import Outline

#: Time that the mouse rests on a row before its cluster is outlined, so that crossing the table does not flicker.
HOVER_MS = 70


class HoveredCluster(QObject):
    """Outlines one cluster at a time.

    Parameters
    ----------
    viewer : napari.Viewer
        Is drawn into.
    region_of : callable
        The layer, and which pixels of the plane in view a row's label stands for; None where there is no result.
    parent : QObject
        Owns it.
    """

    def __init__(
        self, viewer: Any, region_of: Callable[[int], tuple[Labels, NDArray[Any]] | None], parent: QObject
    ) -> None:
        super().__init__(parent)
        self._region_of, self._outline = region_of, Outline(viewer)
        self._label: int | None = None
        self._soon = after_pause(HOVER_MS, self.draw, self)

    def hover(self, label: int | None) -> None:
        """Outline another cluster soon.

        Parameters
        ----------
        label : int or None
            Of the row under the mouse; None where the mouse has left the table.
        """
        self._label = label
        self._soon.start()

    def draw(self) -> None:
        """Outline the cluster as it is now, or none."""
        found = None if self._label is None else self._region_of(self._label)
        if found is None:
            self._outline.clear()
        else:
            self._outline.draw(*found)

    def leave(self) -> None:
        """Outline none."""
        self._label = None
        self._outline.clear()
        self._soon.stop()
