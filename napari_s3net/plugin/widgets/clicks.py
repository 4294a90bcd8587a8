"""Tools that ask for one or two clicks in the view."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from napari.layers import Labels

from napari_s3net.plugin.layers.plane_key import Index

Point = tuple[int, int]


def point_in(layer: Labels, position: Any, index: Index) -> Point | None:
    """The pixel of a plane that was clicked.

    Parameters
    ----------
    layer : napari.layers.Labels
        The layer that holds the plane.
    position : sequence of float
        Of the click, in world coordinates.
    index : tuple
        The plane in the layer's array, from `PlaneKey.index`.

    Returns
    -------
    tuple of int or None
        Row and column; None where the click is outside.
    """
    place = np.round(np.asarray(layer.world_to_data(position))).astype(int)
    row, column = (int(p) for p, i in zip(place, index, strict=True) if isinstance(i, slice))
    rows, columns = (n for n, i in zip(layer.data.shape, index, strict=True) if isinstance(i, slice))
    return (row, column) if 0 <= row < rows and 0 <= column < columns else None


class Clicks:
    """Waits for clicks on a layer; one question at a time.

    Parameters
    ----------
    viewer : napari.Viewer
        Where the clicks are made.
    """

    def __init__(self, viewer: Any) -> None:
        self._viewer = viewer
        self._layer: Labels | None = None

    def ask(self, layer: Labels, index: Index, wanted: int, done: Callable[[list[Point]], None]) -> None:
        """Collect clicks on a layer, which becomes the active one; an earlier question is dropped.

        Parameters
        ----------
        layer : napari.layers.Labels
            Is clicked on; clicks outside do not count.
        index : tuple
            The plane in the layer's array, from `PlaneKey.index`.
        wanted : int
            How many clicks.
        done : callable
            Called with their pixels, (row, column) each, in the order of the clicks.
        """
        self.drop()
        self._layer, points = layer, []
        self._viewer.layers.selection.active = layer
        layer.mode = "pan_zoom"

        def clicked(_: Any, event: Any) -> None:
            point = point_in(layer, event.position, index)
            if point is None:
                return
            points.append(point)
            if len(points) == wanted:
                self.drop()
                done(points)

        self._clicked = clicked
        layer.mouse_drag_callbacks.append(clicked)

    @property
    def is_asking(self) -> bool:
        """Whether clicks are waited for."""
        return self._layer is not None

    def drop(self) -> None:
        """Stop waiting for clicks."""
        if self._layer is not None and self._clicked in self._layer.mouse_drag_callbacks:
            self._layer.mouse_drag_callbacks.remove(self._clicked)
        self._layer = None
