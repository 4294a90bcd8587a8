"""The image that Learn opens to be corrected: shown where the model looked, and what of it somebody looks at."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from napari.layers import Labels
from qtpy.QtCore import QObject

from napari_s3net.plugin.jobs.pause import after_pause
from napari_s3net.plugin.layers.plane_key import key_in_view
from napari_s3net.plugin.layers.result_layer import plain
from napari_s3net.plugin.layers.slice_states import SEEN_MS, states_of


def show_middle(viewer: Any, layer: Any) -> None:
    """Move the sliders to the middle slice of a layer, wherever it lies, and show the whole of it.

    Parameters
    ----------
    viewer : napari.Viewer
        Shows the layer.
    layer : napari.layers.Layer
        An image or labels; of a plane only the view moves.
    """
    dims = viewer.dims
    middle = layer.data_to_world(tuple(n // 2 for n in layer.data.shape[: layer.ndim]))
    for axis, place in enumerate(middle, dims.ndim - layer.ndim):
        dims.set_point(axis, place)
    viewer.reset_view()


class SeenSlices:
    """Notes which slices of labels somebody looks at, for as long as it takes to see something.

    Parameters
    ----------
    viewer : napari.Viewer
        Shows the labels.
    opened : callable
        Returns the labels, or None.
    parent : qtpy.QtCore.QObject
        Owns the timer.
    """

    def __init__(self, viewer: Any, opened: Callable[[], Labels | None], parent: QObject) -> None:
        self._viewer, self._opened = viewer, opened
        self._soon = after_pause(SEEN_MS, self.mark, parent)

    def moved(self, event: Any = None) -> None:
        """Another slice may be in view.

        Parameters
        ----------
        event : object
            Of the viewer; not looked at.
        """
        self._soon.start()

    def mark(self) -> None:
        """The slice in view has been looked at, where the labels are in view at all."""
        layer, viewer = self._opened(), self._viewer
        if layer is None or viewer.dims.ndisplay == 3 or not layer.visible:
            return
        if layer.data.ndim > 2 and any(plain(one) is layer for one in viewer.layers):
            key = key_in_view(layer, layer.data.shape, viewer.dims.point, viewer.dims.order[-2:])
            states_of(layer).seen.add(key)
