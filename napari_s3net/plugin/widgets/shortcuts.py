"""Keys of the Correct dock, and the sheet that lists them.

Qt's own shortcuts, which belong to the dock: they work wherever in its window the focus is, they reach no field in
which somebody types, and they go with the dock. All take Shift, so that none is one of napari's keys for labels.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from qtpy.QtCore import Qt
from qtpy.QtGui import QKeySequence, QShortcut
from qtpy.QtWidgets import QDialog, QGridLayout, QLabel, QWidget

#: Key, name of what it does, and words for the sheet.
KEYS = (
    ("Shift+O", "object", "Paint object"),
    ("Shift+B", "background", "Paint background"),
    ("Shift+E", "erase", "Erase strokes"),
    *((f"Shift+{n}", f"label {n}", f"Paint label {n}") for n in range(1, 10)),
    ("Shift+R", "rerun", "Re-run with strokes"),
    ("Shift+S", "rerun all", "Re-run all slices with the strokes of all"),
    ("Shift+H", "hide", "Hide or show strokes"),
    ("Shift+N", "next", "Next uncertain region"),
    ("Shift+Up", "propagate up", "Carry the correction to the slices behind"),
    ("Shift+Down", "propagate down", "Carry the correction to the slices before"),
    ("Shift+Space", "next slice", "Next slice to look at"),
    ("Shift+Return", "", "Segment (in the Segment dock)"),
    ("Ctrl+Z", "", "Undo what was done last: a stroke, a tool, a run, a tick; Ctrl+Shift+Z does it again"),
    ("Shift+?", "sheet", "This sheet"),
)


def bind(owner: QWidget, actions: Mapping[str, Callable[[], None]]) -> list[QShortcut]:
    """Make the shortcuts of a dock.

    Parameters
    ----------
    owner : QWidget
        The keys work in its window, and go with it.
    actions : mapping of str to callable
        What the keys do, by the names in `KEYS`; keys without an action are not bound.

    Returns
    -------
    list of QShortcut
        In the order of `KEYS`.
    """
    made = []
    for keys, name, _ in KEYS:
        if name in actions:
            shortcut = QShortcut(QKeySequence(keys), owner)
            shortcut.setContext(Qt.ShortcutContext.WindowShortcut)
            shortcut.activated.connect(actions[name])
            made.append(shortcut)
    return made


class KeySheet(QDialog):
    """Every key with what it does."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Keys for correcting")
        grid = QGridLayout(self)
        grid.setHorizontalSpacing(18)
        rows = [(keys, words) for keys, name, words in KEYS if not name.startswith("label ")]
        rows.insert(3, ("Shift+1 … Shift+9", "Paint the label of that number"))
        rows += [("[  and  ]", "Smaller and larger brush (napari)"), ("Space", "Hold to move the view (napari)")]
        for n, (keys, words) in enumerate(rows):
            key = QLabel(keys.replace("Return", "Enter"))
            key.setProperty("heading", True)
            grid.addWidget(key, n, 0)
            grid.addWidget(QLabel(words), n, 1)
