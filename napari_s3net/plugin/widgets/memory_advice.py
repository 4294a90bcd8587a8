"""How much memory a run takes; where it would not fit, says so and offers what would."""

from __future__ import annotations

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QLabel, QPushButton, QWidget

from napari_s3net.plugin.widgets.parts import column
from napari_s3net.plugin.widgets.text import NARROW
from napari_s3net.runtime.memory import Advice, mib_text, too_much


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

    def __init__(self) -> None:
        super().__init__()
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


def memory_text(advice: Advice) -> str:
    """Say what a run takes of memory and what there is.

    Parameters
    ----------
    advice : Advice
        Need and free memory, in MiB.

    Returns
    -------
    str
        "Memory: about 130 MB of 12.4 GB free.".
    """
    needed, free = (mib_text(mib).replace(" ", NARROW) for mib in (advice.needed, advice.free))
    return f"Memory: about {needed} of {free} free."


def remedy_words(advice: Advice) -> str:
    """Say that a run does not fit into memory, and what would.

    Parameters
    ----------
    advice : Advice
        What would make it fit.

    Returns
    -------
    str
        Two sentences.
    """
    if advice.working_size is not None:
        return f"{too_much(advice)} A working size of {advice.working_size}{NARROW}px fits."
    return f"{too_much(advice)} {'It fits on the CPU.' if advice.cpu else 'Close other programs first.'}"


def remedy_text(advice: Advice) -> str:
    """The text of the button that makes a run fit into memory.

    Parameters
    ----------
    advice : Advice
        What would make it fit.

    Returns
    -------
    str
        "Use 256 px" or "Use the CPU"; empty where neither would do.
    """
    if advice.working_size is not None:
        return f"Use {advice.working_size}{NARROW}px"
    return "Use the CPU" if advice.cpu else ""
