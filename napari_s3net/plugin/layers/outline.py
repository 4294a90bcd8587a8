"""Outlines over a label layer, of the object and of a cluster: drawn beside the labels, which stay as they are.

Napari's own contours are drawn of all labels at once and take 0.75 s on a plane of 1500 by 1500 pixels, 3.8 s on 3000
by 3000, on the window's thread; `edges` takes 0.17 and 0.55 s there. A layer of its own would come and go in the layer
list. So this draws on napari's canvas, the one place where the plugin goes beyond its public interface. A napari that
has rearranged it shows no outline, and its log says so once.
"""

from __future__ import annotations

import logging
import weakref
from typing import Any

import numpy as np
from napari.layers import Labels
from numpy.typing import NDArray
from vispy.scene.visuals import Line  # type: ignore[import-untyped]
from vispy.visuals.transforms import MatrixTransform  # type: ignore[import-untyped]

from napari_s3net.plugin.layers.palette import OBJECT
from napari_s3net.plugin.layers.proxy import plain

#: Colour and width in pixels of the screen, from below: a light line with a dark rim shows on every image.
STROKES = (("black", 4.0), ("white", 2.0))
OBJECT_STROKES = (("#06354a", 3.5), (OBJECT[0], 2.0))
#: Drawn after whatever lies in the layer.
ORDER = 1_000_000


def edges(region: NDArray[np.bool_]) -> NDArray[np.float32]:
    """The border of a region (H, W) along the pixels' edges.

    Parameters
    ----------
    region : numpy.ndarray
        (H, W) bool.

    Returns
    -------
    numpy.ndarray
        (2 n, 2): the ends (column, row) of n segments, where a whole number is the middle of a pixel.
    """
    rows, columns = np.flatnonzero(region.any(axis=1)), np.flatnonzero(region.any(axis=0))
    if not len(rows):
        return np.zeros((0, 2), np.float32)
    # Only around the region: a small object in a large image takes the time of a small one.
    corner = np.array([columns[0], rows[0]], np.float32)
    inside = np.pad(region[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1], 1)
    row, column = np.nonzero(inside[1:] != inside[:-1])
    across = np.stack([column - 1.5, row - 0.5, column - 0.5, row - 0.5], axis=1)
    row, column = np.nonzero(inside[:, 1:] != inside[:, :-1])
    down = np.stack([column - 0.5, row - 1.5, column - 0.5, row - 0.5], axis=1)
    return np.concatenate([across, down]).reshape(-1, 2).astype(np.float32) + corner


class Outline:
    """The outline of one region at a time.

    Parameters
    ----------
    viewer : napari.Viewer
        Whose canvas is drawn on; held weakly.
    strokes : tuple, optional
        Colour and width of each line, from below.
    """

    def __init__(self, viewer: Any, strokes: tuple[tuple[str, float], ...] = STROKES) -> None:
        self._viewer, self._strokes = weakref.ref(plain(viewer)), strokes
        self._lines: list[Line] = []

    def draw(self, layer: Labels, region: NDArray[np.bool_]) -> None:
        """Outline a region of the plane in view in the place of an earlier one. In a 3-D view nothing is drawn.

        Parameters
        ----------
        layer : napari.layers.Labels
            Where the outline lies.
        region : numpy.ndarray
            (H, W) bool, in the order of the layer's own axes.
        """
        viewer = self._viewer()
        if viewer is None:
            return
        rows, columns = viewer.dims.displayed[-2:]
        self.draw_segments(layer, edges(region if rows < columns else region.T))

    def draw_segments(self, layer: Any, ends: NDArray[np.float32]) -> None:
        """Draw segments in the place of what was drawn before. In a 3-D view nothing is drawn.

        Parameters
        ----------
        layer : napari.layers.Labels or napari.layers.Image
            Where they lie.
        ends : numpy.ndarray
            (2 n, 2) float32: the ends (column, row) of n segments, as displayed; a whole number is a pixel's middle.
        """
        viewer = self._viewer()
        node = None if viewer is None or viewer.dims.ndisplay != 2 else _node(viewer, layer)
        if node is None or not len(ends):
            self.clear()
        elif self._lines and self._lines[0].parent is node:
            for line in self._lines:
                line.set_data(pos=ends)
        else:
            self.clear()
            self._lines = [_line(ends, colour, width, node) for colour, width in self._strokes]

    def clear(self) -> None:
        """Take the outline away."""
        for line in self._lines:
            line.parent = None
        self._lines.clear()


def _node(viewer: Any, layer: Any) -> Any:
    """What a layer is on the canvas; None in a viewer that is only a model, and in a napari that has rearranged it."""
    if getattr(viewer, "window", None) is None:
        return None
    try:
        return viewer.window._qt_viewer.canvas.layer_to_visual[layer].node  # noqa: SLF001
    except (AttributeError, KeyError) as error:
        if not _told:
            _told.append(error)
            logging.getLogger(__name__).warning("Clusters are not outlined, this napari has another canvas: %r", error)
        return None


#: The failure that was told.
_told: list[Exception] = []


def _line(ends: NDArray[np.float32], colour: str, width: float, node: Any) -> Line:
    """Segments as a child of a label layer's node, which shifts its children from a pixel's corner to its middle."""
    line = Line(ends, color=colour, width=width, connect="segments", parent=node)
    line.set_gl_state("translucent", depth_test=False)
    line.order = ORDER
    line.transform = MatrixTransform()
    line.transform.translate((0.5, 0.5))
    return line
