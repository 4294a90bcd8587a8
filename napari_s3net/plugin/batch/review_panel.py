"""Looking through the results of a batch, the least certain first: accept, correct, reject."""

from __future__ import annotations

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QLineEdit, QPushButton, QToolButton, QWidget

from napari_s3net.batch import FileRow
from napari_s3net.plugin.widgets.parts import button, caption, column, message_box, one_line, row, row_by_text
from napari_s3net.plugin.widgets.text import share_text

#: Buttons by what they ask for: text, key, and what they do.
ACTIONS = {
    "accept": ("Accept", "Shift-A", "Good as it is now; what you have changed is saved as a correction."),
    "correct": (
        "Brush",
        "Shift-C",
        "Paint on the labels themselves, without a run. Accept saves what you have changed.",
    ),
    "reject": ("Reject", "Shift-X", "Of no use; it is noted, and nothing is removed."),
}


class ReviewPanel(QWidget):
    """Which result is in view and what may be done with it.

    Signals
    -------
    asked(str)
        What a button asks for, by its name.
    named(str)
        The reviewer has typed a name.
    """

    asked = Signal(str)
    named = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self.title, self.line = one_line(), caption()
        self.title.setProperty("heading", True)
        self.title.setProperty("caption", False)
        self.title.setElideMode(Qt.TextElideMode.ElideMiddle)  # names of files differ at their beginning or their end
        self.buttons: dict[str, QPushButton] = {}
        for name, (text, key, tip) in ACTIONS.items():
            self.buttons[name] = made = button(text, f"{tip} ({key})")
            made.clicked.connect(lambda _=False, name=name: self.asked.emit(name))
        self.buttons["accept"].setProperty("primary", True)
        self.back, self.next = self._arrow("◂", "back", "The one before"), self._arrow("▸", "next", "The next one")
        self.reviewer = QLineEdit()
        self.reviewer.setPlaceholderText("Your name")
        self.reviewer.setAccessibleName("Reviewer")
        self.reviewer.setToolTip("Stands beside each of your decisions, in review.json and in the report.")
        self.reviewer.editingFinished.connect(lambda: self.named.emit(self.reviewer.text().strip()))
        self.close_button = button("End", "End the review; the next one goes on from here, today or another day.")
        self.close_button.clicked.connect(lambda: self.asked.emit("end"))
        ways = row_by_text(self.back, *self.buttons.values(), self.next, self.close_button)
        self.message = message_box()
        head = row(self.title, self.reviewer)
        head.layout().setStretchFactor(self.title, 2)  # a file's name is longer than a person's
        column(self, head, self.line, ways, self.message)

    def show_message(self, words: str) -> None:
        """Say why the last button did nothing.

        Parameters
        ----------
        words : str
            One or two sentences; hidden where there are none.
        """
        self.message.setText(words)
        self.message.setVisible(bool(words))

    def show_result(self, one: FileRow, place: int, total: int, left: int, decision: str) -> None:
        """Show which result is in view.

        Parameters
        ----------
        one : FileRow
            The result.
        place : int
            Its place in the review, from 0.
        total : int
            How many results there are.
        left : int
            How many of them have no decision yet.
        decision : str
            What was decided about this one: "accepted", "corrected", "rejected"; empty for nothing yet.
        """
        self.title.setText(one.file)
        self.title.setToolTip(one.file)
        share = "no object" if not one.share else f"object {share_text(one.share)}"
        number = "" if one.confidence is None else f"{100 * one.confidence:.0f} %"
        word = one.certainty or number
        sure = f" · {word}" if word and one.share else ""
        self.line.setToolTip(f"Confidence {number}. The least certain come first." if number else "")
        so_far = f" · {decision}" if decision else ""
        self.line.setText(f"{place + 1:,} of {total:,} · {left:,} left · {share}{sure}{so_far}")
        self.back.setEnabled(place > 0)
        self.next.setEnabled(place + 1 < total)

    def _arrow(self, text: str, name: str, tip: str) -> QToolButton:
        made = QToolButton()
        made.setText(text)
        made.setToolTip(f"{tip}; what you have changed is saved.")
        made.setAccessibleName(tip)
        made.clicked.connect(lambda: self.asked.emit(name))
        return made
