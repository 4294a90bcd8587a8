"""Where the review stands: above the Correct dock's strokes and tools, which act on the result in view."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QWidget

from napari_s3net.plugin.batch.review_panel import ReviewPanel
from napari_s3net.plugin.widgets.dock import bring_forward, open_dock, openings_of, show_dock
from napari_s3net.plugin.widgets.parts import button, column

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

    Signals
    -------
    refreshed()
        The Correct dock has looked at the labels in view, which may have changed.
    """

    refreshed = Signal()

    def __init__(self, viewer: Any, panel: ReviewPanel) -> None:
        super().__init__()
        self._viewer, self._panel = viewer, panel
        self._correct: CorrectDock | None = None
        #: What stood in the way when somebody last wanted to leave the result in view.
        self._told = ""
        #: The way to where the panel is lent to, which the user may have hidden.
        self.way = button(
            "Go on in the Correct tab ▸", "Show the review above the strokes and tools of the Correct dock."
        )
        self.way.hide()
        self.way.clicked.connect(self.show_correct)
        column(self, panel, self.way)

    def enter(self) -> None:
        """Open the Correct dock, and put the review above its tools; also above those of one that is opened later."""
        if getattr(self._viewer, "window", None) is None or self._correct is not None:
            return
        self._lend(show_dock(self._viewer, "Correct"))
        openings_of(self._viewer).connect(self._opened)

    def leave(self) -> None:
        """Take the panel back, and show the Batch dock."""
        was_lent = self._correct is not None
        self.release()
        if was_lent:
            bring_forward(self)

    def release(self) -> None:
        """Take the panel back for good."""
        if getattr(self._viewer, "window", None) is not None:
            openings_of(self._viewer).disconnect(self._opened)
        self._take_back()

    def _opened(self, event: Any) -> None:
        """The user has closed the Correct dock and opens it again."""
        from napari_s3net.plugin.correct.dock import CorrectDock

        if isinstance(event.dock, CorrectDock):
            self._take_back()
            self._lend(event.dock)

    def _lend(self, correct: CorrectDock) -> None:
        self._correct = correct
        correct.hold_above(self._panel)
        correct.labels.fold.expand(animate=False)  # which label is what
        correct.releasing.connect(self._closed)
        correct.refreshed.connect(self._look_again)
        self.way.show()

    def show_correct(self, _: bool = False) -> None:
        """Show the Correct dock, where the review goes on.

        Parameters
        ----------
        _ : bool
            Of the button; means nothing.
        """
        if self._correct is not None:
            bring_forward(self._correct)

    def _closed(self) -> None:
        """The Correct dock is closed: the review goes on in the Batch dock."""
        self._take_back()
        bring_forward(self)

    def _take_back(self) -> None:
        if self._correct is not None:
            self._correct.releasing.disconnect(self._closed)
            self._correct.refreshed.disconnect(self._look_again)
            self._correct.give_back()
            self._correct = None
            self.layout().insertWidget(0, self._panel)
            self.way.hide()

    def obstacle(self) -> str:
        """Say why the result in view must not be left now; also before a review and after it.

        Returns
        -------
        str
            Strokes that no run has used, or a run that goes on; empty where there is nothing of the kind.
        """
        self._told = self._now
        return self._told

    @property
    def _now(self) -> str:
        correct = self._correct or open_dock(self._viewer, "Correct")
        return "" if correct is None else str(correct.obstacle)

    def is_over(self, words: str) -> bool:
        """Whether words say what stood in the way and does so no longer, also where something else does now.

        Parameters
        ----------
        words : str
            A message on the screen.

        Returns
        -------
        bool
            False for all other messages.
        """
        return bool(words) and words == self._told and self._now != words

    def _look_again(self) -> None:
        """What stood in the way is not said any more."""
        if self.is_over(self._panel.message.text()):
            self._panel.show_message("")
        self.refreshed.emit()
