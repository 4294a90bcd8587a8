"""How large the pixels of a photograph are: asked of the user, and given to the image and all that lies on it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from napari.layers import Image as ImageLayer
from napari.layers import Labels
from qtpy.QtCore import Signal
from qtpy.QtWidgets import QDialog, QDialogButtonBox, QDoubleSpinBox, QPushButton, QVBoxLayout, QWidget

from napari_s3net.plugin.layers.placement import KEY, lies_on, transform_of
from napari_s3net.plugin.layers.proxy import plain
from napari_s3net.plugin.layers.renewal import PerLayer
from napari_s3net.plugin.layers.result_layer import is_result_of
from napari_s3net.plugin.layers.source import finest_level, level_scale
from napari_s3net.plugin.layers.view import show_whole
from napari_s3net.plugin.widgets.fields import add_row, form_layout
from napari_s3net.plugin.widgets.parts import caption

#: The smallest and the largest size in mm that can be typed, and what is offered first: a dermatoscope's 20 mm field.
LEAST, MOST, FIELD_MM = 1e-5, 1000.0, 20.0


class PixelSizeDialog(QDialog):
    """Asks for the width of the whole image or for the size of a pixel; each follows from the other.

    Parameters
    ----------
    columns : int
        Of the image.
    parent : QWidget or None
        The dialog stands before its window.
    width : float, optional
        Of the image in mm, as far as it is known.

    Signals
    -------
    given(float)
        Millimetres a pixel, once the user is done.
    ruler()
        The user wants to click on a ruler in the image instead; the dialog is closed.
    """

    given = Signal(float)
    ruler = Signal()

    def __init__(self, columns: int, parent: QWidget | None = None, width: float = FIELD_MM) -> None:
        super().__init__(parent)
        self.setWindowTitle("Set pixel size")
        self._columns = columns
        self.width_mm = _field("Width of the whole image", "What a ruler in the image says of its width.", 2)
        self.pixel_mm = _field("Size of a pixel", "As in the manual of the camera or the dermatoscope.", 5)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Ok | QDialogButtonBox.StandardButton.Cancel)
        self.on_ruler = QPushButton("Click on a ruler in the image…")
        self.on_ruler.setToolTip("Two clicks on a ruler in the image, and the length between them.")
        self.on_ruler.clicked.connect(self.reject)
        self.on_ruler.clicked.connect(self.ruler)
        layout = QVBoxLayout(self)
        layout.addWidget(self.on_ruler)
        layout.addWidget(
            caption("Or type either one. Areas are then told in mm², and the size is saved with the labels.")
        )
        form = form_layout()
        for field in (self.width_mm, self.pixel_mm):
            add_row(form, field.accessibleName(), field)
            field.valueChanged.connect(self._follow)
        layout.addLayout(form)
        layout.addWidget(buttons)
        self.width_mm.setValue(width)
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        self.accepted.connect(self._give)

    def _follow(self, value: float) -> None:
        typed = self.sender()
        other, shown = (
            (self.pixel_mm, value / self._columns) if typed is self.width_mm else (self.width_mm, value * self._columns)
        )
        other.blockSignals(True)
        other.setValue(shown)
        other.blockSignals(False)
        self._exact = shown if other is self.pixel_mm else value

    def _give(self) -> None:
        self.given.emit(self._exact)


def set_pixel_size(viewer: Any, image_layer: ImageLayer, size: float) -> None:
    """Give an image and every layer that lies on it pixels of this size.

    Parameters
    ----------
    viewer : napari.Viewer
        Holds the layers; its view is fitted to them anew.
    image_layer : napari.layers.Image
        A single plane.
    size : float
        Millimetres from one column to the next. Rows follow: square pixels stay square, others keep their shape.
    """
    shape = finest_level(image_layer)[1]
    layers = [layer for layer in map(plain, viewer.layers) if isinstance(layer, Labels | ImageLayer)]
    on_it = [one for one in layers if lies_on(transform_of(one), finest_level(one)[1], image_layer, shape)]
    on_it += [one for one in layers if is_result_of(one, image_layer) and finest_level(one)[1] == shape]
    image_layer.scale = tuple(size * float(step) / float(image_layer.scale[-1]) for step in image_layer.scale)
    scale, units = level_scale(image_layer, shape), ("mm",) * image_layer.ndim
    spacing = (float(scale[-2]), float(scale[-1]))
    for layer in (image_layer, *on_it):
        if layer is not image_layer:
            layer.scale = scale
        layer.units = units
        known = layer.metadata.get(KEY)
        if known is not None and "geometry" in known:
            geometry = replace(known["geometry"], spacing=spacing, unit="mm")
            layer.metadata = {**layer.metadata, KEY: {**known, "geometry": geometry, "has_given_size": True}}
    _sized[image_layer] = True
    show_whole(viewer)


def is_sized_by_hand(image_layer: ImageLayer | None) -> bool:
    """Whether the size of an image's pixels comes from `set_pixel_size`, so that it may be changed again.

    Parameters
    ----------
    image_layer : napari.layers.Image or None
        Any image; False for None.

    Returns
    -------
    bool
        False for a size from the image's file.
    """
    return image_layer in _sized


#: Images whose size the user has given.
_sized: PerLayer[Any, bool] = PerLayer()


def _field(name: str, tip: str, decimals: int) -> QDoubleSpinBox:
    field = QDoubleSpinBox()
    field.setAccessibleName(name)
    field.setToolTip(tip)
    field.setDecimals(decimals)
    field.setRange(LEAST, MOST)
    field.setSuffix(" mm")
    field.setMinimumWidth(120)
    return field
