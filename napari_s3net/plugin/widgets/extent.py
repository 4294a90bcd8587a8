"""How much of a stack is segmented: the slice in view, a range of slices, or all of it."""

from __future__ import annotations

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QWidget
from superqt import QRangeSlider

from napari_s3net.plugin.widgets.fields import make_field
from napari_s3net.plugin.widgets.parts import caption, column

SLICE, RANGE, VOLUME = "slice", "range", "volume"
CHOICES = [("Whole volume", VOLUME), ("Slices…", RANGE), ("This slice", SLICE)]


class ExtentChooser(QWidget):
    """Shown for stacks only.

    Signals
    -------
    changed()
        The user takes more or fewer slices.
    """

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.choice = make_field(
            SLICE,
            "Slices",
            "How much of the stack is segmented. Of a volume, a few slices train one network, which segments all.",
            choices=CHOICES,
        )
        self.range = QRangeSlider(Qt.Orientation.Horizontal)
        self.range.setAccessibleName("Range of slices")
        self.range.setToolTip("The first and the last slice, counted as the slider does.")
        self.line = caption()
        self._slices, self._apart, self._place = 1, "", ""
        column(self, self.choice.native, self.range, self.line)
        self.choice.changed.connect(self._show)
        self.choice.native.activated.connect(self._tell)
        self.range.valueChanged.connect(self._moved)
        self._show()

    @property
    def span(self) -> tuple[int, int] | None:
        """The first and the last slice, from 0; None for the one in view alone."""
        if self._slices == 1 or self.choice.value == SLICE:
            return None
        if self.choice.value == VOLUME:
            return 0, self._slices - 1
        first, last = (int(value) for value in self.range.value())
        return first, last

    def show_stack(self, slices: int, apart: str, place: str) -> None:
        """Say what there is to choose from.

        Parameters
        ----------
        slices : int
            How many slices the stack has; 1 hides the choice.
        apart, place : str
            How far apart the slices lie, and where the one in view lies, in words; empty where that is not known.
        """
        if slices != self._slices:
            self._slices = slices
            self.range.setRange(0, max(1, slices - 1))
            self.range.setValue((slices // 4, max(slices // 4, 3 * slices // 4)))
        self._apart, self._place = apart, place
        self.setVisible(slices > 1)
        self._show()

    def _show(self, _: object = None) -> None:
        self.range.setVisible(self.choice.value == RANGE)
        span = self.span
        words = (self._apart, self._place) if span is None else ("{}–{} on the slider".format(*span), self._apart)
        self.line.setText(" · ".join(filter(None, words)))
        self.line.setVisible(bool(self.line.text()))

    def _moved(self, _: object = None) -> None:
        self._show()
        self.changed.emit()

    def _tell(self, _: int = 0) -> None:
        self.changed.emit()
