"""The strokes on the labels that are corrected, in the plane that is in view: drawn, read, counted, taken away."""

from __future__ import annotations

from typing import Any

import numpy as np
from napari.layers import Labels
from numpy.typing import NDArray
from scipy import ndimage

from napari_s3net.correction.constraints import BACKGROUND, OBJECT
from napari_s3net.errors import InvalidImageError
from napari_s3net.labels.ids import ids_in
from napari_s3net.plugin.correct.chosen_labels import ChosenLabels
from napari_s3net.plugin.layers.stroke_layer import add_strokes, find_strokes, recolour_strokes
from napari_s3net.plugin.layers.written_labels import write_undoable, write_unrecorded

#: The smallest brush in pixels that can be seen and hit.
LEAST_BRUSH = 3


class Strokes:
    """What is drawn on labels; knows no widget.

    Parameters
    ----------
    viewer : napari.Viewer
        Holds the layer of strokes.
    chosen : ChosenLabels
        The labels that are corrected.
    """

    def __init__(self, viewer: Any, chosen: ChosenLabels) -> None:
        self._viewer, self._chosen = viewer, chosen
        self._brush: int | None = None

    @property
    def layer(self) -> Labels | None:
        """The layer of strokes, if there is one."""
        labels = self._chosen.layer
        return None if labels is None else find_strokes(self._viewer.layers, labels)

    def make(self) -> Labels:
        """The layer of strokes; it is added where there is none.

        Returns
        -------
        napari.layers.Labels
            Of the labels' shape.

        Raises
        ------
        InvalidImageError
            If there are no labels on an image.
        """
        labels, _ = self._chosen.in_view()
        found = self.layer
        if found is None:
            found = add_strokes(self._viewer, labels, self._chosen.ids)
            if self._brush is not None:
                found.brush_size = self._brush
        return found

    def recolour(self) -> None:
        """Give the strokes the colours that the labels in view have now."""
        labels, strokes = self._chosen.layer, self.layer
        if labels is not None and strokes is not None:
            recolour_strokes(strokes, labels, self._chosen.ids)

    def fit_brush(self, extent: float) -> None:
        """Make the brush fit a place that is to be corrected: half as wide, so that a stroke stays within.

        Parameters
        ----------
        extent : float
            Of the place, in pixels.
        """
        self._brush = max(LEAST_BRUSH, round(extent / 2))
        if self.layer is not None:
            self.layer.brush_size = self._brush

    def forget_brush(self) -> None:
        """Other labels were chosen: the brush is as wide as napari makes it until a place is to be corrected."""
        self._brush = None

    def constraints(self) -> NDArray[np.int32] | None:
        """The strokes of the plane in view.

        Returns
        -------
        numpy.ndarray or None
            (H, W) int32, a copy: 0 where nothing is drawn, else a label or `constraints.OBJECT` or
            `constraints.BACKGROUND`; None where there are no strokes.
        """
        strokes, (_, key) = self.layer, self._chosen.in_view()
        if strokes is None or not strokes.data[key.index].any():
            return None
        return np.array(strokes.data[key.index], np.int32)

    def count(self) -> tuple[int, int, int]:
        """Count the strokes in view; pixels of one colour that touch, also at a corner, are one stroke.

        Returns
        -------
        objects, backgrounds, others : int
            Strokes of object, of background and of labels.
        """
        drawn = self.constraints()
        if drawn is None:
            return 0, 0, 0
        rows, columns = np.flatnonzero(drawn.any(1)), np.flatnonzero(drawn.any(0))
        drawn = drawn[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
        counts = {i: ndimage.label(drawn == i, np.ones((3, 3)))[1] for i in ids_in(drawn)}
        sides = counts.pop(OBJECT, 0), counts.pop(BACKGROUND, 0)
        return *sides, sum(counts.values())

    def clear(self) -> None:
        """Take all strokes of the plane away, as one step."""
        strokes, (_, key) = self.layer, self._chosen.in_view()
        if strokes is not None:
            write_undoable(strokes, key.index, np.zeros_like(strokes.data[key.index]))

    def put(self, drawn: NDArray[Any]) -> None:
        """Put strokes from elsewhere in the place of those of the whole layer; undo does not know of it.

        Parameters
        ----------
        drawn : numpy.ndarray
            Constraints of the layer's shape; 0 is not drawn.

        Raises
        ------
        InvalidImageError
            If they are not of the labels' shape.
        """
        strokes = self.make()
        if drawn.shape != strokes.data.shape:
            raise InvalidImageError(f"The strokes are {drawn.shape}, the labels {strokes.data.shape}.")
        write_unrecorded(strokes, (slice(None),) * drawn.ndim, drawn.astype(strokes.data.dtype))
