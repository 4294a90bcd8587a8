"""Where the review stands: above the Correct dock's strokes and tools, which act on the result in view."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qtpy.QtWidgets import QWidget

from napari_s3net.plugin.batch.review_panel import ReviewPanel
from napari_s3net.plugin.widgets.dock import bring_forward, show_dock
from napari_s3net.plugin.widgets.parts import caption, column

if TYPE_CHECKING:
    from napari_s3net.plugin.correct.dock import CorrectDock


class ReviewPlace(QWidget):
    """Holds the review's panel in the Batch dock, and lends it to the Correct dock while a review goes on.

    Parameters
    ----------
    viewer : napari.Viewer
        Without a window, the panel stays here.
    panel : ReviewPanel
        What is lent.
    """

    def __init__(self, viewer: Any, panel: ReviewPanel) -> None:
        super().__init__()
        self._viewer, self._panel = viewer, panel
        self._correct: CorrectDock | None = None
        #: What stood in the way when somebody last wanted to leave the result in view.
        self._told = ""
        self.line = caption("The review goes on in the Correct tab.")
        self.line.hide()
        column(self, panel, self.line)

    def enter(self) -> None:
        """Open the Correct dock, and put the review above its tools."""
        if getattr(self._viewer, "window", None) is None or self._correct is not None:
            return
        self._correct = correct = show_dock(self._viewer, "Correct")
        correct.hold_above(self._panel)
        correct.labels.fold.expand(animate=False)  # which label is what
        correct.releasing.connect(self.leave)
        correct.refreshed.connect(self._look_again)
        self.line.show()

    def leave(self) -> None:
        """Take the panel back, and show the Batch dock."""
        if self._correct is not None:
            self.release()
            bring_forward(self)

    def release(self) -> None:
        """Take the panel back."""
        if self._correct is not None:
            self._correct.releasing.disconnect(self.leave)
            self._correct.refreshed.disconnect(self._look_again)
            self._correct.give_back()
            self._correct = None
            self.layout().insertWidget(0, self._panel)
            self.line.hide()

    def obstacle(self) -> str:
        """Say why the result in view must not be left now.

        Returns
        -------
        str
            Strokes that no run has used, or a run that goes on; empty where there is nothing of the kind.
        """
        self._told = "" if self._correct is None else self._correct.obstacle
        return self._told

    def _look_again(self) -> None:
        """What stood in the way and does so no longer is not said any more."""
        if self._told and self._panel.message.text() == self._told and self.obstacle() == "":
            self._panel.show_message("")
