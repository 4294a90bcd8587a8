"""The parts of the Segment dock before a result: the way to a first image, and a run's progress."""

from __future__ import annotations

from qtpy.QtCore import Signal
from qtpy.QtGui import QResizeEvent
from qtpy.QtWidgets import QLabel, QProgressBar, QPushButton, QWidget

from napari_s3net.plugin.widgets.loss_plot import LossPlot
from napari_s3net.plugin.widgets.parts import button, caption, column, heading, menu_button, row
from napari_s3net.plugin.widgets.progress_text import progress_text
from napari_s3net.plugin.widgets.time_left import TimeLeft
from napari_s3net.plugin.widgets.volume_text import slices_text, volume_progress
from napari_s3net.progress import Step

#: From this height on there is room for the plot of the losses.
PLOT_FROM = 130


class Welcome(QWidget):
    """What the dock shows without an image."""

    asked = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self.open = QPushButton("Open image…")
        self.open.setProperty("primary", True)
        self.open.setToolTip("PNG, JPEG, BMP, TIFF, DICOM, NIfTI, MetaImage or NRRD.")
        self.open.clicked.connect(lambda: self.asked.emit("file"))
        self.folder = QPushButton("Open DICOM folder…")
        self.folder.setToolTip("A folder that holds a series of slices.")
        self.folder.clicked.connect(lambda: self.asked.emit("folder"))
        self.sample, menu = menu_button(
            "Try a sample",
            "Made by this plugin; nothing is downloaded.",
            dermoscopy="Dermoscopy photograph",
            chest_ct="Chest CT slice",
        )
        menu.triggered.connect(lambda action: self.asked.emit(action.objectName()))
        self.tour = button("Show me around", "A tour on a sample, from the image to the saved mask.")
        self.tour.clicked.connect(lambda: self.asked.emit("tour"))
        words = caption(
            "S³-Net learns to segment the one image in view, with no labels and no training data. "
            "Photographs, and slices and volumes of CT and MR. Where napari asks for a reader, choose S³-Net."
        )
        column(self, heading("Open an image, or try a sample"), words, self.open, self.folder, self.sample, self.tour)


class ProgressPanel(QWidget):
    """A run's progress, and the two ways to end it."""

    def __init__(self) -> None:
        super().__init__()
        self.bar = QProgressBar()
        self.bar.setTextVisible(False)
        self.bar.setAccessibleName("Progress")
        self.line = QLabel()
        self.line.setWordWrap(True)
        self.plot = LossPlot()
        self.plot.hide()
        self.stop = QPushButton("Stop and keep")
        self.stop.setToolTip("End after this iteration; what there is becomes the result (Esc).")
        self.cancel = QPushButton("Cancel")
        self.cancel.setToolTip("End and put back what was there before the run.")
        self._time_left = TimeLeft()
        layout = column(self, self.bar, self.line, self.plot, row(self.stop, self.cancel))
        layout.setStretchFactor(self.plot, 1)
        layout.addStretch()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """For Qt: the plot is shown where there is room for it, so that it moves nothing."""
        super().resizeEvent(event)
        self.plot.setVisible(event.size().height() >= PLOT_FROM)

    def begin(self, total: int) -> None:
        """Prepare for a run of at most `total` iterations.

        Parameters
        ----------
        total : int
            The most iterations that may come.
        """
        self._time_left.restart()
        self.bar.setRange(0, total)
        self.bar.setValue(0)
        self.plot.clear(total)

    def move(self, words: str) -> None:
        """Let the bar move without a number, above words that say what is going on.

        Parameters
        ----------
        words : str
            What is going on.
        """
        self.bar.setRange(0, 0)
        self.line.setText(words)

    def show_steps(self, steps: tuple[Step, ...]) -> None:
        """Show the newest iterations; bar and plot begin again where the run did, as after memory ran out.

        Parameters
        ----------
        steps : tuple of Step
            In their order, since the last time.
        """
        if steps[-1].slices > 1:
            self._show_slices(steps)
            return
        first = next((i for i in reversed(range(len(steps))) if steps[i].iteration == 1), None)
        if first is not None:
            steps = steps[first:]
            self.begin(steps[0].total)
        step = steps[-1]
        self._time_left.begin(steps[0].iteration)
        self.plot.add([one.losses for one in steps])
        self.bar.setRange(0, step.total)
        self.bar.setValue(step.iteration)
        left = self._time_left.after(step.iteration, step.total - step.iteration)
        self.line.setText(progress_text(step.iteration, step.total, left, step.n_labels))

    def _show_slices(self, steps: tuple[Step, ...]) -> None:
        """Show how many slices of a volume are done."""
        done, slices = volume_progress(steps[-1])
        self.plot.add([step.losses for step in steps if step.losses])
        self.bar.setRange(0, slices)
        self.bar.setValue(done)
        left = self._time_left.after(done, slices - done) if done else None
        self.line.setText(slices_text(steps[-1], left))
