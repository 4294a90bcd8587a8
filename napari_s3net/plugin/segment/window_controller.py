"""The window of an image layer: taken from the layer, and given to it. Nothing that is computed looks at it."""

from __future__ import annotations

from typing import Any

import numpy as np
from napari.layers import Image as ImageLayer
from qtpy.QtCore import QObject

from napari_s3net.plugin.layers.renewal import PerLayer
from napari_s3net.plugin.layers.source import Source
from napari_s3net.plugin.widgets.window_chooser import CT_RANGE, CT_WINDOWS, OPENED, PERCENTILES, WindowChooser
from napari_s3net.preprocessing.window import sampling_step

#: The windows that layers were opened with.
_opened: PerLayer[ImageLayer, tuple[float, float]] = PerLayer()


class WindowController(QObject):
    """Connects a chooser of windows with one image layer at a time.

    Parameters
    ----------
    chooser : WindowChooser
        Shows the window, and asks for others.
    parent : QObject
        The dock.
    """

    def __init__(self, chooser: WindowChooser, parent: QObject) -> None:
        super().__init__(parent)
        self._chooser = chooser
        self._layer: ImageLayer | None = None
        self._source: Source | None = None
        self._kind: str | None = None
        chooser.asked.connect(self._ask)
        chooser.moved.connect(self.set_window)

    def follow(self, layer: ImageLayer | None, source: Source | None) -> None:
        """Show the window of a layer.

        Parameters
        ----------
        layer : napari.layers.Image or None
            None where there is no image.
        source : Source or None
            Its plane in view, with its kind; percentiles are those of this plane.
        """
        kind = None if source is None or layer is None else source.kind or "grey"
        is_known = layer is self._layer and kind == self._kind
        self._source, self._kind = source, kind
        if is_known:  # a step through a stack
            return
        if layer is not self._layer:
            self.release()
            self._layer = layer
            if layer is not None:
                _opened.setdefault(layer, _limits(layer))
                layer.events.contrast_limits.connect(self._show)
        self._chooser.show_kind(kind)
        self._show()

    def release(self) -> None:
        """Let go of the layer."""
        if self._layer is not None:
            self._layer.events.contrast_limits.disconnect(self._show)
        self._layer = None

    def _show(self, event: Any = None) -> None:
        if self._layer is None or self._layer.rgb:
            return
        low, high = (float(value) for value in self._layer.contrast_limits_range)
        if self._source is not None and self._source.kind == "ct":
            low, high = min(low, CT_RANGE[0]), max(high, CT_RANGE[1])
        self._chooser.show_window(_limits(self._layer), (low, high))

    def _ask(self, name: str) -> None:
        if self._layer is None:
            return
        if name == OPENED:
            self.set_window(*_opened[self._layer])
        elif name in CT_WINDOWS:
            self.set_window(*CT_WINDOWS[name][1:])
        elif self._source is not None:
            array = self._source.read().array
            step = sampling_step(array.shape)
            values = array[::step, ::step]
            values = values[np.isfinite(values)]
            if values.size:
                low, high = np.percentile(values, PERCENTILES[name][1:])
                self.set_window(float(low), float(high))

    @property
    def window(self) -> tuple[float, float] | None:
        """The lowest and the highest value that are told apart; None without an image, and of colours."""
        return None if self._layer is None or self._layer.rgb else _limits(self._layer)

    def set_window(self, low: float, high: float) -> None:
        """Show the image through another window.

        Parameters
        ----------
        low, high : float
            The values that become black and white; nothing is done unless low is below high.
        """
        if self._layer is not None and high > low:
            self._layer.contrast_limits = (low, high)


def _limits(layer: ImageLayer) -> tuple[float, float]:
    low, high = layer.contrast_limits
    return float(low), float(high)
