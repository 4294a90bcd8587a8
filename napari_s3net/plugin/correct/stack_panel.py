"""The part of the Correct dock that is about a stack: which slices were looked at, and corrections in many of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from qtpy.QtCore import QSize, Qt, Signal
from qtpy.QtGui import QColor, QMouseEvent, QPainter, QPaintEvent, QPalette
from qtpy.QtWidgets import QProgressBar, QSizePolicy, QSpinBox, QWidget

from napari_s3net.plugin.layers.slice_states import SliceState
from napari_s3net.plugin.widgets.parts import button, caption, column, heading, one_line, row, row_by_text
from napari_s3net.plugin.widgets.text import plural

#: Colours that people who see few colours tell apart, and that differ in lightness.
COLOURS = {SliceState.UNSEEN: "#5a6470", SliceState.SEEN: "#56b4e9", SliceState.CORRECTED: "#f0e442"}
HEIGHT = 14
#: Of the number between the two buttons, in pixels beside its arrows: what a dock of the least width leaves it.
LEAST_NUMBER = 50


class SliceStrip(QWidget):
    """One bar for each slice, coloured by its state, with a mark at the slice in view.

    Signals
    -------
    picked(int)
        A click: the view is to go to this slice.
    """

    picked = Signal(int)

    def __init__(self) -> None:
        super().__init__()
        self._states: tuple[SliceState, ...] = ()
        self._here = 0
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName("States of the slices")
        self.setToolTip("Grey: not looked at. Blue: looked at. Yellow: corrected. A click goes to the slice.")

    def show_states(self, states: Sequence[SliceState], here: int) -> None:
        """Show the state of each slice, and which one is in view.

        Parameters
        ----------
        states : sequence of SliceState
            Of every slice.
        here : int
            The slice in view.
        """
        if (tuple(states), here) != (self._states, self._here):
            self._states, self._here = tuple(states), here
            self.update()

    def sizeHint(self) -> QSize:
        """For Qt: as high as a line of text, and as wide as there is room.

        Returns
        -------
        QSize
            In pixels.
        """
        return QSize(100, HEIGHT)

    def paintEvent(self, event: QPaintEvent) -> None:
        """For Qt: draw neighbouring slices of one state as one bar."""
        painter, n = QPainter(self), max(1, len(self._states))
        first = 0
        for end in range(1, len(self._states) + 1):
            if end == len(self._states) or self._states[end] is not self._states[first]:
                left, right = (round(self.width() * at / n) for at in (first, end))
                painter.fillRect(left, 3, right - left, HEIGHT - 6, QColor(COLOURS[self._states[first]]))
                first = end
        if self._states:
            middle = round(self.width() * (self._here + 0.5) / n)
            colour = self.palette().color(QPalette.ColorRole.WindowText)
            painter.fillRect(min(max(0, middle - 1), self.width() - 3), 0, 3, HEIGHT, colour)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """For Qt: a click picks the slice under it."""
        if self._states and event.button() == Qt.MouseButton.LeftButton:
            share = event.position().x() / max(1, self.width())
            self.picked.emit(min(len(self._states) - 1, max(0, int(share * len(self._states)))))


class StackPanel(QWidget):
    """Shown for stacks only.

    Signals
    -------
    asked(str)
        "rerun all", "propagate down" or "propagate up", "fill", "next slice", "stop" or "cancel".
    """

    asked = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self.strip, self.states_line, self.line = SliceStrip(), one_line(), caption()
        carried = "Carry the correction of this slice to the {}, as far as they look alike (Shift-{})."
        self.buttons = {
            "rerun all": button(
                "Re-run all slices",
                "One re-run with the strokes of all slices: those between and beside them follow, as far as they look "
                "alike (Shift-S).",
            ),
            "propagate down": button("◂ Propagate", carried.format("slices before", "Down")),
            "propagate up": button("Propagate ▸", carried.format("slices behind", "Up")),
            "fill": button("Fill between", "Fill in the shape between two corrected slices; on what the tools act on."),
            "next slice": button("Next slice ▸", "Go to the next slice that nobody has looked at (Shift-Space)."),
            "stop": button("Stop and keep", "End here; the slices that are done are kept."),
            "cancel": button("Cancel", "End here; every slice stays as it was."),
        }
        for name, made in self.buttons.items():
            made.clicked.connect(lambda _, name=name: self.asked.emit(name))
        self.most = QSpinBox()
        self.most.setRange(0, 9999)
        self.most.setSpecialValueText("all")
        self.most.setPrefix("≤ ")
        self.most.setAccessibleName("Propagate at most so many slices")
        self.most.setToolTip("Propagate ends after so many slices at the latest.")
        b = self.buttons
        self.most.setStyleSheet(f"QSpinBox {{ min-width: {LEAST_NUMBER}px; }}")  # napari's own style asks for more
        moving = row_by_text(b["propagate down"], self.most, b["propagate up"])
        others = row(b["fill"], b["next slice"])
        self.bar = QProgressBar()
        self.bar.setTextVisible(False)
        self.bar.setAccessibleName("Slices that are done")
        self.ways_to_end = row(b["stop"], b["cancel"])
        title = row(heading("Slices"), self.states_line)
        title.layout().setStretch(0, 0)
        column(self, title, self.strip, b["rerun all"], moving, others, self.bar, self.line, self.ways_to_end)
        self.line.hide()
        self.show_busy(busy=False)

    def show_states(self, states: Sequence[SliceState], here: int) -> None:
        """Show the state of each slice, and which one is in view; drawn and in words.

        Parameters
        ----------
        states : sequence of SliceState
            Of every slice.
        here : int
            The slice in view.
        """
        self.strip.show_states(states, here)
        counts = Counter(states)
        left = counts[SliceState.UNSEEN]
        self.states_line.setText(f"here: {states[here].value} · {left} to look at")
        done = f"{counts[SliceState.CORRECTED]} corrected, {counts[SliceState.SEEN]} looked at"
        self.states_line.setToolTip(f"Slice {here}: {states[here].value}. {plural(left, 'slice')} to look at, {done}.")

    def show_busy(self, *, busy: bool, waits: bool = False) -> None:
        """Show whether slices are being corrected, which can be stopped or cancelled.

        Parameters
        ----------
        busy : bool
            Whether they are.
        waits : bool
            Whether something else goes on, such as a run, whose end is to be waited for.
        """
        may_begin = not busy and not waits
        for name, made in self.buttons.items():
            made.setEnabled(busy if name in ("stop", "cancel") else may_begin)
        self.most.setEnabled(may_begin)
        self.bar.setVisible(busy)
        self.ways_to_end.setVisible(busy)
        if not busy:
            self.bar.setRange(0, 0)

    def show_progress(self, done: int, total: int) -> None:
        """Show how many slices are done.

        Parameters
        ----------
        done, total : int
            Slices.
        """
        self.bar.setRange(0, total)
        self.bar.setValue(done)
        self.show_line(f"{done} of at most {plural(total, 'slice')} done.")

    def show_line(self, words: str) -> None:
        """Say what came of it.

        Parameters
        ----------
        words : str
            One sentence; hidden where there is none.
        """
        self.line.setText(words)
        self.line.setVisible(bool(words))
