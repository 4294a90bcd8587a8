"""Says that a run would not fit into memory, and offers what would."""

from __future__ import annotations

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QLabel, QPushButton, QWidget

from napari_s3net.plugin.widgets.parts import column
from napari_s3net.plugin.widgets.text import remedy_text, remedy_words
from napari_s3net.runtime.memory import Advice


class MemoryAdvice(QWidget):
    """A sentence and a button; hidden while the run fits.

    Signals
    -------
    size_taken(int)
        The user takes the smaller working size.
    cpu_taken()
        The user takes the CPU.
    """

    size_taken = Signal(int)
    cpu_taken = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._advice: Advice | None = None
        self.line, self.button = QLabel(), QPushButton()
        self.line.setObjectName("message")
        self.line.setWordWrap(True)
        self.button.setToolTip("Change the setting so that the run fits into memory.")
        self.button.clicked.connect(self._take)
        column(self, self.line, self.button)
        self.hide()

    def show_advice(self, advice: Advice | None) -> None:
        """Show what does not fit; nothing where it fits, or nothing is known.

        Parameters
        ----------
        advice : Advice or None
            Need and free memory; None where they are not known.
        """
        self._advice = advice
        self.setVisible(advice is not None and not advice.fits)
        if advice is not None and not advice.fits:
            self.line.setText(remedy_words(advice))
            self.button.setText(remedy_text(advice))
            self.button.setVisible(bool(remedy_text(advice)))

    def _take(self) -> None:
        if self._advice is None:
            return
        if self._advice.working_size is not None:
            self.size_taken.emit(self._advice.working_size)
        else:
            self.cpu_taken.emit()
