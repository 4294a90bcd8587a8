"""A review as it goes on: which result is in view, and what becomes of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

from napari.utils.notifications import show_error
from qtpy.QtCore import QObject, Signal

from napari_s3net.batch import FileRow
from napari_s3net.batch.review import Review
from napari_s3net.errors import S3NetError
from napari_s3net.plugin.batch.open_row import OpenedResult
from napari_s3net.plugin.batch.review_panel import ACTIONS, ReviewPanel
from napari_s3net.plugin.widgets.remembered import recall, remember

#: Under which the reviewer's name is remembered.
REVIEWER = "reviewer"


class ReviewController(QObject):
    """Walks through results and keeps the decisions.

    Parameters
    ----------
    viewer : napari.Viewer
        Its keys are bound while a review goes on.
    panel : ReviewPanel
        Shows and asks.
    show : callable
        Opens a result in the viewer, and reads the one that comes next ahead, where there is one; None if the result
        cannot be opened.
    parent : QObject
        The dock.

    Signals
    -------
    decided(str, str)
        File and decision.
    moved(str)
        The file in view.
    ended()
        The review is over.
    """

    decided = Signal(str, str)
    moved = Signal(str)
    ended = Signal()

    #: Why the image in view must not be left now, in words; empty where it may.
    obstacle: Callable[[], str] = staticmethod(lambda: "")

    def __init__(
        self,
        viewer: Any,
        panel: ReviewPanel,
        show: Callable[[FileRow, FileRow | None], OpenedResult | None],
        parent: QObject,
    ) -> None:
        super().__init__(parent)
        self._viewer, self._panel, self._show = viewer, panel, show
        self._review: Review | None = None
        self._order: list[FileRow] = []
        self._place = 0
        self._opened: OpenedResult | None = None
        panel.asked.connect(self.ask)
        panel.named.connect(self._name)
        panel.reviewer.setText(str(recall(REVIEWER, "")))

    @property
    def left(self) -> int:
        """How many results have no decision yet; 0 outside a review."""
        return 0 if self._review is None else sum(self._review.decision(one) is None for one in self._order)

    @property
    def is_on(self) -> bool:
        """Whether a review goes on."""
        return self._review is not None

    def begin(self, output: Path, rows: Iterable[FileRow]) -> None:
        """Start where the last review of this folder was ended; nothing where there is no result.

        Parameters
        ----------
        output : Path
            The output folder, which keeps the decisions.
        rows : iterable of FileRow
            The results; they are reviewed the least certain first.

        Raises
        ------
        WriteError
            If the folder cannot be written to.
        """
        review = Review(output)
        self._order = review.order(rows)
        if not self._order:
            return
        self._review = review
        review.reviewer = self._panel.reviewer.text().strip()
        for name, (_, key, _tip) in ACTIONS.items():
            self._viewer.bind_key(key, lambda _, name=name: self.ask(name), overwrite=True)
        try:
            self._go(review.begin(self._order))
        except S3NetError:
            self.end()
            raise

    def end(self) -> None:
        """Stop reviewing; what was changed is saved, and the layers stay."""
        if self._review is not None:
            try:
                self._keep_changes()
            except S3NetError as error:
                self._fail(str(error))
            self._review, self._opened = None, None
            for _, key, _tip in ACTIONS.values():
                self._viewer.bind_key(key, None)
            self.ended.emit()

    def ask(self, what: str) -> None:
        """Do what a button or a key asks for: "accept", "reject", "correct", "next", "back" or "end".

        Parameters
        ----------
        what : str
            One of these words.
        """
        if self._review is None:
            return
        self._panel.show_message("")
        if what in ("accept", "next", "back") and (obstacle := self.obstacle()):
            self._fail(obstacle)
            return
        if what in ("accept", "reject") and self._opened is not None and not self._opened.is_in_view:
            self._opened.show_alone()
            self._fail(f"{self._opened.row.file} was not in view. Look at it now, then decide.")
            return
        try:
            if what in ("accept", "reject"):
                self._decide(what)
            elif what == "correct":
                self._paint()
            elif what == "end":
                self.end()
            else:
                self._keep_changes()
                self._go(self._place + (1 if what == "next" else -1))
        except S3NetError as error:
            self._fail(str(error))

    def go_to(self, file: str) -> bool:
        """Look at the result of a file, as one that was double-clicked.

        Parameters
        ----------
        file : str
            As the report names it.

        Returns
        -------
        bool
            False where no review goes on, or the file has no part in it.
        """
        place = next((n for n, row in enumerate(self._order) if row.file == file), None)
        if self._review is None or place is None:
            return False
        if obstacle := self.obstacle():
            self._fail(obstacle)
            return True
        try:
            self._keep_changes()
            self._go(place)
        except S3NetError as error:
            self._fail(str(error))
        return True

    def corrected_share(self, file: str) -> float | None:
        """How much of an image is object in what was corrected.

        Parameters
        ----------
        file : str
            As the report names it.

        Returns
        -------
        float or None
            0 to 1; None where nothing was corrected, or no review goes on.
        """
        row = next((one for one in self._order if one.file == file), None)
        return None if self._review is None or row is None else self._review.corrected_share(row)

    def look_again(self) -> None:
        """The labels in view may have changed: say how much of the image is object now; a volume is counted later."""
        opened = self._opened
        if opened is not None and opened.layer.ndim == 2 and opened.share is not None:
            self._tell()

    def _fail(self, words: str) -> None:
        """Say what went wrong, beside the buttons and as napari's notification."""
        self._panel.show_message(words)
        show_error(words)

    def _name(self, name: str) -> None:
        """Another reviewer: remembered, and the name beside what is decided from now on."""
        remember(REVIEWER, name)
        if self._review is not None:
            self._review.reviewer = name

    def _decide(self, what: str) -> None:
        assert self._review is not None  # noqa: S101 - asked for by `ask`
        row = self._order[self._place]
        if what == "accept" and not self._keep_changes():
            self._review.decide(row, "accepted")
        elif what == "reject":
            self._review.decide(row, "rejected")
        self.decided.emit(row.file, self._review.decision(row) or "")
        if self._place + 1 < len(self._order):
            self._go(self._place + 1)
        else:
            self._tell()

    def _keep_changes(self) -> bool:
        """Save what was corrected; whether there was anything."""
        if self._review is None or self._opened is None or not self._opened.is_changed:
            return False
        self._opened.save(self._review)
        self.decided.emit(self._opened.row.file, "corrected")
        return True

    def _paint(self) -> None:
        """Put the brush into the user's hand, with the object's label."""
        if self._opened is not None:
            layer = self._opened.layer
            self._viewer.layers.selection.active = layer
            layer.selected_label = next(iter(self._opened.row.foreground), 1)
            layer.mode = "paint"

    def _go(self, place: int) -> None:
        assert self._review is not None  # noqa: S101 - asked for by `ask` and `begin`
        place = min(max(place, 0), len(self._order) - 1)
        row = self._order[place]
        self._review.move(row.file)  # first, as this may be refused
        following = self._order[place + 1] if place + 1 < len(self._order) else None
        self._place, self._opened = place, self._show(row, following)
        self._tell()
        self.moved.emit(row.file)

    def _tell(self) -> None:
        assert self._review is not None  # noqa: S101 - asked for during a review
        row = self._order[self._place]
        decision = self._review.decision(row) or ""
        shown = self._review.corrected_share(row) if self._opened is None else self._opened.share
        row = row if shown is None else replace(row, share=shown)
        self._panel.show_result(row, self._place, len(self._order), self.left, decision)
