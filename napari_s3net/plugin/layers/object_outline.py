"""The object's outline, for as long as its result is in the viewer: it follows brush, undo, ticks and slices."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Any

import numpy as np
from napari.layers import Labels

from napari_s3net.plugin.jobs.pause import after_pause
from napari_s3net.plugin.layers.metadata import mask_of_layer
from napari_s3net.plugin.layers.outline import OBJECT_STROKES, Outline
from napari_s3net.plugin.layers.plane_key import key_in_view
from napari_s3net.plugin.layers.proxy import plain
from napari_s3net.plugin.layers.result_layer import metadata_of

#: Changes within this time are drawn together, so that a brush stays smooth.
DRAW_MS = 40

_outlines: weakref.WeakKeyDictionary[Labels, ObjectOutline] = weakref.WeakKeyDictionary()


def outline_object(viewer: Any, layer: Labels) -> None:
    """Outline the object of a result from now on; asking again changes nothing, a viewer without a window draws none.

    Parameters
    ----------
    viewer : napari.Viewer
        Holds the layer.
    layer : napari.layers.Labels
        The result.
    """
    viewer = plain(viewer)
    if layer not in _outlines and getattr(viewer, "window", None) is not None:
        _outlines[layer] = ObjectOutline(viewer, layer)


class ObjectOutline:
    """Draws the outline of a result's object, and listens to all that changes it.

    Parameters
    ----------
    viewer : napari.Viewer
        Held weakly, as is the layer.
    layer : napari.layers.Labels
        The result.
    """

    def __init__(self, viewer: Any, layer: Labels) -> None:
        self._viewer, self._layer = weakref.ref(viewer), weakref.ref(layer)
        self._outline = Outline(viewer, OBJECT_STROKES)
        self._timer = after_pause(DRAW_MS, self.draw)
        changes, dims = layer.events, viewer.dims.events
        self._heard: list[tuple[Any, Callable[..., None]]] = [
            *((event, self._change) for event in (changes.paint, changes.set_data, changes.colormap)),
            (dims.current_step, self._change),
            *((event, self._turn) for event in (dims.order, dims.ndisplay)),
            (viewer.layers.events.removed, self._removed),
        ]
        for event, slot in self._heard:
            event.connect(slot)
        self._timer.start()

    def draw(self) -> None:
        """Outline the object in the plane in view."""
        viewer, layer = self._viewer(), self._layer()
        about = None if layer is None else metadata_of(layer)
        if viewer is None or layer is None or about is None:
            self._outline.clear()
            return
        key = key_in_view(layer, layer.data.shape, viewer.dims.point, viewer.dims.order[-2:])
        plane = np.asarray(layer.data[key.index])
        self._outline.draw(layer, mask_of_layer(plane, about).astype(bool))

    def _change(self, event: Any = None) -> None:
        if not self._timer.isActive():
            self._timer.start()

    def _turn(self, event: Any = None) -> None:
        """Take away the outline of a plane that is in view no longer: the first picture of another may take long."""
        self._outline.clear()
        self._change()

    def _removed(self, event: Any) -> None:
        layer = self._layer()
        if layer is not None and plain(event.value) is not layer:
            return
        self._timer.stop()
        self._outline.clear()
        for emitter, slot in self._heard:
            emitter.disconnect(slot)
        if layer is not None:
            _outlines.pop(layer, None)
