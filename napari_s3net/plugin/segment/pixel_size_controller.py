"""The way to a pixel size: typed, or two clicks on a ruler in the image and the length between them."""

from __future__ import annotations

from typing import Any

from napari.layers import Image as ImageLayer
from qtpy.QtCore import QObject, Signal
from qtpy.QtWidgets import QInputDialog, QWidget

from napari_s3net.plugin.layers.source import finest_level
from napari_s3net.plugin.segment.pixel_size import (
    FIELD_MM,
    LEAST,
    MOST,
    PixelSizeDialog,
    is_sized_by_hand,
    set_pixel_size,
)
from napari_s3net.plugin.segment.ruler import Ruler
from napari_s3net.plugin.widgets.remembered import recall, remember
from napari_s3net.plugin.widgets.result_panel import ResultPanel

#: What is said while clicks are waited for.
HINT = "Click both ends of a known length on the ruler. Dragging moves the view; Esc cancels."
#: Under which the length on the ruler is remembered, and what is offered first, in mm.
LENGTH, FIRST_MM = "ruler", 10.0


class PixelSizeController(QObject):
    """Asks how large the pixels are, and gives the size to the image and all that lies on it.

    Parameters
    ----------
    viewer : napari.Viewer
        Holds the layers.
    panel : ResultPanel
        Says what to click.
    parent : QWidget
        The dock, before which the dialogs stand.

    Signals
    -------
    given()
        The image has got a size.
    """

    given = Signal()

    def __init__(self, viewer: Any, panel: ResultPanel, parent: QWidget) -> None:
        super().__init__(parent)
        self._viewer, self._panel, self._dock = viewer, panel, parent
        self._layer: ImageLayer | None = None
        self._asked: QInputDialog | None = None
        #: Of the two clicks, in world units.
        self._distance = 1.0
        self.ruler = Ruler(viewer, parent)
        self.ruler.measured.connect(self._ask_length)
        self.ruler.ended.connect(self._end)

    def ask(self, layer: ImageLayer) -> None:
        """Ask for the size of an image's pixels.

        Parameters
        ----------
        layer : napari.layers.Image
            A single plane that does not know it, or has got it here.
        """
        self._layer = layer
        shape = layer.level_shapes[0] if layer.multiscale else finest_level(layer)[1]
        columns = int(shape[layer.ndim - 1])
        known = columns * float(layer.scale[-1]) if is_sized_by_hand(layer) else FIELD_MM
        dialog = PixelSizeDialog(columns, self._dock, known)
        dialog.given.connect(self._give)
        dialog.ruler.connect(self._begin)
        dialog.open()

    def cancel(self) -> None:
        """Ask no more; another image is chosen, or the dock is closed."""
        self._layer = None
        self.ruler.end()

    def _begin(self) -> None:
        if self._layer is not None:
            self._panel.show_hint(HINT)
            self.ruler.begin(self._layer)

    def _ask_length(self, distance: float) -> None:
        self._panel.show_hint("How long is the line? Type it in millimetres.")
        self._asked = dialog = QInputDialog(self._dock)
        dialog.setWindowTitle("Length on the ruler")
        dialog.setLabelText("Length of the line in mm:")
        dialog.setInputMode(QInputDialog.InputMode.DoubleInput)
        dialog.setDoubleDecimals(3)
        dialog.setDoubleRange(LEAST, MOST)
        dialog.setDoubleValue(float(recall(LENGTH, FIRST_MM)))
        self._distance = distance
        dialog.doubleValueSelected.connect(self._take_length)
        dialog.finished.connect(self.ruler.end)
        dialog.open()

    def _take_length(self, length: float) -> None:
        remember(LENGTH, length)
        if self._layer is not None:
            self._give(float(self._layer.scale[-1]) * length / self._distance)

    def _give(self, size: float) -> None:
        if self._layer is not None:
            set_pixel_size(self._viewer, self._layer, size)
            self.given.emit()

    def _end(self) -> None:
        self._panel.show_hint("")
        if self._asked is not None:
            asked, self._asked = self._asked, None
            asked.close()
