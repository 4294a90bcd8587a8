"""How far the work of the Learn dock has come: a bar, the losses, and the words for it."""

from __future__ import annotations

from typing import Any

from qtpy.QtCore import QObject, Signal
from qtpy.QtWidgets import QProgressBar

from napari_s3net.learning.settings import LEARNING
from napari_s3net.learning.steps import LearnStep, ReadStep
from napari_s3net.plugin.widgets.loss_plot import LossPlot
from napari_s3net.plugin.widgets.parts import caption
from napari_s3net.plugin.widgets.text import long_text, plural
from napari_s3net.plugin.widgets.time_left import TimeLeft

#: Terms of the losses → what they are called on the screen.
TERMS = {"supervised": "corrected", "pseudo-labels": "others", "cross pseudo": "others"}


class Progress(QObject):
    """Of one job after the other.

    Signals
    -------
    said(str)
        Where the work stands, in words.

    Parameters
    ----------
    parent : QObject
        Owns it.
    """

    said = Signal(str)

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self.bar, self.plot, self.told = QProgressBar(), LossPlot(), caption()
        self.bar.setTextVisible(False)
        self.bar.setAccessibleName("Progress")
        self.plot.setToolTip(
            "How wrong the network still is: lower is better. corrected: against your labels. others: against itself, "
            "on images without labels."
        )
        #: When the first step of learning came, and which it was.
        self._time_left = TimeLeft()
        self._learned = 0
        #: What is said once all images are read.
        self._then = self._words = ""
        self._paused = self._stopping = False
        self._found_out: list[str] = []

    def begin(self, words: str, then: str) -> None:
        """Begin with a job: the bar moves without a number.

        Parameters
        ----------
        words : str
            What is done first.
        then : str
            What is done when all images are read; empty for nothing that takes long.
        """
        self._then, self._learned = then, 0
        self._paused = self._stopping = False
        self._time_left.restart()
        self.plot.clear(1)
        self.forget()
        self._move(words)

    def tell(self, notice: str = "") -> None:
        """Tell what was found out, which stays to be read, or what is being done, until there is something else.

        Parameters
        ----------
        notice : str
            What is being done ends with "…"; empty once the work is over.
        """
        is_passing = notice.endswith("…")
        self._found_out += [notice] if notice and not is_passing else []
        self.told.setText(" ".join([*self._found_out, *([notice] if is_passing else [])]))

    def forget(self) -> None:
        """What was found out is of no matter any more."""
        self._found_out.clear()
        self.told.clear()

    def pause(self, paused: bool) -> None:
        """The work waits after the step under way, or goes on.

        Parameters
        ----------
        paused : bool
            Which of the two.
        """
        self._paused = paused
        self._time_left.restart()
        self._say(self._words)

    def stop(self, words: str) -> None:
        """The work is about to end; from now on nothing else is said.

        Parameters
        ----------
        words : str
            What becomes of it.
        """
        self._paused = False
        self._move(words)
        self._stopping = True

    def show(self, step: Any) -> tuple[int, int]:
        """Show a step.

        Parameters
        ----------
        step : LearnStep, ReadStep or Step
            Of learning, of reading images, or of the slices that a model is applied to.

        Returns
        -------
        done, total : int
            Of the steps.
        """
        if isinstance(step, LearnStep):
            done, total = step.iteration, step.total
            losses = {TERMS.get(name, name): value for name, value in step.losses.items()}
            if not self._learned:
                self.plot.clear(total)
            new = max(0, done - self._learned)
            unseen = new - 1 if new > LEARNING.report_every else 0  # of a run that goes on
            self.plot.add([{}] * unseen + [losses] * (new - unseen))
            self._learned = done
            self._say(self._learning(step))
        elif isinstance(step, ReadStep):
            done, total = step.done, step.total
            self._say(f"{done:,} of {plural(total, 'image')}")
        else:
            closer = ", looked at closer" if step.iteration > 1 else ""
            self._say(f"Slice {step.slice + 1:,} of {step.slices:,}{closer}" if step.slices > 1 else self._words)
            done, total = (step.iteration - 1) * step.slices + step.slice + 1, step.total * step.slices
        self.bar.setRange(0, total)
        self.bar.setValue(done)
        if isinstance(step, ReadStep) and done == total and self._then:
            self._move(self._then)
        return done, total

    def _learning(self, step: LearnStep) -> str:
        left = self._time_left.after(step.iteration, step.total - step.iteration)
        until = "" if left is None else f" · {long_text(left)} left"
        aside = "" if step.validation is None else f" · Dice on images set aside {step.validation:.2f}"
        return f"Step {step.iteration:,} of {step.total:,}{until}{aside}"

    def _move(self, words: str) -> None:
        """Say what is done while there is no number for it."""
        self.bar.setRange(0, 0)
        self._say(words)

    def _say(self, words: str) -> None:
        if not self._stopping:
            self._words = words
            self.said.emit(f"Paused · {words}" if self._paused else words)
