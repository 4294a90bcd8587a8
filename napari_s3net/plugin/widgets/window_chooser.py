"""Through which window an image is shown: ready-made ones, and a slider. It never changes what is computed."""

from __future__ import annotations

from functools import partial

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QLineEdit, QPushButton, QSlider, QWidget
from superqt import QLabeledDoubleRangeSlider

from napari_s3net.plugin.widgets.parts import button, column, one_line, row_by_text

#: Windows of CT by name: text, and the lowest and highest value in HU. Level and width are those that radiologists use:
#: lung −600 and 1500, mediastinum 50 and 350, bone 400 and 1800, brain 40 and 80, abdomen 50 and 400.
CT_WINDOWS = {
    "lung": ("Lung", -1350.0, 150.0),
    "mediastinum": ("Mediastinum", -125.0, 225.0),
    "bone": ("Bone", -500.0, 1300.0),
    "brain": ("Brain", 0.0, 80.0),
    "abdomen": ("Abdomen", -150.0, 250.0),
}
#: Windows of images without a unit: text, and the share of the pixels, in per cent, that is below each end.
PERCENTILES = {"all": ("0–100 %", 0.0, 100.0), "most": ("1–99 %", 1.0, 99.0), "middle": ("5–95 %", 5.0, 95.0)}
OPENED = "opened"
#: The slider of CT reaches at least so far, in HU.
CT_RANGE = (-1024.0, 2000.0)


class WindowChooser(QWidget):
    """Hidden for colours.

    Signals
    -------
    asked(str)
        A window of `CT_WINDOWS` or `PERCENTILES`, or "opened" for the file's own.
    moved(float, float)
        The user moves the slider: the lowest and the highest value.
    """

    asked = Signal(str)
    moved = Signal(float, float)

    def __init__(self) -> None:
        super().__init__()
        tip = "Show the image through this window; what is computed stays the same."
        own = "Show the image through the window that it was opened with."
        names = [*((name, text) for name, (text, *_) in {**CT_WINDOWS, **PERCENTILES}.items()), (OPENED, "As opened")]
        self.buttons: dict[str, QPushButton] = {}
        for name, text in names:
            made = self.buttons[name] = button(text, own if name == OPENED else tip)
            made.clicked.connect(partial(self._ask, name))
        self.line = one_line()
        self.slider = QLabeledDoubleRangeSlider(Qt.Orientation.Horizontal)
        self.slider.setHandleLabelPosition(QLabeledDoubleRangeSlider.LabelPosition.NoLabel)
        self.slider.setEdgeLabelMode(QLabeledDoubleRangeSlider.EdgeLabelMode.LabelIsValue)
        self.slider.setAccessibleName("Window")
        drag = "In the view: Ctrl and the left button, sideways for the width, up and down for the level."
        self.slider.setToolTip(f"The values that are shown black and white. {tip} {drag}")
        self._explain_parts()
        self.slider.valueChanged.connect(self._move)
        b = self.buttons
        first = row_by_text(b["lung"], b["mediastinum"], b["bone"])
        second = row_by_text(b["brain"], b["abdomen"], *(b[name] for name in PERCENTILES), b[OPENED])
        column(self, self.line, first, second, self.slider).setSpacing(4)
        self.show_kind(None)

    def _explain_parts(self) -> None:
        """A slider's tooltip is not that of its handles and fields: superqt makes widgets of their own for them."""
        handles, ends = self.slider.findChildren(QSlider), self.slider.findChildren(QLineEdit)
        for part in handles:
            part.setToolTip(self.slider.toolTip())
        shown = (("Lowest", "up to this one", "black"), ("Highest", "from this one on", "white"))
        for field, (end, which, colour) in zip(ends, shown, strict=False):  # the ones after them are never shown
            field.setToolTip(f"Values {which} are shown {colour}. Type another one and press Enter.")
            field.setAccessibleName(f"{end} value of the window")

    def show_kind(self, kind: str | None) -> None:
        """Offer the windows that suit the values of an image.

        Parameters
        ----------
        kind : str or None
            As `Image.kind`; colours, and None, have no window.
        """
        self.setVisible(kind not in (None, "rgb"))
        for name, made in self.buttons.items():
            made.setVisible(name == OPENED or (name in CT_WINDOWS) == (kind == "ct"))
        self._unit = " HU" if kind == "ct" else ""

    def show_window(self, limits: tuple[float, float], reach: tuple[float, float]) -> None:
        """Show the window that the image has; `moved` is silent.

        Parameters
        ----------
        limits : tuple of float
            The lowest and the highest value that are told apart.
        reach : tuple of float
            As far as the slider goes.
        """
        low, high = limits
        decimals = 0 if reach[1] - reach[0] > 20 else 3
        self.slider.blockSignals(True)
        self.slider.setDecimals(decimals)
        self.slider.setRange(min(low, reach[0]), max(high, reach[1]))
        self.slider.setValue((low, high))
        self.slider.blockSignals(False)
        level, width = (low + high) / 2, high - low
        self.line.setText(f"Window: level {level:.{decimals}f}, width {width:.{decimals}f}{self._unit}")

    def _ask(self, name: str, _: bool = False) -> None:
        self.asked.emit(name)

    def _move(self, values: tuple[float, float]) -> None:
        low, high = values
        if high > low:
            self.moved.emit(float(low), float(high))
